"""Writing the lake: one process, whole commits or nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import numpy as np

from gruenpuls.domain.errors import StorageError
from gruenpuls.domain.forecast import ForecastBatch
from gruenpuls.domain.ports import Commit, FlagIntervals, Progress
from gruenpuls.domain.reading import ReadingBatch, to_stored
from gruenpuls.domain.retention import Outdated, Tier
from gruenpuls.stores.embedded import compaction
from gruenpuls.stores.embedded.columns import Columns, fetched
from gruenpuls.stores.embedded.durability import sync_new_files
from gruenpuls.stores.embedded.folding import append, changes_of, fold, note
from gruenpuls.stores.embedded.frontier import Frontier
from gruenpuls.stores.embedded.lake import Lake, Limits, moment
from gruenpuls.stores.embedded.layout import GONE, open_lake, open_lake_for_reading
from gruenpuls.stores.embedded.lock import WriterLock
from gruenpuls.stores.embedded.reader import EmbeddedReader
from gruenpuls.stores.embedded.rollup_refresh import RollingUp
from gruenpuls.stores.embedded.selection import current

FOLD_ROWS = 20_000
"""So many rows may wait in the catalogue before they are folded into Parquet."""
LARGE_ROWS = 2_500
"""A commit of more goes into Parquet at once: beyond it, rows in the catalogue cost more than a fold."""
NEWS_ROWS = 1_000
"""The same where all rows are later than what there is of their series: then a file costs a quarter of them."""
MOST_NOTED = 200
"""So many words on progress may stand in the catalogue; it gives their place back only with a fold."""
MERGING_MB = 64
"""Working memory of merging files, whatever the store is allowed otherwise [MB]."""
KEEP_FOR = timedelta(minutes=10)
"""What was replaced stays so long for queries that are still running."""


class EmbeddedStore(EmbeddedReader):
    """The one writer of an embedded store; it reads, too. Safe to share between threads.

    Parameters
    ----------
    lake : Lake
    flag_intervals : FlagIntervals
    lock : WriterLock
        Released when the store is closed.
    fold_rows : int
        So many rows may wait in the catalogue before they are folded into Parquet.
    large_rows : int
        A commit of more goes into Parquet at once.
    """

    def __init__(
        self, lake: Lake, flag_intervals: FlagIntervals, lock: WriterLock, fold_rows: int, large_rows: int
    ) -> None:
        super().__init__(lake, flag_intervals)
        self._lock = lock
        self._turn = threading.Lock()
        self._fold_rows = fold_rows
        self._large_rows = large_rows
        self._waiting = 0
        self._noted = 0
        self._seq = 0
        self._frontier: Frontier | None = None
        self._progress: Progress | None = None
        self._unsure = True
        self._rolling_up = RollingUp(lake, flag_intervals, self._commit)

    @classmethod
    def open_writer(
        cls,
        directory: Path,
        flag_intervals: FlagIntervals,
        limits: Limits | None = None,
        fold_rows: int = FOLD_ROWS,
        large_rows: int = LARGE_ROWS,
    ) -> EmbeddedStore:
        """Open a store for writing; an empty or absent directory becomes one.

        Raises
        ------
        BusyError
            If another process writes; names its pid.
        StorageError
            If the directory holds something else, or a damaged store.
        """
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            what = f"the directory cannot be made: {error.strerror}"
            raise StorageError(what, where=str(directory), remedy="check who owns its parent") from error
        lock = WriterLock(directory)
        try:
            return cls(open_lake(directory, limits or Limits()), flag_intervals, lock, fold_rows, large_rows)
        except BaseException:
            lock.release()
            raise

    @classmethod
    def open_reader(
        cls, directory: Path, flag_intervals: FlagIntervals, limits: Limits | None = None
    ) -> EmbeddedReader:
        """Open a store for reading, whether another process writes to it or not.

        Raises
        ------
        StorageError
            If there is no store, or it is damaged.
        """
        return EmbeddedReader(open_lake_for_reading(directory, limits or Limits()), flag_intervals)

    def close(self) -> None:
        """Let go of files, connections and the writer's lock."""
        super().close()
        self._lock.release()

    def progress(self) -> Progress:
        """Return how far the journal is worked off: as the last commit said, or as the lake does."""
        # The one writer need not ask for what it wrote, which takes 9 ms of the processor, every second.
        return self._progress or self.stored_progress()

    def write(self, commit: Commit) -> None:
        """Commit rows and progress in one transaction; nothing of it stays if it fails.

        Raises
        ------
        StorageError
            If it could not be written; the same commit may be tried again.
        """
        changes = changes_of(commit)

        def put(cursor: duckdb.DuckDBPyConnection) -> None:
            self._put(cursor, changes)
            if commit.progress is not None:
                self._noted += 1
                done = commit.progress
                tally = done.tally
                note(cursor, self._seq, done.offset, tally.decoded, tally.dead_lettered, tally.duplicates)

        if commit.progress is not None:
            self._progress = None
        self._commit(put)
        self._progress = commit.progress or self._progress

    def replace(self, series: Collection[int], from_at: datetime, to_at: datetime, readings: ReadingBatch) -> None:
        """Put `readings` in the place of everything these series hold in the span, in one transaction.

        What is the same already is not written again.

        Raises
        ------
        ValueError
            If a reading lies outside the series or the span.
        StorageError
            If it could not be written.
        """
        start, end = to_stored(from_at), to_stored(to_at)
        outside = ~np.isin(readings.series, np.fromiter(series, np.int64, len(series)))
        outside |= (readings.measured_at < start) | (readings.measured_at >= end)
        if outside.any():
            message = f"{outside.sum()} of {len(readings)} readings lie outside what they replace"
            raise ValueError(message)
        fresh = changes_of(Commit(readings))

        def exchange(cursor: duckdb.DuckDBPyConnection) -> None:
            cursor.register("fresh", fresh)
            changes = fetched(
                cursor,
                f"""
                WITH {current(cursor, series, start, end)}
                (FROM fresh EXCEPT FROM reading)
                UNION ALL
                SELECT series, measured_at, NULL, {GONE}, 0 FROM reading ANTI JOIN fresh USING (series, measured_at)
                """,  # noqa: S608 - composed of constants, integers and quoted moments
            )
            self._put(cursor, changes)

        self._commit(exchange)

    def write_forecast(self, batch: ForecastBatch) -> None:
        """Keep a forecast beside the readings; issued twice it is kept once.

        Raises
        ------
        StorageError
            If it could not be written.
        """
        if not len(batch):
            return
        columns = {
            "issued_at": batch.issued_at,
            "valid_at": batch.valid_at,
            "station": batch.station,
            "quantity": batch.quantity,
            "value": batch.value,
            "place": np.arange(len(batch)),
        }
        span = f"BETWEEN {moment(batch.issued_at.min())} AND {moment(batch.issued_at.max())}"

        def put(cursor: duckdb.DuckDBPyConnection) -> None:
            cursor.register("fresh", columns)
            cursor.execute(
                f"""
                DELETE FROM lake.forecast WHERE issued_at {span} AND (issued_at, valid_at, station, quantity)
                IN (SELECT issued_at, valid_at, station, quantity FROM fresh)
                """  # noqa: S608 - composed of quoted moments
            )
            cursor.execute(
                """
                INSERT INTO lake.forecast
                SELECT issued_at, valid_at, station, quantity, CASE WHEN NOT isnan(value) THEN value END
                FROM fresh QUALIFY row_number() OVER (
                    PARTITION BY issued_at, valid_at, station, quantity ORDER BY place DESC
                ) = 1
                """
            )

        self._commit(put)

    def compact(self, *, keep_for: timedelta = KEEP_FOR) -> None:
        """Fold what waits, merge small files, and drop what was replaced longer ago than `keep_for`.

        Parameters
        ----------
        keep_for : timedelta
            No reader's query may last longer.

        Raises
        ------
        StorageError
            If it could not be done; readings are as they were.
        """
        self._commit(self._settle)
        # Sorting takes all it is allowed to before it spills, which costs it half as much again; nobody waits for it.
        with self._turn, closing(self._lake.apart(MERGING_MB)) as lake:
            lake.try_until_free(lambda cursor: compaction.compact(cursor, self._lake.data, keep_for))

    def roll_up(self, until: datetime, zone: ZoneInfo, ends: Collection[int]) -> bool:
        """Sum up anew what changed, then the next days that are over by a moment; return whether there may be more.

        Raises
        ------
        StorageError
            If it could not be done; what was summed up stays as it was.
        """
        self._rolling_up.refresh(ends)
        return self._rolling_up.advance(until, zone, ends)

    def forget_rollups(self) -> None:
        """Take away all hours and days, to be summed up anew.

        Raises
        ------
        InputError
            If readings were taken away: there is nothing else of that time.
        """
        self._commit(self._rolling_up.forget)

    def retire(self, tier: Tier, keep_from: datetime, ends: Collection[int]) -> Outdated:
        """Take away what a tier holds from before a moment; return what that was.

        Readings go once they are rolled up, whole months of them; hours and days in whole years.

        Raises
        ------
        StorageError
            If it could not be done; what is rolled up and what not is as it was.
        """
        self._commit(self._settle)
        found = self._rolling_up.retire(tier, keep_from, ends)
        self._look_again = 0.0
        return found

    def _commit(self, act: Callable[[duckdb.DuckDBPyConnection], None]) -> None:
        """Commit what `act` does, one thread at a time; what fails takes the engine along."""

        def transaction(cursor: duckdb.DuckDBPyConnection) -> None:
            if self._unsure:
                self._count(cursor)
            self._unsure = True
            began = time.time_ns()
            cursor.begin()
            act(cursor)
            sync_new_files(self._lake.data, began)
            cursor.commit()
            self._unsure = False

        self._alone(transaction)

    def _alone(self, act: Callable[[duckdb.DuckDBPyConnection], None]) -> None:
        with self._turn:
            try:
                self._lake.try_until_free(act)
            except BaseException:
                self._lake.abandon()
                raise

    def _count(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Learn from the lake what waits, the last commit's number, and how far readings reach."""
        row = cursor.execute(
            """
            SELECT (SELECT count(*) FROM lake.recent), (SELECT count(*) FROM lake.progress),
                greatest((SELECT max(seq) FROM lake.recent), (SELECT max(seq) FROM lake.progress))
            """
        ).fetchone()
        assert row is not None  # an aggregate always has a row
        self._waiting, self._noted, self._seq = row
        self._rolling_up.learn(cursor)
        if self._frontier is None:
            self._frontier = Frontier.of_lake(cursor)

    def _put(self, cursor: duckdb.DuckDBPyConnection, changes: Columns) -> None:
        """Add unique keys with their values, or with the word that they are gone."""
        self._seq += 1
        count = len(changes["series"])
        if not count:
            return
        self._rolling_up.touch(cursor, changes)
        assert self._frontier is not None  # learned at the beginning of each transaction
        is_news = self._frontier.passed_by(changes)
        if is_news and count > min(self._large_rows, NEWS_ROWS) and self._noted < MOST_NOTED:
            append(cursor, changes)
        elif count <= self._large_rows and self._waiting + count <= self._fold_rows:
            cursor.register("changes", changes)
            cursor.execute(f"INSERT INTO lake.recent SELECT {self._seq}, * FROM changes")  # noqa: S608 - an integer
            self._waiting += count
        else:
            self._fold(cursor, changes)

    def _settle(self, cursor: duckdb.DuckDBPyConnection) -> None:
        if self._waiting:
            self._fold(cursor, None)

    def _fold(self, cursor: duckdb.DuckDBPyConnection, changes: Columns | None) -> None:
        fold(cursor, changes, waiting=self._waiting > 0)
        self._waiting, self._noted = 0, 1
