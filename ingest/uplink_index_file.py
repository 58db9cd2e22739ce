"""The file behind the uplink index: its tables, its lock, and what its errors mean."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from gruenpuls.domain.errors import BusyError, GruenpulsError, StorageError

_VERSION: Final = 2
_DAMAGED: Final = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_BUSY: Final = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_PRIMARY_CODE: Final = 0xFF
"""SQLite's extended result codes hold the primary one in their lowest byte."""
_STATEMENTS: Final = 32
"""So many the driver keeps; those with a place for each of some hundred values take a tenth of a megabyte each."""
_SCHEMA: Final = (
    "CREATE TABLE device (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE)",
    # By arrival, so that new ones are written side by side; no two uplinks have the same first copy.
    """CREATE TABLE uplink (
        key BLOB NOT NULL, device INTEGER NOT NULL, measured_at INTEGER NOT NULL, rank INTEGER NOT NULL,
        offset INTEGER NOT NULL, first INTEGER PRIMARY KEY, dead INTEGER NOT NULL
    )""",
    # Which uplinks have a key, and which a moment: see `ingest.sorted_runs`.
    """CREATE TABLE run (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL, size INTEGER NOT NULL, fences BLOB NOT NULL, filter BLOB
    )""",
    "CREATE TABLE block (id INTEGER PRIMARY KEY, entries BLOB NOT NULL)",
    """CREATE TABLE reception (
        device INTEGER, measured_at INTEGER, counter INTEGER, content BLOB, rank INTEGER NOT NULL,
        offset INTEGER NOT NULL, PRIMARY KEY (device, measured_at, counter, content)
    ) WITHOUT ROWID""",
    # The last reception of each device whose last reception has the highest counter of its epoch.
    """CREATE TABLE frontier (
        device INTEGER PRIMARY KEY, measured_at INTEGER NOT NULL, counter INTEGER NOT NULL, content BLOB NOT NULL
    )""",
    "CREATE TABLE unreadable (offset INTEGER PRIMARY KEY)",
    """CREATE TABLE state (
        offset INTEGER NOT NULL, messages INTEGER NOT NULL, unreadable INTEGER NOT NULL,
        uplinks INTEGER NOT NULL, dead INTEGER NOT NULL
    )""",
    "INSERT INTO state VALUES (0, 0, 0, 0, 0)",
    f"PRAGMA user_version = {_VERSION}",
)


class DamagedIndexError(Exception):
    """The file is not what was written; `UplinkIndex.reset` begins anew."""


@contextmanager
def index_errors(path: Path) -> Iterator[None]:
    """Turn what SQLite says into what it means for the index at `path`.

    Raises
    ------
    DamagedIndexError
        If the file is damaged.
    BusyError
        If another process has it open.
    StorageError
        If it cannot be read or written for another reason, such as a full disk.
    """
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY_CODE
        if code in _DAMAGED:
            raise DamagedIndexError(str(error)) from error
        raise _meaning(error, code, path) from error


def _meaning(error: sqlite3.Error, code: int, path: Path) -> GruenpulsError:
    if code in _BUSY:
        return BusyError(
            "another process has the uplink index open",
            where=str(path),
            remedy="let one process decode at a time",
        )
    return StorageError(
        f"the uplink index cannot be used: {error}",
        where=str(path),
        remedy="make room and check the permissions; nothing is lost, it is made again from the journal",
    )


def opened(path: Path) -> sqlite3.Connection:
    """Return a connection to the index, tables made if it is new; no other process can open it meanwhile.

    Raises
    ------
    DamagedIndexError
        If the file is damaged, or another version's.
    BusyError
        If another process has it open.
    StorageError
        If it cannot be opened.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        what = f"the directory cannot be made: {error.strerror}"
        raise StorageError(what, where=str(path), remedy="check who owns its parent") from error
    with index_errors(path):
        connection = sqlite3.connect(
            path, timeout=1, isolation_level=None, check_same_thread=False, cached_statements=_STATEMENTS
        )
        try:
            _prepare(connection)
        except BaseException:
            connection.close()
            raise
    return connection


def _prepare(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    connection.execute("PRAGMA journal_mode = WAL")
    # A commit lost with the power is made again from the journal.
    connection.execute("PRAGMA synchronous = NORMAL")
    # What is written is new and side by side, and what is looked up anywhere: more would be found no faster.
    connection.execute("PRAGMA cache_size = -1024")
    # Large runs are merged in one transaction; what that took is given back.
    connection.execute("PRAGMA journal_size_limit = 67108864")
    connection.execute("BEGIN IMMEDIATE")
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if not tables:
        for statement in _SCHEMA:
            connection.execute(statement)
    elif version != _VERSION or not connection.execute("SELECT count(*) FROM state").fetchone()[0]:
        message = f"not an uplink index of version {_VERSION}"
        raise DamagedIndexError(message)
    connection.execute("COMMIT")


def remove(path: Path) -> None:
    """Delete the index's files.

    Raises
    ------
    StorageError
        If one of them cannot be deleted.
    """
    try:
        for suffix in ("", "-wal", "-shm", "-journal"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
    except OSError as error:
        what = f"the damaged uplink index cannot be removed: {error.strerror}"
        raise StorageError(
            what, where=str(path), remedy="delete it by hand; it is made again from the journal"
        ) from error
