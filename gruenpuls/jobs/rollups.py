"""Hours and days of all series are kept summed up: days that are over, and what changed since."""

from __future__ import annotations

import time
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

from gruenpuls.domain.clock import Clock
from gruenpuls.domain.ports import ObservationStore
from gruenpuls.jobs.turns import Turn
from gruenpuls.stores.registry import Registry

_STRAGGLERS: Final = timedelta(hours=3)
"""So long after midnight a day is taken for over; what comes later is rolled up anew."""
_EVERY: Final = 3600.0
"""How often it is looked for what changed [s]; what did is answered from readings meanwhile."""
_AT_A_TIME: Final = 2.0
"""Longer than that other work shall not wait [s]."""


@dataclass
class Rollups:
    """Rolls up what is due, a little at a time.

    Parameters
    ----------
    registry : Registry
    store : ObservationStore
    clock : Clock
        A replay's own while one runs.
    zone : ZoneInfo
        The city's, whose days are kept.
    turn : callable
        Gives a context for each part.
    """

    registry: Registry
    store: ObservationStore
    clock: Clock
    zone: ZoneInfo
    turn: Turn = nullcontext
    _next: float = field(default=0.0, init=False)

    def keep(self) -> bool:
        """Go on where the last call ended; return whether there is more. Once all is done it rests for an hour."""
        began = time.monotonic()
        if began < self._next:
            return False
        until, ends = self.clock() - _STRAGGLERS, self.registry.resolution.told_at_their_end()
        while time.monotonic() - began <= _AT_A_TIME:
            with self.turn():
                more = self.store.roll_up(until, self.zone, ends)
            if not more:
                self._next = time.monotonic() + _EVERY
                return False
        return True
