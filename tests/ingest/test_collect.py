from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from collecting import TOPIC, Collecting, Publisher, until
from hypothesis import given, settings
from hypothesis import strategies as st
from mosquitto import Mosquitto, broker

from gruenpuls.domain.errors import StorageError, UnavailableError
from gruenpuls.domain.uplink import RawMessage
from ingest.collect import MOST_BYTES, CollectHealth, GroupCommit, Intake, SourceHealth, collect
from ingest.journal import Journal
from ingest.mqtt import Broker, MqttCollector

__all__ = ["broker"]

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def messages(source: str, start: int, end: int) -> list[RawMessage]:
    return [RawMessage(source, "t", NOW, b"%d" % number) for number in range(start, end)]


class Feed:
    """A source that hands in what it was given, in bursts, and ends with an error if it was given one."""

    def __init__(self, name: str, bursts: Sequence[int], error: Exception | None = None) -> None:
        self.name = name
        self.durable: list[int] = []
        self._bursts = bursts
        self._error = error
        self.stopped_at = 0.0

    def run(self, intake: Intake, stop: threading.Event) -> None:
        end = 0
        for burst in self._bursts:
            start, end = end, end + burst
            intake.submit(messages(self.name, start, end), 100 * burst, self._noting(start))
        if self._error:
            raise self._error
        stop.wait()
        self.stopped_at = time.monotonic()

    def health(self) -> SourceHealth:
        return SourceHealth(self.name, journalled=len(self.durable))

    def _noting(self, start: int) -> Callable[[], None]:
        return lambda: self.durable.append(start)


class RecordingJournal(Journal):
    """A journal that remembers its commits, and can be slow or full."""

    seconds = 0.0
    full = False

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.commits: list[int] = []

    def append(self, messages: Sequence[RawMessage]) -> range:
        time.sleep(self.seconds)
        if self.full:
            raise StorageError(what="database or disk is full", where="journal", remedy="free space")
        offsets = super().append(messages)
        self.commits.append(len(messages))
        return offsets


@settings(max_examples=15, deadline=None)
@given(st.lists(st.lists(st.integers(0, 40), max_size=8), min_size=1, max_size=3), st.integers(1, 60))
def test_sources_share_commits_and_each_keeps_its_order(bursts: list[list[int]], most: int) -> None:
    feeds = [Feed(f"source-{number}", burst) for number, burst in enumerate(bursts)]
    with TemporaryDirectory() as directory, RecordingJournal(Path(directory)) as journal:
        stop = threading.Event()
        stop.set()
        collect(feeds, journal, stop, lambda _: None, most_messages=most, wait_seconds=0)
        kept = [entry.message for entry in journal.read(0, 10_000)]
        for feed, burst in zip(feeds, bursts, strict=True):
            ends = [sum(burst[:place]) for place in range(len(burst) + 1)]
            assert [message for message in kept if message.source == feed.name] == messages(feed.name, 0, ends[-1])
            assert feed.durable == [start for start, _ in pairwise(ends)]
        assert all(commit < most + 40 for commit in journal.commits)


def test_what_comes_during_a_commit_goes_into_the_next_one_together(tmp_path: Path) -> None:
    with RecordingJournal(tmp_path) as journal:
        journal.seconds = 0.05
        collecting = Collecting([Feed("a", [1] * 100), Feed("b", [1] * 100)], journal).start()
        until(lambda: journal.end == 200)
        collecting.stop()
        assert sum(journal.commits) == 200
        assert len(journal.commits) < 10


