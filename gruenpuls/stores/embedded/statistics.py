"""How much the store holds, for people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from gruenpuls.stores.embedded.lake import quoted


@dataclass(frozen=True, slots=True)
class StoreStatistics:
    """Size of the embedded store.

    Parameters
    ----------
    rows : int
        Readings settled in Parquet.
    recent_rows : int
        Rows of small commits that still wait in the catalogue, superseded ones included.
    files : int
        Parquet files in use, files of deletions included.
    data_bytes : int
        Their size.
    catalogue_bytes : int
        Size of the catalogue with its write-ahead log.
    snapshots : int
        States of the lake a reader could still be looking at.
    """

    rows: int
    recent_rows: int
    files: int
    data_bytes: int
    catalogue_bytes: int
    snapshots: int


def statistics(cursor: duckdb.DuckDBPyConnection, catalogue: Path) -> StoreStatistics:
    """Return the size of the lake a cursor is connected to."""
    rows = cursor.execute(
        """
        SELECT (SELECT count(*) FROM lake.reading), (SELECT count(*) FROM lake.recent),
            sum(file_count + delete_file_count), sum(file_size_bytes + delete_file_size_bytes),
            (SELECT count(*) FROM ducklake_snapshots('lake'))
        FROM ducklake_table_info('lake')
        """
    ).fetchone()
    assert rows is not None  # an aggregate always has a row
    log = catalogue.with_name(catalogue.name + "-wal")
    catalogue_bytes = sum(path.stat().st_size for path in (catalogue, log) if path.exists())
    return StoreStatistics(rows[0], rows[1], int(rows[2]), int(rows[3]), catalogue_bytes, rows[4])


def broken_files(cursor: duckdb.DuckDBPyConnection) -> list[Path]:
    """Return the files a lake is made of that are gone, or not as long as they were written."""
    return sorted({path for path, size in _files(cursor) if not path.exists() or path.stat().st_size != size})


def _files(cursor: duckdb.DuckDBPyConnection) -> Iterator[tuple[Path, int]]:
    tables = cursor.execute("SELECT table_name FROM ducklake_table_info('lake') WHERE file_count > 0").fetchall()
    for (table,) in tables:
        files = cursor.execute(
            "SELECT data_file, data_file_size_bytes, delete_file, delete_file_size_bytes "  # noqa: S608 - quoted
            f"FROM ducklake_list_files('lake', {quoted(table)})"
        ).fetchall()
        for data, size, deletions, deletions_size in files:
            yield Path(data), size
            if deletions is not None:
                yield Path(deletions), deletions_size
