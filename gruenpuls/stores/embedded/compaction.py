"""Housekeeping of the lake: few files, and nothing kept that no reader needs."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import duckdb

from gruenpuls.stores.embedded.durability import sync_new_files
from gruenpuls.stores.embedded.lake import quoted

_TABLES = ("reading", "forecast", "rollup")
_TIERS = (4_000_000, 32_000_000, 256_000_000)
"""Files below such a size [B] are merged with their like, so that a row is written about once per tier."""
_ENOUGH_FILES = 4
_MUCH_DELETED = 0.1


@dataclass(frozen=True, slots=True)
class _File:
    """A data file in use; `lost_rows` where a file of deletions belongs to it."""

    path: str
    size: int
    lost_rows: bool


def compact(cursor: duckdb.DuckDBPyConnection, data: Path, keep_for: timedelta) -> None:
    """Merge small files and drop what was replaced longer ago than `keep_for`.

    Parameters
    ----------
    cursor : DuckDBPyConnection
    data : Path
        Directory of the data files.
    keep_for : timedelta
        What was replaced more recently stays, and with it every file a running query may still open.
    """
    for table in _TABLES:
        _mend(cursor, data, table)
        _merge(cursor, data, table)
    cutoff = f"get_current_timestamp() - to_milliseconds({keep_for // timedelta(milliseconds=1)})"
    _expire(cursor, cutoff)
    _clean(cursor, data, cutoff)
    _run(cursor, f"ducklake_delete_orphaned_files('lake', older_than => {cutoff})")


def _mend(cursor: duckdb.DuckDBPyConnection, data: Path, table: str) -> None:
    """Write files anew that lost rows: large ones once they lost many, small ones because merging skips them."""
    damaged = [file for file in _files(cursor, table) if file.lost_rows]
    for files in _many_of_a_month([file for file in damaged if file.size < _TIERS[1]]):
        theirs = f"filename IN ({', '.join(quoted(file.path) for file in files)})"
        with _transaction(cursor, data):
            cursor.execute(f"CREATE OR REPLACE TEMP TABLE kept AS FROM lake.{table} WHERE {theirs}")
            cursor.execute(f"DELETE FROM lake.{table} WHERE {theirs}")  # noqa: S608 - quoted
            cursor.execute(f"INSERT INTO lake.{table} FROM kept")
            cursor.execute("DROP TABLE kept")
    if damaged:
        with _transaction(cursor, data):
            _run(cursor, f"ducklake_rewrite_data_files('lake', '{table}', delete_threshold => {_MUCH_DELETED})")


def _merge(cursor: duckdb.DuckDBPyConnection, data: Path, table: str) -> None:
    for size in _TIERS:
        if any(_many_of_a_month([file for file in _files(cursor, table) if file.size < size and not file.lost_rows])):
            with _transaction(cursor, data):
                _run(cursor, f"ducklake_merge_adjacent_files('lake', '{table}', max_file_size => {size})")


def _files(cursor: duckdb.DuckDBPyConnection, table: str) -> list[_File]:
    rows = cursor.execute(
        f"SELECT data_file, data_file_size_bytes, delete_file IS NOT NULL FROM ducklake_list_files('lake', '{table}')"  # noqa: S608 - a constant
    ).fetchall()
    return [_File(*row) for row in rows]


def _many_of_a_month(files: list[_File]) -> Iterator[list[_File]]:
    by_month: dict[Path, list[_File]] = defaultdict(list)
    for file in files:
        by_month[Path(file.path).parent].append(file)
    return (month for month in by_month.values() if len(month) >= _ENOUGH_FILES)


def _run(cursor: duckdb.DuckDBPyConnection, function: str) -> None:
    cursor.execute(f"SELECT count(*) FROM {function}").fetchall()  # noqa: S608 - composed of constants and numbers


@contextmanager
def _transaction(cursor: duckdb.DuckDBPyConnection, data: Path) -> Iterator[None]:
    began = time.time_ns()
    cursor.begin()
    yield
    sync_new_files(data, began)
    cursor.commit()


# DuckLake 1.0 compares `older_than` with the times in a SQLite catalogue as text, "2026-11-22T…"
# with "2026-11-22 …": all of today counts as older. So both steps choose for themselves.


def _expire(cursor: duckdb.DuckDBPyConnection, cutoff: str) -> None:
    """Forget the snapshots that were followed by another one before `cutoff`."""
    rows = cursor.execute(
        f"""
        SELECT snapshot_id FROM (
            SELECT snapshot_id, lead(snapshot_time) OVER (ORDER BY snapshot_id) AS replaced_at
            FROM ducklake_snapshots('lake')
        )
        WHERE replaced_at < {cutoff}
        """  # noqa: S608 - a number
    ).fetchall()
    if rows:
        versions = ", ".join(str(snapshot) for (snapshot,) in rows)
        _run(cursor, f"ducklake_expire_snapshots('lake', versions => [{versions}])")


def _clean(cursor: duckdb.DuckDBPyConnection, data: Path, cutoff: str) -> None:
    """Remove the files that were given up before `cutoff`."""
    scheduled = "__ducklake_metadata_lake.ducklake_files_scheduled_for_deletion"
    rows = cursor.execute(
        f"""
        SELECT data_file_id, path FROM {scheduled}
        WHERE path_is_relative AND CAST(schedule_start AS TIMESTAMPTZ) < {cutoff}
        """  # noqa: S608 - a number
    ).fetchall()
    for _, path in rows:
        (data / path).unlink(missing_ok=True)
    if rows:
        files = ", ".join(str(file) for file, _ in rows)
        cursor.execute(f"DELETE FROM {scheduled} WHERE data_file_id IN ({files})")  # noqa: S608 - integers