def test_a_commit_takes_no_company_above_its_size(tmp_path: Path) -> None:
    with RecordingJournal(tmp_path) as journal:
        commit = GroupCommit(journal, wait_seconds=0.2)
        for number in range(3):
            commit.submit(messages("a", number, number + 1), MOST_BYTES // 2 + 1, lambda: None)
        commit.end()
        commit.run()
        assert journal.commits == [2, 1]


def test_nobody_is_told_while_the_disk_is_full_and_health_says_why(tmp_path: Path) -> None:
    with RecordingJournal(tmp_path) as journal:
        journal.full = True
        feed = Feed("a", [3, 4])
        collecting = Collecting([feed], journal).start()
        until(lambda: collecting.reports and collecting.reports[-1].journal.error)
        assert "free space" in str(collecting.reports[-1].journal.error)
        assert feed.durable == []
        journal.full = False
        until(lambda: feed.durable == [0, 3])
        until(lambda: collecting.reports[-1].journal.error is None)
        collecting.stop()
        assert collecting.reports[-1].journal.messages == 7


def test_the_end_does_not_wait_for_a_disk_that_stays_full(tmp_path: Path) -> None:
    with RecordingJournal(tmp_path) as journal:
        journal.full = True
        feed = Feed("a", [3])
        collecting = Collecting([feed], journal).start()
        until(lambda: collecting.reports and collecting.reports[-1].journal.error)
        started = time.monotonic()
        collecting.stop()
        assert time.monotonic() - started < 20
        assert feed.durable == []
        assert collecting.error is None
        assert collecting.reports[-1].journal.error


def test_a_source_that_cannot_go_on_ends_the_others_properly(tmp_path: Path) -> None:
    with RecordingJournal(tmp_path) as journal:
        good = Feed("good", [5])
        bad = Feed("bad", [2], UnavailableError(what="the broker refuses", where="source bad", remedy="check it"))
        collecting = Collecting([good, bad], journal).start()
        collecting.wait()
        assert str(collecting.error) == "source bad: the broker refuses (check it)"
        assert good.stopped_at
        assert journal.counts() == {"good": 5, "bad": 2}
        assert good.durable == [0]


def test_an_error_in_the_journal_that_is_no_storage_error_ends_collecting(tmp_path: Path) -> None:
    class BrokenJournal(Journal):
        def append(self, messages: Sequence[RawMessage]) -> range:
            return range(len(messages) // 0)

    with BrokenJournal(tmp_path) as journal:
        feed = Feed("a", [1])
        collecting = Collecting([feed], journal).start()
        collecting.wait()
        assert isinstance(collecting.error, ZeroDivisionError)
        assert feed.durable == []


def test_health_is_reported_at_intervals_and_at_the_end(tmp_path: Path) -> None:
    reports: list[CollectHealth] = []
    stop = threading.Event()

    def on_health(health: CollectHealth) -> None:
        reports.append(health)
        if len(reports) == 3:
            stop.set()

    with Journal(tmp_path) as journal:
        collect([Feed("a", [1])], journal, stop, on_health, health_seconds=0.01)
    assert len(reports) == 4
    assert reports[-1].sources[0].journalled == 1
    assert reports[-1].journal.commits == 1
    assert reports[-1].journal.longest_seconds > 0


@pytest.mark.server
def test_two_brokers_are_collected_into_one_journal(broker: Mosquitto, tmp_path: Path) -> None:
    with Mosquitto(tmp_path / "other") as other, Journal(tmp_path / "journal") as journal:
        sources = [
            MqttCollector(name, Broker(server.host, server.port), [TOPIC])
            for name, server in (("north", broker), ("south", other))
        ]
        collecting = Collecting(list(sources), journal).start()
        until(lambda: all(source._started for source in sources))
        with Publisher(broker.port) as one, Publisher(other.port) as two:
            one.publish_all(range(100))
            two.publish_all(range(200))
            until(lambda: journal.counts() == {"north": 100, "south": 200})
        collecting.stop()
        assert collecting.error is None
        assert [health.acknowledged for health in collecting.reports[-1].sources] == [100, 200]


@pytest.mark.server
def test_a_proper_end_is_quick(broker: Mosquitto, tmp_path: Path) -> None:
    source = MqttCollector("mqtt", Broker(broker.host, broker.port), [TOPIC])
    with Journal(tmp_path / "journal") as journal:
        collecting = Collecting([source], journal).start()
        until(lambda: source._started)
        started = time.monotonic()
        collecting.stop()
        # So long it would wait for a journal that is away.
        assert time.monotonic() - started < 10


def test_the_collector_stays_light() -> None:
    script = """
        import sys
        import ingest.collect, ingest.journal, ingest.mqtt
        heavy = {"pandas", "numpy", "duckdb", "sqlalchemy", "fastapi", "pydantic"} & set(sys.modules)
        sys.exit(", ".join(sorted(heavy)) or None)
    """
    subprocess.run([sys.executable, "-c", "\n".join(line.strip() for line in script.splitlines())], check=True)
