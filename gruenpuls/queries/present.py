"""The moment a question is asked at, which a replay of old records moves into the past."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from gruenpuls.domain.clock import ReplaySpan, beside, playing

_ON_ITS_WAY: Final = timedelta(seconds=8)
"""What a message of a replay may take from the broker to the page on a busy machine."""


@dataclass(frozen=True, slots=True)
class Present:
    """What time it is for a question.

    Parameters
    ----------
    now : datetime
        Aware UTC; in a replay the recorded moment that is being played.
    spans : tuple of ReplaySpan
        What is replayed; empty outside a replay.
    """

    now: datetime
    spans: tuple[ReplaySpan, ...] = ()

    @property
    def replay(self) -> ReplaySpan | None:
        """The span that is being played."""
        return playing(self.spans, self.now)

    @property
    def share(self) -> float:
        """How far that span has got [0 to 1]."""
        span = self.replay
        if span is None:
            return 0.0
        return (self.now - span.recorded_from) / (span.recorded_to - span.recorded_from)

    def patience(self, silent_after: timedelta) -> timedelta:
        """Return how long nothing need be heard of a sensor before it counts as silent.

        In fast motion days go by while a message is on its way: then it is given some seconds of real time.
        """
        span = self.replay
        if span is None:
            return silent_after
        speed = (span.recorded_to - span.recorded_from) / (span.played_to - span.played_from)
        return silent_after + speed * _ON_ITS_WAY

    def beside(self, moment: datetime | None) -> datetime:
        """Return the present as seen from something recorded then; as it is where nothing was."""
        return self.now if moment is None else beside(self.spans, self.now, moment)
