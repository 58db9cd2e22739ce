"""The rains of a site one by one: how much, how long, how heavy, how rare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from gruenpuls.domain.errors import InputError
from gruenpuls.domain.ports import ObservationReader
from gruenpuls.domain.reading import Flag, ReadingBatch, Times, Values, from_stored
from gruenpuls.domain.series import AS_IT_CAME
from gruenpuls.domain.site import Site
from gruenpuls.queries.daily_rain import RAIN
from gruenpuls.stores.registry import Registry
from processors.rain.heavy_rain_index import heavy_rain_index
from processors.rain.intensity import DURATIONS, moving_sums
from processors.rain.rain_event import rain_events
from processors.rain.rare_rain import RareRain, return_period

_HOUR: Final = np.timedelta64(1, "h").astype("timedelta64[ms]")


@dataclass(frozen=True, slots=True)
class RainOfSite:
    """One rain.

    Parameters
    ----------
    begin, end : datetime
        Aware UTC.
    depth : float
        [mm]
    heaviest : dict of float
        The most that fell within so many minutes [mm], for durations of a step of the record and more.
    index : int or None
        Heavy rain index; None without a table of rare rain.
    decided_by : int or None
        The duration that made it highest [min].
    period : float or None
        How often that is reached [a], 0 for more than once a year.
    """

    begin: datetime
    end: datetime
    depth: float
    heaviest: dict[int, float]
    index: int | None
    decided_by: int | None
    period: float | None


def rains_of_site(
    registry: Registry,
    readings: ObservationReader,
    site: Site,
    from_at: datetime,
    to_at: datetime,
    gap: timedelta,
    table: RareRain | None,
) -> Sequence[RainOfSite]:
    """Return the rains of a site in order of time, from the finest record it has of its own.

    Parameters
    ----------
    registry : Registry
    readings : ObservationReader
    site : Site
    from_at, to_at : datetime
    gap : timedelta
        So long without rain ends one.
    table : RareRain or None

    Raises
    ------
    InputError
        If the site has no record of rain.
    """
    begin, end, fell = _record(registry, readings, site, from_at, to_at)
    events = rain_events(begin, end, fell, np.timedelta64(gap))
    sums = {minutes: moving_sums(begin, end, fell, np.timedelta64(minutes, "m")) for minutes in DURATIONS}
    found = []
    for number in range(len(events)):
        inside = (end > events.begin[number]) & (end <= events.end[number])
        heaviest = {
            minutes: float(np.nanmax(sums[minutes][inside]))
            for minutes in DURATIONS
            if np.isfinite(sums[minutes][inside]).any()
        }
        index, decided_by, period = _judged(heaviest, table, site)
        edges = from_stored(events.begin[number]), from_stored(events.end[number])
        found.append(RainOfSite(*edges, float(events.depth[number]), heaviest, index, decided_by, period))
    return found


def _record(
    registry: Registry, readings: ObservationReader, site: Site, from_at: datetime, to_at: datetime
) -> tuple[Times, Times, Values]:
    """Return begin, end and depth of each step: what a device says before what a counter does, then the radar."""
    rows = [
        it
        for it in registry.resolution.site_series(site.key, from_at, to_at)
        if it.quantity == RAIN and not it.statistic
    ]
    ranks = {origin: rank for rank, origin in enumerate((AS_IT_CAME[0], AS_IT_CAME[1], "", AS_IT_CAME[2]))}
    for one in sorted(rows, key=lambda it: ranks.get(it.origin, ranks[""])):
        same = [it for it in rows if (it.origin, it.channel) == (one.origin, one.channel)]
        read = ReadingBatch.joined([readings.read([it.series], it.from_at, it.to_at) for it in same])
        read = read.where(np.isin(read.flag, [Flag.FAIL, Flag.MISSING], invert=True))
        if not len(read):
            continue
        at, first = np.unique(read.measured_at, return_index=True)
        fell = read.value[first]
        if one.origin not in AS_IT_CAME:
            return at, at + _HOUR, fell
        # A sum tells what fell since the one before, but after a gap nobody knows since when.
        before = np.append(at[:1] - _HOUR, at[:-1])
        return np.maximum(before, at - _HOUR), at, fell
    what = f"{site.key} has no record of rain in this time"
    raise InputError(what, where="SITE", remedy="name a place with a rain gauge: `gruenpuls rain gauge` lists them")


def _judged(
    heaviest: dict[int, float], table: RareRain | None, site: Site
) -> tuple[int | None, int | None, float | None]:
    """Return the highest heavy rain index of all durations the table has, by which, and its return period."""
    if table is None:
        return None, None, None
    place = np.array([[np.nan if it is None else it] for it in (site.latitude, site.longitude)], np.float64)
    cell, _ = table.nearest(place[0], place[1])
    worst: tuple[int, float, int] | None = None
    for row, minutes in enumerate(table.durations):
        if minutes not in heaviest:
            continue
        depth, depths = np.array([heaviest[minutes]]), table.depths[cell, row]
        period = return_period(depth, np.array(table.periods, np.float64), depths)
        index = int(heavy_rain_index(period, depth, depths[:, -1])[0])
        if worst is None or (index, float(period[0])) > worst[:2]:
            worst = index, float(period[0]), minutes
    return (None, None, None) if worst is None else (worst[0], worst[2], worst[1])
