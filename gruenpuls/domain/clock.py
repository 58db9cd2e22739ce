"""What time it is: now, or where a replay of old records has got to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

Clock = Callable[[], datetime]
"""Returns the present as an aware UTC datetime."""
Beside = Callable[[datetime, datetime], datetime]
"""Returns the present, which is the first, as seen from something recorded at the second; all aware UTC."""

_AROUND: Final = timedelta(days=7)


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


def playing(spans: Sequence[ReplaySpan], moment: datetime) -> ReplaySpan | None:
    """Return the span a recorded moment lies in; None where it lies in none."""
    return next((span for span in spans if span.recorded_from <= moment <= span.recorded_to), None)


def _of_record(spans: Sequence[ReplaySpan], moment: datetime) -> ReplaySpan | None:
    """Return the span a moment belongs to, since what is computed reaches some days beyond what was recorded."""
    inside = playing(spans, moment)
    around = (it for it in spans if it.recorded_from - _AROUND <= moment <= it.recorded_to + _AROUND)
    return inside or next(around, None)


def beside(spans: Sequence[ReplaySpan], now: datetime, moment: datetime) -> datetime:
    """Return the present as seen from something recorded at a moment.

    Once a replay has moved on to another record, what belongs to an earlier one stands still at its end instead
    of growing years old.
    """
    span = _of_record(spans, moment)
    return now if span is None or span == playing(spans, now) else span.recorded_to


NO_REPLAY: Final[Beside] = partial(beside, ())
"""The present is the same for everything."""
