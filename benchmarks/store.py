"""What the embedded store costs: writing, reading, both at once, small commits, late rows, kills.

Run ``python benchmarks/store.py --help``. Absolute figures move with the machine and its load, so
every section starts with the load average and the time of one fixed calculation; compare ratios.
The readings are 0.1-resolution random walks of many series, hourly with up to two seconds of jitter.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from machine import busyness

from gruenpuls.domain.ports import Commit, ObservationReader, Progress, Tally
from gruenpuls.domain.reading import FlagInterval, ReadingBatch, to_stored
from gruenpuls.stores.embedded import EmbeddedStore

START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MARK = 10**9
"""Series of which every commit rewrites one row: what they hold names the commit."""


COMPACT_EVERY = 50
"""Commits between two compactions of a writer that does not pause."""


class NoJudgements:
    """Nobody judged anything later."""

    def flag_intervals(self, series: Collection[int], from_at: datetime, to_at: datetime) -> Sequence[FlagInterval]:
        """Return nothing."""
        del series, from_at, to_at
        return ()


def section(title: str) -> None:
    """Print a title, how busy the machine is, and how fast one fixed calculation runs."""
    print(f"\n== {title} ({busyness()})", flush=True)


def spread(name: str, seconds: Sequence[float], remark: str = "") -> None:
    """Print how long something took."""
    p50, p95 = np.percentile(np.array(seconds) * 1000, (50, 95))
    print(f"{name}: p50 {p50:.0f} ms, p95 {p95:.0f} ms, max {1000 * max(seconds):.0f} ms, n {len(seconds)} {remark}")


def timed(name: str, act: Callable[[int], object], times: int = 7) -> None:
    """Run something a few times and print how long it took."""
    seconds = []
    for turn in range(times):
        began = time.perf_counter()
        act(turn)
        seconds.append(time.perf_counter() - began)
    spread(name, seconds)


def readings(series: np.ndarray, at: np.ndarray, value: np.ndarray) -> ReadingBatch:
    """Return good readings of run 1."""
    count = len(series)
    return ReadingBatch(series.astype(np.int64), at, value, np.ones(count, np.uint8), np.ones(count, np.int64))


def hours_of(series: int, first: int, last: int, rng: np.random.Generator) -> ReadingBatch:
    """Return the readings of all series for some hours, in the order they would come."""
    count = (last - first) * series
    walk = rng.normal(0, 0.3, (last - first, series)).cumsum(axis=0) + 20
    at = np.repeat(to_stored(START) + np.arange(first, last) * np.timedelta64(HOUR), series)
    jitter = rng.integers(0, 2000, count).astype("timedelta64[ms]")
    return readings(np.tile(np.arange(series), last - first), at + jitter, np.round(walk.ravel(), 1))


def fill(store: EmbeddedStore, rows: int, series: int, chunk: int) -> datetime:
    """Write the history, print the rate, return its end."""
    rng = np.random.default_rng(1)
    hours, per_commit = max(rows // series, 1), max(chunk // series, 1)
    seconds = []
    for first in range(0, hours, per_commit):
        last = min(first + per_commit, hours)
        commit = Commit(hours_of(series, first, last, rng), progress=Progress(last, Tally(last)))
        began = time.perf_counter()
        store.write(commit)
        seconds.append(time.perf_counter() - began)
    spread(f"commit of {per_commit * series:,} rows", seconds, f"= {hours * series / sum(seconds):,.0f} rows/s")
    return START + hours * HOUR


def ask(store: ObservationReader, series: int, end: datetime) -> None:
    """Time the questions that are asked every day."""
    timed("latest of all series", lambda _: store.latest(range(series), end))
    timed("latest of one series", lambda turn: store.latest([turn], end))
    timed("one series, 7 days", lambda turn: store.read([turn * 7], end - 8 * DAY, end - DAY))
    timed("one series, hourly means, all time", lambda turn: store.aggregate([turn * 7], START, end, HOUR))
    timed("all series, daily means, 30 days", lambda _: store.aggregate(range(series), end - 30 * DAY, end, DAY), 3)


def late(store: EmbeddedStore, series: int, end: datetime) -> None:
    """Time rows that come late or again."""
    rng = np.random.default_rng(2)

    def somewhere(count: int) -> ReadingBatch:
        span = (end - START) // timedelta(milliseconds=1)
        at = to_stored(START) + rng.integers(0, span, count).astype("timedelta64[ms]")
        return readings(rng.integers(0, series, count), at, np.ones(count))

    for count in (1, 200):
        timed(f"commit of {count} late rows", lambda _, count=count: store.write(Commit(somewhere(count))))
    timed("commit of 30,000 late rows over all time (folds)", lambda _: store.write(Commit(somewhere(30_000))), 3)
    again = store.read(range(0, series, 2), end - 2 * DAY, end)
    corrected = readings(again.series, again.measured_at, again.value + 1)
    timed(f"overwriting {len(corrected):,} rows of two days", lambda _: store.write(Commit(corrected)), 1)
    timed("the same rows once more", lambda _: store.write(Commit(corrected)), 1)


def compact(store: EmbeddedStore, keep_for: timedelta = timedelta(0)) -> None:
    """Compact and print what it did."""
    before = store.statistics()
    began = time.perf_counter()
    store.compact(keep_for=keep_for)
    seconds = time.perf_counter() - began
    after = store.statistics()
    print(
        f"compaction {seconds:.2f} s: {before.files} -> {after.files} files, {before.data_bytes / 1e6:.1f} ->"
        f" {after.data_bytes / 1e6:.1f} MB ({after.data_bytes / max(after.rows, 1):.2f} B/row),"
        f" catalogue {before.catalogue_bytes / 1e6:.2f} -> {after.catalogue_bytes / 1e6:.2f} MB,"
        f" snapshots {before.snapshots} -> {after.snapshots}"
    )


def marked(number: int, rows: int, series: int, from_at: datetime) -> Commit:
    """Return commit `number`: rows of its moment, and ten rewritten ones that all name it."""
    at = to_stored(from_at) + number * np.timedelta64(1, "s")
    fresh = readings(np.arange(number * rows, (number + 1) * rows) % series, np.full(rows, at), np.full(rows, number))
    marks = readings(MARK + np.arange(10), np.full(10, to_stored(START)), np.full(10, float(number)))
    return Commit(ReadingBatch.joined([fresh, marks]), progress=Progress(number + 1, Tally(number + 1)))


def write_without_pause(directory: Path, rows: int, series: int, from_at: datetime, pipe: Connection) -> None:
    """Commit as fast as it goes, compact now and then; tell each commit's duration once it is done."""
    store = EmbeddedStore.open_writer(directory, NoJudgements())
    number = store.progress().offset
    while True:
        commit = marked(number, rows, series, from_at)
        began = time.perf_counter()
        store.write(commit)
        pipe.send((number, time.perf_counter() - began))
        number += 1
        if number % COMPACT_EVERY == 0:
            store.compact(keep_for=timedelta(seconds=30))


