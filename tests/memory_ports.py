"""The ports of decoding, kept in memory: what the real stores promise, and nothing more."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from gruenpuls.domain.device import Device
from gruenpuls.domain.ports import Commit, DeviceTally, Progress, Run, Tally
from gruenpuls.domain.reading import Flag, ReadingBatch, to_stored
from gruenpuls.domain.series import SeriesKey
from gruenpuls.domain.uplink import DeadLetter, DeadLetterReason, JournalEntry, RawMessage


class MemoryJournal:
    """Messages in order; `gap` leaves out offsets as an interrupted writer does."""

    start = 0

    def __init__(self, messages: Sequence[RawMessage] = ()) -> None:
        self.kept: list[JournalEntry] = []
        self.end = 0
        self.append(messages)

    def append(self, messages: Sequence[RawMessage], gap: int = 0) -> None:
        self.end += gap
        for message in messages:
            self.kept.append(JournalEntry(self.end, message))
            self.end += 1

    def read(self, from_offset: int, limit: int, most_bytes: int) -> list[JournalEntry]:
        found: list[JournalEntry] = []
        for entry in self.kept:
            if len(found) == limit or most_bytes <= 0:
                break
            if entry.offset >= from_offset:
                found.append(entry)
                most_bytes -= len(entry.message.payload)
        return found

    def entries(self, offsets: Sequence[int]) -> list[JournalEntry]:
        by_offset = {entry.offset: entry for entry in self.kept}
        return [by_offset[offset] for offset in offsets if offset in by_offset]

    def damage(self) -> list[object]:
        return []


@dataclass
class MemoryRegistry:
    """Devices, ids, dead letters, counters."""

    registered: dict[str, Device] = field(default_factory=dict)
    series: dict[SeriesKey, int] = field(default_factory=dict)
    runs: dict[Run, int] = field(default_factory=dict)
    letters: dict[int, DeadLetter] = field(default_factory=dict)
    dirty: dict[int, datetime] = field(default_factory=dict)
    counted: dict[tuple[str, str], Tally] = field(default_factory=dict)
    last_uplink_at: dict[str, datetime] = field(default_factory=dict)
    latest: dict[int, tuple[int, float, int]] = field(default_factory=dict)
    done: Progress = field(default_factory=Progress)

    def devices(self, keys: Collection[str]) -> Mapping[str, Device]:
        return {key: self.registered[key] for key in keys if key in self.registered}

    def series_ids(self, keys: Sequence[SeriesKey]) -> list[int]:
        return [self.series.setdefault(key, 100 + len(self.series)) for key in keys]

    def run_id(self, run: Run) -> int:
        return self.runs.setdefault(run, 1 + len(self.runs))

    def keep_dead_letters(self, letters: Sequence[DeadLetter]) -> None:
        self.letters.update((letter.offset, letter) for letter in letters)

    def drop_dead_letters(self, offsets: Collection[int]) -> None:
        for offset in offsets:
            self.letters.pop(offset, None)

    def dead_letters(self, offsets: Collection[int]) -> Mapping[int, DeadLetterReason]:
        return {offset: self.letters[offset].reason for offset in offsets if offset in self.letters}

    def unsettled(self) -> AbstractContextManager[object]:
        return nullcontext()

    def mark_dirty(self, earliest: Mapping[int, datetime]) -> None:
        for series, moment in earliest.items():
            self.dirty[series] = min(moment, self.dirty.get(series, moment))

    def noted(self) -> Progress:
        return self.done

    def note(self, readings: ReadingBatch, tallies: Sequence[DeviceTally], progress: Progress) -> None:
        redecoded = progress.offset == self.done.offset and progress.tally != self.done.tally
        if progress.offset <= self.done.offset and not redecoded:
            return
        self.done = progress
        self._replace_latest([], readings)
        self._count(tallies)

    def _count(self, tallies: Sequence[DeviceTally]) -> None:
        for one in tallies:
            place = one.device, one.source
            self.counted[place] = self.counted.get(place, Tally()) + one.tally
            if one.last_uplink_at is not None:
                last = self.last_uplink_at.get(one.device, one.last_uplink_at)
                self.last_uplink_at[one.device] = max(last, one.last_uplink_at)

    def latest_moments(self, series: Collection[int]) -> Mapping[int, datetime]:
        return {
            number: datetime.fromtimestamp(self.latest[number][0] / 1000, UTC)
            for number in series
            if number in self.latest
        }

    def replace_latest(self, series: Collection[int], readings: ReadingBatch) -> None:
        self._replace_latest(series, readings)

    def _replace_latest(self, series: Collection[int], readings: ReadingBatch) -> None:
        for number in series:
            self.latest.pop(number, None)
        for place, row in rows_of(readings.where(readings.flag != Flag.MISSING)).items():
            if place[1] >= self.latest.get(place[0], (place[1],))[0]:
                self.latest[place[0]] = (place[1], row[0], row[2])

    def measured_series(self, devices: Collection[str]) -> Mapping[int, SeriesKey]:
        return {number: key for key, number in self.series.items() if key.owner_key.rpartition("/")[0] in devices}

    def profile_runs(self) -> Mapping[int, Run]:
        return {number: run for run, number in self.runs.items() if run.kind == "profile"}

    def bury(self, letters: Sequence[DeadLetter]) -> None:
        new = [letter for letter in letters if letter.offset not in self.letters]
        self.letters.update((letter.offset, letter) for letter in letters)
        self._count([DeviceTally(one.device or "", one.source, Tally(-1, 1), None) for one in new])

    def revive(self, offsets: Collection[int], progress: Progress) -> None:
        gone = [self.letters.pop(offset) for offset in offsets if offset in self.letters]
        self._count([DeviceTally(one.device or "", one.source, Tally(1, -1), None) for one in gone])
        if progress.offset == self.done.offset:
            self.done = progress

    def total(self) -> Tally:
        return sum(self.counted.values(), Tally())


class MemoryStore:
    """Readings by series and time, with the progress they were committed with."""

    def __init__(self) -> None:
        self.rows: dict[tuple[int, int], tuple[float, int, int]] = {}
        self.done = Progress()
        self.commits = 0

    def progress(self) -> Progress:
        return self.done

    def write(self, commit: Commit) -> None:
        rows = dict(self.rows)
        moments = commit.retracted_at.astype(int).tolist()
        for key in zip(commit.retracted_series.tolist(), moments, strict=True):
            rows.pop(key, None)
        fresh = rows_of(commit.readings)
        assert len(fresh) == len(commit.readings), "a commit names a reading twice"
        rows.update(fresh)
        self.rows = rows
        self.commits += 1
        if commit.progress is not None:
            self.done = commit.progress

    def read(self, series: Collection[int], from_at: datetime, to_at: datetime) -> ReadingBatch:
        start, end = (int(to_stored(at).astype(int)) for at in (from_at, to_at))
        return batch_of({key: row for key, row in self.rows.items() if key[0] in series and start <= key[1] < end})

    def latest(self, series: Collection[int], not_after: datetime) -> ReadingBatch:
        last = int(to_stored(not_after).astype(int))
        newest: dict[int, tuple[int, int]] = {}
        for key, row in sorted(self.rows.items()):
            if key[0] in series and key[1] <= last and row[1] != Flag.MISSING:
                newest[key[0]] = key
        return batch_of({key: self.rows[key] for key in newest.values()})


def rows_of(batch: ReadingBatch) -> dict[tuple[int, int], tuple[float, int, int]]:
    keys = zip(batch.series.tolist(), batch.measured_at.astype(int).tolist(), strict=True)
    values = zip(batch.value.tolist(), batch.flag.tolist(), batch.run.tolist(), strict=True)
    return dict(zip(keys, values, strict=True))


def batch_of(rows: Mapping[tuple[int, int], tuple[float, int, int]]) -> ReadingBatch:
    ordered = sorted(rows.items())
    moments = np.array([key[1] for key, _ in ordered], np.int64).astype("datetime64[ms]")
    series = [key[0] for key, _ in ordered]
    return ReadingBatch.of(series, moments, *([row[place] for _, row in ordered] for place in range(3)))


def content(store: MemoryStore, registry: MemoryRegistry) -> bytes:
    """Return everything a store holds as bytes that know nothing of ids or of the order of writing."""
    series = {number: key for key, number in registry.series.items()}
    runs = {number: run for run, number in registry.runs.items()}
    lines = [
        f"{series[number]!r} {moment} {value!r} {flag} {runs[run]!r}"
        for (number, moment), (value, flag, run) in store.rows.items()
    ]
    return "\n".join(sorted(lines)).encode()
