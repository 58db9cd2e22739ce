"""Every uplink there was, once: what is a duplicate, when it was measured, and which message says so.

A cache in SQLite, owned by the one process that decodes: its content follows from the journal up to its
offset (and from which messages are dead letters), so a lost or damaged file costs time, nothing else.
It is committed after the observation store, never before; if it is behind, the rest is read again.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

from gruenpuls.domain.ports import Tally
from ingest.resolve import Copy, Reception, climbing, epochs, told_apart, united
from ingest.uplink_index_file import DamagedIndexError, index_errors, opened, remove
from ingest.uplink_standing import Change, Standing

_Item = TypeVar("_Item")
_MANY: Final = 500
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
        self._newest: dict[int, int] = {}
        self._newest_before: dict[int, int] = {}
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
            firsts.setdefault(key, copy.offset)
            best = keyed.get(key)
            if best is None or (copy.measured_at, copy.rank) < (best.measured_at, best.rank):
                keyed[key] = copy
        with index_errors(self._path):
            self._begin()
            self._db.executemany("INSERT INTO unreadable VALUES (?)", ((offset,) for offset in unreadable))
            self._count(messages=len(copies) + len(unreadable), unreadable=len(unreadable))
            numbers = self._device_numbers({copy.device for copy in copies})
            changes = self._changes_of_keyed(keyed, firsts, numbers)
            for device, receptions in bare.items():
                changes += self._changes_of_bare(device, numbers[device], sorted(receptions))
            self._note_newest(changes)
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
                key = next((key for key, heard in apart.items() if heard[:3] == copy.reception[:3]), b"")
            found = self._standings([key]).get(key)
        return found if found is not None and copy.offset in (found.offset, found.first) else None

    def rivals(self, changes: Iterable[Change]) -> list[Standing]:
        """Return the unchanged uplinks of the same devices at the moments these changes touch.

        Parameters
        ----------
        changes : iterable of Change
            Those of the last `admit`, others may be among them.
        """
        moments: set[tuple[int, int]] = set()
        changed: set[bytes] = set()
        for change in changes:
            for standing in change:
                if standing is not None:
                    changed.add(standing.key)
                    # Where a device had nothing as late as that, there is nothing to look for.
                    if standing.measured_at <= self._newest_before.get(standing.device, standing.measured_at):
                        moments.add((standing.device, standing.measured_at))
        found: list[Standing] = []
        with index_errors(self._path):
            for part in _parts(moments):
                pairs = ",".join(["(?,?)"] * len(part))
                rows = self._db.execute(
                    f"WITH touched (d, m) AS (VALUES {pairs}) SELECT {_UPLINK} FROM touched "  # noqa: S608  placeholders only
                    "CROSS JOIN uplink ON device = d AND measured_at = m",
                    [number for pair in part for number in pair],
                )
                found += [Standing(*row) for row in rows if row[0] not in changed]
        return found

    def extent(self, devices: Iterable[str]) -> tuple[int, int] | None:
        """Return when the first and the last uplink of these devices were measured, milliseconds since 1970 UTC."""
        found: list[int] = []
        with index_errors(self._path):
            for device in devices:
                # Each on its own is one look into the index.
                for extreme in ("min", "max"):
                    (moment,) = self._db.execute(
                        f"SELECT {extreme}(measured_at) FROM uplink "  # noqa: S608  one of two words
                        "WHERE device = (SELECT id FROM device WHERE key = ?)",
                        (device,),
                    ).fetchone()
                    found += [moment] if moment is not None else []
        return (min(found), max(found)) if found else None

    def counts(self, devices: Iterable[str], from_at: int, to_at: int, step: int) -> Counter[int]:
        """Count the uplinks of these devices in a span by steps: how many were measured from a multiple of `step` on.

        Parameters
        ----------
        devices : iterable of str
        from_at, to_at, step : int
            Milliseconds, since 1970 UTC; the end is exclusive.
        """
        counted: Counter[int] = Counter()
        with index_errors(self._path):
            for device in devices:
                rows = self._db.execute(
                    "SELECT measured_at / ?, count(*) FROM uplink WHERE device = (SELECT id FROM device WHERE key = ?) "
                    "AND measured_at >= ? AND measured_at < ? GROUP BY 1",
                    (step, device, from_at, to_at),
                )
                for number, count in rows:
                    counted[number * step] += count
        return counted

    def measured(self, device: str, from_at: int, to_at: int) -> list[Standing]:
        """Return the uplinks of a device in a span, by time; milliseconds since 1970 UTC, the end exclusive."""
        with index_errors(self._path):
            rows = self._db.execute(
                f"SELECT {_UPLINK} FROM uplink WHERE device = (SELECT id FROM device WHERE key = ?) "  # noqa: S608  names only
                "AND measured_at >= ? AND measured_at < ? ORDER BY measured_at",
                (device, from_at, to_at),
            )
            return [Standing(*row) for row in rows]

    def settle(self, verdicts: Iterable[tuple[Standing, bool]]) -> None:
        """Record for each uplink whether it is a dead letter now."""
        turned = [(dead, standing.key) for standing, dead in verdicts if dead != bool(standing.dead)]
        with index_errors(self._path):
            self._begin()
            self._db.executemany("UPDATE uplink SET dead = ? WHERE key = ?", turned)
        self._count(dead=sum(1 if dead else -1 for dead, _ in turned))

    def commit(self, offset: int) -> None:
        """Keep what was done, up to this journal offset."""
        with index_errors(self._path):
            self._begin()
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
        self._newest.clear()
        self._newest_before.clear()

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

    def _standings(self, keys: Collection[bytes]) -> dict[bytes, Standing]:
        found: dict[bytes, Standing] = {}
        for part in _parts(keys):
            marks = ",".join("?" * len(part))
            rows = self._db.execute(f"SELECT {_UPLINK} FROM uplink WHERE key IN ({marks})", part)  # noqa: S608  placeholders only
            found.update((row[0], Standing(*row)) for row in rows)
        return found

    def _changes_of_keyed(
        self, best: dict[bytes, Copy], firsts: dict[bytes, int], numbers: dict[str, int]
    ) -> list[Change]:
        # In their order the file's pages are written one after the other, not here and there.
        keys = sorted(best)
        known = self._standings(keys)
        changes: list[Change] = []
        for key in keys:
            copy, before = best[key], known.get(key)
            offset, measured_at, rank = copy.offset, copy.measured_at, copy.rank
            if before is None:
                new = Standing(key, numbers[copy.device], measured_at, rank, offset, firsts[key], dead=False)
                changes.append(Change(None, new))
            elif (measured_at, rank) < (before.measured_at, before.rank):
                better = before._replace(measured_at=measured_at, rank=rank, offset=offset)
                changes.append(Change(before, better))
        return changes

    def _changes_of_bare(self, device: str, number: int, receptions: list[Reception]) -> list[Change]:
        fresh = self._fresh(number, receptions)
        if fresh is not None:
            # What comes in order needs no look at the device's past.
            present, parted = receptions, [receptions]
            changes = self._difference(number, {}, told_apart(device, [fresh]))
        else:
            past = self._receptions(number)
            present = united(past, receptions)
            parted = epochs(present)
            changes = self._difference(number, told_apart(device, epochs(past)), told_apart(device, parted))
        self._db.executemany(
            "INSERT OR REPLACE INTO reception VALUES (?, ?, ?, ?, ?, ?)", ((number, *heard) for heard in present)
        )
        self._db.execute("DELETE FROM frontier WHERE device = ?", (number,))
        last = parted[-1][-1]
        if last.counter == max(heard.counter for heard in parted[-1]):
            self._db.execute("INSERT INTO frontier VALUES (?, ?, ?, ?)", (number, *last[:3]))
        return changes

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

    def _difference(self, number: int, past: dict[bytes, Reception], present: dict[bytes, Reception]) -> list[Change]:
        touched = {key for key in past.keys() | present.keys() if past.get(key) != present.get(key)}
        known = self._standings(touched)
        changes: list[Change] = []
        for key in sorted(touched):
            heard, before = present.get(key), known.get(key)
            after = None
            if heard is not None:
                first = before.first if before is not None else heard.offset
                dead = before is not None and before.dead
                after = Standing(key, number, heard.measured_at, heard.rank, heard.offset, first, dead)
            changes.append(Change(before, after))
        return changes

    def _note_newest(self, changes: Sequence[Change]) -> None:
        """Keep each device's newest moment, and which it was before these changes; taken back ones still count."""
        newest = self._newest
        before = self._newest_before = {}
        for _, after in changes:
            if after is None:
                continue
            device, moment = after.device, after.measured_at
            known = newest.get(device)
            if known is None:
                (stored,) = self._db.execute(
                    "SELECT max(measured_at) FROM uplink WHERE device = ?", (device,)
                ).fetchone()
                known = -1 << 63 if stored is None else stored
            before.setdefault(device, known)
            newest[device] = max(known, moment)

    def _apply(self, changes: Sequence[Change]) -> None:
        gone = [before for before, after in changes if before is not None and after is None]
        self._db.executemany("DELETE FROM uplink WHERE key = ?", ((before.key,) for before in gone))
        # Many in one statement: a quarter of what each takes alone is the way to SQLite and back.
        for part in _parts([after for _, after in changes if after is not None]):
            rows = ",".join(["(?,?,?,?,?,?,?)"] * len(part))
            self._db.execute(f"INSERT OR REPLACE INTO uplink VALUES {rows}", list(chain.from_iterable(part)))  # noqa: S608  placeholders only
        new = sum(before is None for before, _ in changes)
        self._count(uplinks=new - len(gone), dead=-sum(before.dead for before in gone))


def _parts(items: Collection[_Item]) -> Iterator[list[_Item]]:
    """Yield the items in lists short enough for one statement."""
    rest = list(items)
    for start in range(0, len(rest), _MANY):
        yield rest[start : start + _MANY]
