"""Housekeeping of the lake: few files, and nothing kept that no reader needs."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import duckdb

from gruenpuls.stores.embedded.durability import sync_new_files

_TABLES = ("reading", "forecast")
_TIERS = (4_000_000, 32_000_000, 256_000_000)
"""Files below such a size [B] are merged with their like, so that a row is written about once per tier."""
_ENOUGH_FILES = 4
_MUCH_DELETED = 0.1
_CATALOGUE = "__ducklake_metadata_lake"


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
        _run(cursor, data, f"ducklake_rewrite_data_files('lake', '{table}', delete_threshold => {_MUCH_DELETED})")
        for size in _TIERS:
            if _most_files_below(cursor, table, size) >= _ENOUGH_FILES:
                _run(cursor, data, f"ducklake_merge_adjacent_files('lake', '{table}', max_file_size => {size})")
    cutoff = f"get_current_timestamp() - to_milliseconds({keep_for // timedelta(milliseconds=1)})"
    _expire(cursor, cutoff)
    _clean(cursor, data, cutoff)
    cursor.execute(f"SELECT count(*) FROM ducklake_delete_orphaned_files('lake', older_than => {cutoff})")  # noqa: S608 - a number


def _run(cursor: duckdb.DuckDBPyConnection, data: Path, step: str) -> None:
    began = time.time_ns()
    cursor.begin()
    cursor.execute(f"SELECT count(*) FROM {step}").fetchall()  # noqa: S608 - constants
    sync_new_files(data, began)
    cursor.commit()


def _most_files_below(cursor: duckdb.DuckDBPyConnection, table: str, size: int) -> int:
    """Return how many files below a size the month that has most of them holds."""
    row = cursor.execute(
        f"""
        SELECT coalesce(max(files), 0) FROM (
            SELECT count(*) AS files FROM ducklake_list_files('lake', '{table}')
            WHERE data_file_size_bytes < {size} AND delete_file IS NULL
            GROUP BY parse_dirpath(data_file)
        )
        """  # noqa: S608 - constants
    ).fetchone()
    assert row is not None  # an aggregate always has a row
    return int(row[0])


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
        cursor.execute(f"CALL ducklake_expire_snapshots('lake', versions => [{versions}])")


def _clean(cursor: duckdb.DuckDBPyConnection, data: Path, cutoff: str) -> None:
    """Remove the files that were given up before `cutoff`."""
    scheduled = f"{_CATALOGUE}.ducklake_files_scheduled_for_deletion"
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
