"""The connection to the lake: extensions by path, limits, and errors a person understands."""

from __future__ import annotations

import os
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

import duckdb
import numpy as np

from gruenpuls.domain.errors import BusyError, ConfigurationError, StorageError

Result = TypeVar("Result")
CATALOGUE = "catalogue.sqlite"
DATA = "data"
_PATIENCE = 10.0
"""How long to try again while the catalogue is locked [s]; WAL needs that when its last user leaves."""
_PAUSE = 0.005
_BUSY_MILLISECONDS = 900
"""The extension's SQLite only sleeps whole seconds: below one it says at once that it is busy."""
_EXTENSIONS = {  # in the order they are loaded: the package each comes in, by its name
    "sqlite_scanner": "duckdb_extension_sqlite_scanner",
    "ducklake": "duckdb_extension_ducklake",
}
_LOOK_EVERY = 20
"""After so many questions it is looked up how much the engine remembers, which takes half a millisecond."""
_REMEMBERED = 300_000
"""So much it may remember of tables as they were [B]; it counts about a seventh of what it really takes."""
_checked: set[tuple[Path, int, int]] = set()
"""Extension files whose signature held in this process; a second look at the same 70 MB shows nothing in 0.2 s."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the engine may use.

    Parameters
    ----------
    memory_mb : int
        Working memory of a process [MB]; sorting beyond it spills into the temporary directory.
    threads : int
    """

    memory_mb: int = 1024
    threads: int = 2


def quoted(text: str | Path) -> str:
    """Return a text as an SQL literal."""
    escaped = str(text).replace("'", "''")
    return f"'{escaped}'"


def moment(at: np.datetime64) -> str:
    """Return a stored moment as an SQL literal; a literal, not a parameter, lets files be skipped."""
    return f"TIMESTAMP_MS {quoted(str(at).replace('T', ' '))}"


def extension_path(name: str) -> Path:
    """Return where the installed package keeps a DuckDB extension.

    Raises
    ------
    ConfigurationError
        If the package is missing or made for another DuckDB.
    """
    package = _EXTENSIONS[name]
    remedy = f"install {package.replace('_', '-')}=={duckdb.__version__}"
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        what = f"the DuckDB extension {name} is not installed"
        raise ConfigurationError(what, where=package, remedy=remedy)
    path = Path(spec.origin).parent / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"
    if not path.is_file():
        what = f"the DuckDB extension {name} is not made for DuckDB {duckdb.__version__}"
        raise ConfigurationError(what, where=str(path.parent.parent), remedy=remedy)
    return path


