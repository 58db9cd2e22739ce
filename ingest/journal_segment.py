"""One segment of the journal: a SQLite file of one UTC day, one row a group commit."""

from __future__ import annotations

import json
import re
import sqlite3
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Self

from gruenpuls.domain.errors import StorageError
from gruenpuls.domain.uplink import RawMessage
from ingest.journal_batch import CODEC, CODEC_WITH_DICTIONARY, DamagedBatchError, packed, unpacked
from ingest.journal_offsets import sync_directory

SUFFIX = ".sqlite"

_NAME = re.compile(r"(\d{4}-\d{2}-\d{2})_(\d{19})\.sqlite")
_APPLICATION = 0x47705075
_BUSY_SECONDS = 10.0
_SCHEMA = """
BEGIN;
CREATE TABLE dictionary (
    content BLOB NOT NULL,
    checksum INTEGER NOT NULL
) STRICT;
CREATE TABLE batch (
    first INTEGER PRIMARY KEY,
    count INTEGER NOT NULL,
    committed_at INTEGER NOT NULL,
    codec TEXT NOT NULL,
    totals TEXT NOT NULL,
    checksum INTEGER NOT NULL,
    messages BLOB NOT NULL
) STRICT;
COMMIT;
"""
_LAST = "SELECT * FROM batch ORDER BY first DESC LIMIT 1"
_REACH = "SELECT first + count FROM batch ORDER BY first DESC LIMIT 1"
_FROM = "SELECT * FROM batch WHERE first >= coalesce((SELECT max(first) FROM batch WHERE first <= ?), 0) ORDER BY first"
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR}
_UNREADABLE = {sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_IOERR_CORRUPTFS}


class DamagedSegmentError(Exception):
    """A segment is not what was written, no segment at all, or gone."""


@dataclass(frozen=True, slots=True, order=True)
class SegmentName:
    """Where a segment is, and with which offset it begins.

    Parameters
    ----------
    first : int
        No offset in it is smaller.
    day : date
        UTC day its first messages were received.
    """

    first: int
    day: date

    @classmethod
    def parsed(cls, file_name: str) -> Self | None:
        """Return what a file name says; None if it is no segment's."""
        match = _NAME.fullmatch(file_name)
        if not match:
            return None
        try:
            return cls(int(match[2]), date.fromisoformat(match[1]))
        except ValueError:
            return None

    def __str__(self) -> str:
        return f"{self.day.isoformat()}_{self.first:019d}{SUFFIX}"


@dataclass(frozen=True, slots=True)
class Batch:
    """One group commit as stored.

    Parameters
    ----------
    first, count : int
        Its offsets.
    committed_at : int
        Microseconds since 1970, UTC.
    codec : str
        How `blob` is written.
    totals : str
        JSON: messages by source since the journal began, this batch included.
    checksum : int
        CRC-32 of all the others.
    blob : bytes
    """

    first: int
    count: int
    committed_at: int
    codec: str
    totals: str
    checksum: int
    blob: bytes

    @classmethod
    def sealed(
        cls,
        first: int,
        committed_at: int,
        totals: Mapping[str, int],
        messages: Sequence[RawMessage],
        dictionary: bytes = b"",
    ) -> Self:
        """Return messages packed, with their checksum."""
        codec = CODEC_WITH_DICTIONARY if dictionary else CODEC
        text = json.dumps(totals)
        blob = packed(messages, dictionary)
        checksum = _checksum(first, len(messages), committed_at, codec, text, blob)
        return cls(first, len(messages), committed_at, codec, text, checksum, blob)

    @classmethod
    def restored(cls, row: tuple[Any, ...]) -> Self:
        """Return the batch of a database row.

        Raises
        ------
        DamagedSegmentError
            If a column is not of the kind that was written.
        """
        if tuple(map(type, row)) != (int, int, int, str, str, int, bytes):
            reason = "a column of the wrong kind"
            raise DamagedSegmentError(reason)
        return cls(*row)

    @property
    def end(self) -> int:
        """The offset after its last message."""
        return self.first + self.count

    @property
    def total(self) -> int:
        """Messages since the journal began, this batch included."""
        return sum(self.totals_by_source().values())

    def totals_by_source(self) -> dict[str, int]:
        """Return `totals` read."""
        totals: dict[str, int] = json.loads(self.totals)
        return totals

    def messages(self, dictionary: bytes = b"") -> list[RawMessage]:
        """Return its messages.

        Raises
        ------
        DamagedSegmentError
            If checksum or content say that this is not what was written.
        """
        self.verify()
        try:
            messages = unpacked(self.blob, dictionary if self.codec == CODEC_WITH_DICTIONARY else b"")
        except DamagedBatchError as error:
            reason = f"unreadable batch at offset {self.first}: {error}"
            raise DamagedSegmentError(reason) from error
        if len(messages) != self.count:
            reason = f"{len(messages)} instead of {self.count} messages at offset {self.first}"
            raise DamagedSegmentError(reason)
        return messages

    def verify(self) -> None:
        """Refuse a batch whose checksum or codec is not as written.

        Raises
        ------
        DamagedSegmentError
        """
        expected = _checksum(self.first, self.count, self.committed_at, self.codec, self.totals, self.blob)
        if self.checksum != expected:
            reason = f"wrong checksum at offset {self.first}"
            raise DamagedSegmentError(reason)
        if self.codec not in (CODEC, CODEC_WITH_DICTIONARY):
            reason = f"unknown codec {self.codec!r} at offset {self.first}"
            raise DamagedSegmentError(reason)


