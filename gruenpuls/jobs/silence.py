"""A silent sensor is news though nothing arrives: the sites of those not heard in time are judged every hour."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from gruenpuls.domain.clock import Clock
from gruenpuls.domain.local_time import local_day
from gruenpuls.domain.quantity import QUANTITIES
from gruenpuls.domain.reading import to_stored
from gruenpuls.jobs.hearing import Hearing, measured

_HOUR: Final = timedelta(hours=1)
_LONG: Final = timedelta(days=3)
"""From then on a silence is looked at once a day: there are sensors nobody ever fetches."""


@dataclass
class Silence:
    """Marks the sites of devices that should have been heard, so that rules are judged there.

    Parameters
    ----------
    hearing : Hearing
    clock : Clock
        What time it is at the sites; a replay's own while one runs.
    """

    hearing: Hearing
    clock: Clock
    _looked_at: datetime | None = field(default=None, init=False)

    def mark(self) -> int:
        """Mark what has become due since the last full hour; return how many sites that were."""
        now = self.clock()
        hour = now.replace(minute=0, second=0, microsecond=0)
        if hour == self._looked_at:
            return 0
        new_day = self._looked_at is None or self._looked_at.date() != hour.date()
        registry = self.hearing.registry
        rows = measured(registry.resolution.fleet_series((), measured=sorted(QUANTITIES)))
        moment = to_stored(now)
        rows = rows.where((rows.from_at <= moment) & (moment < rows.to_at))
        stay_of, stays = self.hearing.stays(rows)
        latest = registry.latest.of(rows.series.tolist())
        place = np.searchsorted(latest.series, rows.series)
        there = place < len(latest)
        there[there] = latest.series[place[there]] == rows.series[there]
        heard = np.full(len(stays.site), np.iinfo(np.int64).min)
        at = latest.measured_at[place[there]].astype("datetime64[ms]").astype(np.int64)
        np.maximum.at(heard, stay_of[there], at)
        known = heard != np.iinfo(np.int64).min
        silence = int(moment.astype(np.int64)) - np.where(known, heard, 0)
        due = known & (silence >= np.maximum(stays.interval, _HOUR / timedelta(milliseconds=1)))
        if not new_day:
            due &= silence < _LONG / timedelta(milliseconds=1)
        keys = {rows.sites[number] for number in np.unique(stays.site[due]).tolist()}
        zones = {key: ZoneInfo(site.time_zone) for key, site in registry.places.by_keys(sorted(keys)).items()}
        registry.dirty.mark({key: local_day(now, zone) for key, zone in zones.items()})
        self._looked_at = hour
        return len(zones)
