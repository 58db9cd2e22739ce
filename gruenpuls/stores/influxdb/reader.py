"""Reading an InfluxDB: InfluxQL that every version answers, long reads in parts."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from gruenpuls.domain.forecast import ForecastBatch
from gruenpuls.domain.ports import Aggregates, FlagIntervals, Progress, Tally
from gruenpuls.domain.reading import Flag, FlagInterval, Ids, ReadingBatch, effective_flags, from_stored, to_stored
from gruenpuls.domain.rollup import Rollup, Stretch, rolled_up_within
from gruenpuls.stores.influxdb.capabilities import Capabilities
from gruenpuls.stores.influxdb.connection import Connection, Table
from gruenpuls.stores.influxdb.lines import GONE
from gruenpuls.stores.influxdb.parts import parts
from gruenpuls.stores.influxdb.statistics import InfluxStatistics
from gruenpuls.stores.influxdb.sums import joined, summed

LOOK_BACK: Final = timedelta(days=732)
"""How far `latest` and `forecast` look back where the span of a query is limited."""
_TOGETHER: Final = 200
"""So many series are asked for in one query."""
_EARLIEST: Final = -(2**63) // 1_000_000 + 1
_LATEST: Final = 2**63 // 1_000_000 - 1
"""What InfluxDB's 64-bit nanoseconds can hold [ms]."""


