"""Assemble what processors are given: the fleet's readings as arrays of time, site and depth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from itertools import pairwise
from typing import Final

import numpy as np

from gruenpuls.domain.ports import Aggregates, ObservationReader
from gruenpuls.domain.processor import Array, Cadence, Fleet, Input, Processor
from gruenpuls.domain.reading import Ids, Times, from_stored, to_stored
from gruenpuls.domain.site import Site, SiteKind, growing_season
from gruenpuls.jobs.days import day_start
from gruenpuls.jobs.ownership import chosen, owned
from gruenpuls.stores.registry.resolution import FleetSeries

_HOUR: Final = timedelta(hours=1)
_STEP: Final = np.timedelta64(1, "h").astype("timedelta64[ms]")
_ONE: Final = np.timedelta64(1, "ms")
_TREES: Final = frozenset({SiteKind.STREET_TREE, SiteKind.TREE_GROUP})
_DECIMALS: Final = 6
"""Means are rounded to this: the last bits of a sum depend on the order in which the store adds."""


@dataclass(frozen=True, slots=True)
class Plots:
    """Sites with what is known of them and the places their probes sit at.

    Parameters
    ----------
    sites : sequence of Site
        In one time zone.
    zone : tzinfo
    rows : FleetSeries
        Their series of the inputs; its sites are in the same order.
    depths : float64 (site, depth)
        [cm], rising; NaN where a site has fewer.
    """

    sites: Sequence[Site]
    zone: tzinfo
    rows: FleetSeries
    depths: Array

    @classmethod
    def of(cls, sites: Mapping[str, Site], zone: tzinfo, processor: Processor, rows: FleetSeries) -> Plots:
        """Return the sites of these rows with the places a processor's inputs are measured at."""
        by_depth = [needed.quantity for needed in processor.inputs if needed.by_depth]
        probes = chosen(rows, np.isin(rows.quantity, by_depth) & ~np.isnan(rows.depth))
        places = [np.unique(probes.depth[probes.site == place]) for place in range(len(rows.sites))]
        depths = np.full((len(places), max((len(some) for some in places), default=0)), np.nan)
        for place, some in enumerate(places):
            depths[place, : len(some)] = some
        return cls([sites[key] for key in rows.sites], zone, rows, depths)

    def attributes(self, year: int) -> dict[str, Array]:
        """Return the site attributes that hold in a year, as numbers."""

        def column(values: Sequence[float | None]) -> Array:
            return np.array([np.nan if value is None else value for value in values], np.float64)

        return {
            "field_capacity": column([site.soil.field_capacity for site in self.sites]),
            "wilting_point": column([site.soil.wilting_point for site in self.sites]),
            "root_depth": column([site.soil.root_depth for site in self.sites]),
            "tree": column([float(site.kind in _TREES) for site in self.sites]),
            "growing_season": column([growing_season(site.planted_on, year) for site in self.sites]),
        }


def wanted_rows(rows: FleetSeries, processor: Processor) -> FleetSeries:
    """Return the rows a processor reads: as measured or judged, with a depth exactly where it asks for one."""
    mask = np.zeros(len(rows), np.bool_)
    for needed in processor.inputs:
        mask |= (rows.quantity == needed.quantity) & (np.isnan(rows.depth) != needed.by_depth)
    return chosen(rows, mask & (rows.statistic == ""))


