"""Decoding history again: after a profile was mended, or a device given another one.

What is rebuilt is every reading of the chosen devices that was measured in the chosen span and made by a
profile: it is what today's profile gives there, or it goes. Where a profile keeps a log with times of its own,
the records in the span count whichever uplink brought them, and those outside of it stay as they are. The
uplinks of the span are judged anew: a dead letter that can be read now brings all its readings, an uplink that
cannot any more becomes a dead letter. Imported readings stay, and so do those whose messages the journal has lost.

The span is worked off in windows, each in one transaction of the store. What a window does follows from the
journal, the index and the store alone, so one cut short is done again and comes out the same.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from device_profiles.profile import Profile
from gruenpuls.domain.ports import Commit, FlagIntervals, IngestRegistry, ObservationStore, Progress, Run
from gruenpuls.domain.reading import Flag, Ids, ReadingBatch, effective_flags
from gruenpuls.domain.series import SeriesKey
from gruenpuls.domain.uplink import DeadLetter, DeadLetterReason
from ingest.decode import Decoder
from ingest.decode_batch import Batch, Decoded
from ingest.journal_entries import JournalEntries
from ingest.reading_columns import earliest_moments
from ingest.redecode_window import AHEAD, BACK, Window, windows
from ingest.resolve import milliseconds, moment_of
from ingest.revision import Mask, Summary, revision
from ingest.uplink_index import UplinkIndex
from ingest.uplink_standing import Standing

WINDOW: Final = 20_000
"""Most uplinks in one transaction, unless more come in one step."""

_PORTION: Final = 1_000


class WholeJournal(JournalEntries, Protocol):
    """What decoding again asks of the journal."""

    @property
    def start(self) -> int:
        """The first offset there may be a message at."""
        ...

    def damage(self) -> Sequence[object]:
        """Return what was set aside."""
        ...


class PastRegistry(Protocol):
    """What decoding again asks of the registry beside `IngestRegistry`; twice does no harm."""

    def measured_series(self, devices: Collection[str]) -> Mapping[int, SeriesKey]:
        """Return all that these devices ever measured, by the id of the series."""
        ...

    def profile_runs(self) -> Mapping[int, Run]:
        """Return all runs that are a profile's, by id."""
        ...

    def bury(self, letters: Sequence[DeadLetter]) -> None:
        """Keep dead letters; those that are new are taken from their devices' readings."""
        ...

    def revive(self, offsets: Collection[int], progress: Progress) -> None:
        """Drop dead letters, count them for their devices' readings, and note the totals."""
        ...


class _Reach(NamedTuple):
    """How far from its uplinks a device's records lie, back and ahead [ms]."""

    back: int = 0
    ahead: int = 0


class _Task(NamedTuple):
    devices: Sequence[str]
    span: Window
    reaches: dict[str, _Reach]
    dry_run: bool
    summary: Summary


class _Decoding(NamedTuple):
    """What the uplinks of a window give today.

    Parameters
    ----------
    readings : ReadingBatch
        Those measured in the window, and all of dead letters that can be read now.
    flags : uint8 (n,)
        Their effective flags.
    verdicts : list of Decoded
        On the uplinks measured in the window.
    series : dict of int to SeriesKey
        All that the devices ever measured.
    runs : dict of int to Run
        All that are a profile's.
    told : set of (str, int)
        Devices, and the moments of their uplinks that were decoded.
    whole : bool
        Whether every uplink was decoded that could have readings in the window.
    """

    readings: ReadingBatch
    flags: NDArray[np.uint8]
    verdicts: list[Decoded]
    series: dict[int, SeriesKey]
    runs: dict[int, Run]
    told: set[tuple[str, int]]
    whole: bool


