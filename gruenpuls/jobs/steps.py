"""Readings summed up by hour and by day of a site, as processors ask for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from functools import lru_cache
from itertools import pairwise
from typing import Final

import numpy as np

from gruenpuls.domain.local_time import day_start
from gruenpuls.domain.ports import Aggregates, ObservationReader
from gruenpuls.domain.processor import Array, Cadence, Input
from gruenpuls.domain.quantity import QUANTITIES, Aggregation
from gruenpuls.domain.reading import Ids, Times, Values, from_stored, to_stored
from gruenpuls.domain.series import AS_IT_CAME
from gruenpuls.jobs.ownership import at_sites, owned
from gruenpuls.stores.registry.resolution import FleetSeries

_HOUR: Final = timedelta(hours=1)
_STEP: Final = np.timedelta64(1, "h").astype("timedelta64[ms]")
_ONE: Final = np.timedelta64(1, "ms")
_SPANS_KEPT: Final = 8
"""Of the days of a batch, which every processor asks for."""
_DECIMALS: Final = 6
"""Means are rounded to this: the last bits of a sum depend on the order in which the store adds."""


@dataclass(frozen=True, slots=True)
class Steps:
    """The time axis a processor is given.

    Parameters
    ----------
    cadence : Cadence
    days : sequence of date
    hours : datetime64[ms] (hour,)
        Start of every hour, UTC.
    first_hours : int64 (day,)
        Where among the hours each day begins.
    """

    cadence: Cadence
    days: Sequence[date]
    hours: Times
    first_hours: Ids

    @classmethod
    @lru_cache(maxsize=_SPANS_KEPT)
    def of(cls, cadence: Cadence, begin: date, end: date, zone: tzinfo) -> Steps:
        """Return the steps of the days from `begin` to `end`, exclusive, somewhere."""
        from_at, to_at = day_start(begin, zone), day_start(end, zone)
        hours = to_stored(from_at) + np.arange((to_at - from_at) // _HOUR) * _STEP
        days = [begin + timedelta(days=number) for number in range((end - begin).days)]
        midnights = np.array([to_stored(day_start(day, zone)) for day in days], "datetime64[ms]")
        return cls(cadence, days, hours, np.searchsorted(hours, midnights))

    def around(self, first: np.datetime64, last: np.datetime64) -> tuple[slice, Steps]:
        """Return the whole days that two of its hours and all between them lie in, and which steps those are."""
        hour = np.searchsorted(self.hours, [first, last], "right") - 1
        begin, end = np.searchsorted(self.first_hours, hour, "right") - [1, 0]
        edges = np.append(self.first_hours, len(self.hours))
        from_hour, to_hour = edges[begin], edges[end]
        part = Steps(
            self.cadence, self.days[begin:end], self.hours[from_hour:to_hour], self.first_hours[begin:end] - from_hour
        )
        return slice(begin, end) if self.cadence is Cadence.DAY else slice(from_hour, to_hour), part

    @property
    def starts(self) -> Times:
        """When each step begins, UTC; a day at the site's midnight."""
        return self.hours[self.first_hours] if self.cadence is Cadence.DAY else self.hours

    @property
    def names(self) -> Times:
        """What `gruenpuls.domain.processor.Fleet.steps` calls them: a day by its calendar date."""
        return np.array(self.days, "datetime64[ms]") if self.cadence is Cadence.DAY else self.hours

    @property
    def span(self) -> tuple[datetime, datetime]:
        """From when to when they last, the end exclusive."""
        return from_stored(self.hours[0]), from_stored(self.hours[-1] + _STEP)


@dataclass(frozen=True, slots=True)
class Summed:
    """Readings summed up by hour, or by share of an hour in which a device came or went; sorted by series.

    Parameters
    ----------
    aggregates : Aggregates
        The step is the hour's.
    first, last : datetime64[ms] (n,)
        First and last moment of what is summed up.
    share : float64 (n,)
        How much of the hour that is [0 to 1].
    """

    aggregates: Aggregates
    first: Times
    last: Times
    share: Values

    def __len__(self) -> int:
        return len(self.aggregates)

    @classmethod
    def joined(cls, parts: Sequence[Summed]) -> Summed:
        """Return several as one, sorted by series."""
        series, step = (np.concatenate([getattr(it.aggregates, name) for it in parts]) for name in ("series", "step"))
        if len(parts) == 1 and (series[1:] >= series[:-1]).all():
            # As the store gave it: nearly always, and then a second copy of what may be a hundred megabytes.
            return parts[0]
        order = np.lexsort((step, series))
        columns = {
            name: np.concatenate([getattr(part.aggregates, name) for part in parts]) for name in Aggregates.__slots__
        }
        first, last, share = (np.concatenate([getattr(part, name) for part in parts]) for name in cls.__slots__[1:])
        aggregates = Aggregates(**{name: column[order] for name, column in columns.items()})
        return cls(aggregates, first[order], last[order], share[order])


