"""New data files on the disk before the catalogue names them."""

from __future__ import annotations

import os
from pathlib import Path

_CLOCK_MARGIN = 2_000_000_000  # file times are coarser than the clock [ns]


def sync_new_files(data: Path, since: int) -> None:
    """Flush every file made since a moment, and the directories that name them.

    DuckDB leaves Parquet to the kernel while SQLite flushes the catalogue: after a power cut the
    catalogue could name files that are empty.

    Parameters
    ----------
    data : Path
        Directory of the data files.
    since : int
        Wall clock [ns].
    """
    earliest = since - _CLOCK_MARGIN
    directories = [data, *(path for path in data.rglob("*/"))] if data.exists() else []
    for directory in directories:
        # A new file touches its directory: where that is older, nothing is new.
        if directory.stat().st_mtime_ns < earliest:
            continue
        for path in directory.iterdir():
            if path.stat().st_mtime_ns >= earliest:
                _sync(path)
        _sync(directory)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
