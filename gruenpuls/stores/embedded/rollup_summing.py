"""Days of readings summed up, as rows for the lake's ``rollup``."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, fields
from typing import Final, Self

import duckdb
import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.ports import FlagIntervals
from gruenpuls.domain.reading import Ids, ReadingBatch, Times, effective_flags, from_stored
from gruenpuls.domain.rollup import INSTANT, Rollup, rolled_up
from gruenpuls.stores.embedded.columns import Columns, fetched
from gruenpuls.stores.embedded.lake import moment
from gruenpuls.stores.embedded.rollup_day import judgement_digests
from gruenpuls.stores.embedded.rollup_state import DAYS, DENSE, HOURS, RollupState
from gruenpuls.stores.embedded.selection import stored

_ROWS: Final = 150_000
"""So many readings are summed up at once, 250 bytes each meanwhile."""


@dataclass(frozen=True, slots=True)
class DaySums:
    """Hours and days of some series.

    Parameters
    ----------
    hours, days : Rollup
    day_of : int64 (n,)
        Which of the days each hour belongs to.
    judged : int64 (m,)
        Of each day, what later judgements changed about what counts; see `judgement_digests`.
    ends : bool (m,)
        Whether the series' readings tell of the interval that ends with them.
    """

    hours: Rollup
    days: Rollup
    day_of: Ids
    judged: Ids
    ends: NDArray[np.bool_]

    @classmethod
    def read(
        cls,
        cursor: duckdb.DuckDBPyConnection,
        flag_intervals: FlagIntervals,
        series: Collection[int],
        edges: Times,
        ends: Collection[int],
    ) -> Self:
        """Return the sums of the days between these edges."""
        batch = stored(cursor, series, edges[0], edges[-1] + INSTANT)
        intervals = flag_intervals.flag_intervals(series, from_stored(edges[0]), from_stored(edges[-1] + INSTANT))
        flags = effective_flags(batch, intervals)
        late = np.fromiter(ends, np.int64, len(ends))
        judged = ReadingBatch(batch.series, batch.measured_at, batch.value, flags, batch.run)
        hours = rolled_up(judged, np.isin(batch.series, late))
        hours = hours.where((hours.step >= edges[0]) & (hours.step < edges[-1]))
        step = edges[np.searchsorted(edges, hours.step, "right") - 1]
        days = hours.by(step)
        first = np.r_[False, (hours.series[1:] != hours.series[:-1]) | (step[1:] != step[:-1])][: len(hours)]
        digests = judgement_digests(intervals, edges)
        places = np.searchsorted(edges, days.step)
        told = [digests.get(pair, 0) for pair in zip(days.series.tolist(), places.tolist(), strict=True)]
        return cls(hours, days, np.cumsum(first), np.array(told, np.int64), np.isin(days.series, late))

    @property
    def dense(self) -> NDArray[np.bool_]:
        """Which days have more readings than they would have hours."""
        return self.days.count + self.days.failed > DENSE

    def rows(self, state: RollupState, wanted: NDArray[np.bool_] | None = None) -> Columns:
        """Return what is kept of these days: all of those wanted, hours where they are worth it."""
        chosen = np.ones(len(self.days), np.bool_) if wanted is None else wanted
        start = self.days.step
        with_hours = (self.dense | (start < state.kept("raw"))) & (start >= state.kept("hourly"))
        return self._columns(chosen & with_hours, chosen & (start >= state.kept("daily")))

    def sparse_hours(self, before: np.datetime64, state: RollupState) -> Columns:
        """Return the hours that are not kept besides readings, of days that begin before a moment."""
        start = self.days.step
        due = (start >= state.kept("raw")) & (start >= state.kept("hourly")) & (start < before)
        return self._columns(due & ~self.dense, np.zeros(len(start), np.bool_))

    def _columns(self, with_hours: NDArray[np.bool_], with_day: NDArray[np.bool_]) -> Columns:
        picked = np.flatnonzero(with_hours[self.day_of])
        hours, days = self.hours.where(picked), self.days.where(with_day)
        both = {it.name: np.concatenate([getattr(hours, it.name), getattr(days, it.name)]) for it in fields(Rollup)}
        known = both["count"] > 0
        for name in ("total", "minimum", "maximum", "last", "minimum_at", "maximum_at"):
            both[name] = np.ma.MaskedArray(both[name], ~known)
        return {
            "tier": np.repeat(np.array([HOURS, DAYS], np.uint8), [len(hours), len(days)]),
            **both,
            "ends": np.concatenate([self.ends[self.day_of[picked]], self.ends[with_day]]),
            "judged": np.concatenate([np.zeros(len(hours), np.int64), self.judged[with_day]]),
        }


def insert(cursor: duckdb.DuckDBPyConnection, rows: Columns) -> None:
    """Add rows to the lake's ``rollup``."""
    if len(rows["series"]):
        cursor.register("summed", rows)
        cursor.execute("INSERT INTO lake.rollup BY NAME FROM summed")


def portions(cursor: duckdb.DuckDBPyConnection, edges: Times) -> Iterator[Collection[int]]:
    """Yield the series with readings in these days, as many as can be summed up at once."""
    within = _within(edges)
    columns = fetched(
        cursor,
        f"""
        SELECT series, count(*) AS count
        FROM (SELECT series FROM lake.reading WHERE {within} UNION ALL SELECT series FROM lake.recent WHERE {within})
        GROUP BY series ORDER BY series
        """,  # noqa: S608 - moments
    )
    series: Ids = columns["series"].astype(np.int64)
    part = np.cumsum(columns["count"]) // _ROWS
    yield from (some.tolist() for some in np.split(series, np.flatnonzero(np.diff(part)) + 1) if len(some))


def row_count(cursor: duckdb.DuckDBPyConnection, edges: Times) -> int:
    """Return how many readings are settled in these days."""
    row = cursor.execute(f"SELECT count(*) FROM lake.reading WHERE {_within(edges)}").fetchone()  # noqa: S608 - moments
    assert row is not None  # an aggregate always has a row
    return int(row[0])


def _within(edges: Times) -> str:
    return f"measured_at >= {moment(edges[0])} AND measured_at <= {moment(edges[-1])}"
