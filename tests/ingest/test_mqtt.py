from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from collecting import TOPIC, Collecting, Publisher, collecting, numbers, until
from mosquitto import Mosquitto, broker
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from gruenpuls.domain.errors import StorageError
from gruenpuls.domain.uplink import RawMessage
from ingest.journal import Journal
from ingest.mqtt import Broker, Earlier, EndsOn, MqttCollector

__all__ = ["broker"]

pytestmark = pytest.mark.server

CollectorMaker = Callable[..., MqttCollector]

STOP_WITHIN = 10.0
"""How long a collector waits for the journal at the end unless it is told otherwise [s]."""
KEEPALIVE = 4
"""After which a client that has nothing to say says so [s]."""
CUT_OFF_SECONDS = 1.5 * KEEPALIVE + 5
"""After which mosquitto, looking every five seconds, has cut off one that has not."""


@pytest.fixture
def collector(broker: Mosquitto) -> CollectorMaker:
    """Return a maker of collectors for this broker, with waits fit for a test."""

    def made(
        *, topics: Sequence[str] = (TOPIC,), protocol: str = "3.1.1", keepalive: int = 60, **options: object
    ) -> MqttCollector:
        address = Broker(broker.host, broker.port, "collector", protocol=protocol, keepalive=keepalive)
        return MqttCollector("mqtt", address, topics, **{"first_wait": 0.1, "longest_wait": 0.3} | options)

    return made


class FailingJournal(Journal):
    """A journal whose disk can be full."""

    full = False

    def append(self, messages: Sequence[RawMessage]) -> range:
        if self.full:
            raise StorageError(what="database or disk is full", where="journal", remedy="free space")
        return super().append(messages)


class SlowJournal(Journal):
    """A journal on a slow disk."""

    seconds = 0.3

    def append(self, messages: Sequence[RawMessage]) -> range:
        time.sleep(self.seconds)
        return super().append(messages)


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_messages_arrive_as_they_were_sent_and_in_order(
    broker: Mosquitto, collector: CollectorMaker, tmp_path: Path, protocol: str
) -> None:
    with Journal(tmp_path / "journal") as journal:
        with collecting(collector(protocol=protocol), journal) as running, Publisher(broker.port) as publisher:
            listening(running)
            publisher.publish_all(range(500))
            until(lambda: running.health.acknowledged == 500)
        assert numbers(journal) == list(range(500))
        (entry,) = journal.read(8, 1)
        assert entry.message.source == "mqtt"
        assert entry.message.topic == "city/1/up"
        assert entry.message.payload == b"8 ".ljust(100, b".")
        health = running.reports[-1].sources[0]
        assert (health.received, health.journalled, health.acknowledged, health.unacknowledged) == (500, 500, 500, 0)
        assert health.connected_since is None
        assert health.last_message_at == journal.read(499, 1)[0].message.received_at
        assert health.last_error is None
        assert running.reports[-1].journal.messages == 500
        assert running.reports[-1].journal.seconds > 0


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_what_is_published_while_the_collector_is_away_arrives_after(
    broker: Mosquitto, collector: CollectorMaker, tmp_path: Path, protocol: str
) -> None:
    with Journal(tmp_path / "journal") as journal, Publisher(broker.port) as publisher:
        with collecting(collector(protocol=protocol), journal) as running:
            subscribed(running, publisher)
        publisher.publish_all(range(1, 3001))
        assert numbers(journal) == [0]
        with collecting(collector(protocol=protocol), journal):
            until(lambda: journal.end == 3001)
        assert numbers(journal) == list(range(3001))


def test_a_proper_stop_in_mid_stream_loses_nothing_and_doubles_nothing(
    broker: Mosquitto, collector: CollectorMaker, tmp_path: Path
) -> None:
    with Journal(tmp_path / "journal") as journal, Publisher(broker.port) as publisher:
        with collecting(collector(), journal) as running:
            subscribed(running, publisher)
        publisher.publish_all(range(1, 8001))
        while journal.end < 8001:
            with collecting(collector(), journal) as running:
                until(lambda: running.health.received > 1000 or journal.end == 8001)
            last = running.reports[-1].sources[0]
            assert last.received == last.journalled == last.acknowledged
        assert numbers(journal) == list(range(8001))