def summed(reader: ObservationReader, rows: FleetSeries, from_at: datetime, to_at: datetime) -> Summed:
    """Return what the series of these rows hold in a span of whole hours, the end exclusive.

    A sum tells what fell in the interval that ends with it: that of a full hour belongs to the hour before.
    """
    ends = [name for name, it in QUANTITIES.items() if it.aggregation is Aggregation.SUM]
    late = rows.quantity.among(ends) & rows.origin.among(AS_IT_CAME) & (rows.statistic == "")
    plain = _summed(reader, rows.where(~late), from_at, to_at)
    if not late.any():
        return plain
    instant = timedelta(milliseconds=1)
    shifted = _summed(reader, rows.where(late), from_at + instant, to_at + instant)
    columns = {name: getattr(shifted.aggregates, name) for name in Aggregates.__slots__}
    columns["step"] = columns["step"] - _ONE
    return Summed.joined([plain, Summed(Aggregates(**columns), shifted.first, shifted.last, shifted.share)])


def _summed(reader: ObservationReader, rows: FleetSeries, from_at: datetime, to_at: datetime) -> Summed:
    if not len(rows):
        # Asking for nothing costs as much as asking for little.
        none, never = np.empty(0), np.empty(0, "datetime64[ms]")
        number = np.empty(0, np.int64)
        return Summed(Aggregates(number, never, number, none, none, none, none, none), never, never, none)
    low, high = to_stored(from_at), to_stored(to_at)
    whole = reader.aggregate(np.unique(rows.series).tolist(), from_at, to_at, _HOUR)
    parts = [Summed(whole, whole.step, whole.step + (_STEP - _ONE), np.broadcast_to(1.0, len(whole)))]
    ends = np.concatenate([rows.from_at, rows.to_at])
    series = np.concatenate([rows.series, rows.series])
    within = (ends > low) & (ends < high) & ((ends - low) % _STEP != np.timedelta64(0, "ms"))
    hour_of = low + (ends[within] - low) // _STEP * _STEP
    for hour in np.unique(hour_of):
        torn = np.unique(series[within][hour_of == hour])
        edges = [hour, *np.unique(ends[within][hour_of == hour]), hour + _STEP]
        parts = [_without(part, torn, hour) for part in parts]
        for begin, end in pairwise(edges):
            some = reader.aggregate(torn.tolist(), from_stored(begin), from_stored(end), _HOUR)
            count = len(some)
            columns = {name: getattr(some, name) for name in Aggregates.__slots__} | {"step": np.full(count, hour)}
            share = float((end - begin) / _STEP)
            parts.append(
                Summed(Aggregates(**columns), np.full(count, begin), np.full(count, end - _ONE), np.full(count, share))
            )
    return Summed.joined(parts)


def _without(part: Summed, series: Ids, hour: np.datetime64) -> Summed:
    keep = ~(np.isin(part.aggregates.series, series) & (part.aggregates.step == hour))
    columns = {name: getattr(part.aggregates, name)[keep] for name in Aggregates.__slots__}
    return Summed(Aggregates(**columns), part.first[keep], part.last[keep], part.share[keep])


def values(needed: Input, steps: Steps, rows: FleetSeries, depths: Array, given: Summed) -> Array:
    """Return one input by step, site and, where it asks for it, depth.

    Parameters
    ----------
    needed : Input
    steps : Steps
    rows : FleetSeries
        The series that count for it. Several at one place are averaged, so that two gauges are not twice
        the rain.
    depths : float64 (site, depth)
        [cm]
    given : Summed
        What they hold, and others may, too.

    Raises
    ------
    ValueError
        If there is no such statistic for such steps.
    """
    # Most trees of a city measure nothing: only those that do are worth an array of hours.
    places = np.unique(rows.site)
    some = at_sites(rows, places)
    row, item = owned(some, given.aggregates.series, given.first, given.last)
    by_depth = depths.shape[1:] if needed.by_depth else ()
    everywhere = np.full((len(steps.starts), len(depths), *by_depth), np.nan)
    if not len(item):
        _check(needed, steps)
        return everywhere
    # Of the decades an index looks back on, most stations know the last few months.
    moments = given.aggregates.step[item]
    within, part = steps.around(moments.min(), moments.max())
    found = _hourly(needed, part, some, depths[places], given, row, item)
    if steps.cadence is Cadence.DAY:
        found = _daily(needed, found, part.first_hours)
    everywhere[within, places] = found
    return everywhere