class Redecoder:
    """Decodes the past of devices again, between the steps of the decoder.

    Parameters
    ----------
    decoder : Decoder
    journal : WholeJournal
    index : UplinkIndex
    registry : IngestRegistry
    past : PastRegistry
    store : ObservationStore
    judgements : FlagIntervals
        As the store has them: later judgements are no difference.
    profile_named : callable
        Gives a device profile, or None where none of this name is installed.
    window : int
        Most uplinks in one transaction, unless more come within ten minutes.
    """

    def __init__(
        self,
        decoder: Decoder,
        journal: WholeJournal,
        index: UplinkIndex,
        registry: IngestRegistry,
        past: PastRegistry,
        store: ObservationStore,
        judgements: FlagIntervals,
        profile_named: Callable[[str], Profile | None],
        *,
        window: int = WINDOW,
    ) -> None:
        self._decoder = decoder
        self._journal = journal
        self._index = index
        self._registry = registry
        self._past = past
        self._store = store
        self._judgements = judgements
        self._profile_named = profile_named
        self._window = window

    def redecode(
        self,
        devices: Collection[str],
        from_at: datetime,
        to_at: datetime,
        *,
        dry_run: bool,
        done: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> Summary:
        """Put what today's profiles give in the place of what was measured in a span; return what that changed.

        Parameters
        ----------
        devices : collection of str
            Registered ones, with installed profiles.
        from_at, to_at : datetime
            Aware; the end is exclusive.
        dry_run : bool
            Only find out; nothing is written.
        done : callable
            Told after each transaction how many uplinks of how many are worked off; what it raises ends the work
            there.

        Raises
        ------
        StorageError
            If something could not be read or written; what was done stays, and the same call may be made again.
        """
        keys = sorted(set(devices))
        logging = self._logging(keys)
        between = self._decoder.while_level
        span = Window(milliseconds(from_at), milliseconds(to_at))
        task = _Task(keys, span, {}, dry_run, Summary())
        searched = between(lambda: windows(self._index, logging, span.start - AHEAD, span.end + BACK, self._window))
        revised = between(lambda: windows(self._index, keys, span.start, span.end, self._window))
        total = sum(window.uplinks for window in searched + revised)
        worked_off = 0
        for window in searched:
            between(partial(self._search, task, logging, window))
            worked_off += window.uplinks
            done(worked_off, total)
        for window in revised:
            between(partial(self._revise, task, window))
            worked_off += window.uplinks
            done(worked_off, total)
        return task.summary

    def _logging(self, devices: Sequence[str]) -> list[str]:
        """Return those whose profile gives records times of their own."""
        profiles = {key: self._profile_named(one.profile) for key, one in self._registry.devices(devices).items()}
        return [key for key, profile in profiles.items() if profile is not None and profile.sheet.timing]

    def _search(self, task: _Task, devices: Sequence[str], window: Window) -> None:
        """Find out how far from their uplinks the records lie that were measured in the span."""
        batch = self._decoder.new_batch(devices)
        owners, standings = self._uplinks(devices, window, {})
        for decoded in self._decoded(batch, standings):
            measured_at = decoded.standing.measured_at
            lags = [measured_at - at for _, at, *_ in decoded.rows if task.span.holds(at)]
            key = owners[decoded.standing.device]
            reach = task.reaches.get(key, _Reach())
            task.reaches[key] = _Reach(max(reach.back, *lags, 0), max(reach.ahead, *(-lag for lag in lags), 0))

    def _uplinks(
        self, devices: Sequence[str], window: Window, reaches: Mapping[str, _Reach]
    ) -> tuple[dict[int, str], list[Standing]]:
        """Return the uplinks that can have readings in a window, and whose the index's device numbers are."""
        spans: dict[str, tuple[int, int]] = {}
        for key in devices:
            reach = reaches.get(key, _Reach())
            spans[key] = window.start - reach.ahead, window.end + reach.back
        found = self._index.measured(spans)
        owners = {standings[0].device: key for key, standings in found.items()}
        return owners, [standing for standings in found.values() for standing in standings]

    def _decoded(self, batch: Batch, standings: Iterable[Standing]) -> Iterator[Decoded]:
        # In the order of the journal, which unpacks each of its batches once then.
        ordered = sorted(standings, key=lambda standing: standing.offset)
        for place in range(0, len(ordered), _PORTION):
            portion = ordered[place : place + _PORTION]
            yield from batch.decoded(portion, self._decoder.messages([one.offset for one in portion]))

    def _revise(self, task: _Task, window: Window) -> None:
        """Work one window off."""
        decoding = self._decoding(task, window)
        start, end = moment_of(window.start), moment_of(window.end)
        present = self._store.read(decoding.series.keys(), start, end)
        moments = decoding.readings.measured_at.astype(np.int64)
        inside = (moments >= window.start) & (moments < window.end)
        runs = np.fromiter(decoding.runs, np.int64)
        fresh = decoding.readings.where(inside)
        found = revision(present, fresh, decoding.flags[inside], runs)
        found = found._replace(gone=found.gone & self._replaceable(present, decoding))
        beyond = self._beyond(decoding, ~inside, runs)
        task.summary.beyond += len(beyond)
        task.summary.count(found, present, fresh, decoding.series, decoding.runs)
        if task.dry_run:
            return
        gone, written = present.where(found.gone), ReadingBatch.joined([fresh.where(found.written), beyond])
        news = ReadingBatch.joined([gone, fresh.where(found.added | found.changed), beyond])
        # As in decoding: before the readings what does no harm too early, after them what must not stand without.
        with self._registry.unsettled():
            self._registry.mark_dirty(earliest_moments(news.series, news.measured_at))
            self._past.bury([one.letter for one in decoding.verdicts if one.letter is not None])
            turned = [one for one in decoding.verdicts if bool(one.standing.dead) != (one.letter is not None)]
            self._index.settle((one.standing, one.letter is not None) for one in turned)
            progress = Progress(self._index.offset, self._index.tally())
            if turned or len(written) or len(gone):
                self._store.write(Commit(written, gone.series, gone.measured_at, progress))
        remaining = ReadingBatch.joined([present.where(~found.gone & ~found.replaced), fresh.where(found.written)])
        self._renew_latest(decoding.series.keys(), remaining, window)
        self._registry.replace_latest([], beyond)
        if turned:
            self._index.commit(progress.offset)
        self._past.revive([one.standing.first for one in decoding.verdicts if one.letter is None], progress)

    def _decoding(self, task: _Task, window: Window) -> _Decoding:
        batch = self._decoder.new_batch(task.devices)
        owners, standings = self._uplinks(task.devices, window, task.reaches)
        verdicts: list[Decoded] = []
        told: set[tuple[str, int]] = set()
        read = failed = 0
        for decoded in self._decoded(batch, standings):
            standing, letter = decoded.standing, decoded.letter
            judged = window.holds(standing.measured_at)
            if letter is not None and letter.reason is DeadLetterReason.DECODER_FAILED and not standing.dead:
                # No fault of the message: what was read before is better than nothing.
                failed += judged
                continue
            read += 1
            told.add((owners[standing.device], standing.measured_at))
            if judged:
                verdicts.append(decoded._replace(rows=[]))
                task.summary.revived += bool(standing.dead) and letter is None
                task.summary.buried += not standing.dead and letter is not None
            if decoded.run is not None:
                revived = judged and standing.dead
                rows = [
                    row for row in decoded.rows if window.holds(row[1]) or (revived and not task.span.holds(row[1]))
                ]
                batch.columns.add(standing.key, decoded.run, rows)
        uplinks = sum(window.holds(standing.measured_at) for standing in standings)
        task.summary.uplinks += uplinks
        task.summary.failed += failed
        task.summary.lost += uplinks - len(verdicts) - failed
        whole = read == len(standings) and not self._journal.start and not self._journal.damage()
        series, runs = dict(self._past.measured_series(task.devices)), dict(self._past.profile_runs())
        readings = self._readings(batch, series, runs, dry_run=task.dry_run)
        flags = self._effective(readings)
        return _Decoding(readings, flags, verdicts, series, runs, told, whole)

    def _readings(
        self, batch: Batch, series: dict[int, SeriesKey], runs: dict[int, Run], *, dry_run: bool
    ) -> ReadingBatch:
        """Return what was decoded; in a dry run, what has no id yet gets one that is none."""
        known = {key: number for number, key in series.items()}

        def series_ids(keys: Sequence[SeriesKey]) -> Sequence[int]:
            if dry_run:
                numbers = [known.get(key, -1 - place) for place, key in enumerate(keys)]
            else:
                numbers = list(self._registry.series_ids(keys))
            series.update(zip(numbers, keys, strict=True))
            return numbers

        def run_id(run: Run) -> int:
            number = next((number for number, known in runs.items() if known == run), None)
            if number is None:
                number = -1 - len(runs) if dry_run else self._registry.run_id(run)
                runs[number] = run
            return number

        return batch.columns.readings(partial(batch.fleet.ids, series_ids=series_ids), run_id)

    def _effective(self, readings: ReadingBatch) -> NDArray[np.uint8]:
        if not len(readings):
            return readings.flag
        first, last = (int(at.astype(np.int64)) for at in (readings.measured_at.min(), readings.measured_at.max()))
        series = np.unique(readings.series).tolist()
        intervals = self._judgements.flag_intervals(series, moment_of(first), moment_of(last + 1))
        return effective_flags(readings, intervals)

    def _replaceable(self, present: ReadingBatch, decoding: _Decoding) -> Mask:
        """Return which present readings could be made again, if today's profile gave them."""
        if decoding.whole:
            return np.ones(len(present), np.bool_)
        owners = {number: key.owner_key.rpartition("/")[0] for number, key in decoding.series.items()}
        moments = zip(present.series.tolist(), present.measured_at.astype(np.int64).tolist(), strict=True)
        return np.fromiter(((owners[number], at) in decoding.told for number, at in moments), np.bool_, len(present))

    def _beyond(self, decoding: _Decoding, outside: Mask, runs: Ids) -> ReadingBatch:
        """Return what former dead letters give outside of the span, as far as it is not there."""
        fresh = decoding.readings.where(outside)
        if not len(fresh):
            return fresh
        first, last = (int(at.astype(np.int64)) for at in (fresh.measured_at.min(), fresh.measured_at.max()))
        present = self._store.read(np.unique(fresh.series).tolist(), moment_of(first), moment_of(last + 1))
        return fresh.where(revision(present, fresh, decoding.flags[outside], runs).written)

    def _renew_latest(self, series: Collection[int], remaining: ReadingBatch, window: Window) -> None:
        """Keep the latest values right; from what is there and not from what changed, so that it can be repeated."""
        kept = {number: milliseconds(at) for number, at in self._registry.latest_moments(series).items()}
        open_ended = [number for number in series if kept.get(number, window.start) < window.end]
        present = remaining.where(np.isin(remaining.series, open_ended) & (remaining.flag != Flag.MISSING)).ordered()
        last = np.ones(len(present), np.bool_)
        last[:-1] = present.series[1:] != present.series[:-1]
        newest = present.where(last)
        found = set(newest.series.tolist())
        emptied = [
            number for number in open_ended if kept.get(number, -1 << 62) >= window.start and number not in found
        ]
        if emptied:
            newest = ReadingBatch.joined([newest, self._store.latest(emptied, moment_of(window.start - 1))])
        self._registry.replace_latest([*found, *emptied], newest)
