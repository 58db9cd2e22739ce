"""Readings summed up by hour and day: from roll-ups where they hold, from readings where not."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.ports import FlagIntervals
from gruenpuls.domain.reading import FlagInterval, Ids, ReadingBatch, Times, effective_flags, from_stored, to_stored
from gruenpuls.domain.rollup import HOUR, INSTANT, Rollup, Stretch, day_edges, rolled_up_within
from gruenpuls.stores.embedded.columns import Columns, fetched, times, values
from gruenpuls.stores.embedded.lake import moment
from gruenpuls.stores.embedded.rollup_day import Digests, changed_days, judgement_digests
from gruenpuls.stores.embedded.rollup_state import DAYS, DENSE, HOURS, Extent, RollupState, rollup_state
from gruenpuls.stores.embedded.selection import chosen, stored

_EMPTY, _HOURS, _READINGS, _DAY = range(4)
"""What an hour is taken from: nothing is there, hours, readings, or its whole day."""
_APART: Final = timedelta(days=31)
"""Readings this far apart are looked for one after the other, since files hold a month."""


@dataclass(frozen=True, slots=True)
class Summing:
    """A question for values by hour or day, within one transaction.

    Parameters
    ----------
    cursor : DuckDBPyConnection
    flag_intervals : FlagIntervals
    has_rollups : bool
    """

    cursor: duckdb.DuckDBPyConnection
    flag_intervals: FlagIntervals
    has_rollups: bool

    def hours(self, stretches: Sequence[Stretch]) -> Rollup:
        """Return the hours of some stretches."""
        hours, _ = self._summed(stretches, None)
        return hours

    def days(self, stretches: Sequence[Stretch], zone: ZoneInfo) -> Rollup:
        """Return the days of some stretches."""
        hours, days = self._summed(stretches, zone)
        parts = Rollup.joined([hours.by_day(zone), days])
        return parts.by(parts.step)

    def _summed(self, stretches: Sequence[Stretch], zone: ZoneInfo | None) -> tuple[Rollup, Rollup]:
        """Return hours, and whole days of a zone that need not be summed up from them."""
        wanted = [it for it in stretches if it.from_at < it.to_at]
        nothing = Rollup.joined([])
        if not wanted:
            return nothing, nothing
        series = {it.series for it in wanted}
        begins = np.array([to_stored(it.from_at) for it in wanted])
        ends = np.array([to_stored(it.to_at) for it in wanted])
        low, high = begins.min(), ends.max()
        intervals = self.flag_intervals.flag_intervals(series, from_stored(low), from_stored(high))
        state = rollup_state(self.cursor, series) if self.has_rollups else None
        if state is None or state.extent is None or low > state.extent.last:
            return self._from_readings(wanted, intervals), nothing
        # What of days their readings tell needs no hours, unless readings are gone.
        only_days = zone is not None and zone.key == state.extent.zone and low >= state.kept("raw")
        kept = _Kept.read(self.cursor, series, (low, high), state, intervals, only_days=only_days)
        hours: list[Rollup] = []
        days: list[Rollup] = []
        ranges: list[Stretch] = []
        for it, begin, end in zip(wanted, begins, ends, strict=True):
            kept.sort_out(it, begin, end, zone, hours, days, ranges)
        hours.append(self._from_readings(ranges, intervals))
        summed = Rollup.joined(hours)
        # Two stretches may share an hour.
        return summed.by(summed.step), Rollup.joined(days)

    def _from_readings(self, ranges: Sequence[Stretch], intervals: Sequence[FlagInterval]) -> Rollup:
        found: list[Rollup] = []
        for near in _near(ranges):
            low, high = min(it.from_at for it in near), max(it.to_at for it in near)
            batch = stored(self.cursor, {it.series for it in near}, to_stored(low), to_stored(high))
            flags = effective_flags(batch, intervals)
            batch = ReadingBatch(batch.series, batch.measured_at, batch.value, flags, batch.run)
            found.append(rolled_up_within(batch, near))
        return Rollup.joined(found)


def _near(ranges: Sequence[Stretch]) -> Iterator[list[Stretch]]:
    """Yield ranges in groups of which none is far from the next."""
    group: list[Stretch] = []
    reaches = datetime.min.replace(tzinfo=UTC)
    for it in sorted(ranges, key=lambda it: it.from_at):
        if group and it.from_at > reaches + _APART:
            yield group
            group = []
        group.append(it)
        reaches = max(reaches, it.to_at)
    if group:
        yield group


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is rolled up of some series, and which of it still holds."""

    edges: Times
    extent: Extent
    state: RollupState
    digests: Digests
    columns: Columns
    rollup: Rollup
    has_hours: bool

    @classmethod
    def read(
        cls,
        cursor: duckdb.DuckDBPyConnection,
        series: Collection[int],
        span: tuple[np.datetime64, np.datetime64],
        state: RollupState,
        intervals: Sequence[FlagInterval],
        *,
        only_days: bool,
    ) -> _Kept:
        assert state.extent is not None
        low, high = span
        zone = ZoneInfo(state.extent.zone)
        # Before the first day that was ever rolled up there is nothing but what came since.
        oldest = np.array([low, min([state.extent.first, *state.first])]).max() - HOUR
        edges = day_edges(oldest, max(min(high, state.extent.last) - INSTANT, oldest), zone)
        within = f"step >= {moment(edges[0])} AND step < {moment(edges[-1])}"
        if only_days:
            within += f" AND tier = {DAYS}"
        columns = fetched(cursor, f"FROM lake.rollup WHERE {chosen(cursor, series)} AND {within} ORDER BY series, step")
        digests = judgement_digests(intervals, edges)
        return cls(edges, state.extent, state, digests, columns, rollup_of(columns), not only_days)

    def sort_out(
        self,
        stretch: Stretch,
        begin: np.datetime64,
        end: np.datetime64,
        zone: ZoneInfo | None,
        hours: list[Rollup],
        days: list[Rollup],
        ranges: list[Stretch],
    ) -> None:
        """Add what a stretch takes from hours, from days, and from which readings."""
        late = stretch.ends * INSTANT
        begin, end = begin - late, end - late
        if end > self.extent.last:
            newer = max(begin, self.extent.last)
            ranges.append(replace(stretch, from_at=from_stored(newer + late), to_at=from_stored(end + late)))
        begin, end = max(begin, self.edges[0]), min(end, self.edges[-1], self.extent.last)
        if begin >= end:
            return
        first, last = np.searchsorted(self.rollup.series, [stretch.series, stretch.series + 1])
        mine = np.arange(first, last)
        tier = self.columns["tier"][mine]
        daily, hourly = mine[tier == DAYS], mine[tier == HOURS]
        of_hours, whole_days = self._sources(stretch, daily)
        hour = np.arange(begin.astype("datetime64[h]"), (end + HOUR - INSTANT).astype("datetime64[h]")).astype(
            "datetime64[ms]"
        )
        day = np.searchsorted(self.edges, hour, "right") - 1
        source = of_hours[day]
        sealed = self.edges[day] < self.state.kept("raw")
        torn = (hour < begin) | (hour + HOUR > end)
        source[torn & (source == _HOURS) & ~sealed] = _READINGS
        if zone is not None and zone.key == self.extent.zone:
            inside = np.append((self.edges[:-1] >= begin) & (self.edges[1:] <= end), [False])
            taken = whole_days & inside
            source[taken[day]] = _DAY
            place = np.searchsorted(self.edges, self.rollup.step[daily])
            days.append(self.rollup.where(daily[taken[place]]))
        # Rows of an hour that nothing else is taken for.
        wanted = hour[source == _HOURS]
        hours.append(self.rollup.where(hourly[np.isin(self.rollup.step[hourly], wanted)]))
        runs = np.flatnonzero(np.diff(np.r_[False, source == _READINGS, False].astype(np.int8))).reshape(-1, 2)
        for low, high in runs.tolist():
            from_hour, to_hour = hour[low], hour[high - 1] + HOUR
            span = max(from_hour, begin) + late, min(to_hour, end) + late
            ranges.append(replace(stretch, from_at=from_stored(span[0]), to_at=from_stored(span[1])))

    def _sources(self, stretch: Stretch, daily: Ids) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return what the hours of each day are taken from, and which days may be taken whole."""
        count = len(self.edges)
        starts = self.edges
        sealed = starts < self.state.kept("raw")
        source = np.where((starts >= self.extent.first) & (starts < self.extent.last), _EMPTY, _READINGS)
        source[starts < self.extent.first] = _EMPTY
        source[(starts < self.state.kept("daily")) & ~sealed] = _READINGS
        whole = np.zeros(count, np.bool_)
        place = np.searchsorted(starts, self.rollup.step[daily])
        digests = np.array([self.digests.get((stretch.series, int(it)), 0) for it in place], np.int64)
        fresh = (self.columns["ends"][daily] == stretch.ends) & (self.columns["judged"][daily] == digests)
        dense = self.rollup.count[daily] + self.rollup.failed[daily] > DENSE
        source[place] = np.where(fresh & dense & self.has_hours, _HOURS, _READINGS)
        whole[place] = fresh
        for first, last in zip(
            self.state.first[self.state.series == stretch.series],
            self.state.last[self.state.series == stretch.series],
            strict=True,
        ):
            days = changed_days(first, last, starts)
            source[days], whole[days] = _READINGS, False
        no_hours = starts < self.state.kept("hourly")
        source[no_hours & (source == _HOURS)] = _READINGS
        # Where readings were taken away, what was rolled up before is all there is.
        rolled = place[sealed[place]]
        source[rolled] = np.where(no_hours[rolled], _EMPTY, _HOURS)
        whole[rolled] = True
        return source, whole


def rollup_of(columns: Columns) -> Rollup:
    """Return rows of the lake's ``rollup``."""
    return Rollup(
        columns["series"].astype(np.int64),
        times(columns["step"]),
        columns["count"].astype(np.int64),
        columns["failed"].astype(np.int64),
        values(columns["total"]),
        values(columns["minimum"]),
        values(columns["maximum"]),
        values(columns["last"]),
        _moments(columns["minimum_at"]),
        _moments(columns["maximum_at"]),
    )


def _moments(column: NDArray[np.datetime64]) -> Times:
    return np.ma.filled(column.astype("datetime64[ms]"), np.datetime64("NaT"))