class InfluxReader:
    """Read access to readings in an InfluxDB; safe to share between threads.

    Nothing is asked of the server before it is needed.

    Parameters
    ----------
    connection : Connection
    flag_intervals : FlagIntervals
        Where later judgements come from.
    capabilities : Capabilities or None
        What may be asked of the server; None goes by its version.
    """

    def __init__(
        self, connection: Connection, flag_intervals: FlagIntervals, capabilities: Capabilities | None = None
    ) -> None:
        self._connection = connection
        self._flag_intervals = flag_intervals
        self._given = capabilities

    @cached_property
    def capabilities(self) -> Capabilities:
        """What may be asked of the server."""
        return self._given or Capabilities.of(self._connection.version())

    def close(self) -> None:
        """Let go of connections."""
        self._connection.close()

    def progress(self) -> Progress:
        """Return how far the journal has been worked off."""
        query = "SELECT next_offset, decoded, dead_lettered, duplicates FROM progress WHERE time = 0"
        for table in self._connection.asked(query):
            for _, offset, decoded, dead_lettered, duplicates in table.values:
                return Progress(offset, Tally(decoded, dead_lettered, duplicates))
        return Progress()

    def read(self, series: Collection[int], from_at: datetime, to_at: datetime) -> ReadingBatch:
        """Return the readings of a span, its end exclusive, sorted by series and time."""
        batch = self._stored(series, _bounded(to_stored(from_at)), _bounded(to_stored(to_at)))
        return _judged(batch, self._flag_intervals.flag_intervals(series, from_at, to_at)) if len(batch) else batch

    def latest(self, series: Collection[int], not_after: datetime) -> ReadingBatch:
        """Return each series' last reading that is not missing, at or before a moment."""
        ends = dict.fromkeys(map(int, series), _bounded(to_stored(not_after)))
        found: list[ReadingBatch] = []
        while ends:
            last = self._last(ends)
            intervals = self._intervals(last)
            judged = _judged(last, intervals)
            present = judged.flag != Flag.MISSING
            found.append(judged.where(present))
            # Between two edges of judgements all is judged alike: what is missing here is so back to the edge.
            ends = {
                series: _edge_before(intervals, series, at) - 1
                for series, at in zip(
                    judged.series[~present].tolist(),
                    judged.measured_at[~present].astype(np.int64).tolist(),
                    strict=True,
                )
            }
        return ReadingBatch.joined(found).ordered()

    def aggregate(self, series: Collection[int], from_at: datetime, to_at: datetime, step: timedelta) -> Aggregates:
        """Return readings summed up in steps counted from `from_at`; failed and missing ones do not count.

        Raises
        ------
        ValueError
            If the step is shorter than a millisecond.
        """
        milliseconds = step // timedelta(milliseconds=1)
        if milliseconds < 1:
            message = f"a step lasts at least a millisecond: {step}"
            raise ValueError(message)
        start, end = to_stored(from_at), to_stored(to_at)
        intervals = self._flag_intervals.flag_intervals(series, from_at, to_at) if series else ()
        longest = self.capabilities.max_query_span
        too_long = longest is not None and longest < step
        here = set(series) if too_long else {interval.series for interval in intervals}
        batch = _judged(self._stored(here, _bounded(start), _bounded(end)), intervals)
        there = self._summed_there(set(series) - here, _bounded(start), _bounded(end), milliseconds)
        return joined([summed(batch, start, milliseconds), *there])

    def hourly(self, stretches: Sequence[Stretch]) -> Rollup:
        """Return the readings of some stretches summed up by UTC hour; of an hour, what lies within its stretch."""
        wanted = [it for it in stretches if it.from_at < it.to_at]
        if not wanted:
            return Rollup.joined([])
        from_at, to_at = min(it.from_at for it in wanted), max(it.to_at for it in wanted)
        # Summed up here: the server does not tell when an hour's extremes were measured.
        return rolled_up_within(self.read({it.series for it in wanted}, from_at, to_at), wanted)

    def daily(self, stretches: Sequence[Stretch], zone: ZoneInfo) -> Rollup:
        """Return the readings of some stretches summed up by the calendar days of a zone."""
        return self.hourly(stretches).by_day(zone)

    def forecast(self, station: str, quantity: str, issued_not_after: datetime) -> ForecastBatch:
        """Return the newest forecast issued by a moment."""
        chosen = f"station = {_quoted(station)} AND quantity = {_quoted(quantity)}"
        issued, rows = 0, list[tuple[int, float]]()
        for span in self._back_from(_bounded(to_stored(issued_not_after))):
            newest = f"SELECT known FROM forecast WHERE {chosen} AND {span} ORDER BY time DESC LIMIT 1"  # noqa: S608 - quoted
            if tables := self._connection.asked(newest):
                issued = int(tables[0].values[0][0])
                query = f"SELECT known, value FROM forecast WHERE {chosen} AND time = {issued}ms GROUP BY lead"  # noqa: S608 - quoted
                rows = sorted(
                    (issued + int(table.tags["lead"]), value if known else np.nan)
                    for table in self._connection.asked(query)
                    for _, known, value in table.values
                )
                break
        count = len(rows)
        return ForecastBatch(
            np.full(count, issued, np.int64).astype("datetime64[ms]"),
            np.array([at for at, _ in rows], np.int64).astype("datetime64[ms]"),
            np.full(count, station),
            np.full(count, quantity),
            np.array([value for _, value in rows], np.float64),
        )

    def series(self) -> list[int]:
        """Return the series that hold readings, in order."""
        tables = self._connection.asked("SHOW TAG VALUES FROM reading WITH KEY = series_id")
        return sorted({int(value) for table in tables for _, value in table.values})

    def extent(self) -> tuple[datetime, datetime] | None:
        """Return the moments of the first and the last reading; None where there is none."""
        first = self._connection.asked("SELECT first(flag) FROM reading")
        last = self._connection.asked("SELECT last(flag) FROM reading")
        if not first or not last:
            return None
        moments = np.array([first[0].values[0][0], last[0].values[0][0]], np.int64).astype("datetime64[ms]")
        return from_stored(moments[0]), from_stored(moments[1])

    def statistics(self) -> InfluxStatistics:
        """Return how much there is, for people."""
        rows = self._counted(f"SELECT count(flag) FROM reading WHERE flag > {GONE}")  # noqa: S608 - a constant
        return InfluxStatistics(self._connection.version(), rows, self.refused(), self.capabilities.can_delete)

    def refused(self) -> int:
        """Return how many readings the server did not take."""
        return self._counted("SELECT count(reason) FROM refused")

    def _counted(self, query: str) -> int:
        return sum(int(row[1]) for table in self._connection.asked(query) for row in table.values)

    def _stored(self, series: Collection[int], start: int, end: int) -> ReadingBatch:
        """Return readings with the flags of their arrival, sorted by series and time; bounds in ms."""
        found: list[ReadingBatch] = []
        for part in parts(sorted(series), _TOGETHER):
            for from_at, to_at in self._spans(start, end):
                span = f"time >= {from_at}ms AND time < {to_at}ms"
                query = f"SELECT flag, run, value FROM reading WHERE {_of(part)} AND {span} GROUP BY series_id"  # noqa: S608 - integers
                # One by one: as Python's objects the rows take ten times the room.
                found += map(_readings, self._connection.answered(query))
        return ReadingBatch.joined(found).ordered()

    def _last(self, ends: dict[int, int]) -> ReadingBatch:
        """Return each series' last reading not flagged missing on arrival, up to an end of its own [ms]."""
        found: list[ReadingBatch] = []
        by_end: dict[int, list[int]] = {}
        for series, end in ends.items():
            by_end.setdefault(end, []).append(series)
        for end, alike in by_end.items():
            for part in parts(sorted(alike), _TOGETHER):
                sought = set(part)
                for span in self._back_from(end):
                    query = (
                        f"SELECT flag, run, value FROM reading WHERE {_of(sought)} AND {span} "  # noqa: S608 - integers
                        f"AND flag > {GONE} AND flag < {Flag.MISSING:d} GROUP BY series_id ORDER BY time DESC LIMIT 1"
                    )
                    batches = [_readings(table) for table in self._connection.asked(query)]
                    found += batches
                    sought -= {int(one) for batch in batches for one in batch.series}
                    if not sought:
                        break
        return ReadingBatch.joined(found).ordered()

    def _intervals(self, batch: ReadingBatch) -> Sequence[FlagInterval]:
        """Return the judgements on these readings and on what came before them."""
        if not len(batch):
            return ()
        earliest = from_stored(np.datetime64("0001-01-01", "ms"))
        end = from_stored(batch.measured_at.max() + np.timedelta64(1, "ms"))
        return self._flag_intervals.flag_intervals(set(batch.series.tolist()), earliest, end)

    def _summed_there(self, series: Collection[int], start: int, end: int, step: int) -> Iterator[Aggregates]:
        """Yield sums the server made of series nobody has judged; bounds and step in ms."""
        for part in parts(sorted(series), _TOGETHER):
            for from_at, to_at in self._spans(start, end, step):
                tables = self._connection.asked(
                    "SELECT count(value), mean(value), min(value), max(value), sum(value), last(value) FROM reading "  # noqa: S608 - integers
                    f"WHERE {_of(part)} AND time >= {from_at}ms AND time < {to_at}ms "
                    f"AND flag > {GONE} AND flag < {Flag.FAIL:d} "
                    f"GROUP BY time({step}ms, {start % step}ms), series_id fill(none)"
                )
                for table in tables:
                    at, count, mean, minimum, maximum, total, last = zip(*table.values, strict=True)
                    yield Aggregates(
                        np.full(len(at), int(table.tags["series_id"])),
                        np.array(at, np.int64).astype("datetime64[ms]"),
                        np.array(count, np.int64),
                        *(np.array(column, np.float64) for column in (mean, minimum, maximum, total, last)),
                    )

    def _spans(self, start: int, end: int, step: int = 1) -> Iterator[tuple[int, int]]:
        """Yield the parts of a span a query may cover, whole steps each [ms]."""
        longest = self.capabilities.max_query_span
        if longest is None:
            if start < end:
                yield start, end
            return
        stride = max(longest // timedelta(milliseconds=1) // step, 1) * step
        for from_at in range(start, end, stride):
            yield from_at, min(from_at + stride, end)

    def _back_from(self, end: int) -> Iterator[str]:
        """Yield conditions that search the time up to an end [ms] backwards."""
        longest = self.capabilities.max_query_span
        if longest is None:
            yield f"time <= {end}ms"
            return
        stride = longest // timedelta(milliseconds=1)
        for last in range(end, end - LOOK_BACK // timedelta(milliseconds=1), -stride):
            yield f"time > {last - stride}ms AND time <= {last}ms"


def _readings(table: Table) -> ReadingBatch:
    """Return the rows of a series; points without a flag are not ours, or no longer there."""
    rows = [row for row in table.values if row[1]]
    at, flag, run, value = zip(*rows, strict=True) if rows else ((), (), (), ())
    flags: Ids = np.array(flag, np.int64)
    return ReadingBatch(
        np.full(len(rows), int(table.tags["series_id"]), np.int64),
        np.array(at, np.int64).astype("datetime64[ms]"),
        np.where(flags == Flag.MISSING, np.nan, np.array(value, np.float64)),
        flags.astype(np.uint8),
        np.array(run, np.int64),
    )


def _judged(batch: ReadingBatch, intervals: Sequence[FlagInterval]) -> ReadingBatch:
    flags = effective_flags(batch, intervals)
    value = np.where(flags == Flag.MISSING, np.nan, batch.value)
    return ReadingBatch(batch.series, batch.measured_at, value, flags, batch.run)


def _edge_before(intervals: Sequence[FlagInterval], series: int, at: int) -> int:
    """Return where the judgement that holds at a moment began to hold [ms]."""
    edges = (
        int(to_stored(edge).astype(np.int64))
        for interval in intervals
        if interval.series == series
        for edge in (interval.from_at, interval.to_at)
    )
    return max(edge for edge in edges if edge <= at)


def _bounded(moment: np.datetime64) -> int:
    """Return a moment in milliseconds since 1970, at most as far away as InfluxDB can count."""
    return min(max(int(moment.astype(np.int64)), _EARLIEST), _LATEST)


def _of(series: Collection[int]) -> str:
    return "(" + " OR ".join(f"series_id = '{int(one)}'" for one in series) + ")"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
