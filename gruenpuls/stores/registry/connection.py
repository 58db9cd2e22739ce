"""How the registry reaches its database: URLs, transactions, and what a person reads when it fails."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from gruenpuls.domain.clock import Clock
from gruenpuls.domain.errors import BusyError, ConfigurationError, GruenpulsError, StorageError, UnavailableError

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.pool import ConnectionPoolEntry
    from sqlalchemy.sql.compiler import SQLCompiler

LOCK_PATIENCE: Final = 30.0
"""How long a writer waits for another one [s]."""

_LISTED: Final = "gruenpuls_listed"
"""Option of a connection: the long lists its transaction asks with."""

_ROWS: Final = 256
"""Rows in one statement; SQLite gains no more by further ones."""


def among(
    connection: sa.Connection, column: sa.ColumnElement[Any], items: Collection[int] | Collection[str]
) -> sa.ColumnElement[bool]:
    """Return the condition that a column has one of any number of values, passed as one parameter.

    A parameter each costs more in SQLAlchemy than the query itself in the database, and a statement for each
    number of values fills the driver's cache of statements with dozens of megabytes.
    """
    if connection.dialect.name == "postgresql":
        return column == sa.any_(sa.bindparam(None, list(items), postgresql.ARRAY(column.type)))
    text = sa.bindparam(None, json.dumps(list(items)), sa.Text)
    connection.get_execution_options().get(_LISTED, []).append(text)
    return column.op("IN", is_comparison=True)(_Listed(text))


class _Listed(FunctionElement[Any]):
    """The values of a JSON list; as a selection of SQLAlchemy's it would be a hundred objects in circles."""

    inherit_cache = True