def live(directory: Path, rows: int, series: int, seconds: float, from_at: datetime) -> None:
    """Time a reader here while a writer elsewhere commits without pause."""
    reader = EmbeddedStore.open_reader(directory, NoJudgements())
    ours, theirs = multiprocessing.Pipe()
    writer = multiprocessing.Process(target=write_without_pause, args=(directory, rows, series, from_at, theirs))
    writer.start()
    ours.recv()
    questions: dict[str, Callable[[int], object]] = {
        "one series, 7 days": lambda turn: reader.read([turn * 7 % series], from_at - 8 * DAY, from_at - DAY),
        "latest of one series": lambda turn: reader.latest([turn % series], from_at + DAY),
        "latest of all series": lambda _: reader.latest(range(series), from_at + DAY),
        "progress": lambda _: reader.progress(),
    }
    took: dict[str, list[float]] = {name: [] for name in questions}
    torn, turn, end = 0, 0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        for name, question in questions.items():
            began = time.perf_counter()
            question(turn)
            took[name].append(time.perf_counter() - began)
        torn += len(set(reader.read(range(MARK, MARK + 10), START, START + HOUR).value.tolist())) != 1
        turn += 1
    writer.kill()
    writer.join()
    commits = []
    while ours.poll():
        commits.append(ours.recv()[1])
    spread(f"commit of {rows:,} rows", commits, f"= {rows / np.mean(commits):,.0f} rows/s")
    for name, durations in took.items():
        spread(name, durations)
    statistics = reader.statistics()
    print(f"torn commits seen: {torn}; {statistics}")
    reader.close()