def fleet(
    reader: ObservationReader, plots: Plots, processor: Processor, first: date, end: date
) -> tuple[Fleet, Times] | None:
    """Return what a processor needs to judge the days from `first` to `end`, exclusive.

    Returns
    -------
    Fleet
        Its steps begin the declared memory earlier. None in its place where nothing was measured.
    datetime64[ms] (time,)
        When each step begins, UTC; a day at the site's midnight.

    Raises
    ------
    ValueError
        If an input asks for a statistic the store cannot give.
    """
    begin = first - timedelta(days=processor.memory)
    from_at, to_at = day_start(begin, plots.zone), day_start(end, plots.zone)
    summed = _summed(reader, plots.rows, from_at, to_at)
    if not len(summed.aggregates):
        return None
    hours = to_stored(from_at) + np.arange((to_at - from_at) // _HOUR) * _STEP
    days = [begin + timedelta(days=number) for number in range((end - begin).days)]
    midnights = np.array([to_stored(day_start(day, plots.zone)) for day in days], "datetime64[ms]")
    row, item = owned(plots.rows, summed.aggregates.series, summed.aggregates.step, summed.last)
    inputs: dict[tuple[str, str], Array] = {}
    for needed in processor.inputs:
        mine = plots.rows.quantity[row] == needed.quantity
        values = _hourly(needed, plots, summed.aggregates, hours, row[mine], item[mine])
        if processor.cadence is Cadence.DAY:
            values = _daily(needed, values, np.searchsorted(hours, midnights))
        inputs[needed.key] = values
    daily = processor.cadence is Cadence.DAY
    steps = np.array(days, "datetime64[ms]") if daily else hours
    last_year = (end - timedelta(days=1)).year
    return Fleet(steps, inputs, plots.depths, plots.attributes(last_year)), midnights if daily else hours


@dataclass(frozen=True, slots=True)
class _Summed:
    """Readings summed up by hour, and the last moment of each hour or share of one; sorted by series."""

    aggregates: Aggregates
    last: Times


def _summed(reader: ObservationReader, rows: FleetSeries, from_at: datetime, to_at: datetime) -> _Summed:
    """Return hourly sums; an hour in which a device came or went is summed in shares."""
    low, high = to_stored(from_at), to_stored(to_at)
    whole = reader.aggregate(np.unique(rows.series).tolist(), from_at, to_at, _HOUR)
    parts = [_Summed(whole, whole.step + _STEP - _ONE)]
    ends = np.concatenate([rows.from_at, rows.to_at])
    series = np.concatenate([rows.series, rows.series])
    within = (ends > low) & (ends < high) & ((ends - low) % _STEP != np.timedelta64(0, "ms"))
    hour_of = low + (ends[within] - low) // _STEP * _STEP
    for hour in np.unique(hour_of):
        torn = np.unique(series[within][hour_of == hour])
        edges = [hour, *np.unique(ends[within][hour_of == hour]), hour + _STEP]
        parts = [_without(part, torn, hour) for part in parts]
        for begin, end in pairwise(edges):
            share = reader.aggregate(torn.tolist(), from_stored(begin), from_stored(end), _HOUR)
            parts.append(_Summed(share, np.full(len(share), end - _ONE)))
    columns = {
        name: np.concatenate([getattr(part.aggregates, name) for part in parts]) for name in Aggregates.__slots__
    }
    last = np.concatenate([part.last for part in parts])
    order = np.lexsort((columns["step"], columns["series"]))
    return _Summed(Aggregates(**{name: column[order] for name, column in columns.items()}), last[order])


def _without(part: _Summed, series: Ids, hour: np.datetime64) -> _Summed:
    keep = ~(np.isin(part.aggregates.series, series) & (part.aggregates.step == hour))
    columns = {name: getattr(part.aggregates, name)[keep] for name in Aggregates.__slots__}
    return _Summed(Aggregates(**columns), part.last[keep])


def _hourly(needed: Input, plots: Plots, summed: Aggregates, hours: Times, row: Ids, item: Ids) -> Array:
    """Return one input by hour, site and, where it asks for it, depth; probes at one place count together."""
    sites, places = plots.depths.shape
    shape = (len(hours), sites, places) if needed.by_depth else (len(hours), sites)
    hour, site = (summed.step[item] - hours[0]) // _STEP, plots.rows.site[row]
    cell: tuple[Ids, ...] = (hour, site)
    if needed.by_depth and places:
        cell = (hour, site, (plots.depths[site] == plots.rows.depth[row][:, None]).argmax(axis=1))
    if needed.statistic == "mean":
        total, count = np.zeros(shape), np.zeros(shape)
        np.add.at(total, cell, summed.total[item])
        np.add.at(count, cell, summed.count[item])
        mean: Array = np.where(count > 0, total / np.maximum(count, 1), np.nan)
        return mean.round(_DECIMALS)
    values = np.full(shape, np.nan)
    if needed.statistic == "min":
        np.fmin.at(values, cell, summed.minimum[item])
    elif needed.statistic == "max":
        np.fmax.at(values, cell, summed.maximum[item])
    else:
        message = f"{needed.quantity}: there is no statistic {needed.statistic!r}"
        raise ValueError(message)
    return values


def _daily(needed: Input, hourly: Array, first_hours: Ids) -> Array:
    """Return one input by day; missing where too few of the day's hours have a value."""
    known = np.add.reduceat(~np.isnan(hourly), first_hours, axis=0, dtype=np.float64)
    hours = np.diff(np.append(first_hours, len(hourly))).reshape(-1, *[1] * (hourly.ndim - 1))
    match needed.statistic:
        case "min":
            values = np.fmin.reduceat(hourly, first_hours, axis=0)
        case "max":
            values = np.fmax.reduceat(hourly, first_hours, axis=0)
        case _:
            total = np.add.reduceat(np.nan_to_num(hourly), first_hours, axis=0)
            values = (total / np.maximum(known, 1)).round(_DECIMALS)
    return np.where((known > 0) & (known >= needed.completeness * hours), values, np.nan)
