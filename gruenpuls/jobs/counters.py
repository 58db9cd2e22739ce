"""What counters say fell in each hour: from each count, so that a late one falls into its place."""

from __future__ import annotations

from typing import Final

import numpy as np

from gruenpuls.domain.ports import ObservationReader
from gruenpuls.domain.processor import Array
from gruenpuls.domain.reading import Flag, Ids, from_stored
from gruenpuls.jobs.ownership import owned
from gruenpuls.jobs.steps import Steps
from gruenpuls.stores.registry.resolution import FleetSeries
from processors.rain.counter import WRAPS, CounterRemark, Increments, increments

INCREASE: Final = "increase"
REMARK: Final = "remark"
COUNTED: Final = (INCREASE, REMARK)
"""Statistics that need every count, not sums by the hour."""

_HOUR: Final = np.timedelta64(1, "h").astype("timedelta64[ms]")
_ONE: Final = np.timedelta64(1, "ms")
_DECIMALS: Final = 6


def counted(
    reader: ObservationReader, quantity: str, steps: Steps, rows: FleetSeries, worth: Array
) -> dict[str, Array]:
    """Return what fell in each hour at each site by its counters, and what is to be said of it.

    What came up to a count since the one before belongs to the hour in which the count came. Hours without a
    count are missing, except where the next one, on the same day of the site, says that nothing fell since.
    Several counters at a site are averaged, so that two gauges are not twice the rain; a counter that came
    with another device is another counter.

    Parameters
    ----------
    reader : ObservationReader
    quantity : str
        Of the counters.
    steps : Steps
        By the hour.
    rows : FleetSeries
        The counters.
    worth : float64 (site,)
        Of a unit of the count [mm].

    Returns
    -------
    dict of float64 (hour, site)
        By statistic: `INCREASE` [mm] and `REMARK`, a `CounterRemark`.
    """
    shape = (len(steps.hours), len(rows.sites))
    from_at, to_at = steps.span
    end = from_stored(steps.hours[-1] + _HOUR + _ONE)
    assert end > to_at
    read = reader.read(np.unique(rows.series).tolist(), from_at, end)
    read = read.where((read.flag != Flag.FAIL) & (read.flag != Flag.MISSING))
    row, item = owned(rows, read.series, read.measured_at, read.measured_at)
    at = read.measured_at[item]
    found = increments(row, at, read.value[item], worth[rows.site[row]], WRAPS[quantity])
    hour = (at - _ONE - steps.hours[0]) // _HOUR
    fell, remark = _by_hour(found, hour, row, (len(steps.hours), len(rows)))
    _fill_dry(fell, found, hour, row, steps.first_hours)
    total, count = np.zeros(shape), np.zeros(shape)
    said = np.full(shape, np.nan)
    for column in range(len(rows)):
        site = rows.site[column]
        known = ~np.isnan(fell[:, column])
        total[known, site] += fell[known, column]
        count[known, site] += 1
        said[:, site] = np.fmax(said[:, site], remark[:, column])
    mean: Array = np.where(count > 0, total / np.maximum(count, 1), np.nan).round(_DECIMALS)
    return {INCREASE: mean, REMARK: said}


def _by_hour(found: Increments, hour: Ids, row: Ids, shape: tuple[int, int]) -> tuple[Array, Array]:
    """Return the sum and the highest remark of each hour of each counter; missing where a part of it is."""
    fell, told, remark = np.zeros(shape), np.zeros(shape), np.full(shape, np.nan)
    inside = (hour >= 0) & (hour < shape[0])
    cell = hour[inside], row[inside]
    known = ~np.isnan(found.amount[inside])
    np.add.at(fell, cell, np.where(known, found.amount[inside], 0.0))
    np.add.at(told, cell, known)
    np.fmax.at(remark, cell, found.remark[inside].astype(np.float64))
    whole = (told > 0) & (remark < CounterRemark.IMPLAUSIBLE)
    return np.where(whole, fell, np.nan), remark


def _fill_dry(fell: Array, found: Increments, hour: Ids, row: Ids, first_hours: Ids) -> None:
    """Say that nothing fell in hours without a count where the next count of the day is the same.

    Not on the day before: what is said of a day must not depend on the next one.
    """
    if not len(hour):
        return
    before = np.append(-1, hour[:-1])
    day = np.maximum(np.searchsorted(first_hours, hour, "right") - 1, 0)
    low = np.maximum(before + 1, first_hours[day])
    same = np.append(False, row[1:] == row[:-1])
    dry = same & (found.amount == 0) & (found.remark <= CounterRemark.GAP) & (hour > low)
    length = np.where(dry, np.minimum(hour, len(fell)) - low, 0)
    place = np.repeat(np.arange(len(hour)), length)
    step = np.arange(len(place)) - np.repeat(np.cumsum(length) - length, length) + low[place]
    silent = np.isnan(fell[step, row[place]])
    fell[step[silent], row[place][silent]] = 0.0
