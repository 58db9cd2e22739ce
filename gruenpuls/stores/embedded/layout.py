"""The tables of the lake, and how an empty directory becomes one."""

from __future__ import annotations

from pathlib import Path

import duckdb

from gruenpuls.domain.errors import StorageError
from gruenpuls.stores.embedded.lake import CATALOGUE, DATA, Lake, Limits, quoted
from gruenpuls.stores.embedded.lock import LOCK
from gruenpuls.stores.embedded.rollup_state import TABLES as ROLLUP_TABLES

VERSION = 2
GONE = 0
"""Flag of a row in ``recent`` that says its key is gone; no quality flag has this value."""

_COLUMNS = (
    "series BIGINT NOT NULL, measured_at TIMESTAMP_MS NOT NULL, value DOUBLE,"
    " flag UTINYINT NOT NULL, run BIGINT NOT NULL"
)
CREATE_RECENT = f"CREATE TABLE lake.recent (seq BIGINT NOT NULL, {_COLUMNS})"
CREATE_PROGRESS = (
    "CREATE TABLE lake.progress (seq BIGINT NOT NULL, next_offset BIGINT NOT NULL,"
    " decoded BIGINT NOT NULL, dead_lettered BIGINT NOT NULL, duplicates BIGINT NOT NULL)"
)
TOUCH_RECENT = (
    f"INSERT INTO lake.recent VALUES (0, 0, TIMESTAMP_MS '1970-01-01', NULL, {GONE}, 0)",  # noqa: S608 - a constant
    "DELETE FROM lake.recent",
)
"""A table that never held a row has no statistics in DuckLake 1.0, which looks for them in vain at every question.

What was deleted stays in the statistics: the least and the greatest of a column are asked for with ``seq > 0``.
"""
_TABLES = (
    f"CREATE TABLE lake.reading ({_COLUMNS})",
    "ALTER TABLE lake.reading SET PARTITIONED BY (year(measured_at), month(measured_at))",
    "ALTER TABLE lake.reading SET SORTED BY (series ASC, measured_at ASC)",
    CREATE_RECENT,
    *TOUCH_RECENT,
    CREATE_PROGRESS,
    "INSERT INTO lake.progress VALUES (0, 0, 0, 0, 0)",
    """CREATE TABLE lake.forecast (issued_at TIMESTAMP_MS NOT NULL, valid_at TIMESTAMP_MS NOT NULL,
    station VARCHAR NOT NULL, quantity VARCHAR NOT NULL, value DOUBLE)""",
    "ALTER TABLE lake.forecast SET PARTITIONED BY (year(issued_at), month(issued_at))",
    "ALTER TABLE lake.forecast SET SORTED BY (station ASC, quantity ASC, issued_at ASC, valid_at ASC)",
    *ROLLUP_TABLES,
    "CREATE TABLE lake.layout (version INTEGER NOT NULL)",
    f"INSERT INTO lake.layout VALUES ({VERSION})",  # noqa: S608 - a constant
)
_OPTIONS = {
    "data_inlining_row_limit": "1000000",  # small commits go into the catalogue, never into tiny files
    "parquet_compression": "zstd",
    "parquet_compression_level": "3",
    "parquet_version": "2",
    "parquet_row_group_size": "100000",
    "target_file_size": "256MB",
}
_WITHOUT_ROLLUPS = 1
"""The layout before there were any; it only lacks their tables."""
_SETTLED = ("reading", "forecast", "rollup")


def open_lake(directory: Path, limits: Limits) -> Lake:
    """Attach a lake for writing, made on the way where the directory is empty.

    Raises
    ------
    StorageError
        If the directory holds something else, or a lake this version cannot read.
    """
    if not (directory / CATALOGUE).exists():
        strangers = [path.name for path in directory.iterdir() if path.name not in {LOCK, DATA}]
        if strangers:
            what = f"the directory holds something that is not an observation store: {min(strangers)}"
            raise StorageError(what, where=str(directory), remedy="name an empty directory")
    lake = Lake(directory, limits, read_only=False)
    try:
        if not _tables(lake):
            _create(lake)
        if _check(lake) == _WITHOUT_ROLLUPS:
            _add_rollups(lake)
        _settle(lake)
    except BaseException:
        lake.close()
        raise
    return lake


