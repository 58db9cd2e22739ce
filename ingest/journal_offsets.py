"""Who may hand out offsets, and from where on, so that none is ever used twice."""

from __future__ import annotations

import fcntl
import os
import zlib
from pathlib import Path
from typing import Self

from gruenpuls.domain.errors import BusyError, StorageError

RESERVED_AT_ONCE = 1 << 16
"""How many offsets are set aside on disk before they are used; a crash leaves a gap of at most this."""

LONGEST_SEGMENT = 1 << 40
"""More messages than a day's segment can hold: 12 million a second."""

_MARK = "next-offset"
_LOCK = "writer.lock"


class WriterLock:
    """The right to write to a journal; it ends with the process, however that ends.

    Raises
    ------
    BusyError
        If another process has it; its number is in the message.
    """

    def __init__(self, directory: Path) -> None:
        path = directory / _LOCK
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(self._descriptor)
            raise BusyError(
                what=f"another process writes to this journal (pid {holder})",
                where=str(directory),
                remedy="stop that process first; reading needs no lock",
            ) from None
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let another process write."""
        os.close(self._descriptor)


class OffsetReservation:
    """A mark on disk that no offset handed out has ever reached.

    After a proper end the mark is the next offset. After a crash it is up to `RESERVED_AT_ONCE`
    further on, so that even offsets whose commit the disk lost are not handed out again.

    Parameters
    ----------
    directory : Path
        The journal's.
    mark : int
        The first offset that may be handed out.
    """

    def __init__(self, directory: Path, mark: int) -> None:
        self._directory = directory
        self.mark = mark

    @classmethod
    def opened(cls, directory: Path, beyond: int, *, empty: bool) -> Self:
        """Return the reservation of a journal whose segments end at `beyond`, as far as one can tell.

        Without a readable mark and with segments there, the next offset is further away than any
        segment is long.
        """
        kept = _kept_mark(directory)
        if kept is None:
            kept = 0 if empty else beyond + LONGEST_SEGMENT
        return cls(directory, max(kept, beyond))

    def cover(self, end: int) -> None:
        """See to it that the mark on disk is not before `end`.

        Raises
        ------
        StorageError
            If it cannot be written; then no offset up to `end` may be used.
        """
        if end > self.mark:
            self._write(end + RESERVED_AT_ONCE)

    def give_back(self, end: int) -> None:
        """Set the mark to exactly the next offset, at a proper end."""
        self._write(end)

    def _write(self, mark: int) -> None:
        text = f"{mark}"
        path, fresh = self._directory / _MARK, self._directory / f"{_MARK}.new"
        try:
            with fresh.open("w", encoding="ascii") as file:
                file.write(f"{text} {zlib.crc32(text.encode()):08x}\n")
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
            sync_directory(self._directory)
        except OSError as error:
            raise StorageError(
                what=f"the journal's next offset cannot be written: {error.strerror}",
                where=str(path),
                remedy="free space or mend the permissions; it goes on by itself",
            ) from error
        self.mark = mark


def _kept_mark(directory: Path) -> int | None:
    try:
        text, checksum = (directory / _MARK).read_text("ascii").split()
        return int(text) if int(checksum, 16) == zlib.crc32(text.encode()) else None
    except (FileNotFoundError, ValueError):
        return None


def sync_directory(directory: Path) -> None:
    """Make new and renamed names in a directory durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