@compiles(_Listed)
def _selection(element: _Listed, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 - as SQLAlchemy has them
    return f"(SELECT value FROM json_each{compiler.process(element.clause_expr, **options)})"  # noqa: S608 - no value


def upsert(connection: sa.Connection, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    """Return an INSERT that knows ON CONFLICT, in the database's own dialect."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


def execute_many(
    connection: sa.Connection, statement: sa.Insert, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Execute a statement once for each row of values, in the order of these columns; it has no other parameters.

    SQLAlchemy's look at every value takes several times as long as SQLite does, so there the driver gets the
    rows, dates and moments (UTC, aware) as SQLAlchemy would write them; and many in one statement, because
    beginning it anew for each takes as long as writing the row.
    """
    if connection.dialect.name != "sqlite":
        connection.execute(statement, [dict(zip(columns, row, strict=True)) for row in rows])
        return
    text = str(statement.compile(dialect=connection.dialect, column_keys=columns))
    width = len(columns)
    marks = f"({', '.join('?' * width)})"
    head, tail = text.split(f"VALUES {marks}")
    values = list(chain.from_iterable(rows))
    for place in range(width):
        column = values[place::width]
        if not {date, datetime}.isdisjoint(map(type, column)):
            values[place::width] = map(_as_text, column)
    start, left = 0, len(rows)
    while left:
        # The driver keeps a statement for each number of rows, a tenth of a megabyte: there shall be nine.
        count = min(_ROWS, 1 << left.bit_length() - 1)
        some = tuple(values[start : start + count * width])
        connection.exec_driver_sql(f"{head}VALUES {', '.join([marks] * count)}{tail}", some)
        start, left = start + count * width, left - count


def _as_text(value: Any) -> Any:  # noqa: ANN401 - whatever a column holds
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(" ", "microseconds")
    return value.isoformat() if isinstance(value, date) else value


@dataclass(frozen=True, slots=True)
class Database:
    """The one way to the registry's tables.

    Parameters
    ----------
    engine : sqlalchemy.Engine
    clock : Clock
        What time changes are stamped with.
    unsettled : RLock
        Held by a thread of this process while readings it marked as changed are not written yet.
    """

    engine: sa.Engine
    clock: Clock
    unsettled: threading.RLock = field(default_factory=threading.RLock, repr=False, compare=False)

    @classmethod
    def at(cls, url: str, *, clock: Clock, lock_patience: float = LOCK_PATIENCE) -> Database:
        """Return the database behind a URL; nothing is connected yet.

        Raises
        ------
        ConfigurationError
            If the URL is none, names a database nobody can share, or its driver is not installed.
        """
        return cls(_engine(_parsed(url), lock_patience), clock)

    @property
    def name(self) -> str:
        """What to call it in a message: its URL without the password."""
        return self.engine.url.render_as_string(hide_password=True)

    @property
    def file(self) -> Path | None:
        """The SQLite file, or None on a server."""
        is_file = self.engine.dialect.name == "sqlite"
        return Path(self.engine.url.database or "") if is_file else None

    def now(self) -> datetime:
        """Return what time it is."""
        return self.clock()

    @contextlib.contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Open a consistent view for a few queries."""
        options = {} if self.file else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with self._transaction(**options) as connection:
            yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Open a transaction that writes; it is kept whole or not at all."""
        with self._transaction(gruenpuls_writes=True) as connection:
            yield connection

    @contextlib.contextmanager
    def _transaction(self, **options: Any) -> Iterator[sa.Connection]:  # noqa: ANN401 - as SQLAlchemy takes them
        listed: list[sa.BindParameter[str]] = []
        with self._understood(), self.engine.connect() as connection:
            connection.execution_options(**options, **{_LISTED: listed})
            try:
                with connection.begin():
                    yield connection
            finally:
                # SQLAlchemy keeps the first statement of each form for good, with all that it was asked with.
                for text in listed:
                    text.value = None

    def use_write_ahead_log(self) -> None:
        """Let readers read while somebody writes (SQLite; PostgreSQL always does).

        The switch does not wait for locks by itself, so several programs opening a fresh file at once must retry.
        """
        if not self.file:
            return
        until = time.monotonic() + LOCK_PATIENCE
        while True:
            try:
                with self._understood(), contextlib.closing(self.engine.raw_connection()) as connection:
                    connection.cursor().execute("PRAGMA journal_mode=WAL")
                    return
            except BusyError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.02)

    @contextlib.contextmanager
    def _understood(self) -> Iterator[None]:
        try:
            yield
        except (DBAPIError, sqlite3.Error) as error:
            translated = _translated(error, self.name)
            if translated is None:
                raise
            raise translated from error


def _parsed(text: str) -> sa.URL:
    try:
        url = sa.make_url(text)
    except ArgumentError as error:
        raise ConfigurationError(
            what="this is not a database URL",
            # Not the text itself: it may hold a password.
            where="registry_url",
            remedy="write sqlite:////path/to/registry.db or postgresql://user:password@host/database",
        ) from error
    match url.get_backend_name():
        case "sqlite" if url.database and url.database != ":memory:":
            return url.set(drivername="sqlite")
        case "sqlite":
            raise ConfigurationError(
                what="a database in memory cannot be shared between processes",
                where=text,
                remedy="name a file: sqlite:////path/to/registry.db",
            )
        case "postgresql":
            return url.set(drivername="postgresql+psycopg")
        case other:
            raise ConfigurationError(
                what=f"the registry knows SQLite and PostgreSQL, not {other}",
                where=url.render_as_string(hide_password=True),
                remedy="write sqlite:////path/to/registry.db or postgresql://user:password@host/database",
            )


def _engine(url: sa.URL, lock_patience: float) -> sa.Engine:
    serializer = partial(json.dumps, ensure_ascii=False, allow_nan=False)
    if url.get_backend_name() == "sqlite":
        # Without the driver's own transaction handling the BEGIN below is the only one.
        engine = sa.create_engine(
            url,
            connect_args={"isolation_level": None, "timeout": lock_patience},
            json_serializer=serializer,
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    try:
        return sa.create_engine(
            url,
            connect_args={"connect_timeout": 10, "options": "-c timezone=UTC"},
            json_serializer=serializer,
            pool_pre_ping=True,
        )
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            what="the PostgreSQL driver is not installed",
            where=url.render_as_string(hide_password=True),
            remedy="pip install 'gruenpuls[postgresql]'",
        ) from error


def _prepare_sqlite(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys=ON")
    # Dirty spans must be on disk before the readings they announce: NORMAL would lose them with the power.
    cursor.execute("PRAGMA synchronous=FULL")
    # Half of what SQLite would keep for each: every thread has a connection, and the machine has the pages as well.
    cursor.execute("PRAGMA cache_size=-1024")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    # A writer takes its lock at once: one that read first could no longer wait for another.
    writes = connection.get_execution_options().get("gruenpuls_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _translated(error: DBAPIError | sqlite3.Error, where: str) -> GruenpulsError | None:
    if isinstance(error, sqlite3.Error):
        return _from_sqlite(error, where)
    if isinstance(error.orig, sqlite3.Error):
        return _from_sqlite(error.orig, where)
    return _from_postgresql(error, where)


def _from_sqlite(error: sqlite3.Error, where: str) -> GruenpulsError | None:
    # sqlite_errorcode keeps the primary code in its low byte.
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return BusyError(what="another program is writing to the registry", where=where, remedy="try again")
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
            return StorageError(
                what="the registry cannot be written", where=where, remedy="check the file's permissions"
            )
        case sqlite3.SQLITE_CANTOPEN:
            return StorageError(
                what="the registry cannot be opened",
                where=where,
                remedy="check that its folder exists and may be entered",
            )
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return StorageError(
                what=f"the registry's file is damaged: {error}", where=where, remedy="put a backup in its place"
            )
        case sqlite3.SQLITE_FULL | sqlite3.SQLITE_IOERR:
            return StorageError(what=f"the registry cannot be written: {error}", where=where, remedy="check the disk")
    return None


_BY_STATE: Final[dict[str, tuple[type[GruenpulsError], str]]] = {
    "08": (UnavailableError, "the connection to the database was lost"),
    "23505": (BusyError, "another program made the same at the same moment"),
    "25": (StorageError, "the registry cannot be written"),
    "28": (UnavailableError, "the database refuses the user or password"),
    "3D": (UnavailableError, "the server has no such database"),
    "40": (BusyError, "another program holds what this one needs"),
    "53": (StorageError, "the database server is out of space, memory or connections"),
    "55": (BusyError, "another program holds what this one needs"),
    "57": (UnavailableError, "the database server is shutting down or starting"),
    "58": (StorageError, "the database server cannot use its disk"),
    "XX": (StorageError, "the database is damaged"),
    "42501": (StorageError, "the database user may not do that"),
}
"""By SQLSTATE or its class: PostgreSQL 15 documentation, appendix A."""


def _from_postgresql(error: DBAPIError, where: str) -> GruenpulsError | None:
    text = " ".join(str(error.orig).split())
    state = getattr(error.orig, "sqlstate", None)
    if state:
        kind, what = _BY_STATE.get(state) or _BY_STATE.get(state[:2]) or (None, "")
        return kind(what, where=where, remedy=text) if kind else None
    # Refused while connecting, the driver passes on words only.
    if any(word in text for word in ("password", "does not exist", "pg_hba.conf")):
        return UnavailableError(what="the database refuses user, password or name", where=where, remedy=text)
    if isinstance(error, OperationalError):
        return UnavailableError(what="the database server cannot be reached", where=where, remedy=text)
    return None
