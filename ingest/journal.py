"""The journal: raw messages as they came, append-only, durable before anybody is told so.

A directory of SQLite files, one a UTC day, each row one group commit. One process writes, any number
read meanwhile. What is damaged is set aside whole, kept, and reported; the rest goes on.
"""

from __future__ import annotations

import sys
from bisect import bisect_left
from collections import Counter, OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, date
from itertools import accumulate, zip_longest
from pathlib import Path
from typing import Self

from gruenpuls.domain.clock import Clock, wall_clock
from gruenpuls.domain.errors import StorageError
from gruenpuls.domain.uplink import JournalEntry, RawMessage
from ingest.journal_batch import DICTIONARY_BYTES, microseconds, sample
from ingest.journal_damage import Damage, damages, note_damage, noted, segment_names, set_aside
from ingest.journal_offsets import OffsetReservation, WriterLock
from ingest.journal_segment import Batch, DamagedSegmentError, Segment, SegmentName

_LARGEST_OFFSET = (1 << 63) - 1
_OPEN_AT_ONCE = 4


class JournalReader:
    """Read access to a journal, beside its writer, in any process; for one thread at a time.

    Parameters
    ----------
    directory : Path
        May not exist yet: then the journal is empty.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._open: OrderedDict[SegmentName, Segment] = OrderedDict()
        self._shunned: dict[SegmentName, Damage] = {}
        self._unpacked: tuple[int, list[RawMessage]] = (-1, [])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def start(self) -> int:
        """The first offset there may be a message at."""
        names = self._names()
        return names[0].first if names else self.end

    @property
    def end(self) -> int:
        """The offset after the last message."""
        names = self._names()
        newest = self._newest(names)
        return max(newest.end if newest else 0, names[-1].first if names else 0)

    @property
    def reach(self) -> int:
        """The same at a glance, for looking often: nothing is verified, and what cannot be read counts as nothing."""
        for name in reversed(self._names()):
            with suppress(DamagedSegmentError):
                if reach := self._segment(name).reach():
                    return reach
        return 0

    def counts(self) -> dict[str, int]:
        """Return how many messages each source has brought since the journal began."""
        newest = self._newest(self._names())
        return newest.totals_by_source() if newest else {}

    def waiting(self, from_offset: int) -> int:
        """Return how many messages there are at and after an offset; offsets have gaps, this has not."""
        names = self._names()
        newest = self._newest(names)
        if newest is None:
            return 0
        for name in _reaching(names, from_offset):
            for batch, _ in self._batches(name, from_offset):
                return newest.total - batch.total + batch.count - max(0, from_offset - batch.first)
        return 0

    def counts_before(self, offset: int) -> dict[str, int]:
        """Return how many messages each source had brought before an offset."""
        for name in _reaching(self._names(), offset):
            for batch, messages in self._batches(name, offset):
                later = Counter(message.source for message in messages[max(0, offset - batch.first) :])
                return {source: count - later[source] for source, count in batch.totals_by_source().items()}
        return self.counts()

    def read(self, from_offset: int, limit: int, most_bytes: int = sys.maxsize) -> list[JournalEntry]:
        """Return entries from an offset on, in order; empty where nothing has come yet.

        Parameters
        ----------
        from_offset : int
        limit : int
            Most entries.
        most_bytes : int
            With the entry whose payload makes them this long together it ends [byte].

        Raises
        ------
        StorageError
            If the journal is there but cannot be opened.
        """
        found: list[JournalEntry] = []
        from_offset = max(from_offset, 0)
        room = most_bytes
        for name in _reaching(self._names(), from_offset):
            for batch, messages in self._batches(name, from_offset):
                skipped = max(0, from_offset - batch.first)
                wanted = messages[skipped : skipped + limit - len(found)]
                reached = list(accumulate((len(message.payload) for message in wanted), initial=0))
                wanted = wanted[: bisect_left(reached, room)]
                found.extend(map(JournalEntry, range(batch.first + skipped, batch.end), wanted))
                room -= reached[-1]
                if len(found) >= limit or room <= 0:
                    return found
        return found

    def entries(self, offsets: Sequence[int]) -> list[JournalEntry]:
        """Return the entries at these offsets, as ordered there; those that are not there are left out."""
        found: dict[int, JournalEntry] = {}
        wanted = sorted({offset for offset in offsets if 0 <= offset <= _LARGEST_OFFSET})
        names = self._names()
        place = 0
        for name, following in zip_longest(names, names[1:]):
            beyond = bisect_left(wanted, following.first) if following else len(wanted)
            while place < beyond:
                # Each batch is unpacked once, those between are passed over.
                batch, messages = next(self._batches(name, wanted[place]), (None, []))
                if batch is None:
                    break
                held = bisect_left(wanted, batch.end, place, beyond)
                for offset in wanted[bisect_left(wanted, batch.first, place, held) : held]:
                    found[offset] = JournalEntry(offset, messages[offset - batch.first])
                place = held
            place = beyond
        return [found[offset] for offset in offsets if offset in found]

    def damage(self) -> list[Damage]:
        """Return what was set aside, and what is to be, in order."""
        return sorted([*damages(self._directory), *self._shunned.values()], key=lambda damage: damage.first)

    def close(self) -> None:
        """Let go of the files."""
        while self._open:
            self._open.popitem()[1].close()

    def _names(self) -> list[SegmentName]:
        names = [name for name in segment_names(self._directory) if name not in self._shunned]
        for gone in self._open.keys() - set(names):
            self._forget(gone)
        return names

    def _newest(self, names: Sequence[SegmentName]) -> Batch | None:
        for name in reversed(names):
            try:
                last = self._segment(name).last()
            except DamagedSegmentError as error:
                self._shun(name, str(error))
                continue
            if last:
                return last
        return None

    def _batches(self, name: SegmentName, from_offset: int) -> Iterator[tuple[Batch, list[RawMessage]]]:
        """Yield verified batches with their messages; a segment that fails twice is not read any further."""
        for last_try in (False, True):
            try:
                segment = self._segment(name)
                for batch in segment.batches(from_offset):
                    if self._unpacked[0] != batch.first:
                        self._unpacked = (batch.first, batch.messages(segment.dictionary))
                    yield batch, self._unpacked[1]
                    from_offset = batch.end
            except DamagedSegmentError as error:
                self._forget(name)
                if last_try:
                    self._shun(name, str(error))
            else:
                return

    def _segment(self, name: SegmentName) -> Segment:
        if name not in self._open:
            self._open[name] = Segment(self._directory / str(name))
            if len(self._open) > _OPEN_AT_ONCE:
                self._open.popitem(last=False)[1].close()
        self._open.move_to_end(name)
        return self._open[name]

    def _forget(self, name: SegmentName) -> None:
        if name in self._open:
            self._open.pop(name).close()

    def _shun(self, name: SegmentName, reason: str) -> None:
        """Read this segment no more, and ask the writer to set it aside."""
        self._forget(name)
        if not (self._directory / str(name)).exists():
            return
        damage = note_damage(self._directory, name, reason)
        if not noted(self._directory, name):
            self._shunned[name] = damage


class Journal(JournalReader):
    """A journal to append to; one process at a time, one thread at a time.

    Parameters
    ----------
    directory : Path
        Made if it is not there.
    clock : Clock
        Says when a commit was; the day of a segment is that of receipt.

    Raises
    ------
    BusyError
        If another process writes to it.
    StorageError
        If it cannot be written.
    """

    def __init__(self, directory: Path, clock: Clock = wall_clock) -> None:
        super().__init__(directory)
        self._clock = clock
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._lock = WriterLock(directory)
        except OSError as error:
            raise StorageError(
                what=f"the journal cannot be opened: {error.strerror}",
                where=str(directory),
                remedy="make the directory writable, or choose another one",
            ) from error
        try:
            self._current, self._totals, self._reservation = self._resumed()
        except BaseException:
            self._lock.release()
            raise
        self._next = self._reservation.mark
        self._sample = bytearray()

    @classmethod
    def reader(cls, directory: Path) -> JournalReader:
        """Return read access to a journal, whoever writes to it."""
        return JournalReader(directory)

    @property
    def end(self) -> int:
        """The offset the next message will have."""
        return self._next

    def counts(self) -> dict[str, int]:
        """Return how many messages each source has brought since the journal began."""
        return dict(self._totals)

    def append(self, messages: Sequence[RawMessage]) -> range:
        """Make messages durable, all or none, and return their offsets.

        Raises
        ------
        StorageError
            If they are not on disk: nothing may be acknowledged. The same call may be made again.
        """
        if not messages:
            return range(self._next, self._next)
        count = len(messages)
        totals = dict(self._totals)
        for message in messages:
            totals[message.source] = totals.get(message.source, 0) + 1
        day = messages[0].received_at.astimezone(UTC).date()
        reason = ""
        for _ in range(2):
            self._reservation.cover(self._next + count)
            name, segment = self._writable(day)
            first = self._next
            dictionary = self._dictionary(segment, messages)
            batch = Batch.sealed(first, microseconds(self._clock()), totals, messages, dictionary)
            try:
                segment.append(batch)
            except DamagedSegmentError as error:
                reason = str(error)
                self._retire()
                set_aside(note_damage(self._directory, name, reason))
            else:
                self._totals = totals
                return range(first, first + count)
            finally:
                # Even a commit that failed may be on disk: its offsets are not used again.
                self._next = first + count
        raise StorageError(
            what=f"segment after segment is damaged: {reason}",
            where=str(self._directory),
            remedy="check the disk; what was not written was not acknowledged",
        )

    def close(self) -> None:
        """End properly: the next writer goes on without a gap."""
        super().close()
        self._retire()
        # On a full disk the mark stays where it is, which is further on: a gap, nothing worse.
        with suppress(StorageError):
            self._reservation.give_back(self._next)
        self._lock.release()

    def _resumed(self) -> tuple[tuple[SegmentName, Segment] | None, dict[str, int], OffsetReservation]:
        """Return the segment to go on with, the totals so far, and the offsets that are free."""
        for unfinished in self._directory.glob("*.new*"):
            unfinished.unlink()
        newest = self._newest_intact()
        set_aside_before = damages(self._directory)
        for damage in set_aside_before:
            set_aside(damage)
        names = self._names()
        last = self._newest(names)
        beyond = max([last.end if last else 0, *(name.first for name in names)], default=0)
        beyond = max([beyond, *(damage.first for damage in set_aside_before)])
        totals = last.totals_by_source() if last else {}
        for damage in set_aside_before:
            for source, count in damage.totals.items():
                totals[source] = max(count, totals.get(source, 0))
        empty = not names and not set_aside_before
        return newest, totals, OffsetReservation.opened(self._directory, beyond, empty=empty)

    def _newest_intact(self) -> tuple[SegmentName, Segment] | None:
        """Return the newest segment to append to; None where it is damaged or there is none."""
        names = self._names()
        if not names:
            return None
        try:
            segment = Segment(self._directory / str(names[-1]), writable=True)
            segment.last()
        except DamagedSegmentError as error:
            note_damage(self._directory, names[-1], str(error))
            return None
        return names[-1], segment

    def _writable(self, day: date) -> tuple[SegmentName, Segment]:
        """Return the segment for messages received that day, a new one if need be."""
        if self._current:
            name, segment = self._current
            # A clock set back by less than a day, or sources that differ at midnight, share a segment.
            if (day - name.day).days in (-1, 0) and segment.in_place and not noted(self._directory, name):
                return self._current
            self._retire()
            for damage in damages(self._directory):
                set_aside(damage)
        name = SegmentName(self._next, day)
        self._current = name, Segment.created(self._directory / str(name))
        return self._current

    def _dictionary(self, segment: Segment, messages: Sequence[RawMessage]) -> bytes:
        """Return what to pack with; a segment learns it from the first messages it gets."""
        if segment.dictionary:
            return segment.dictionary
        self._sample += sample(messages, DICTIONARY_BYTES - len(self._sample))
        if len(self._sample) == DICTIONARY_BYTES:
            segment.learn(bytes(self._sample))
            self._sample.clear()
        return segment.dictionary

    def _retire(self) -> None:
        if self._current:
            self._current[1].close()
            self._current = None


def _reaching(names: Sequence[SegmentName], from_offset: int) -> Iterator[SegmentName]:
    """Yield the segments that may hold an offset or a later one."""
    for name, following in zip_longest(names, names[1:]):
        if following is None or following.first > from_offset:
            yield name
