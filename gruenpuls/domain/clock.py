"""What time it is: now, or where a replay of old records has got to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Returns the present as an aware UTC datetime."""


def wall_clock() -> datetime:
    """Return the machine's time."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class ReplaySpan:
    """A span of recorded time, and the span of real time it is replayed in.

    Parameters
    ----------
    name : str
        What is replayed, for people.
    recorded_from, recorded_to : datetime
    played_from, played_to : datetime
        All aware UTC.
    """

    name: str
    recorded_from: datetime
    recorded_to: datetime
    played_from: datetime
    played_to: datetime

    def at(self, wall: datetime) -> datetime:
        """Return the recorded moment that is being played; before and after the span its ends."""
        share = (wall - self.played_from) / (self.played_to - self.played_from)
        return self.recorded_from + min(max(share, 0.0), 1.0) * (self.recorded_to - self.recorded_from)


def replayed(spans: Sequence[ReplaySpan], wall: datetime) -> tuple[ReplaySpan, datetime]:
    """Return the span that is being played, and its moment.

    Between two spans the earlier one stands at its end; after the last, so does that.
    """
    current = spans[0]
    for span in spans:
        if wall >= span.played_from:
            current = span
    return current, current.at(wall)
