"""Reading the lake: whole commits only, from any number of processes."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

import duckdb
import numpy as np

from gruenpuls.domain.forecast import ForecastBatch
from gruenpuls.domain.ports import Aggregates, FlagIntervals, Progress, Tally
from gruenpuls.domain.reading import Flag, ReadingBatch, effective_flags, from_stored, to_stored
from gruenpuls.domain.retention import Outdated, Tier
from gruenpuls.domain.rollup import INSTANT, Rollup, Stretch
from gruenpuls.stores.embedded.columns import Columns, fetched, readings, times, values
from gruenpuls.stores.embedded.judgement import EFFECTIVE_FLAG, segments
from gruenpuls.stores.embedded.lake import Lake, moment, quoted
from gruenpuls.stores.embedded.rollup_reading import Summing
from gruenpuls.stores.embedded.rollup_retention import outdated
from gruenpuls.stores.embedded.rollup_state import NEVER, RollupStatistics, rollup_state, rollup_statistics
from gruenpuls.stores.embedded.selection import current, stored
from gruenpuls.stores.embedded.statistics import StoreStatistics, broken_files, statistics

Answer = TypeVar("Answer")
_HOUR = 3_600_000
"""[ms]"""
_LOOK_EVERY = 60.0
"""How often it is looked up from when on readings are kept [s]."""
_BEGINNING = np.datetime64("0001-01-01T00:00:00.000", "ms")
_LOOK_BACK = (timedelta(days=2), timedelta(days=62), timedelta(days=732))
"""How far `latest` looks back, step by step, before it searches everything for what is still missing."""


class EmbeddedReader:
    """Read access to the embedded store; safe to share between threads.

    Parameters
    ----------
    lake : Lake
    flag_intervals : FlagIntervals
        Where later judgements come from.
    """

    def __init__(self, lake: Lake, flag_intervals: FlagIntervals) -> None:
        self._lake = lake
        self._flag_intervals = flag_intervals
        self._kept_from: np.datetime64 = NEVER
        self._look_again = 0.0

    def close(self) -> None:
        """Let go of files and connections."""
        self._lake.close()

    def progress(self) -> Progress:
        """Return how far the journal has been worked off."""
        return self.stored_progress()

    def stored_progress(self) -> Progress:
        """Return what the lake itself says of that."""
        newest = "SELECT next_offset, decoded, dead_lettered, duplicates FROM lake.progress ORDER BY seq DESC LIMIT 1"
        row = self._asked(lambda cursor: cursor.execute(newest).fetchone())
        return Progress(row[0], Tally(*row[1:])) if row else Progress()

    def read(self, series: Collection[int], from_at: datetime, to_at: datetime) -> ReadingBatch:
        """Return the readings of a span, its end exclusive, sorted by series and time."""
        if not series:
            return ReadingBatch.empty()
        start, end = to_stored(from_at), to_stored(to_at)
        batch = self._asked(lambda cursor: stored(cursor, series, start, end))
        flags = effective_flags(batch, self._flag_intervals.flag_intervals(series, from_at, to_at))
        value = np.where(flags == Flag.MISSING, np.nan, batch.value)
        return ReadingBatch(batch.series, batch.measured_at, value, flags, batch.run)

    def latest(self, series: Collection[int], not_after: datetime) -> ReadingBatch:
        """Return each series' last reading that is not missing, at or before a moment."""
        end = to_stored(not_after) + np.timedelta64(1, "ms")

        def look_back(cursor: duckdb.DuckDBPyConnection) -> ReadingBatch:
            sought = set(series)
            found: list[ReadingBatch] = []
            for span in (*_LOOK_BACK, None):
                if not sought:
                    break
                start = _BEGINNING if span is None else end - np.timedelta64(span)
                batch = self._latest_within(cursor, sought, start, end)
                found.append(batch)
                sought -= set(batch.series.tolist())
            return ReadingBatch.joined(found).ordered()

        return self._asked(look_back)

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
        ends = start != start.astype("datetime64[h]")
        by_hours = milliseconds % _HOUR == 0 and start - ends * INSTANT == start.astype("datetime64[h]")
        # Hours are hardly found sooner than readings are summed up; only where these are gone they are all there is.
        if by_hours and start < self._readings_kept_from():
            found = self.hourly([Stretch(one, from_at, to_at, ends=bool(ends)) for one in set(series)])
            found = found.where(found.count > 0)
            length = np.timedelta64(milliseconds, "ms")
            since = found.step - start.astype("datetime64[h]")
            found = found.by(start + since // length * length)
            return Aggregates(
                found.series,
                found.step,
                found.count,
                found.mean,
                found.minimum,
                found.maximum,
                found.total,
                found.last,
            )

        def sums(cursor: duckdb.DuckDBPyConnection) -> Columns:
            rows = self._judged(cursor, series, start, end)
            first = int(start.astype(np.int64))
            return fetched(
                cursor,
                f"""
                WITH {rows}
                SELECT series,
                    (epoch_ms(measured_at) - {first}) // {milliseconds} * {milliseconds} + {first} AS step,
                    count(*) AS count, avg(value) AS mean, min(value) AS minimum, max(value) AS maximum,
                    sum(value) AS total, arg_max(value, measured_at) AS last
                FROM judged_reading
                WHERE flag NOT IN ({Flag.FAIL:d}, {Flag.MISSING:d})
                GROUP BY ALL ORDER BY ALL
                """,  # noqa: S608 - composed of constants, integers and quoted moments
            )

        columns = self._asked(sums)
        return Aggregates(
            columns["series"],
            times(columns["step"]),
            columns["count"],
            columns["mean"],
            columns["minimum"],
            columns["maximum"],
            columns["total"],
            columns["last"],
        )

    def hourly(self, stretches: Sequence[Stretch]) -> Rollup:
        """Return the readings of some stretches summed up by UTC hour; of an hour, what lies within its stretch."""
        return self._summing(lambda summing: summing.hours(stretches))

    def daily(self, stretches: Sequence[Stretch], zone: ZoneInfo) -> Rollup:
        """Return the readings of some stretches summed up by the calendar days of a zone."""
        return self._summing(lambda summing: summing.days(stretches, zone))

    def _summing(self, answer: Callable[[Summing], Rollup]) -> Rollup:
        has_rollups = self._lake.has_rollups
        return self._asked(lambda cursor: answer(Summing(cursor, self._flag_intervals, has_rollups=has_rollups)))

    def outdated(self, tier: Tier, keep_from: datetime) -> Outdated:
        """Return what `EmbeddedStore.retire` would take away."""
        if not self._lake.has_rollups:
            return Outdated(tier, keep_from, 0, 0, None, None, 0)
        return self._asked(lambda cursor: outdated(cursor, tier, keep_from))

    def rollups(self) -> RollupStatistics:
        """Return how far hours and days are summed up, for people."""
        if not self._lake.has_rollups:
            return RollupStatistics(None, None, None, 0, 0, 0, None, None, None)
        return self._asked(rollup_statistics)

    def _readings_kept_from(self) -> np.datetime64:
        """Return from when on readings are kept; looked up now and then, since only retention changes it."""
        if not self._lake.has_rollups:
            return NEVER
        if time.monotonic() >= self._look_again:
            self._kept_from = self._asked(lambda cursor: rollup_state(cursor, ()).kept("raw"))
            self._look_again = time.monotonic() + _LOOK_EVERY
        return self._kept_from

    def forecast(self, station: str, quantity: str, issued_not_after: datetime) -> ForecastBatch:
        """Return the newest forecast issued by a moment."""
        columns = self._asked(
            lambda cursor: fetched(
                cursor,
                f"""
                WITH known AS (
                    FROM lake.forecast WHERE station = {quoted(station)} AND quantity = {quoted(quantity)}
                        AND issued_at <= {moment(to_stored(issued_not_after))}
                )
                SELECT issued_at, valid_at, value FROM known
                WHERE issued_at = (SELECT max(issued_at) FROM known)
                ORDER BY valid_at
                """,  # noqa: S608 - composed of quoted texts and moments
            )
        )
        count = len(columns["value"])
        return ForecastBatch(
            times(columns["issued_at"]),
            times(columns["valid_at"]),
            np.full(count, station),
            np.full(count, quantity),
            values(columns["value"]),
        )

    def series(self) -> list[int]:
        """Return the series that hold readings, in order."""
        query = (
            "SELECT series FROM (SELECT series FROM lake.reading UNION SELECT series FROM lake.recent) ORDER BY series"
        )
        return self._asked(lambda cursor: [row[0] for row in cursor.execute(query).fetchall()])

    def extent(self) -> tuple[datetime, datetime] | None:
        """Return the moments of the first and the last reading; None where there is none."""
        bounds = """
            SELECT min(measured_at) AS first, max(measured_at) AS last
            FROM (SELECT measured_at FROM lake.reading UNION ALL SELECT measured_at FROM lake.recent WHERE seq > 0)
        """
        found = self._asked(lambda cursor: fetched(cursor, bounds))
        if np.ma.is_masked(found["first"]):
            return None
        return from_stored(found["first"][0]), from_stored(found["last"][0])

    def statistics(self) -> StoreStatistics:
        """Return how much there is, for people."""
        return self._asked(lambda cursor: statistics(cursor, self._lake.catalogue))

    def broken_files(self) -> list[Path]:
        """Return the files of the store that are gone, or not as long as they were written."""
        return self._asked(broken_files)

    def _asked(self, question: Callable[[duckdb.DuckDBPyConnection], Answer]) -> Answer:
        """Return the answer to a question about one state of the lake."""

        def on_one_snapshot(cursor: duckdb.DuckDBPyConnection) -> Answer:
            cursor.begin()
            answer = question(cursor)
            cursor.rollback()
            return answer

        return self._lake.try_until_free(on_one_snapshot)

    def _latest_within(
        self, cursor: duckdb.DuckDBPyConnection, series: Collection[int], start: np.datetime64, end: np.datetime64
    ) -> ReadingBatch:
        rows = self._judged(cursor, series, start, end)
        columns = fetched(
            cursor,
            f"""
            WITH {rows}
            SELECT series, max(measured_at) AS measured_at, arg_max(value, measured_at) AS value,
                arg_max(flag, measured_at) AS flag, arg_max(run, measured_at) AS run
            FROM judged_reading WHERE flag <> {Flag.MISSING:d} GROUP BY series
            """,  # noqa: S608 - composed of constants, integers and quoted moments
        )
        return readings(columns)

    def _judged(
        self, cursor: duckdb.DuckDBPyConnection, series: Collection[int], start: np.datetime64, end: np.datetime64
    ) -> str:
        """Return common table expressions that end in `judged_reading`, with effective flags."""
        rows = current(cursor, series, start, end)
        intervals = self._flag_intervals.flag_intervals(series, from_stored(start), from_stored(end))
        if not intervals:
            return f"{rows}, judged_reading AS (FROM reading)"
        cursor.register("judged", segments(intervals))
        return f"""{rows}, judged_reading AS (
            SELECT reading.series, reading.measured_at, reading.value, {EFFECTIVE_FLAG} AS flag, reading.run
            FROM reading LEFT JOIN judged ON reading.series = judged.series
                AND reading.measured_at >= judged.from_at AND reading.measured_at < judged.to_at
        )"""  # noqa: S608 - composed of constants, integers and quoted moments