def test_a_broker_that_restarts_in_mid_stream_loses_nothing(
    broker: Mosquitto, collector: CollectorMaker, tmp_path: Path
) -> None:
    with (
        Journal(tmp_path / "journal") as journal,
        Publisher(broker.port) as publisher,
        collecting(collector(), journal) as running,
    ):
        subscribed(running, publisher)
        stop = threading.Event()
        thread = threading.Thread(target=publish_until, args=(publisher, stop))
        thread.start()
        try:
            for turn in range(3):
                before = len(publisher.acknowledged)
                until(lambda before=before: len(publisher.acknowledged) > before + 100)
                until(lambda turn=turn: running.health.reconnects >= turn and running.health.connected_since)
                if turn < 2:
                    broker.restart()
        finally:
            stop.set()
            thread.join()
        until(lambda: publisher.acknowledged <= set(numbers(journal)), every=0.2)
        assert running.health.last_error
        assert "lost" in running.health.last_error
        assert "Unspecified" not in running.health.last_error
        assert running.health.last_error_at


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_a_broker_that_has_lost_our_queue_is_told_so(
    broker: Mosquitto, collector: CollectorMaker, tmp_path: Path, protocol: str
) -> None:
    with Journal(tmp_path / "journal") as journal, collecting(collector(protocol=protocol), journal) as running:
        until(lambda: running.health.connected_since)
        broker.restart()
        until(lambda: running.health.connected_since and running.health.reconnects == 1)
        assert running.health.queue_lost_at is None, "it saved the session"
        broker.kill()
        (broker.directory / "mosquitto.db").unlink()
        broker.start()
        until(lambda: running.health.connected_since and running.health.reconnects == 2)
        health = running.health
        assert health.queue_lost_at == health.connected_since
        assert health.queues_lost == 1
        assert "kept no queue" in str(health.last_error)


@pytest.mark.parametrize(("expected", "told"), [(False, False), (True, True)])
def test_a_queue_of_an_earlier_run_is_missed_and_of_none_is_not(
    expected: bool, told: bool, broker: Mosquitto, tmp_path: Path
) -> None:
    earlier = Earlier(has_queue=expected)
    source = MqttCollector("mqtt", Broker(broker.host, broker.port, "new"), [TOPIC], earlier=earlier)
    with Journal(tmp_path / "journal") as journal, collecting(source, journal) as running:
        until(lambda: running.health.connected_since)
        assert (running.health.queue_lost_at is not None) is told
        assert (running.health.last_error is not None) is told


def test_a_full_disk_acknowledges_nothing_and_passes(
    broker: Mosquitto, collector: CollectorMaker, tmp_path: Path
) -> None:
    with FailingJournal(tmp_path / "journal") as journal, Publisher(broker.port) as publisher:
        with collecting(collector(), journal) as running:
            subscribed(running, publisher)
            journal.full = True
            publisher.publish_all(range(1, 501))
            until(lambda: running.health.unacknowledged == 500)
            until(lambda: running.reports[-1].journal.error)
            assert running.health.acknowledged == running.health.journalled == 1
            assert "free space" in str(running.reports[-1].journal.error)
            journal.full = False
            until(lambda: running.health.acknowledged == 501)
            until(lambda: running.reports[-1].journal.error is None)
        assert numbers(journal) == list(range(501))


def test_what_a_full_disk_kept_from_being_acknowledged_comes_again(
    broker: Mosquitto, collector: CollectorMaker, tmp_path: Path
) -> None:
    with FailingJournal(tmp_path / "journal") as journal, Publisher(broker.port) as publisher:
        with collecting(collector(stop_within=0.5), journal) as running:
            subscribed(running, publisher)
            journal.full = True
            publisher.publish_all(range(1, 501))
            until(lambda: running.health.unacknowledged == 500)
            started = time.monotonic()
        assert time.monotonic() - started < STOP_WITHIN
        assert numbers(journal) == [0]
        journal.full = False
        with collecting(collector(), journal):
            until(lambda: set(numbers(journal)) == set(range(501)))


