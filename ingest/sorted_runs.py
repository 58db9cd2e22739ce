"""Values by 64-bit tag, in sorted runs that are merged as they grow: fast to add to, however many there are.

A table sorted by random tags is written all over with every batch, more of it the larger it is; what that costs
stands in ``benchmarks/uplink_index.py`` beside these runs. Here a batch is written once in its own order, and eight
runs of a size become one of eight times that size: so a value is written again when its run grows eightfold, and no
more.

The runs are rows of the caller's database and follow its transactions; after a rollback they are opened anew.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ingest.tag_filter import Marks, TagFilter, Tags, filter_bytes
from ingest.uplink_index_file import DamagedIndexError

Entries = NDArray[np.int64]
"""Shaped (n, 2): tag and value."""

_BLOCK: Final = 250
"""Entries in a block: as many as a page of the database holds."""
_PORTION: Final = 1_000
"""Blocks, or tags to look for, that are in memory at a time."""
_MOST_BLOCKS: Final = 1 << 24
_CROWD: Final = 8
_CROWD_BITS: Final = 3
_MANY: Final = 500
_LEAST: Final = np.iinfo(np.int64).min
_GREATEST: Final = np.iinfo(np.int64).max


@dataclass(slots=True)
class _Run:
    number: int
    size: int
    fences: Tags
    """The first tag of each block."""
    filter: TagFilter | None


class SortedRuns:
    """A multimap from tags to values, both 64-bit.

    Every method raises `DamagedIndexError` where the runs prove to be damaged, and what SQLite raises.

    Parameters
    ----------
    db : Connection
        With the tables `run` and `block` of `ingest.uplink_index_file`.
    name : str
        Which multimap of this database it is.
    filter_room : int
        Memory for filters [byte]; where it does not suffice the largest runs go without, and each of them is
        looked at for every tag that is asked for.
    """

    def __init__(self, db: sqlite3.Connection, name: str, *, filter_room: int = 32 << 20) -> None:
        self._db = db
        self._name = name
        self._filter_room = filter_room
        rows = db.execute("SELECT id, size, fences FROM run WHERE name = ?", (name,))
        self._runs = [_Run(number, size, np.frombuffer(fences, np.int64), None) for number, size, fences in rows]
        self._share_room()

    def add(self, tags: Tags, values: Tags) -> None:
        """Add values, each to its tag."""
        if len(tags):
            self._write([_sorted(np.stack((tags, values), 1))], len(tags))
        while crowd := self._crowd():
            self._merge(crowd)

    def values(self, tags: Tags) -> Tags:
        """Return all values of these tags, in any order."""
        tags = _distinct(tags)
        marks = Marks.of(tags)
        found: list[Tags] = [np.empty(0, np.int64)]
        for run in self._runs:
            asked = tags if run.filter is None else tags[run.filter.may_hold(marks)]
            for start in range(0, len(asked), _PORTION):
                part = asked[start : start + _PORTION]
                found.append(self._entries(run, part, part)[:, 1])
        return np.concatenate(found)

    def entries(self, lows: Tags, highs: Tags) -> Entries:
        """Return the entries in ranges of tags, both ends included.

        Parameters
        ----------
        lows, highs : int64 (n,)
            Ranges that do not touch, sorted.
        """
        return np.concatenate([np.empty((0, 2), np.int64), *(self._entries(run, lows, highs) for run in self._runs)])

    def _share_room(self) -> None:
        """Have filters of the smallest runs in memory, as many as there is room for."""
        self._runs.sort(key=lambda run: run.size)
        taken = 0
        for run in self._runs:
            taken += filter_bytes(run.size)
            if taken > self._filter_room:
                run.filter = None
            elif run.filter is None:
                run.filter = self._written_filter(run)

    def _written_filter(self, run: _Run) -> TagFilter | None:
        (words,) = self._db.execute("SELECT filter FROM run WHERE id = ?", (run.number,)).fetchone()
        return TagFilter(np.frombuffer(words, np.uint64)) if words is not None else None

    def _crowd(self) -> list[_Run]:
        """Return runs of about the same size that are too many, or none."""
        tiers: defaultdict[int, list[_Run]] = defaultdict(list)
        for run in self._runs:
            tiers[(run.size.bit_length() - 1) // _CROWD_BITS].append(run)
        return next((runs for runs in tiers.values() if len(runs) >= _CROWD), [])

    def _merge(self, runs: list[_Run]) -> None:
        numbers = {run.number for run in runs}
        # They leave their room to the one that takes their place.
        self._runs = [run for run in self._runs if run.number not in numbers]
        self._write(self._merged(runs), sum(run.size for run in runs))
        for number in numbers:
            first = number * _MOST_BLOCKS
            self._db.execute("DELETE FROM block WHERE id >= ? AND id < ?", (first, first + _MOST_BLOCKS))
            self._db.execute("DELETE FROM run WHERE id = ?", (number,))

    def _merged(self, runs: list[_Run]) -> Iterator[Entries]:
        cuts = np.unique(np.sort(np.concatenate([run.fences for run in runs]))[_PORTION::_PORTION])
        for low, high in pairwise([_LEAST, *cuts[(cuts > _LEAST) & (cuts < _GREATEST)].tolist(), _GREATEST]):
            ends = np.array([low + (low > _LEAST)]), np.array([high])
            yield _sorted(np.concatenate([self._entries(run, *ends) for run in runs]))

    def _write(self, portions: Iterable[Entries], size: int) -> None:
        (number,) = self._db.execute("SELECT coalesce(max(id), 0) + 1 FROM run").fetchone()
        fences: list[Tags] = []
        known = TagFilter.with_room_for(size) if filter_bytes(size) <= self._filter_room else None
        place = number * _MOST_BLOCKS
        written = 0
        for portion in portions:
            blocks = [portion[start : start + _BLOCK].tobytes() for start in range(0, len(portion), _BLOCK)]
            self._db.executemany("INSERT INTO block VALUES (?, ?)", enumerate(blocks, place))
            place += len(blocks)
            written += len(portion)
            # A view would keep all of the portion.
            fences.append(portion[::_BLOCK, 0].copy())
            if known is not None:
                known.add(Marks.of(portion[:, 0]))
        if written != size:
            message = f"{written} entries where {size} were written"
            raise DamagedIndexError(message)
        run = _Run(number, size, np.concatenate(fences), known)
        words = known.words.data if known is not None else None
        self._db.execute("INSERT INTO run VALUES (?, ?, ?, ?, ?)", (number, self._name, size, run.fences.data, words))
        self._runs.append(run)
        self._share_room()

    def _entries(self, run: _Run, lows: Tags, highs: Tags) -> Entries:
        starts = np.maximum(np.searchsorted(run.fences, lows, "left") - 1, 0)
        ends = np.searchsorted(run.fences, highs, "right")
        # A block that two ranges share is read once.
        starts[1:] = np.maximum(starts[1:], ends[:-1])
        places = _counted(starts, ends)
        entries = np.frombuffer(b"".join(self._blocks(run, places)), np.int64).reshape(-1, 2)
        tags = entries[:, 0].copy()
        return entries[_counted(np.searchsorted(tags, lows, "left"), np.searchsorted(tags, highs, "right"))]

    def _blocks(self, run: _Run, places: Tags) -> list[bytes]:
        ids = (places + run.number * _MOST_BLOCKS).tolist()
        blocks: list[bytes] = []
        if ids and ids[-1] - ids[0] == len(ids) - 1:
            rows = self._db.execute("SELECT entries FROM block WHERE id >= ? AND id <= ?", (ids[0], ids[-1]))
            blocks = [block for (block,) in rows]
        else:
            for start in range(0, len(ids), _MANY):
                blocks += self._single_blocks(ids[start : start + _MANY])
        if len(blocks) != len(ids) or any(len(block) % 16 for block in blocks):
            message = "entries of a run are missing"
            raise DamagedIndexError(message)
        return blocks

    def _single_blocks(self, ids: Sequence[int]) -> list[bytes]:
        marks = ",".join("?" * len(ids))
        rows = self._db.execute(f"SELECT entries FROM block WHERE id IN ({marks}) ORDER BY id", ids)  # noqa: S608  placeholders only
        return [block for (block,) in rows]


def _sorted(entries: Entries) -> Entries:
    return entries[np.argsort(entries[:, 0], kind="stable")]


def _distinct(tags: Tags) -> Tags:
    """Return the tags sorted, each once; `numpy.unique` takes ten times as long for those of a batch."""
    ordered = np.sort(tags)
    is_other = np.ones(len(ordered), np.bool_)
    is_other[1:] = ordered[1:] != ordered[:-1]
    return ordered[is_other]


def _counted(starts: Tags, ends: Tags) -> Tags:
    """Return the whole numbers from each start to before its end, one range after the other."""
    lengths = np.maximum(ends - starts, 0)
    passed = np.cumsum(lengths) - lengths
    return np.repeat(starts - passed, lengths) + np.arange(lengths.sum())
