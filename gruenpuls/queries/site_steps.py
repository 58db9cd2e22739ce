"""Hourly and daily values of sites, as columns beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.local_time import day_start, local_times
from gruenpuls.domain.ports import ObservationReader
from gruenpuls.domain.processor import Array
from gruenpuls.domain.reading import Flag, Times, to_stored
from gruenpuls.domain.series import AS_IT_CAME
from gruenpuls.queries.calendar_day import local_days
from gruenpuls.queries.daily_rain import GRID, RAIN
from gruenpuls.stores.registry import Registry
from gruenpuls.stores.registry.resolution import FleetSeries

_HOUR: Final = timedelta(hours=1)
_HOURS: Final = np.timedelta64(1, "h").astype("timedelta64[ms]")
_HOURS_A_DAY: Final = 24
_INSTANT: Final = timedelta(milliseconds=1)


def hours_between(from_at: datetime, to_at: datetime) -> Times:
    """Return the start of each whole hour of a span that begins on one [UTC]."""
    starts: Times = to_stored(from_at) + np.arange((to_at - from_at) // _HOUR) * _HOURS
    return starts


def local_hours(steps: Times, zone: ZoneInfo) -> NDArray[np.int64]:
    """Return the hour of the day at which each moment is in a time zone [0 to 23]."""
    return local_times(steps, zone).astype("datetime64[h]").astype(np.int64) % _HOURS_A_DAY


def hourly(
    registry: Registry,
    readings: ObservationReader,
    sites: Sequence[str],
    quantity: str,
    from_at: datetime,
    to_at: datetime,
    statistic: str = "",
) -> Array:
    """Return the mean of each hour at sites, above ground and without what was measured elsewhere.

    Parameters
    ----------
    registry : Registry
    readings : ObservationReader
    sites : sequence of str
    quantity : str
        Rain is summed up.
    from_at, to_at : datetime
        Aware UTC, on the hour, the end exclusive.
    statistic : str
        As in `gruenpuls.domain.series.SeriesKey`.

    Returns
    -------
    float64 (hour, site)
        [unit of the quantity]; the mean of several sensors, NaN where none has a value.
    """
    rows = registry.resolution.fleet_series([quantity], sorted(set(sites)))
    kept = (rows.statistic == statistic) & np.isnan(rows.depth)
    gauges = _means(readings, rows, np.flatnonzero(kept & (rows.origin != GRID)), from_at, to_at)
    if quantity == RAIN:
        grid = _means(readings, rows, np.flatnonzero(kept & (rows.origin == GRID)), from_at, to_at)
        gauges = np.where(np.isnan(gauges), grid, gauges)
    return gauges[:, [rows.sites.index(key) for key in sites]]


def _means(
    readings: ObservationReader, rows: FleetSeries, places: NDArray[np.intp], from_at: datetime, to_at: datetime
) -> Array:
    shape = (to_at - from_at) // _HOUR, len(rows.sites)
    total, count = np.zeros(shape), np.zeros(shape)
    summed = bool(len(places)) and rows.quantity[places[0]] == RAIN
    for origin in (True, False):
        mine = [place for place in places.tolist() if (rows.origin[place] in AS_IT_CAME) is origin]
        if not mine:
            continue
        # A sum is told at the end of its hour, but by processors at the beginning.
        late = _INSTANT if summed and origin else timedelta(0)
        found = readings.aggregate(sorted({int(rows.series[it]) for it in mine}), from_at + late, to_at + late, _HOUR)
        step = found.step - np.timedelta64(late)
        value = found.total if summed else found.mean
        for place in mine:
            here = (
                (found.series == rows.series[place])
                & (step >= rows.from_at[place])
                & (step <= rows.to_at[place] - _HOURS)
            )
            hour = ((step[here] - to_stored(from_at)) // _HOURS).astype(np.int64)
            total[hour, rows.site[place]] += value[here]
            count[hour, rows.site[place]] += 1
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def daily(
    registry: Registry,
    readings: ObservationReader,
    site: str,
    names: Sequence[tuple[str, str]],
    first: date,
    end: date,
    zone: ZoneInfo,
) -> Array:
    """Return what is kept of whole days or nights at a site.

    Parameters
    ----------
    registry : Registry
    readings : ObservationReader
    site : str
    names : sequence of (str, str)
        Quantities with the statistic of a day, such as ``("air_temperature", "max_day")``.
    first, end : date
        The end is exclusive.
    zone : ZoneInfo
        Of the site.

    Returns
    -------
    float64 (day, name)
        [unit of the quantity]; the mean of several series, NaN where there is no value.
    """
    days = (end - first).days
    total, count = np.zeros((days, len(names))), np.zeros((days, len(names)))
    rows = registry.resolution.fleet_series(sorted({quantity for quantity, _ in names}), [site])
    for column, (quantity, statistic) in enumerate(names):
        mine = (rows.quantity == quantity) & (rows.statistic == statistic) & np.isnan(rows.depth)
        series = rows.series[mine].tolist()
        if not series:
            continue
        read = readings.read(series, day_start(first, zone), day_start(end, zone))
        read = read.where((read.flag != Flag.FAIL) & (read.flag != Flag.MISSING))
        day = (local_days(read.measured_at, zone) - np.datetime64(first)).astype(np.int64)
        np.add.at(total[:, column], day, read.value)
        np.add.at(count[:, column], day, 1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
