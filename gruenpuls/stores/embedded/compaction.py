"""Housekeeping of the lake: few files, and nothing kept that no reader needs."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import duckdb

from gruenpuls.stores.embedded.durability import sync_new_files

_TABLES = ("reading", "forecast")


def compact(cursor: duckdb.DuckDBPyConnection, data: Path, keep_for: timedelta) -> None:
    """Merge small files and drop what was replaced longer ago than `keep_for`.

    Parameters
    ----------
    cursor : DuckDBPyConnection
    data : Path
        Directory of the data files.
    keep_for : timedelta
        Snapshots younger than this stay, and with them every file a running query may still open.
    """
    for table in _TABLES:
        for step in (
            f"ducklake_rewrite_data_files('lake', '{table}', delete_threshold => 0)",
            f"ducklake_merge_adjacent_files('lake', '{table}')",
        ):
            began = time.time_ns()
            cursor.begin()
            cursor.execute(f"SELECT count(*) FROM {step}").fetchall()  # noqa: S608 - constants
            sync_new_files(data, began)
            cursor.commit()
    older_than = f"older_than => get_current_timestamp() - to_milliseconds({keep_for // timedelta(milliseconds=1)})"
    for step in ("ducklake_expire_snapshots", "ducklake_cleanup_old_files", "ducklake_delete_orphaned_files"):
        cursor.execute(f"SELECT count(*) FROM {step}('lake', {older_than})").fetchall()  # noqa: S608 - a number
