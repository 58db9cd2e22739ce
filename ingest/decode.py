"""From journal entries to committed readings: every message a reading, a dead letter or a duplicate.

A batch is decided from the journal and the uplink index alone, written to the observation store together
with the journal offset, and only then kept in the index. So a crash anywhere repeats a batch and never
skips or doubles one: what the index lacks is read again, and a batch the registry has not noted is
written again, which changes nothing where it had been written.

The order of arrival has no part in the outcome, with one exception: of a device that logs values with
times of its own and gives two different ones for the same moment, the one that came last stands.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import timedelta
from functools import partial
from itertools import chain
from typing import Final, TypeVar

import numpy as np

from device_profiles.profile import Profile
from gruenpuls.domain.ports import Commit, IngestRegistry, ObservationStore, Progress, Tally
from gruenpuls.domain.reading import Flag, Ids, ReadingBatch, Times
from gruenpuls.domain.uplink import DeadLetter, DeadLetterReason, JournalEntry
from ingest.decode_batch import Batch
from ingest.device_columns import Fleet
from ingest.javascript import CodecPool
from ingest.journal_entries import JournalEntries
from ingest.message import Message, Read, letter_of_poison, read_message
from ingest.portion import OF_THE_WORLD, Portion, halving
from ingest.read_ahead import MessageReader, ReadAhead, Wanted
from ingest.reading_columns import earliest, earliest_moments
from ingest.resolve import Copy, milliseconds
from ingest.uplink_index import UplinkIndex
from ingest.uplink_index_file import DamagedIndexError
from ingest.uplink_standing import Change

BATCH: Final = 15_000
"""Most messages in one commit."""
FUTURE_TOLERANCE: Final = timedelta(days=1)
"""How far after its receipt a message may claim to be measured."""

_BYTES: Final = 32 << 20
"""A batch ends early where its messages are this long together."""
_NO_UPLINK: Final = {DeadLetterReason.UNREADABLE, DeadLetterReason.NOT_AN_UPLINK}

_Result = TypeVar("_Result")

_log = logging.getLogger(__name__)


class Decoder:
    """Works the journal off, batch by batch; the only one to do so.

    Parameters
    ----------
    journal : JournalEntries
    index : UplinkIndex
    profile_named : callable
        Gives a device profile, or None where none of this name is installed.
    registry : IngestRegistry
    store : ObservationStore
    limit : int
        Most messages in one commit.
    future_tolerance : timedelta
        How far after its receipt a message may claim to be measured.
    codecs : CodecPool or None
        Runs the JavaScript of profiles that have some; whoever passes one closes it. None for one of its own,
        whose process ends with this one.
    ahead : ReadAhead or None
        Reads messages while others are stored; None to do both in turns.
    """

    def __init__(
        self,
        journal: JournalEntries,
        index: UplinkIndex,
        profile_named: Callable[[str], Profile | None],
        registry: IngestRegistry,
        store: ObservationStore,
        *,
        limit: int = BATCH,
        future_tolerance: timedelta = FUTURE_TOLERANCE,
        codecs: CodecPool | None = None,
        ahead: ReadAhead | None = None,
    ) -> None:
        self._journal = journal
        self._reader = MessageReader(journal, ahead)
        self._index = index
        self._profile_named = profile_named
        self._registry = registry
        self._store = store
        self._portion = Portion(limit)
        self._future_tolerance = future_tolerance
        self._codecs = codecs if codecs is not None else CodecPool()
        self._fleet = Fleet()
        self._progress: Progress | None = None
        self._unsure = True

    def step(self) -> Progress | None:
        """Work off one batch; return how far that is, or None where nothing has come.

        After a crash or the loss of the index a step may do no more than bring the index nearer to the
        store; the progress it returns is then the store's. A message that breaks a batch in a way nobody
        foresaw is found by halving, and becomes a dead letter.

        Raises
        ------
        StorageError
            If something could not be written; nothing is lost, the next step repeats the batch.
        """
        while True:
            try:
                return self._attempt(self._step)
            except OF_THE_WORLD:
                raise
            except Exception as error:  # noqa: BLE001  one message never stops the others
                self._portion.narrow(error)

    def redecode(self, offsets: Collection[int]) -> Tally:
        """Decode dead letters again, and return what became of them.

        Those that succeed leave the dead-letter index, and the totals follow in the same commit as
        the readings. An offset that is no dead letter is passed over, and its letter, if there is one
        all the same, is dropped. One that breaks decoding stays a dead letter, and the others do not suffer.

        Parameters
        ----------
        offsets : collection of int
            Any number; a commit takes as many as a batch does.

        Raises
        ------
        StorageError
            If something could not be written; what was committed before stays, and the same call may be
            made again.
        """
        chosen = sorted(set(offsets))
        became = Tally()
        for start in range(0, len(chosen), self._portion.limit):
            part = chosen[start : start + self._portion.limit]
            for one in halving(part, lambda some: self._attempt(partial(self._redecode, some))):
                became += one or Tally(dead_lettered=1)
        return became

    def while_level(self, action: Callable[[], _Result]) -> _Result:
        """Do something between two steps, with the uplink index where the store is; if it fails, nothing of it stays.

        Raises
        ------
        StorageError
            If something could not be written.
        """

        def level() -> _Result:
            while not self._is_level(self._known_progress()):
                pass
            result = action()
            self._progress = None
            return result

        return self._attempt(level)

    def new_batch(self, devices: Collection[str], fleet: Fleet | None = None) -> Batch:
        """Return an empty batch that decodes with the profiles these devices have now.

        Parameters
        ----------
        devices : collection of str
        fleet : Fleet or None
            For the series; None for one of the batch's own, which holds those of these devices alone.
        """
        registered = self._registry.devices(devices)
        return Batch(registered, self._profile_named, self._future_tolerance, self._codecs, fleet or Fleet())

    def messages(self, offsets: Collection[int]) -> dict[int, Message]:
        """Return the uplinks at these offsets, as far as the journal still has them and they can be read."""
        found = ((entry.offset, read_message(entry)) for entry in self._journal.entries(sorted(offsets)))
        return {offset: read[0] for offset, read in found if not isinstance(read, DeadLetter)}

    def _attempt(self, action: Callable[[], _Result]) -> _Result:
        try:
            try:
                return action()
            except DamagedIndexError as error:
                _log.warning("the uplink index is damaged and is made again from the journal: %s", error)
                self._progress = None
                self._index.reset()
                return action()
        except BaseException:
            # Whatever the store, the registry and the index hold now is asked of them at the next attempt.
            self._progress = None
            self._fleet = Fleet()
            raise

    def _step(self) -> Progress | None:
        progress = self._known_progress()
        if not self._is_level(progress):
            return progress
        tried = self._portion.take(self._reader.reads(Wanted(progress.offset, self._portion.size, _BYTES)))
        first = next(tried, None)
        if first is None:
            return None
        self._write(self._worked_out(chain([first], tried)), self._portion.end)
        self._unsure = False
        self._portion.widen()
        return self._progress

    def _known_progress(self) -> Progress:
        if self._progress is None:
            self._index.rollback()
            progress = self._store.progress()
            if self._index.offset > progress.offset:
                _log.warning("the uplink index is ahead of the store, which was restored; it is made again")
                self._index.reset()
            self._unsure = True
            self._progress = progress
        return self._progress

    def _is_level(self, progress: Progress) -> bool:
        """Return whether the index is where the store is; if it is behind, bring it nearer by a batch."""
        at, done = self._index.offset, progress.offset
        if at == done:
            return True
        noted = self._registry.noted().offset
        if at == noted:
            # The registry lacks what belongs to the last batch, so all of it is written once more.
            entries = self._journal.read(at, self._portion.limit, _BYTES)
            following = self._journal.read(entries[-1].offset + 1, 1, _BYTES) if entries else []
            if not following or following[0].offset >= done:
                self._write_again([entry for entry in entries if entry.offset < done], done)
                self._unsure = False
                return False
            _log.warning("the registry lacks more than one batch: its sums by source and device stay too small")
        self._learn(noted if at < noted < done else done)
        return False

    def _write_again(self, entries: Sequence[JournalEntry], done: int) -> None:
        """Write a batch that the store has already; if it is one message that breaks decoding, as its dead letter."""
        try:
            self._write(self._worked_out((read_message(entry), None) for entry in entries), done)
        except OF_THE_WORLD:
            raise
        except Exception as error:
            if len(entries) != 1:
                raise
            self._index.rollback()
            self._fleet = Fleet()
            self._write(self._worked_out((read_message(entry), error) for entry in entries), done)

    def _learn(self, end: int) -> None:
        """Take into the index what the store and the registry have already, up to an offset."""
        entries = self._journal.read(self._index.offset, self._portion.limit, _BYTES)
        reach = min(end, entries[-1].offset + 1) if entries else end
        entries = [entry for entry in entries if entry.offset < reach]
        letters = self._registry.dead_letters([entry.offset for entry in entries])
        copies: list[Copy] = []
        unreadable: list[int] = []
        unexplained: list[DeadLetter] = []
        for entry in entries:
            if letters.get(entry.offset) in _NO_UPLINK:
                unreadable.append(entry.offset)
                continue
            found = read_message(entry)
            if isinstance(found, DeadLetter):
                unreadable.append(entry.offset)
                unexplained.append(found)
            else:
                copies.append(found[1])
        if unexplained:
            self._registry.keep_dead_letters(unexplained)
        standings = [after for _, after in self._index.admit(copies, unreadable) if after is not None]
        dead = self._registry.dead_letters([standing.first for standing in standings])
        self._index.settle((standing, standing.first in dead) for standing in standings)
        self._index.commit(reach)

    def _worked_out(self, reads: Iterable[tuple[Read, Exception | None]]) -> Batch:
        """Return what becomes of messages; one that comes with what it raised is a dead letter."""
        messages: dict[int, Message] = {}
        copies: list[Copy] = []
        letters: list[DeadLetter] = []
        for read, poison in reads:
            found = read if poison is None else letter_of_poison(read, poison)
            if isinstance(found, DeadLetter):
                letters.append(found)
            else:
                message, copy = found
                messages[message.offset] = message
                copies.append(copy)
        changes = self._index.admit(copies, [letter.offset for letter in letters])
        # From here on they would only take memory.
        del copies
        arrived = list(messages.values())
        tried = [*messages, *(letter.offset for letter in letters)]
        batch = self._decided(changes, messages)
        for letter in letters:
            batch.keep(letter)
        batch.count_arrivals(arrived)
        if self._unsure:
            # The batch may have been tried before, when not all of it could be decoded.
            batch.mend(tried)
        return batch

    def _redecode(self, offsets: Sequence[int]) -> Tally:
        while not self._is_level(self._known_progress()):
            pass
        before = self._index.tally()
        entries = self._journal.entries(offsets)
        readmitted = self._index.readmit(entry.offset for entry in entries)
        messages: dict[int, Message] = {}
        known: list[Copy] = []
        returned: list[Copy] = []
        letters: list[DeadLetter] = []
        for entry in entries:
            found = read_message(entry)
            if isinstance(found, DeadLetter):
                letters += [found] if entry.offset in readmitted else []
            else:
                messages[entry.offset] = found[0]
                (returned if entry.offset in readmitted else known).append(found[1])
        changes = self._index.admit(returned, [letter.offset for letter in letters])
        standings = {copy.offset: self._index.standing(copy) for copy in known}
        decided = {standing.key for change in changes for standing in change if standing is not None}
        again = {one.key: one for one in standings.values() if one is not None and one.dead and one.key not in decided}
        arrived = [messages[copy.offset] for copy in returned]
        batch = self._decided([*changes, *((one, one) for one in again.values())], messages)
        for letter in letters:
            batch.keep(letter)
            batch.forget_unreadable(letter.device or "", letter.source)
        batch.count_arrivals(arrived)
        for message in arrived:
            batch.forget_unreadable(message.device, message.source)
        batch.mend(offset for offset, one in standings.items() if one is None or not one.dead)
        batch.mend(copy.offset for copy in returned)
        self._write(batch, self._index.offset)
        after = self._index.tally()
        return Tally(after.decoded - before.decoded, len(batch.letters), after.duplicates - before.duplicates)

    def _decided(self, changes: Sequence[Change], messages: dict[int, Message]) -> Batch:
        """Decode what changed; messages from further back are fetched from the journal on the way."""
        rivals = self._index.rivals(changes)
        concerned = [standing for change in changes for standing in change if standing is not None] + rivals
        messages |= self.messages({one.offset for one in concerned} - messages.keys())
        devices = {messages[one.offset].device for one in concerned if one.offset in messages}
        if self._fleet.is_stale:
            self._fleet = Fleet()
        batch = self.new_batch(devices, self._fleet)
        batch.decide(changes, rivals, messages)
        return batch

    def _write(self, batch: Batch, end: int) -> None:
        columns = batch.columns
        series_ids = partial(batch.fleet.ids, series_ids=self._registry.series_ids)
        readings = columns.readings(series_ids, self._registry.run_id)
        retracted_series, retracted_at = columns.retracted(series_ids)
        of_series = earliest(
            np.concatenate([readings.series, retracted_series]), np.concatenate([readings.measured_at, retracted_at])
        )
        # All series of a device belong to the same sites, so one of them stands for them.
        touched = earliest_moments(batch.fleet.one_of_device(of_series[0]), of_series[1])
        self._index.settle(batch.verdicts)
        progress = Progress(end, self._index.tally())
        from_journal = end > self._index.offset
        # Before the readings what does no harm too early, after them what must not stand without them.
        with self._registry.unsettled():
            self._registry.mark_dirty(touched)
            self._registry.keep_dead_letters(batch.letters)
            self._store.write(Commit(readings, retracted_series, retracted_at, progress))
        # A batch from the journal is done again up to its note. Letters decoded again are done again
        # only if somebody sees that they are still there, so they go last.
        if from_journal:
            self._registry.drop_dead_letters(batch.mended)
        self._registry.note(readings, batch.tallies(), progress)
        self._correct_latest(readings, retracted_series, retracted_at)
        self._index.commit(end)
        if not from_journal:
            self._registry.drop_dead_letters(batch.mended)
        self._progress = progress

    def _correct_latest(self, readings: ReadingBatch, retracted_series: Ids, retracted_at: Times) -> None:
        """See to it that no latest value is one that was taken away, or of which it is now said to be missing."""
        missing = readings.flag == Flag.MISSING
        series = np.concatenate([retracted_series, readings.series[missing]])
        at = np.concatenate([retracted_at, readings.measured_at[missing]])
        # Of most of what is missing nothing was ever known, so there are few of whom more is asked.
        kept = self._registry.latest_moments(np.unique(series).tolist()) if len(series) else {}
        known, told = np.isin(series, [*kept]), ~missing & np.isin(readings.series, [*kept])
        gone = _places(series[known], at[known]) - _places(readings.series[told], readings.measured_at[told])
        stale = {series: at for series, at in kept.items() if (series, milliseconds(at)) in gone}
        if stale:
            self._registry.replace_latest(stale.keys(), self._store.latest(stale.keys(), max(stale.values())))


def _places(series: Ids, measured_at: Times) -> set[tuple[int, int]]:
    return set(zip(series.tolist(), measured_at.astype(np.int64).tolist(), strict=True))
