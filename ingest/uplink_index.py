"""Every uplink there was, once: what is a duplicate, when it was measured, and which message says so.

A cache in SQLite, owned by the one process that decodes: its content follows from the journal up to its
offset (and from which messages are dead letters), so a lost or damaged file costs time, nothing else.
It is committed after the observation store, never before; if it is behind, the rest is read again.

An uplink is a row in the order of arrival. Two `SortedRuns` lead to it, by the first 64 bits of its key and
by its device and second; more than one uplink can have the same, so the row says which it is.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

import numpy as np

from gruenpuls.domain.ports import Tally
from ingest.resolve import Copy, Reception, climbing, epochs, told_apart, united
from ingest.sorted_runs import Entries, SortedRuns
from ingest.tag_filter import Tags
from ingest.uplink_index_file import DamagedIndexError, index_errors, opened, remove
from ingest.uplink_standing import Change, Standing, changes_of_keyed, changes_of_told
from ingest.uplink_tags import EVER, key_tags, moment_tags, seconds_of

_Item = TypeVar("_Item")
_MANY: Final = 500
_DEVICES: Final = 50
"""Looked at together: a year of theirs is 2 million uplinks."""
_UPLINK: Final = "key, device, measured_at, rank, offset, first, dead"


class _Counts(NamedTuple):
    messages: int
    unreadable: int
    uplinks: int
    dead: int


class UplinkIndex:
    """The index; for one thread at a time. What is done to it stays only if `commit` follows.

    Every method raises `DamagedIndexError` where the file proves to be damaged, and `StorageError` where
    it cannot be read or written.

    Parameters
    ----------
    path : Path
        Made if it is not there, begun anew if it is damaged or another version's.

    Raises
    ------
    BusyError
        If another process has it open.
    StorageError
        If it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._devices: dict[str, int] = {}
        self._pending: list[Change] = []
        self._offset = 0
        self._counts = _Counts(0, 0, 0, 0)
        try:
            self._open()
        except DamagedIndexError:
            remove(path)
            self._open()

    @property
    def offset(self) -> int:
        """The first journal offset that is not in it."""
        return self._offset

    def tally(self) -> Tally:
        """Return what became of all messages in it, uncommitted ones included."""
        counts = self._counts
        return Tally(
            decoded=counts.uplinks - counts.dead,
            dead_lettered=counts.unreadable + counts.dead,
            duplicates=counts.messages - counts.unreadable - counts.uplinks,
        )

    def admit(self, copies: Sequence[Copy], unreadable: Collection[int] = ()) -> list[Change]:
        """Take messages in, and return what that changed; the rest are duplicates.

        Parameters
        ----------
        copies : sequence of Copy
            None of them admitted before.
        unreadable : collection of int
            Offsets of messages that are no uplinks.
        """
        keyed: dict[bytes, Copy] = {}
        firsts: dict[bytes, int] = {}
        bare: defaultdict[str, list[Reception]] = defaultdict(list)
        for copy in copies:
            key = copy.key
            if key is None:
                bare[copy.device].append(copy.reception)
                continue
            best = keyed.setdefault(key, copy)
            if best is not copy:
                firsts.setdefault(key, best.offset)
                if (copy.measured_at, copy.rank) < (best.measured_at, best.rank):
                    keyed[key] = copy
        with index_errors(self._path):
            self._begin()
            self._db.executemany("INSERT INTO unreadable VALUES (?)", ((offset,) for offset in unreadable))
            self._count(messages=len(copies) + len(unreadable), unreadable=len(unreadable))
            numbers = self._device_numbers({copy.device for copy in copies})
            told = {
                key: (numbers[device], heard)
                for device, receptions in bare.items()
                for key, heard in self._told_anew(device, numbers[device], sorted(receptions)).items()
            }
            known = self._standings({*keyed, *told} if told else keyed.keys())
            changes = changes_of_keyed(keyed, firsts, numbers, known) + changes_of_told(told, known)
            self._apply(changes)
        return changes

    def readmit(self, offsets: Iterable[int]) -> set[int]:
        """Return those of these offsets that were unreadable, and forget them, so that they can be admitted."""
        with index_errors(self._path):
            self._begin()
            forgotten = {
                offset
                for offset in offsets
                if self._db.execute("DELETE FROM unreadable WHERE offset = ?", (offset,)).rowcount
            }
        self._count(messages=-len(forgotten), unreadable=-len(forgotten))
        return forgotten

    def standing(self, copy: Copy) -> Standing | None:
        """Return the uplink that an admitted message counts for or came first for; None if it is a mere duplicate."""
        with index_errors(self._path):
            self._begin()
            key = copy.key
            if key is None:
                past = self._receptions(self._device_numbers({copy.device})[copy.device])
                apart = told_apart(copy.device, epochs(past))
                key = next((key for key, heard in apart.items() if heard[:3] == copy.reception[:3]), None)
            found = self._standings({key}).get(key) if key is not None else None
        return found if found is not None and copy.offset in (found.offset, found.first) else None

    def rivals(self, changes: Iterable[Change]) -> list[Standing]:
        """Return the unchanged uplinks of the same devices at the moments these changes touch.

        Parameters
        ----------
        changes : iterable of Change
            All those of the last `admit`, others may be among them.
        """
        touched = [standing for change in changes for standing in change if standing is not None]
        with index_errors(self._path):
            self._begin()
            # What was admitted last is not in there yet: it changed, so it is nobody's rival.
            tags = moment_tags([one.device for one in touched], [one.measured_at for one in touched])
            near = self._rows(self._by_moment.values(tags))
        if not near:
            return []
        changed = {standing.key for standing in touched}
        moments = {(standing.device, standing.measured_at) for standing in touched}
        return [one for one in near if (one.device, one.measured_at) in moments and one.key not in changed]

    def extent(self, devices: Iterable[str]) -> tuple[int, int] | None:
        """Return a span that all uplinks of these devices were measured in; None if there are none.

        Milliseconds since 1970 UTC, in whole seconds, the end exclusive. It is longer than need be where an
        uplink at one of its ends turned out to be earlier than its first copy said.
        """
        found: list[int] = []
        for _, near in self._near(dict.fromkeys(devices, EVER)):
            moments = seconds_of(near[:, 0])
            found += [int(moments.min()), int(moments.max()) + 1]
        return (min(found) * 1000, max(found) * 1000) if found else None

    def counts(self, devices: Iterable[str], from_at: int, to_at: int, step: int) -> Counter[int]:
        """Count the uplinks of these devices in a span by steps: how many were measured from a multiple of `step` on.

        One that turned out to be earlier than its first copy said may be counted where that said, too.

        Parameters
        ----------
        devices : iterable of str
        from_at, to_at, step : int
            Milliseconds, since 1970 UTC, taken in whole seconds; the end is exclusive.
        """
        counted: Counter[int] = Counter()
        for _, near in self._near(dict.fromkeys(devices, (from_at, to_at))):
            numbers, counts = np.unique(seconds_of(near[:, 0]) // (step // 1000), return_counts=True)
            for number, count in zip(numbers.tolist(), counts.tolist(), strict=True):
                counted[number * step] += count
        return counted

    def measured(self, spans: Mapping[str, tuple[int, int]]) -> dict[str, list[Standing]]:
        """Return the uplinks of devices, each in a span of its own, by time; what has none is left out.

        Parameters
        ----------
        spans : mapping of str to (int, int)
            Milliseconds since 1970 UTC, the end exclusive.
        """
        found: defaultdict[str, list[Standing]] = defaultdict(list)
        for owners, near in self._near(spans):
            with index_errors(self._path):
                rows = self._rows(near[:, 1])
            for row in sorted(rows, key=lambda row: row.measured_at):
                key = owners[row.device]
                start, end = spans[key]
                if start <= row.measured_at < end:
                    found[key].append(row)
        return found

    def settle(self, verdicts: Iterable[tuple[Standing, bool]]) -> None:
        """Record for each uplink whether it is a dead letter now."""
        turned = [(dead, standing.first) for standing, dead in verdicts if dead != standing.dead]
        with index_errors(self._path):
            self._begin()
            self._db.executemany("UPDATE uplink SET dead = ? WHERE first = ?", turned)
        self._count(dead=sum(1 if dead else -1 for dead, _ in turned))

    def commit(self, offset: int) -> None:
        """Keep what was done, up to this journal offset."""
        with index_errors(self._path):
            self._begin()
            self._lead_to_pending()
            self._db.execute(
                "UPDATE state SET offset = ?, messages = ?, unreadable = ?, uplinks = ?, dead = ?",
                (offset, *self._counts),
            )
            self._db.execute("COMMIT")
            if offset == self._offset:
                # Nothing would show that such a commit is missing after a power cut, so it goes to the disk at once.
                self._db.execute("PRAGMA wal_checkpoint(FULL)").fetchall()
        self._offset = offset

    def rollback(self) -> None:
        """Forget what was not committed."""
        with index_errors(self._path):
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            self._load()

    def reset(self) -> None:
        """Begin anew with nothing in it."""
        self.close()
        remove(self._path)
        self._open()

    def close(self) -> None:
        """Let go of the file; what was not committed is forgotten."""
        self._db.close()

    def _open(self) -> None:
        self._db = opened(self._path)
        with index_errors(self._path):
            self._load()

    def _load(self) -> None:
        offset, *counts = self._db.execute("SELECT offset, messages, unreadable, uplinks, dead FROM state").fetchone()
        self._offset = offset
        self._counts = _Counts(*counts)
        self._devices.clear()
        self._pending = []
        self._by_key = SortedRuns(self._db, "key")
        self._by_moment = SortedRuns(self._db, "moment")

    def _begin(self) -> None:
        if not self._db.in_transaction:
            self._db.execute("BEGIN IMMEDIATE")

    def _count(self, *, messages: int = 0, unreadable: int = 0, uplinks: int = 0, dead: int = 0) -> None:
        had = self._counts
        self._counts = _Counts(
            had.messages + messages, had.unreadable + unreadable, had.uplinks + uplinks, had.dead + dead
        )

    def _device_numbers(self, keys: set[str]) -> dict[str, int]:
        known = self._devices
        for key in keys - known.keys():
            self._db.execute("INSERT OR IGNORE INTO device (key) VALUES (?)", (key,))
            (known[key],) = self._db.execute("SELECT id FROM device WHERE key = ?", (key,)).fetchone()
        return known

    def _rows(self, firsts: Tags) -> list[Standing]:
        """Return the uplinks with these first copies; those that are gone are left out."""
        found: list[Standing] = []
        for part in _parts(np.unique(firsts).tolist()):
            rows = self._db.execute(f"SELECT {_UPLINK} FROM uplink WHERE first IN ({_listed('?', len(part))})", part)  # noqa: S608  placeholders only
            found += [Standing(*row) for row in rows]
        return found

    def _standings(self, keys: AbstractSet[bytes]) -> dict[bytes, Standing]:
        self._lead_to_pending()
        rows = self._rows(self._by_key.values(key_tags(keys)))
        return {standing.key: standing for standing in rows if standing.key in keys}

    def _near(self, spans: Mapping[str, tuple[int, int]]) -> Iterator[tuple[dict[int, str], Entries]]:
        """Yield who the devices are, and what leads to their uplinks in these spans, for some devices at a time."""
        for keys in _parts(spans, _DEVICES):
            with index_errors(self._path):
                self._lead_to_pending()
                known = (
                    (self._db.execute("SELECT id FROM device WHERE key = ?", (key,)).fetchone(), key) for key in keys
                )
                owners = {row[0]: key for row, key in known if row is not None}
                ranges = [(number, *spans[key]) for number, key in sorted(owners.items())]
                numbers = [number for number, *_ in ranges]
                lows = moment_tags(numbers, (start for _, start, _ in ranges))
                highs = moment_tags(numbers, (end - 1 for *_, end in ranges))
                found = self._by_moment.entries(lows, highs)
            if len(found):
                yield owners, found

    def _told_anew(self, device: str, number: int, receptions: list[Reception]) -> dict[bytes, Reception | None]:
        """Take in what a device with a bare counter sent, and return the uplinks that it makes other ones, or none."""
        fresh = self._fresh(number, receptions)
        past: dict[bytes, Reception] = {}
        if fresh is not None:
            # What comes in order needs no look at the device's past.
            kept, parted = receptions, [receptions]
            present = told_apart(device, [fresh])
        else:
            had = self._receptions(number)
            kept = united(had, receptions)
            parted = epochs(kept)
            past, present = told_apart(device, epochs(had)), told_apart(device, parted)
        self._db.executemany(
            "INSERT OR REPLACE INTO reception VALUES (?, ?, ?, ?, ?, ?)", ((number, *heard) for heard in kept)
        )
        self._db.execute("DELETE FROM frontier WHERE device = ?", (number,))
        last = parted[-1][-1]
        if last.counter == max(heard.counter for heard in parted[-1]):
            self._db.execute("INSERT INTO frontier VALUES (?, ?, ?, ?)", (number, *last[:3]))
        touched = sorted(key for key in past.keys() | present.keys() if past.get(key) != present.get(key))
        return {key: present.get(key) for key in touched}

    def _fresh(self, number: int, receptions: Sequence[Reception]) -> list[Reception] | None:
        frontier = self._db.execute("SELECT measured_at, counter, content FROM frontier WHERE device = ?", (number,))
        row = frontier.fetchone()
        return climbing(Reception(row[0], row[1], row[2], 0, 0), receptions) if row is not None else None

    def _receptions(self, number: int) -> list[Reception]:
        rows = self._db.execute(
            "SELECT measured_at, counter, content, rank, offset FROM reception WHERE device = ? ORDER BY 1, 2, 3",
            (number,),
        )
        return [Reception(*row) for row in rows]

    def _apply(self, changes: list[Change]) -> None:
        gone = [before for before, after in changes if before is not None and after is None]
        better = [after for before, after in changes if before is not None and after is not None]
        new = [after for before, after in changes if before is None and after is not None]
        self._db.executemany("DELETE FROM uplink WHERE first = ?", [(one.first,) for one in gone])
        self._db.executemany(
            "UPDATE uplink SET measured_at = ?, rank = ?, offset = ? WHERE first = ?",
            [(one.measured_at, one.rank, one.offset, one.first) for one in better],
        )
        # Many in one statement: a quarter of what each takes alone is the way to SQLite and back. And a number
        # instead of False: SQLite's module would ask for each what it is in its language, which takes as long again.
        for part in _parts(new):
            rows = _listed("(?,?,?,?,?,?,0)", len(part))
            values = ((one.key, one.device, one.measured_at, one.rank, one.offset, one.first) for one in part)
            self._db.execute(f"INSERT INTO uplink VALUES {rows}", list(chain.from_iterable(values)))  # noqa: S608  placeholders only
        self._count(uplinks=len(new) - len(gone), dead=-sum(before.dead for before in gone))
        self._pending = changes

    def _lead_to_pending(self) -> None:
        """Make what was admitted last be found."""
        changes, self._pending = self._pending, []
        new = [after for before, after in changes if before is None and after is not None]
        self._by_key.add(key_tags([one.key for one in new]), np.fromiter([one.first for one in new], np.int64))
        moved = new + [
            after
            for before, after in changes
            if before is not None and after is not None and before.measured_at != after.measured_at
        ]
        tags = moment_tags([one.device for one in moved], [one.measured_at for one in moved])
        self._by_moment.add(tags, np.fromiter([one.first for one in moved], np.int64))


@cache
def _listed(mark: str, count: int) -> str:
    return ",".join([mark] * count)


def _parts(items: Collection[_Item], most: int = _MANY) -> Iterator[list[_Item]]:
    """Yield the items in lists of so many, short enough for one statement."""
    rest = list(items)
    for start in range(0, len(rest), most):
        yield rest[start : start + most]