def _check(needed: Input, steps: Steps) -> None:
    if needed.statistic not in {"mean", "min", "max", "sum", "last", "median"} or (
        needed.statistic == "median" and steps.cadence is Cadence.HOUR
    ):
        message = f"{needed.quantity}: there is no statistic {needed.statistic!r} by {steps.cadence}"
        raise ValueError(message)


def _hourly(needed: Input, steps: Steps, rows: FleetSeries, depths: Array, given: Summed, row: Ids, item: Ids) -> Array:
    _check(needed, steps)
    sites, places = depths.shape
    shape = (len(steps.hours), sites, places) if needed.by_depth else (len(steps.hours), sites)
    hour, site = (given.aggregates.step[item] - steps.hours[0]) // _STEP, rows.site[row]
    cell: tuple[Ids, ...] = (hour, site)
    if needed.by_depth and places:
        cell = (hour, site, (depths[site] == rows.depth[row][:, None]).argmax(axis=1))
    aggregates = given.aggregates
    match needed.statistic:
        case "mean" | "median":
            return _share(shape, cell, aggregates.total[item], aggregates.count[item], np.finfo(np.float64).tiny)
        case "sum":
            return _share(shape, cell, aggregates.total[item], given.share[item], 1.0)
        case "last":
            found = np.full(shape, np.nan)
            order = np.argsort(given.last[item], kind="stable")
            found[tuple(place[order] for place in cell)] = aggregates.last[item][order]
            return found
        case "min":
            found = np.full(shape, np.nan)
            np.fmin.at(found, cell, aggregates.minimum[item])
            return found
        case _:
            found = np.full(shape, np.nan)
            np.fmax.at(found, cell, aggregates.maximum[item])
            return found


def _share(shape: tuple[int, ...], cell: tuple[Ids, ...], total: Values, weight: Values | Ids, least: float) -> Array:
    """Return the totals of each cell divided by their weights; missing where there are none."""
    sums, weights = np.zeros(shape), np.zeros(shape)
    np.add.at(sums, cell, total)
    np.add.at(weights, cell, weight)
    shared: Array = np.where(weights > 0, sums / np.maximum(weights, least), np.nan)
    return shared.round(_DECIMALS)


def _daily(needed: Input, hourly: Array, first_hours: Ids) -> Array:
    """Return one input by day; missing where too few of the day's hours have a value."""
    known = np.add.reduceat(~np.isnan(hourly), first_hours, axis=0, dtype=np.float64)
    hours = np.diff(np.append(first_hours, len(hourly))).reshape(-1, *[1] * (hourly.ndim - 1))
    match needed.statistic:
        case "min":
            found = np.fmin.reduceat(hourly, first_hours, axis=0)
        case "max":
            found = np.fmax.reduceat(hourly, first_hours, axis=0)
        case "median":
            found = np.stack([_median(part) for part in np.split(hourly, first_hours[1:])])
        case "last":
            found = np.stack([_last(part) for part in np.split(hourly, first_hours[1:])])
        case "sum":
            found = np.add.reduceat(np.nan_to_num(hourly), first_hours, axis=0).round(_DECIMALS)
        case _:
            total = np.add.reduceat(np.nan_to_num(hourly), first_hours, axis=0)
            found = (total / np.maximum(known, 1)).round(_DECIMALS)
    return np.where((known > 0) & (known >= needed.completeness * hours), found, np.nan)


def _median(part: Array) -> Array:
    """Return the median over the first axis of what is not missing."""
    ranked = np.sort(part, axis=0)  # what is missing goes to the end
    known = np.sum(~np.isnan(part), axis=0)
    low, high = np.maximum(known - 1, 0) // 2, known // 2
    first, second = (np.take_along_axis(ranked, place[None], axis=0)[0] for place in (low, high))
    middle: Array = (first + second) / 2
    return middle


def _last(part: Array) -> Array:
    """Return the last over the first axis of what is not missing."""
    place = len(part) - 1 - np.argmax(~np.isnan(part[::-1]), axis=0)
    last: Array = np.take_along_axis(part, place[None], axis=0)[0]
    return last