def open_lake_for_reading(directory: Path, limits: Limits) -> Lake:
    """Attach a lake for reading.

    Raises
    ------
    StorageError
        If there is none, or one this version cannot read.
    """
    if not (directory / CATALOGUE).exists():
        what = "there is no observation store here yet"
        raise StorageError(what, where=str(directory), remedy="start the service once, or correct the directory")
    lake = Lake(directory, limits, read_only=True)
    try:
        lake.has_rollups = _check(lake) != _WITHOUT_ROLLUPS
    except BaseException:
        lake.close()
        raise
    return lake


def _tables(lake: Lake) -> set[str]:
    query = "SELECT table_name FROM duckdb_tables() WHERE database_name = 'lake'"
    return {name for (name,) in lake.try_until_free(lambda cursor: cursor.execute(query).fetchall())}


def _create(lake: Lake) -> None:
    # Made anew beside them, compaction would take the files of a lost catalogue for leftovers.
    if any(lake.data.rglob("*.parquet")):
        what = "the catalogue is gone, its data files are still here"
        remedy = "restore the catalogue from a backup, or make the store again with `gruenpuls store rebuild`"
        raise StorageError(what, where=str(lake.directory), remedy=remedy)

    def make(cursor: duckdb.DuckDBPyConnection) -> None:
        for option, value in _OPTIONS.items():
            cursor.execute(f"CALL lake.set_option({quoted(option)}, {quoted(value)})")
        cursor.begin()
        for statement in _TABLES:
            cursor.execute(statement)
        cursor.commit()

    lake.try_until_free(make)


def _add_rollups(lake: Lake) -> None:
    def add(cursor: duckdb.DuckDBPyConnection) -> None:
        cursor.begin()
        for statement in ROLLUP_TABLES:
            cursor.execute(statement)
        cursor.execute(f"UPDATE lake.layout SET version = {VERSION}")  # noqa: S608 - a constant
        cursor.commit()

    lake.try_until_free(add)


def _settle(lake: Lake) -> None:
    """Keep settled tables out of the catalogue: neither rows nor deletions of theirs may be inlined.

    DuckLake 1.0 brings deleted rows back where inlined and written deletions of one file overlap
    (duckdb/ducklake issue 1084), so these tables only ever have written ones. Set at every opening,
    because an option can only follow its table and a kill may fall between the two.
    """

    def settle(cursor: duckdb.DuckDBPyConnection) -> None:
        for table in _SETTLED:
            cursor.execute(f"CALL lake.set_option('data_inlining_row_limit', '0', table_name => {quoted(table)})")

        # A question for a year of one series shall not unpack those of its neighbours.
        cursor.execute("CALL lake.set_option('parquet_row_group_size', '12288', table_name => 'rollup')")

    lake.try_until_free(settle)


def _check(lake: Lake) -> int:
    """Return the version of a lake; refuse one that is not ours or of a version not known here.

    Raises
    ------
    StorageError
        Says which.
    """
    where = str(lake.directory)
    if "layout" not in _tables(lake):
        what = "the directory holds a lake that is not an observation store"
        raise StorageError(what, where=where, remedy="name another directory")
    row = lake.try_until_free(lambda cursor: cursor.execute("SELECT max(version) FROM lake.layout").fetchone())
    version = row[0] if row else None
    if version not in {_WITHOUT_ROLLUPS, VERSION}:
        what = f"the store has layout {version}, this version of Grünpuls reads layout {VERSION}"
        raise StorageError(what, where=where, remedy="install the version that made it")
    return int(version)