@pytest.mark.parametrize("bound", [{"most_unacknowledged": 300}, {"most_unacknowledged_bytes": 300_000}])
def test_memory_is_bounded_by_not_reading(
    broker: Mosquitto, collector: CollectorMaker, tmp_path: Path, bound: dict[str, int]
) -> None:
    with FailingJournal(tmp_path / "journal") as journal, Publisher(broker.port) as publisher:
        with collecting(collector(**bound), journal) as running:
            held: list[int] = []

            def is_held() -> bool:
                held.append(running.health.unacknowledged)
                return held[-1] > 200

            subscribed(running, publisher)
            journal.full = True
            publisher.publish_all(range(1, 2001), size=600)
            until(is_held)
            journal.full = False
            until(lambda: not is_held() and journal.end == 2001, every=0.002)
            assert 200 < max(held) <= 301
        assert numbers(journal) == list(range(2001))


def test_a_collector_that_does_not_read_keeps_its_connection(
    broker: Mosquitto, collector: CollectorMaker, tmp_path: Path
) -> None:
    with FailingJournal(tmp_path / "journal") as journal, Publisher(broker.port) as publisher:
        with collecting(collector(keepalive=KEEPALIVE, most_unacknowledged=50), journal) as running:
            subscribed(running, publisher)
            journal.full = True
            publisher.publish_all(range(1, 2001))
            until(lambda: running.health.unacknowledged == 50)
            time.sleep(CUT_OFF_SECONDS)
            assert running.health.reconnects == 0
            journal.full = False
            until(lambda: journal.end >= 2001)
            assert running.health.reconnects == 0
        assert numbers(journal)[:50] == list(range(50))
        assert sorted(numbers(journal)) == list(range(2001))


def test_a_quiet_connection_is_kept_alive(broker: Mosquitto, collector: CollectorMaker, tmp_path: Path) -> None:
    with (
        Journal(tmp_path / "journal") as journal,
        collecting(collector(keepalive=KEEPALIVE), journal) as running,
        Publisher(broker.port) as publisher,
    ):
        subscribed(running, publisher)
        time.sleep(CUT_OFF_SECONDS)
        publisher.publish_all(range(1, 2))
        until(lambda: journal.end == 2)
        assert running.health.reconnects == 0


def test_several_topics_are_heard_and_others_are_not(
    broker: Mosquitto, collector: CollectorMaker, tmp_path: Path
) -> None:
    with Journal(tmp_path / "journal") as journal, Publisher(broker.port) as publisher:
        with collecting(collector(topics=["city/1/up", "city/3/up"]), journal) as running:
            listening(running)
            publisher.publish_all(range(10, 24))
            until(lambda: set(numbers(journal)) >= {10, 15, 17, 22})
        assert sorted(numbers(journal)) == [10, 15, 17, 22]


def test_a_message_above_the_memory_bound_still_comes_through(
    broker: Mosquitto, collector: CollectorMaker, tmp_path: Path
) -> None:
    with Journal(tmp_path / "journal") as journal, Publisher(broker.port) as publisher:
        with collecting(collector(most_unacknowledged_bytes=1 << 20), journal) as running:
            subscribed(running, publisher)
            publisher.publish_all(range(1, 4), size=10 << 20)
            until(lambda: journal.end == 4)
        assert [len(entry.message.payload) for entry in journal.read(1, 3)] == [10 << 20] * 3


def test_the_broker_tells_how_many_messages_it_threw_away(tmp_path: Path) -> None:
    settings = ["max_inflight_messages 1", "max_queued_messages 5"]
    with Mosquitto(tmp_path, settings=settings) as small, SlowJournal(tmp_path / "journal") as journal:
        source = MqttCollector("mqtt", Broker(small.host, small.port, "collector"), [TOPIC])
        with collecting(source, journal) as running, Publisher(small.port) as publisher:
            subscribed(running, publisher)
            until(lambda: running.health.dropped_by_broker is not None)
            assert running.health.dropped_at is None
            publisher.publish_all(range(1, 200))
            until(lambda: running.health.dropped_by_broker)
            assert running.health.dropped_at is not None


