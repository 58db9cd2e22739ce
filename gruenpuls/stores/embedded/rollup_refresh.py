"""Keeping roll-ups: days that are over are summed up, and what changes later is marked and summed up anew."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import duckdb
import numpy as np

from gruenpuls.domain.errors import InputError
from gruenpuls.domain.ports import FlagIntervals
from gruenpuls.domain.reading import Times, to_stored
from gruenpuls.domain.retention import Outdated, Tier
from gruenpuls.domain.rollup import INSTANT, day_edges
from gruenpuls.stores.embedded.columns import Columns, fetched, times
from gruenpuls.stores.embedded.lake import Lake, moment, quoted
from gruenpuls.stores.embedded.rollup_day import changed_days
from gruenpuls.stores.embedded.rollup_retention import outdated, take_away
from gruenpuls.stores.embedded.rollup_state import (
    CREATE_ROLLED,
    DAYS,
    NEVER,
    Extent,
    RollupState,
    rollup_state,
)
from gruenpuls.stores.embedded.rollup_summing import DaySums, insert, portions, row_count

Commit = Callable[[Callable[[duckdb.DuckDBPyConnection], None]], None]
_MANY: Final = 2_000
"""Where a commit changes the past of more series, all is rolled up anew from there, instead of marking each."""
_SPANS: Final = (366, 31, 1)
"""So many days are rolled up in one commit, the most that hold no more readings than `_ROWS`; one in any case."""
_ROWS: Final = 1_000_000
_TOGETHER: Final = 31
"""Marked days no further apart than that are looked at together, since files hold a month."""
_SERIES: Final = 300


class RollingUp:
    """The roll-ups of a lake as its one writer keeps them.

    Summing up takes no turn at writing: what is committed meanwhile is marked, and counts.

    Parameters
    ----------
    lake : Lake
    flag_intervals : FlagIntervals
    commit : callable
        Does something in a transaction, when it is its turn.
    """

    def __init__(self, lake: Lake, flag_intervals: FlagIntervals, commit: Commit) -> None:
        self._lake = lake
        self._flag_intervals = flag_intervals
        self._commit = commit
        self._marked_to: np.datetime64 = NEVER
        self._sealed: np.datetime64 = NEVER
        self._seq = 0

    def learn(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Learn from the lake which changes have to be marked."""
        state = rollup_state(cursor, ())
        self._marked_to = state.extent.last if state.extent else NEVER
        self._sealed = state.kept("raw")
        self._seq = state.seq

    def touch(self, cursor: duckdb.DuckDBPyConnection, changes: Columns) -> None:
        """Mark what changes of days that are rolled up, in the transaction of the change.

        Parameters
        ----------
        cursor : DuckDBPyConnection
        changes : Columns
            With ``series`` and ``measured_at``.
        """
        late = changes["measured_at"] <= self._marked_to
        if not late.any():
            return
        at, whose = times(changes["measured_at"])[late], changes["series"][late]
        self._seq += 1
        if len(np.unique(whose)) > _MANY:
            recent = at >= self._sealed
            if recent.any():
                self._move_back(cursor, at[recent].min())
            at, whose = at[~recent], whose[~recent]
        series, place = np.unique(whose, return_inverse=True)
        if not len(series):
            return
        first, last = np.full(len(series), at.max()), np.full(len(series), at.min())
        np.minimum.at(first, place, at)
        np.maximum.at(last, place, at)
        cursor.register("touched", {"series": series, "first": first, "last": last})
        marks = f"SELECT 'changed', {self._seq}, series, first, last, NULL FROM touched"  # noqa: S608 - an integer
        cursor.execute(f"INSERT INTO lake.rolled {marks}")

    def _move_back(self, cursor: duckdb.DuckDBPyConnection, to: np.datetime64) -> None:
        """Forget the days from a moment on, but none whose readings are gone."""
        extent = rollup_state(cursor, ()).extent
        if extent is None:
            self._marked_to = NEVER
            return
        edges = day_edges(to - INSTANT, max(to, self._sealed), ZoneInfo(extent.zone))
        edge = edges[edges >= self._sealed][0]
        self._marked_to = min(self._marked_to, edge)
        if edge < extent.last:
            self._tell(cursor, Extent(min(extent.first, edge), edge, extent.zone))

    def _tell(self, cursor: duckdb.DuckDBPyConnection, extent: Extent) -> None:
        told = f"{moment(extent.first)}, {moment(extent.last)}, {quoted(extent.zone)}"
        cursor.execute(f"INSERT INTO lake.rolled VALUES ('days', {self._seq}, NULL, {told})")  # noqa: S608 - quoted

    def forget(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Forget all that is rolled up, in the cursor's transaction.

        Raises
        ------
        InputError
            If readings were taken away.
        """
        state = rollup_state(cursor, ())
        if state.kept("raw") > NEVER:
            what = (
                f"readings before {state.kept('raw')} were taken away: their hours and days cannot be summed up again"
            )
            raise InputError(what, where="retention")
        cursor.execute("DELETE FROM lake.rollup")
        cursor.execute("DELETE FROM lake.rolled WHERE kind IN ('days', 'changed')")
        self._marked_to = NEVER

    def advance(self, until: datetime, zone: ZoneInfo, ends: Collection[int]) -> bool:
        """Roll up the next days that are over by a moment; return whether there were any.

        Parameters
        ----------
        until : datetime
        zone : ZoneInfo
            Whose days they are; the first word on it counts.
        ends : collection of int
            Series whose readings tell of the interval that ends with them.
        """
        found = self._lake.try_until_free(lambda cursor: _next_days(cursor, to_stored(until), zone))
        if found is None:
            return False
        edges, extent = found

        def mark_from_now_on(_cursor: duckdb.DuckDBPyConnection) -> None:
            self._marked_to = edges[-1]

        self._commit(mark_from_now_on)

        def summed(cursor: duckdb.DuckDBPyConnection) -> list[Columns]:
            cursor.begin()
            state = rollup_state(cursor, ())
            parts = [self._read(cursor, part, edges, ends).rows(state) for part in portions(cursor, edges)]
            cursor.commit()
            return parts

        parts = self._lake.try_until_free(summed)

        def keep(cursor: duckdb.DuckDBPyConnection) -> None:
            before = rollup_state(cursor, ()).extent
            # A commit that moved the days back meanwhile, or failed, has the last word.
            if self._marked_to != edges[-1] or (before is not None and before.last != extent.last):
                return
            span = f"step >= {moment(edges[0])} AND step < {moment(edges[-1])}"
            cursor.execute(f"DELETE FROM lake.rollup WHERE {span}")  # noqa: S608 - moments
            for part in parts:
                insert(cursor, part)
            self._seq += 1
            self._tell(cursor, Extent(extent.first, edges[-1], extent.zone))

        self._commit(keep)
        return True

    def refresh(self, ends: Collection[int]) -> int:
        """Roll up anew what was marked; return how many days of a series that were."""

        def summed(
            cursor: duckdb.DuckDBPyConnection,
        ) -> tuple[RollupState, list[tuple[Columns, Columns]]]:
            cursor.begin()
            state = rollup_state(cursor)
            parts = [] if state.extent is None else list(self._anew(cursor, state, state.extent, ends))
            cursor.commit()
            return state, parts

        state, parts = self._lake.try_until_free(summed)
        if not len(state.series):
            return 0
        oldest = [days["step"].min() for days, _ in parts]

        def keep(cursor: duckdb.DuckDBPyConnection) -> None:
            for days, rows in parts:
                _take_away(cursor, days)
                insert(cursor, rows)
            now = rollup_state(cursor, ())
            assert now.extent is not None  # once told, it is told again
            self._seq += 1
            cursor.execute(
                "CREATE OR REPLACE TEMP TABLE kept AS FROM lake.rolled"
                f" WHERE kind NOT IN ('days', 'changed') OR kind = 'changed' AND seq > {state.seq}"
            )
            # Made anew instead of emptied: DuckLake 1.0 reclaims rows in its catalogue only with their table.
            cursor.execute("DROP TABLE lake.rolled")
            cursor.execute(CREATE_ROLLED)
            cursor.execute("INSERT INTO lake.rolled FROM kept")
            cursor.execute("DROP TABLE kept")
            self._tell(cursor, Extent(min([now.extent.first, *oldest]), now.extent.last, now.extent.zone))

        self._commit(keep)
        return sum(len(days["step"]) for days, _ in parts)

    def _anew(
        self, cursor: duckdb.DuckDBPyConnection, state: RollupState, extent: Extent, ends: Collection[int]
    ) -> Iterator[tuple[Columns, Columns]]:
        """Yield days of series that changed, and what they are now."""
        inside = np.flatnonzero(state.first <= extent.last)
        if not len(inside):
            return
        edges = day_edges(state.first[inside].min() - INSTANT, extent.last - INSTANT, ZoneInfo(extent.zone))
        touched: dict[int, set[int]] = {}
        for place in inside.tolist():
            days = changed_days(state.first[place], state.last[place], edges)
            for day in range(days.start, days.stop):
                touched.setdefault(day, set()).add(int(state.series[place]))
        for series, day in _sealed_days(cursor, state, edges):
            touched.get(day, set()).discard(series)
        for first in range(0, len(edges) - 1, _TOGETHER):
            some = {day: touched[day] for day in range(first, first + _TOGETHER) if touched.get(day)}
            if not some:
                continue
            everyone = sorted(set().union(*some.values()))
            for place in range(0, len(everyone), _SERIES):
                part = set(everyone[place : place + _SERIES])
                pairs = [(one, day) for day, whose in some.items() for one in whose & part]
                if not pairs:
                    continue
                whose, place_of = (np.array(column, np.int64) for column in zip(*pairs, strict=True))
                sums = self._read(cursor, part, edges[min(some) : max(some) + 2], ends)
                places = np.searchsorted(edges, sums.days.step).tolist()
                wanted = [pair in pairs for pair in zip(sums.days.series.tolist(), places, strict=True)]
                yield (
                    {"series": whose, "step": edges[place_of], "until": edges[place_of + 1]},
                    sums.rows(state, np.array(wanted, np.bool_)),
                )

    def _read(
        self, cursor: duckdb.DuckDBPyConnection, series: Collection[int], edges: Times, ends: Collection[int]
    ) -> DaySums:
        return DaySums.read(cursor, self._flag_intervals, series, edges, ends)

    def retire(self, tier: Tier, keep_from: datetime, ends: Collection[int]) -> Outdated:
        """Take away what a tier holds from before a moment, readings only once they are rolled up; return what it was.

        What changed and is not rolled up anew yet, or still waits in the catalogue, is left for another time.
        """
        found = self._lake.try_until_free(lambda cursor: outdated(cursor, tier, keep_from))
        if tier is not Tier.RAW:
            if found.rows:
                self._commit(lambda cursor: self._take_away(cursor, tier, to_stored(found.before)))
            return found
        self.refresh(ends)
        while self._seal_a_month(to_stored(found.before), ends):
            pass
        return found

    def _seal_a_month(self, before: np.datetime64, ends: Collection[int]) -> bool:
        """Take away the oldest month of readings; return whether there may be more."""

        def summed(cursor: duckdb.DuckDBPyConnection) -> tuple[np.datetime64, list[Columns]] | None:
            cursor.begin()
            state = rollup_state(cursor, ())
            older = f"SELECT min(measured_at) AS first FROM lake.reading WHERE measured_at < {moment(before)}"  # noqa: S608 - a moment
            row = fetched(cursor, older)
            if state.extent is None or np.ma.is_masked(row["first"]):
                return None
            following = times(row["first"])[0].astype("datetime64[M]") + np.timedelta64(1, "M")
            end = following.astype("datetime64[ms]")
            edges = day_edges(times(row["first"])[0] - INSTANT, end - INSTANT, ZoneInfo(state.extent.zone))
            parts = [self._read(cursor, part, edges, ends).sparse_hours(end, state) for part in portions(cursor, edges)]
            cursor.rollback()
            return end, parts

        found = self._lake.try_until_free(summed)
        if found is None:
            return False
        end, parts = found
        done = False

        def seal(cursor: duckdb.DuckDBPyConnection) -> None:
            nonlocal done
            state = rollup_state(cursor)
            waits = cursor.execute(f"FROM lake.recent WHERE measured_at < {moment(end)} LIMIT 1").fetchone()
            if waits is not None or (state.first <= end).any():
                return
            for part in parts:
                insert(cursor, part)
            self._take_away(cursor, Tier.RAW, np.maximum(end, state.kept("raw")))
            done = True

        self._commit(seal)
        return done

    def _take_away(self, cursor: duckdb.DuckDBPyConnection, tier: Tier, before: np.datetime64) -> None:
        self._seq += 1
        take_away(cursor, tier, before, self._seq)
        if tier is Tier.RAW:
            self._sealed = before


def _next_days(cursor: duckdb.DuckDBPyConnection, until: np.datetime64, zone: ZoneInfo) -> tuple[Times, Extent] | None:
    """Return the edges of the next days to roll up, and how far roll-ups go so far."""
    extent = rollup_state(cursor, ()).extent
    if extent is None:
        found = fetched(
            cursor,
            "SELECT min(oldest) AS first FROM (SELECT min(measured_at) AS oldest FROM lake.reading"
            " UNION ALL SELECT min(measured_at) FROM lake.recent WHERE seq > 0)",
        )["first"]
        if np.ma.is_masked(found):
            return None
        oldest = times(found)[0]
        # A sum of its first midnight tells of the day before.
        begin = day_edges(oldest - INSTANT, oldest, zone)[0]
        extent = Extent(begin, begin, zone.key)
    if until <= extent.last:
        return None
    edges = day_edges(extent.last, until, ZoneInfo(extent.zone))
    edges = edges[edges <= until]
    some = edges
    for days in _SPANS:
        some = edges[: days + 1]
        if days == 1 or row_count(cursor, some) <= _ROWS:
            break
    return (some, extent) if len(some) > 1 else None


def _sealed_days(cursor: duckdb.DuckDBPyConnection, state: RollupState, edges: Times) -> Iterator[tuple[int, int]]:
    """Yield days of series, by their place, that stay as they are because readings of theirs were taken away."""
    sealed = state.kept("raw")
    if edges[0] >= sealed:
        return
    query = f"SELECT series, step FROM lake.rollup WHERE tier = {DAYS} AND step < {moment(sealed)}"  # noqa: S608 - a moment
    columns = fetched(cursor, query)
    places = np.searchsorted(edges, times(columns["step"]))
    yield from zip(columns["series"].tolist(), places.tolist(), strict=True)


def _take_away(cursor: duckdb.DuckDBPyConnection, days: Columns) -> None:
    cursor.register("anew", days)
    span = f"step >= {moment(days['step'].min())} AND step < {moment(days['until'].max())}"
    cursor.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE outdated AS
        SELECT rollup.tier, rollup.series, rollup.step FROM lake.rollup JOIN anew USING (series)
        WHERE rollup.{span.replace("AND step", "AND rollup.step")}
            AND rollup.step >= anew.step AND rollup.step < anew.until
        """  # noqa: S608 - moments
    )
    cursor.execute(
        f"DELETE FROM lake.rollup WHERE {span} AND (tier, series, step) IN (SELECT tier, series, step FROM outdated)"  # noqa: S608 - moments
    )
    cursor.execute("DROP TABLE outdated")
