"""How far each series reaches, so that rows beyond it can be added without a look at what is there."""

from __future__ import annotations

from typing import Self

import duckdb
import numpy as np

from gruenpuls.domain.reading import Ids, Times
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
        measured_at = times(changes["measured_at"])
        order = np.lexsort((measured_at, changes["series"]))
        moments = measured_at[order]
        series, starts = np.unique(changes["series"][order], return_index=True)
        ends = np.append(starts[1:], len(order)) - 1
        known = np.union1d(self._series, series)
        reached = np.full(len(known), self._latest)
        reached[np.searchsorted(known, self._series)] = self._moments
        place = np.searchsorted(known, series)
        is_beyond = bool((moments[starts] > reached[place]).all())
        reached[place] = np.maximum(reached[place], moments[ends])
        self._series, self._moments = known, reached
        return is_beyond