def small_commits(store: EmbeddedStore, count: int, rows: int, compact_every: int, end: datetime) -> None:
    """Write many small commits, compacting now and then, and watch what grows."""
    seconds = []
    for number in range(count):
        began = time.perf_counter()
        store.write(marked(number, rows, 10_000, end))
        seconds.append(time.perf_counter() - began)
        if number % compact_every == compact_every - 1:
            spread(f"commits up to {number + 1}", seconds[-compact_every:], str(store.statistics()))
            compact(store)


def kills(directory: Path, count: int, series: int, from_at: datetime) -> None:
    """Kill a writer at random moments; what it told must be there, and every commit whole."""
    faults = 0
    for _ in range(count):
        ours, theirs = multiprocessing.Pipe()
        rows = random.choice((20, 200, 2_000, 30_000))
        writer = multiprocessing.Process(target=write_without_pause, args=(directory, rows, series, from_at, theirs))
        writer.start()
        told = ours.recv()[0]
        time.sleep(random.uniform(0, 2))
        assert writer.pid is not None
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
        while ours.poll():
            told = ours.recv()[0]
        reader = EmbeddedStore.open_reader(directory, NoJudgements())
        offset = reader.progress().offset
        marks = set(reader.read(range(MARK, MARK + 10), START, START + HOUR).value.tolist())
        last = to_stored(from_at) + (offset - 1) * np.timedelta64(1, "s")
        moment = from_at + (offset - 1) * timedelta(seconds=1)
        found = reader.read(range(series), moment, moment + timedelta(seconds=1))
        sound = marks == {float(offset - 1)} and offset > told and len(found) == min(rows, series)
        faults += not sound
        reader.close()
        print(f"killed at {rows} rows a commit: told {told}, found {offset - 1} at {last}: {'ok' if sound else 'LOST'}")
    print(f"{faults} faults in {count} kills")


def main() -> None:
    """Run the sections asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", help="fill, ask, late, live, small, kills; default: all")
    parser.add_argument("--rows", type=float, default=1e6, help="size of the history")
    parser.add_argument("--series", type=int, default=10_000)
    parser.add_argument("--chunk", type=int, default=200_000, help="rows of a commit of the history")
    parser.add_argument("--seconds", type=float, default=5, help="how long to read beside each writer")
    parser.add_argument("--commits", type=int, default=300, help="number of small commits")
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--directory", type=Path, help="where the store is made and left; default: temporary")
    options = parser.parse_args()
    wanted = set(options.sections or ("fill", "ask", "late", "live", "small", "kills"))
    directory = options.directory or Path(tempfile.mkdtemp(prefix="gruenpuls-benchmark-"))
    try:
        run(directory, wanted, options)
    finally:
        if options.directory is None:
            shutil.rmtree(directory)


def run(directory: Path, wanted: set[str], options: argparse.Namespace) -> None:
    """Run the sections in their order."""
    multiprocessing.set_start_method("spawn")
    store = EmbeddedStore.open_writer(directory, NoJudgements())
    end = START + int(options.rows) // options.series * HOUR
    if "fill" in wanted:
        section(f"history of {options.rows:,.0f} rows in {options.series:,} series")
        fill(store, int(options.rows), options.series, options.chunk)
        compact(store)
    if "ask" in wanted:
        section("questions, quiet")
        ask(store, options.series, end)
    if "late" in wanted:
        section("late and repeated rows")
        late(store, options.series, end)
        compact(store)
    if "small" in wanted:
        section(f"{options.commits} commits of 200 rows")
        small_commits(store, options.commits, 200, max(options.commits // 5, 1), end)
    store.close()
    for rows in (200, 20_000) if "live" in wanted else ():
        section(f"reading while another process commits {rows} rows without pause")
        live(directory, rows, options.series, options.seconds, end + 10 * DAY)
    if "kills" in wanted:
        section("kill -9 of the writer")
        kills(directory, options.kills, options.series, end + 100 * DAY)


if __name__ == "__main__":
    main()