@pytest.mark.parametrize(("before", "grew"), [(None, False), (0, True), (10**9, False)])
def test_what_was_thrown_away_while_nobody_listened_shows_by_what_was_known_before(
    before: int | None, grew: bool, tmp_path: Path
) -> None:
    with Mosquitto(tmp_path, settings=["max_queued_messages 5"]) as small, Journal(tmp_path / "journal") as journal:
        address = Broker(small.host, small.port, "collector")
        with collecting(MqttCollector("mqtt", address, [TOPIC]), journal) as running:
            until(lambda: running.health.dropped_by_broker == 0)
        with Publisher(small.port) as publisher:
            publisher.publish_all(range(1, 3000))
        other = MqttCollector("other", Broker(small.host, small.port, "other"), ["nothing"])
        with collecting(other, journal) as running:
            # It says so once a second: not before it has said the last number does that number stay.
            until(lambda: running.health.dropped_by_broker == 2999 - 5)
        source = MqttCollector("mqtt", address, [TOPIC], earlier=Earlier(dropped_by_broker=before))
        with collecting(source, journal) as running:
            until(lambda: running.health.dropped_by_broker not in {before, None, 0})
            assert (running.health.dropped_at is not None) is grew


def test_two_collectors_under_one_client_id_are_told_so(
    broker: Mosquitto, collector: CollectorMaker, tmp_path: Path
) -> None:
    with Journal(tmp_path / "journal") as journal, collecting(collector(), journal) as running:
        until(lambda: running.health.connected_since)
        rival = Client(CallbackAPIVersion.VERSION2, "collector")
        rival.connect(broker.host, broker.port)
        rival.loop_start()
        until(lambda: running.health.last_error)
        told = running.health.last_error
        rival.disconnect()
        rival.loop_stop()
        assert "client_id 'collector'" in str(told)


def test_a_shared_subscription_is_split_among_collectors(broker: Mosquitto, tmp_path: Path) -> None:
    def member(name: str) -> MqttCollector:
        return MqttCollector(name, Broker(broker.host, broker.port, name), [f"$share/city/{TOPIC}"])

    with Journal(tmp_path / "one") as one, Journal(tmp_path / "two") as two, Publisher(broker.port) as publisher:
        with collecting(member("one"), one) as first, collecting(member("two"), two) as second:
            listening(first)
            listening(second)
            publisher.publish_all(range(1000))
            until(lambda: one.end + two.end == 1000)
        assert sorted(numbers(one) + numbers(two)) == list(range(1000))
        assert one.end > 300
        assert two.end > 300


def test_a_collector_keeps_trying_until_the_broker_is_there(tmp_path: Path) -> None:
    server = Mosquitto(tmp_path)
    source = MqttCollector(
        "mqtt", Broker(server.host, server.port), [TOPIC], first_wait=0.1, longest_wait=0.3, ends_on=EndsOn.REFUSAL
    )
    with Journal(tmp_path / "journal") as journal, collecting(source, journal) as running:
        until(lambda: running.health.last_error)
        assert f"source mqtt, 127.0.0.1:{server.port}" in str(running.health.last_error)
        assert "refused" in str(running.health.last_error)
        with server, Publisher(server.port) as publisher:
            subscribed(running, publisher)
            assert running.health.connected_since


def listening(running: Collecting) -> None:
    """Wait until the broker has granted the subscription, which nothing but the collector knows."""
    until(lambda: all(source._started for source in running.sources))


def subscribed(running: Collecting, publisher: Publisher) -> None:
    """Wait until the collector hears, and hears the number 0."""
    listening(running)
    publisher.publish_all(range(1))
    until(lambda: running.health.journalled == 1)


def publish_until(publisher: Publisher, stop: threading.Event) -> None:
    number = 1
    while not stop.is_set():
        publisher.publish(number)
        number += 1
        time.sleep(0.001)
