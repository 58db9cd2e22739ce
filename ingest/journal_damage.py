"""What is damaged is set aside whole and kept, with a note that says why.

Whoever finds the damage writes the note, which every reader heeds at once. Only the writer renames:
to another process the file might still be the one that is written to.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from gruenpuls.domain.errors import StorageError
from ingest.journal_offsets import sync_directory
from ingest.journal_segment import DamagedSegmentError, Segment, SegmentName

SET_ASIDE = ".damaged"
NOTE = ".reason"

_COMPANIONS = ("", "-wal", "-shm")


@dataclass(frozen=True, slots=True)
class Damage:
    """A segment that was set aside, or is to be.

    Parameters
    ----------
    path : Path
        Where it was; set aside it has ``.damaged`` added to its name.
    first : int
        None of its offsets is smaller.
    messages : int or None
        How many it held, where that could still be read.
    reason : str
    totals : mapping of str to int
        Messages by source from the journal's beginning to its end, as far as that could be read.
    """

    path: Path
    first: int
    messages: int | None
    reason: str
    totals: Mapping[str, int] = field(default_factory=dict)

    @property
    def error(self) -> StorageError:
        """The same for a person."""
        held = "an unknown number of" if self.messages is None else f"{self.messages}"
        return StorageError(
            what=f"a damaged segment with {held} messages was set aside: {self.reason}",
            where=str(self.path),
            remedy=f"it is kept as {self.path.name}{SET_ASIDE}; put the file from a backup in its place "
            f"and remove {self.path.name}{NOTE}",
        )


def segment_names(directory: Path) -> list[SegmentName]:
    """Return the segments to be read, in the order of their offsets."""
    files = _files(directory)
    names = (SegmentName.parsed(file) for file in files if file + NOTE not in files)
    return sorted(name for name in names if name)


def damages(directory: Path) -> list[Damage]:
    """Return what was set aside, and what is to be."""
    files = _files(directory)
    broken = {file.removesuffix(NOTE).removesuffix(SET_ASIDE) for file in files if file.endswith((NOTE, SET_ASIDE))}
    return [_read_note(directory, name) for name in map(SegmentName.parsed, broken) if name]


def noted(directory: Path, name: SegmentName) -> bool:
    """Return whether a segment is to be set aside."""
    return (directory / f"{name}{NOTE}").exists()


def note_damage(directory: Path, name: SegmentName, reason: str) -> Damage:
    """Leave word that a segment is damaged, with what can still be told of it; a full disk prevents only the word."""
    messages, totals = None, {}
    with suppress(DamagedSegmentError, StorageError):
        segment = Segment(directory / str(name))
        try:
            messages = segment.count()
            last = segment.last()
            if last:
                totals = last.totals_by_source()
        finally:
            segment.close()
    content = {"reason": reason, "messages": messages, "totals": totals}
    note = directory / f"{name}{NOTE}"
    fresh = directory / f"{name}.{os.getpid()}.new"
    with suppress(OSError):
        fresh.write_text(json.dumps(content), "utf-8")
        fresh.replace(note)
    return Damage(directory / str(name), name.first, messages, reason, totals)


def set_aside(damage: Damage) -> None:
    """Rename a damaged segment, its write-ahead log with it; twice does no harm.

    Raises
    ------
    StorageError
        If the directory does not let us.
    """
    try:
        for companion in _COMPANIONS:
            path = Path(f"{damage.path}{companion}")
            with suppress(FileNotFoundError):
                path.rename(f"{damage.path}{SET_ASIDE}{companion}")
        sync_directory(damage.path.parent)
    except OSError as error:
        raise StorageError(
            what=f"a damaged segment cannot be set aside: {error.strerror}",
            where=str(damage.path),
            remedy="make the directory writable",
        ) from error


def _files(directory: Path) -> set[str]:
    try:
        return {path.name for path in directory.iterdir()}
    except FileNotFoundError:
        return set()
    except OSError as error:
        raise StorageError(
            what=f"the journal cannot be read: {error.strerror}",
            where=str(directory),
            remedy="mend the permissions, or correct the path",
        ) from error


def _read_note(directory: Path, name: SegmentName) -> Damage:
    content: object = None
    with suppress(OSError, ValueError):
        content = json.loads((directory / f"{name}{NOTE}").read_text("utf-8"))
    path = directory / str(name)
    match content:
        case {"reason": str(reason), "messages": int() | None as messages, "totals": dict(totals)}:
            return Damage(path, name.first, messages, reason, totals)
        case _:
            return Damage(path, name.first, None, "why is not known: the note is missing or unreadable")
