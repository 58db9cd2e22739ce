"""How far each series reaches, so that rows beyond it can be added without a look at what is there."""

from __future__ import annotations

from typing import Self

import duckdb
import numpy as np

from gruenpuls.domain.reading import Ids, Times, key_order
from gruenpuls.stores.embedded.columns import Columns, fetched, times

_LATEST = """
    SELECT max(measured_at) AS latest
    FROM (SELECT measured_at FROM lake.reading UNION ALL SELECT measured_at FROM lake.recent WHERE seq > 0)
"""
_FIRST = np.datetime64(-(1 << 63) + 1, "ms")


class Frontier:
    """A moment for each series that nothing of it is later than; it never moves back.

    Parameters
    ----------
    latest : datetime64[ms]
        The latest moment of all there is.
    """

    def __init__(self, latest: np.datetime64) -> None:
        self._latest = latest
        self._series: Ids = np.empty(0, np.int64)
        self._moments: Times = np.empty(0, "datetime64[ms]")

    @classmethod
    def of_lake(cls, cursor: duckdb.DuckDBPyConnection) -> Self:
        """Return how far what the lake holds reaches."""
        latest = fetched(cursor, _LATEST)["latest"]
        return cls(_FIRST if np.ma.is_masked(latest) else times(latest)[0])

    def passed_by(self, changes: Columns) -> bool:
        """Return whether all of these are later than what there is of their series, and move on to them.

        Parameters
        ----------
        changes : Columns
            At least one; with ``series`` and ``measured_at``.
        """
        series, measured_at = changes["series"], times(changes["measured_at"])
        order = key_order(series, measured_at)
        series, measured_at = series[order], measured_at[order]
        edges = np.flatnonzero(series[1:] != series[:-1]) + 1
        first, last = np.append(0, edges), np.append(edges, len(series)) - 1
        place = self._places(series[first])
        is_beyond = bool((measured_at[first] > self._moments[place]).all())
        self._moments[place] = np.maximum(self._moments[place], measured_at[last])
        return is_beyond

    def _places(self, series: Ids) -> Ids:
        """Return where these series, sorted, are in what is known; new ones are added."""
        if not np.isin(series, self._series, assume_unique=True).all():
            known = np.union1d(self._series, series)
            moments = np.full(len(known), self._latest)
            moments[np.searchsorted(known, self._series)] = self._moments
            self._series, self._moments = known, moments
        return np.searchsorted(self._series, series)
