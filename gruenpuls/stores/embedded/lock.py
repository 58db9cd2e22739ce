"""The writer's lock: one process at a time, let go by the kernel when that process ends."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from gruenpuls.domain.errors import BusyError, StorageError

LOCK = "writer.lock"


class WriterLock:
    """An exclusive lock on a directory.

    Parameters
    ----------
    directory : Path
        Must exist.

    Raises
    ------
    BusyError
        If another process holds it; names that process.
    StorageError
        If the lock file cannot be opened.
    """

    def __init__(self, directory: Path) -> None:
        path = directory / LOCK
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            what = f"the writer's lock cannot be opened: {error.strerror}"
            raise StorageError(what, where=str(path), remedy="check who owns the directory") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(self._file, 20).decode("ascii", "replace").strip() or "unknown"
            os.close(self._file)
            what = f"another process writes to the store (pid {holder})"
            raise BusyError(what, where=str(directory), remedy="let it do the work, or stop it first") from error
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let the next writer in."""
        os.close(self._file)
