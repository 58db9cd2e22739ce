"""Each new day every site that grows something is due, whether it has sensors or not."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from gruenpuls.domain.clock import NO_REPLAY, Beside, Clock
from gruenpuls.domain.local_time import local_day
from gruenpuls.jobs.recompute import GROWING
from gruenpuls.stores.registry import Registry

_LONGEST_PAUSE: Final = timedelta(days=400)
"""After a longer one nothing is filled in: what was known then says nothing of now."""
_DAY: Final = timedelta(days=1)


@dataclass
class NewDay:
    """Marks the sites whose last day that is over has not been computed.

    Parameters
    ----------
    registry : Registry
    clock : Clock
        What time it is at the sites; a replay's own while one runs.
    zone : str
        The city's: its new day, and new sites, are what it looks for.
    beside : Beside
        What time it is at sites whose record a replay has left behind.
    """

    registry: Registry
    clock: Clock
    zone: str
    beside: Beside = NO_REPLAY
    _seen: tuple[date, int] | None = field(default=None, init=False)

    def mark(self) -> int:
        """Mark what has become due; return how many sites that were."""
        now = self.clock()
        state = (local_day(now, ZoneInfo(self.zone)), self.registry.places.count())
        if state == self._seen:
            return 0
        computed = self.registry.weather_use.bounds()
        due: dict[str, date] = {}
        for site in self.registry.places.list():
            if site.kind not in GROWING:
                continue
            last = computed.get(site.key, (None, None))[1]
            theirs = now if last is None else self.beside(now, datetime.combine(last, time(), UTC))
            today = local_day(theirs, ZoneInfo(site.time_zone))
            if last is None or not today - _LONGEST_PAUSE < last < today:
                due[site.key] = today - _DAY
            elif last < today - _DAY:
                due[site.key] = last + _DAY
        self.registry.dirty.mark(due)
        self._seen = state
        return len(due)