class Lake:
    """A lake attached under the name ``lake``; each thread takes a cursor of its own.

    Parameters
    ----------
    directory : Path
    limits : Limits
    read_only : bool

    Raises
    ------
    BusyError
        If another process has the catalogue locked, and for long.
    StorageError
        If it cannot be attached.
    """

    def __init__(self, directory: Path, limits: Limits, *, read_only: bool) -> None:
        self.directory = directory
        self.catalogue = directory / CATALOGUE
        self.data = directory / DATA
        self._limits = limits
        self._read_only = read_only
        self.has_rollups = True
        self._turn = threading.Lock()
        self._renew = False
        self._asked = 0
        self._connection = _until_free(self._connected)

    def _connected(self) -> duckdb.DuckDBPyConnection:
        # A spill directory of its own: processes that share one overwrite each other's pages.
        spill = Path(tempfile.gettempdir()) / f"gruenpuls-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        extensions = {name: extension_path(name) for name in _EXTENSIONS}
        files = {(path, (about := path.stat()).st_size, about.st_mtime_ns) for path in extensions.values()}
        connection = duckdb.connect(
            config={
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "allow_unsigned_extensions": files <= _checked,
                "memory_limit": f"{self._limits.memory_mb}MB",
                "threads": self._limits.threads,
                "temp_directory": str(spill),
                # The machine keeps files in memory as well: a second copy here saves nothing, and grows with the store.
                "enable_external_file_cache": False,
                # It hands back what a merge of files took, which is hundreds of megabytes, after a second.
                "allocator_background_threads": True,
            }
        )
        try:
            connection.execute("SET GLOBAL TimeZone = 'UTC'")
            for name, path in extensions.items():
                try:
                    connection.execute(f"LOAD {quoted(path)}")
                except duckdb.Error as error:
                    what = f"the DuckDB extension {name} was refused: {_first_line(error)}"
                    raise StorageError(what, where=str(path), remedy="install its package anew") from error
            _checked.update(files)
            options = [
                f"DATA_PATH {quoted(f'{self.data}/')}",
                "OVERRIDE_DATA_PATH true",  # the lake may have been moved or restored from a backup
                "META_JOURNAL_MODE 'WAL'",  # a reader does not wait for the writer
                f"META_BUSY_TIMEOUT {_BUSY_MILLISECONDS}",
            ]
            if self._read_only:
                options.append("READ_ONLY")
            with storage_errors(self.directory):
                connection.execute(
                    f"ATTACH {quoted(f'ducklake:sqlite:{self.catalogue}')} AS lake ({', '.join(options)})"
                )
        except BaseException:
            connection.close()
            raise
        return connection

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Return a connection of its own to the attached lake."""
        with self._turn:
            if self._renew:
                self._connection = self._connected()
                self._renew = False
            return self._connection.cursor()

    def apart(self, memory_mb: int) -> Lake:
        """Return the same lake attached to another engine, which may use no more than so much memory."""
        limits = Limits(min(memory_mb, self._limits.memory_mb), self._limits.threads)
        return Lake(self.directory, limits, read_only=self._read_only)

    def try_until_free(self, act: Callable[[duckdb.DuckDBPyConnection], Result]) -> Result:
        """Return what `act` makes of a cursor; begin anew while another process has the catalogue locked.

        Raises
        ------
        BusyError
            If it stays locked.
        StorageError
            If anything else goes wrong.
        """
        return _until_free(lambda: self._once(act))

    def _once(self, act: Callable[[duckdb.DuckDBPyConnection], Result]) -> Result:
        with storage_errors(self.directory), self.cursor() as cursor:
            # Before and not after: what has been committed is not said to have failed.
            self._forget_in_time(cursor)
            return act(cursor)

    def _forget_in_time(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Have a fresh engine take over once this one remembers much.

        It keeps each form it ever saw the tables in, and a fold gives them a new one: 0.2 MB each, for as long as it
        lives. A fresh one costs as much as a fold, every some dozen; who asks the old one is answered by it.
        """
        with self._turn:
            self._asked += 1
            if self._asked % _LOOK_EVERY:
                return
        query = "SELECT memory_usage_bytes FROM duckdb_memory() WHERE tag = 'OBJECT_CACHE'"
        ((remembered,),) = cursor.execute(query).fetchall()
        if remembered > _REMEMBERED:
            with self._turn:
                self._renew = True

    def abandon(self) -> None:
        """Take a fresh engine for what comes next, after an error this one may not have survived."""
        with self._turn:
            self._connection.close()
            self._renew = True

    def close(self) -> None:
        """Let go of the catalogue."""
        self._connection.close()


def _until_free(act: Callable[[], Result]) -> Result:
    patience = time.monotonic() + _PATIENCE
    while True:
        try:
            return act()
        except BusyError:
            if time.monotonic() > patience:
                raise
        time.sleep(_PAUSE)


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0]


@contextmanager
def storage_errors(directory: Path) -> Iterator[None]:
    """Turn the engine's errors into ones that say what was wrong and what to do."""
    try:
        yield
    except duckdb.Error as error:
        raise _understood(error, directory) from error
    except OSError as error:
        raise _understood(error, directory) from error


_SIGNS = (  # words of the engine, what they mean, what to do
    (
        ("no space left", "disk is full", "disk quota", "file too large", "could not write all bytes"),
        "the disk is full, nothing of this was stored",
        "free space, then try again",
    ),
    (
        ("disk i/o error", "input/output error"),
        "the disk refuses, nothing of this was stored",
        "check the disk and its free space, then try again",
    ),
    (
        ("malformed", "not a database", "not a ducklake"),
        "the catalogue is damaged",
        "restore the store from a backup, or rebuild it from the journal",
    ),
    (
        (
            "parquet",
            "no such file",
            "no files found",
            "thrift",
            "cannot open file",
            "unexpected end of file",
            "snappy",
            "zstd",
        ),
        "a data file is missing or damaged",
        "restore the file named from a backup, or make the store again with `gruenpuls store rebuild`",
    ),
    (
        ("permission denied", "readonly database", "read-only"),
        "the store may not be written",
        "check who owns the directory",
    ),
    (
        ("out of memory", "failed to allocate", "could not allocate"),
        "the memory allowed to the store is used up",
        "allow it more, or ask for a shorter span",
    ),
)


_LOCKED = (
    "database is locked",
    # Where the second question to a locked catalogue is the first to fail, it says no more than this.
    "failed to probe ducklake metadata: current transaction is aborted",
)


def _understood(error: Exception, directory: Path) -> BusyError | StorageError:
    text = str(error).lower()
    if any(words in text for words in _LOCKED):
        what = f"the catalogue was locked for more than {_PATIENCE:.0f} s"
        return BusyError(what, where=str(directory), remedy="try again; see which other process writes to it")
    for words, what, remedy in _SIGNS:
        if any(word in text for word in words):
            return StorageError(f"{what}: {_first_line(error)}", where=str(directory), remedy=remedy)
    return StorageError(f"the store refuses: {_first_line(error)}", where=str(directory))
