"""The ports of decoding, kept in memory: what the real stores promise, and nothing more."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from gruenpuls.domain.device import Device
from gruenpuls.domain.ports import Commit, DeviceTally, Progress, Run, Tally
from gruenpuls.domain.reading import ReadingBatch
from gruenpuls.domain.series import SeriesKey
from gruenpuls.domain.uplink import DeadLetter, DeadLetterReason, JournalEntry, RawMessage


class MemoryJournal:
    """Messages in order; `gap` leaves out offsets as an interrupted writer does."""

    def __init__(self, messages: Sequence[RawMessage] = ()) -> None:
        self.kept: list[JournalEntry] = []
        self.end = 0
        self.append(messages)

    def append(self, messages: Sequence[RawMessage], gap: int = 0) -> None:
        self.end += gap
        for message in messages:
            self.kept.append(JournalEntry(self.end, message))
            self.end += 1

    def read(self, from_offset: int, limit: int) -> list[JournalEntry]:
        return [entry for entry in self.kept if entry.offset >= from_offset][:limit]

    def entries(self, offsets: Sequence[int]) -> list[JournalEntry]:
        by_offset = {entry.offset: entry for entry in self.kept}
        return [by_offset[offset] for offset in offsets if offset in by_offset]


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

    def mark_dirty(self, earliest: Mapping[int, datetime]) -> None:
        for series, moment in earliest.items():
            self.dirty[series] = min(moment, self.dirty.get(series, moment))

    def noted(self) -> Progress:
        return self.done

    def note(self, readings: ReadingBatch, tallies: Sequence[DeviceTally], progress: Progress) -> None:
        del readings
        redecoded = progress.offset == self.done.offset and progress.tally != self.done.tally
        if progress.offset <= self.done.offset and not redecoded:
            return
        self.done = progress
        for one in tallies:
            place = one.device, one.source
            self.counted[place] = self.counted.get(place, Tally()) + one.tally
            if one.last_uplink_at is not None:
                last = self.last_uplink_at.get(one.device, one.last_uplink_at)
                self.last_uplink_at[one.device] = max(last, one.last_uplink_at)

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
        batch = commit.readings
        keys = list(zip(batch.series.tolist(), batch.measured_at.astype(int).tolist(), strict=True))
        assert len(set(keys)) == len(keys), "a commit names a reading twice"
        values = zip(batch.value.tolist(), batch.flag.tolist(), batch.run.tolist(), strict=True)
        rows.update(zip(keys, values, strict=True))
        self.rows = rows
        self.commits += 1
        if commit.progress is not None:
            self.done = commit.progress


def content(store: MemoryStore, registry: MemoryRegistry) -> bytes:
    """Return everything a store holds as bytes that know nothing of ids or of the order of writing."""
    series = {number: key for key, number in registry.series.items()}
    runs = {number: run for run, number in registry.runs.items()}
    lines = [
        f"{series[number]!r} {moment} {value!r} {flag} {runs[run]!r}"
        for (number, moment), (value, flag, run) in store.rows.items()
    ]
    return "\n".join(sorted(lines)).encode()
