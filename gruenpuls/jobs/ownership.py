"""Which reading of a series belongs to which site: a deployment cuts what its device measured."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.reading import Ids, Times
from gruenpuls.stores.registry.resolution import FleetSeries

Rows = NDArray[np.int64]


def owned(rows: FleetSeries, series: Ids, begin: Times, end: Times) -> tuple[Rows, Rows]:
    """Return which item belongs to which row: of its series, and wholly within its deployment.

    Parameters
    ----------
    rows : FleetSeries
    series : int64 (n,)
        Sorted.
    begin, end : datetime64[ms] (n,)
        First and last moment of each item, both inclusive, UTC.

    Returns
    -------
    row, item : int64 (m,)
        Pairs of indices; a device that moved has items at several sites, none twice.
    """
    first = np.searchsorted(series, rows.series, "left")
    count = np.searchsorted(series, rows.series, "right") - first
    row = np.repeat(np.arange(len(rows)), count)
    item = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count)
    inside = (begin[item] >= rows.from_at[row]) & (end[item] < rows.to_at[row])
    return row[inside], item[inside]


def at_sites(rows: FleetSeries, places: Rows) -> FleetSeries:
    """Return the rows of some of the sites, and only those sites.

    Parameters
    ----------
    rows : FleetSeries
    places : int64 (n,)
        Indices into its sites, rising.
    """
    number = np.full(len(rows.sites), -1)
    number[places] = np.arange(len(places))
    kept = rows.where(number[rows.site] >= 0)
    return replace(kept, sites=tuple(rows.sites[place] for place in places.tolist()), site=number[kept.site])