def _checksum(first: int, count: int, committed_at: int, codec: str, totals: str, blob: bytes) -> int:
    head = f"{first} {count} {committed_at} {codec} {totals}".encode()
    return zlib.crc32(blob, zlib.crc32(head))


class Segment:
    """An open segment.

    Parameters
    ----------
    path : Path
    writable : bool
        Whether batches may be appended.

    Raises
    ------
    DamagedSegmentError
        If the file is no segment.
    StorageError
        If it cannot be opened.
    """

    def __init__(self, path: Path, *, writable: bool = False) -> None:
        self.path = path
        self._inode = 0
        self._dictionary = b""
        mode = "rw" if writable else "ro"
        with _explained(path):
            self._connection = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode={mode}",
                uri=True,
                timeout=_BUSY_SECONDS,
                isolation_level=None,
                check_same_thread=False,
            )
        try:
            self._prepare(writable=writable)
        except BaseException:
            self._connection.close()
            raise

    def _prepare(self, *, writable: bool) -> None:
        with _explained(self.path):
            (application,) = self._connection.execute("PRAGMA application_id").fetchone()
            # Entries are written and read one after the other, hardly ever twice.
            self._connection.execute("PRAGMA cache_size=-256")
            if writable:
                self._connection.execute("PRAGMA synchronous=FULL")
            self._inode = self.path.stat().st_ino
        if application != _APPLICATION:
            reason = "not a segment of a journal"
            raise DamagedSegmentError(reason)

    @classmethod
    def created(cls, path: Path) -> Self:
        """Return a new empty segment; nobody sees the file before it is complete.

        Raises
        ------
        StorageError
            If it cannot be written.
        """
        fresh = path.with_suffix(".new")
        with _explained(path.parent):
            fresh.unlink(missing_ok=True)
            connection = sqlite3.connect(fresh, isolation_level=None)
            try:
                connection.execute(f"PRAGMA application_id={_APPLICATION}")
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute("PRAGMA synchronous=FULL")
                connection.executescript(_SCHEMA)
            finally:
                connection.close()
            fresh.rename(path)
            sync_directory(path.parent)
        return cls(path, writable=True)

    @property
    def in_place(self) -> bool:
        """Whether the file opened is still the one of that name."""
        try:
            return self.path.stat().st_ino == self._inode
        except OSError:
            return False

    @property
    def dictionary(self) -> bytes:
        """What its batches are packed with; empty as long as none was learned.

        Raises
        ------
        DamagedSegmentError
            If it is not what was learned.
        """
        if not self._dictionary:
            with _explained(self.path):
                row = self._connection.execute("SELECT content, checksum FROM dictionary").fetchone()
            if row:
                content, checksum = row
                if not isinstance(content, bytes) or zlib.crc32(content) != checksum:
                    reason = "wrong checksum of the dictionary"
                    raise DamagedSegmentError(reason)
                self._dictionary = content
        return self._dictionary

    def learn(self, dictionary: bytes) -> None:
        """Pack further batches with a dictionary, once a segment.

        Raises
        ------
        StorageError
            If it cannot be kept.
        """
        with _explained(self.path):
            self._connection.execute("INSERT INTO dictionary VALUES (?, ?)", (dictionary, zlib.crc32(dictionary)))

    def append(self, batch: Batch) -> None:
        """Make a batch durable.

        Raises
        ------
        StorageError
            If it is not; disk full, for one.
        DamagedSegmentError
            If the segment cannot take any more.
        """
        with _explained(self.path):
            self._connection.execute(
                "INSERT INTO batch VALUES (?, ?, ?, ?, ?, ?, ?)",
                (batch.first, batch.count, batch.committed_at, batch.codec, batch.totals, batch.checksum, batch.blob),
            )

    def batches(self, from_offset: int) -> Iterator[Batch]:
        """Yield the batches that end after an offset, in order."""
        with _explained(self.path):
            for row in self._connection.execute(_FROM, (from_offset,)):
                batch = Batch.restored(row)
                if batch.end > from_offset:
                    yield batch

    def last(self) -> Batch | None:
        """Return the newest batch, verified; None if there is none."""
        with _explained(self.path):
            row = self._connection.execute(_LAST).fetchone()
        if row is None:
            return None
        batch = Batch.restored(row)
        batch.verify()
        return batch

    def reach(self) -> int:
        """Return the offset after the newest batch, verified or not; 0 if there is none."""
        with _explained(self.path):
            row = self._connection.execute(_REACH).fetchone()
        return int(row[0]) if row else 0

    def count(self) -> int:
        """Return how many messages it holds."""
        with _explained(self.path):
            (count,) = self._connection.execute("SELECT coalesce(sum(count), 0) FROM batch").fetchone()
        return int(count)

    def close(self) -> None:
        """Let go of the file."""
        with suppress(sqlite3.Error):
            self._connection.close()


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.ProgrammingError, sqlite3.InterfaceError):
        raise
    except sqlite3.Error as error:
        if not path.exists():
            reason = "the file is gone"
            raise DamagedSegmentError(reason) from error
        # Text that is no UTF-8 is refused by Python itself, without a code.
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
        if code & 0xFF in _DAMAGED or code in _UNREADABLE:
            raise DamagedSegmentError(str(error)) from error
        raise _unusable(path, str(error)) from error
    except OSError as error:
        raise _unusable(path, error.strerror or str(error)) from error


def _unusable(path: Path, reason: str) -> StorageError:
    return StorageError(
        what=f"the journal cannot be used: {reason}",
        where=str(path),
        remedy="free space, or mend the permissions or the disk; what was not written was not acknowledged",
    )
