"""The rain of each day at many sites, from where their balance took it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from gruenpuls.domain.local_time import day_start
from gruenpuls.domain.ports import ObservationReader
from gruenpuls.domain.processor import Array
from gruenpuls.domain.reading import Times, to_stored
from gruenpuls.domain.series import AS_IT_CAME
from gruenpuls.queries.calendar_day import local_days
from gruenpuls.stores.registry import Registry
from gruenpuls.stores.registry.resolution import FleetSeries
from gruenpuls.stores.registry.weather_use import WeatherSpan

RAIN: Final = "precipitation"
GRID: Final = "radolan"
_MANY: Final = 50
"""For more sites all that is kept is read at once."""
_HOUR: Final = timedelta(hours=1)
_HOURS: Final = np.timedelta64(1, "h").astype("timedelta64[ms]")
_ONE: Final = timedelta(milliseconds=1)
_COMPLETE: Final = 0.9
"""Share of a day's hours the balance asks for [-]."""


def daily_rain(
    registry: Registry, readings: ObservationReader, sites: Sequence[str], first: date, end: date, zone: ZoneInfo
) -> Array:
    """Return the rain of each day, from where each site's balance took it that day.

    Parameters
    ----------
    registry : Registry
    readings : ObservationReader
    sites : sequence of str
    first, end : date
        The end is exclusive.
    zone : ZoneInfo
        Of the sites.

    Returns
    -------
    float64 (day, site)
        [mm]; NaN where the balance had none and took the climate's.
    """
    found = np.full(((end - first).days, len(sites)), np.nan)
    spans = [it for it in _spans(registry, sites, first, end) if it.quantity == RAIN and it.station is not None]
    rows = registry.resolution.fleet_series([RAIN], sorted({it.station for it in spans if it.station is not None}))
    place_of = {key: place for place, key in enumerate(sites)}
    told: dict[tuple[str, str, bool], Array] = {}
    # Sums of readings before a station's own daily values, as the balance has it.
    for span in sorted(spans, key=lambda it: it.statistic):
        assert span.station is not None
        source = (span.station, "" if span.statistic == "sum" else span.statistic, span.source == "grid")
        if source not in told:
            told[source] = rain_of_place(readings, rows, source, first, end, zone)
        begin, stop = ((it - first).days for it in (max(span.from_day, first), min(span.to_day, end)))
        column = found[begin:stop, place_of[span.site]]
        column[:] = np.where(np.isnan(column), told[source][begin:stop], column)
    return found


def _spans(registry: Registry, sites: Sequence[str], first: date, end: date) -> Sequence[WeatherSpan]:
    if len(sites) <= _MANY:
        return [span for site in sites for span in registry.weather_use.of_site(site, first, end)]
    wanted = set(sites)
    return [it for it in registry.weather_use.since(first) if it.site in wanted and it.from_day < end]


def rain_of_place(
    readings: ObservationReader,
    rows: FleetSeries,
    source: tuple[str, str, bool],
    first: date,
    end: date,
    zone: ZoneInfo,
) -> Array:
    """Return what fell on each day by the series of one place."""
    station, statistic, grid = source
    mask = (rows.site == rows.sites.index(station)) & (rows.statistic == statistic) & ((rows.origin == GRID) == grid)
    places = np.flatnonzero(mask & np.isnan(rows.depth)).tolist()
    days = (end - first).days
    from_at, to_at = day_start(first, zone), day_start(end, zone)
    hours = int((to_at - from_at) / _HOUR)
    total, count = np.zeros(hours), np.zeros(hours)
    for place in places:
        # A sum is told at the end of its hour, but by processors and of whole days at the beginning.
        late = _ONE if not statistic and rows.origin[place] in AS_IT_CAME else timedelta(0)
        parts = readings.aggregate([int(rows.series[place])], from_at + late, to_at + late, _HOUR)
        here = (parts.step > rows.from_at[place] - _HOURS) & (parts.step < rows.to_at[place])
        hour = ((parts.step[here] - to_stored(from_at + late)) // _HOURS).astype(np.int64)
        np.add.at(total, hour, parts.total[here])
        np.add.at(count, hour, 1)
    starts: Times = to_stored(from_at) + np.arange(hours) * _HOURS
    day = (local_days(starts, zone) - np.datetime64(first)).astype(np.int64)
    fell = np.bincount(day, np.where(count > 0, total / np.maximum(count, 1), 0.0), days)
    known, whole = np.bincount(day, count > 0, days), np.bincount(day, minlength=days)
    enough = known > 0 if statistic else known >= _COMPLETE * whole
    return np.where(enough, fell, np.nan)
