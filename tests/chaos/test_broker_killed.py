"""What a killed broker loses of what it acknowledged: mosquitto as we ship it, and one that persists first."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from contextlib import nullcontext, suppress
from pathlib import Path

import pytest
from chaos.extent import extent
from collecting import TOPIC, Publisher, collecting, numbers, until
from mosquitto import Mosquitto, free_port
from rabbitmq import RabbitMq

from ingest.journal import Journal
from ingest.mqtt import Broker, Earlier, MqttCollector

pytestmark = pytest.mark.server

KILLS = extent("BROKER_KILLS", 2, 20)
"""How often each broker is killed."""

_SHIPPED = Path(__file__).parents[2] / "deploy" / "mosquitto.conf"
_RATE = 500
_BACKLOG = 500


class ShippedMosquitto(Mosquitto):
    """A broker with the configuration we ship; only its place and who may come in differ."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, port=free_port())
        changed = {
            "listener": f"listener {self.port} {self.host}",
            "persistence_location": f"persistence_location {self.directory}/",
            "allow_anonymous": "allow_anonymous true",
            "password_file": "user root" if os.geteuid() == 0 else "",
            "log_dest": "log_dest stderr",
        }
        lines = _SHIPPED.read_text("utf-8").splitlines()
        ours = [changed.get(line.split(" ")[0], line) for line in lines]
        (self.directory / "mosquitto.conf").write_text("\n".join([*ours, ""]), "utf-8")

    def save(self) -> None:
        """Have it save as `autosave_interval` does, without waiting for it."""
        saved = self.directory / "mosquitto.db"
        os.kill(self.pid, signal.SIGUSR1)
        until(saved.exists)
        time.sleep(0.5)


def source(port: int) -> MqttCollector:
    # Twenty kills in a row shall not have it wait for a minute each time.
    return MqttCollector("mqtt", Broker("127.0.0.1", port, "collector"), [TOPIC], longest_wait=2.0)


def away(port: int, journal: Journal) -> None:
    """Leave a collector's subscription at the broker."""
    listening = source(port)
    with collecting(listening, journal):
        until(lambda: listening._started)


def test_a_killed_broker_loses_nothing_a_collector_has_caught_up_with(tmp_path: Path) -> None:
    chance = random.Random(20261122)
    with ShippedMosquitto(tmp_path) as broker, Journal(tmp_path / "journal") as journal:
        listening = source(broker.port)
        with collecting(listening, journal), Publisher(broker.port) as publisher:
            until(lambda: listening._started)
            publisher.publish_all(range(_BACKLOG))
            until(lambda: listening.health().acknowledged >= _BACKLOG)
            # From now on it knows the subscription after a crash, too.
            broker.save()
            stop = threading.Event()
            sent = threading.Thread(target=publish_evenly, args=(publisher, stop))
            sent.start()
            for turn in range(KILLS):
                until(lambda turn=turn: listening.health().reconnects >= turn)
                time.sleep(chance.uniform(0.5, 2))
                broker.kill()
                broker.start()
            stop.set()
            sent.join()
            until(lambda: not publisher.under_way)
            await_silence(listening)
            # What it acknowledged in the moment of the kill and had not handed on.
            until(lambda: len(publisher.acknowledged - set(numbers(journal))) <= KILLS * _RATE // 10, every=0.5)
        kept = set(numbers(journal))
        lost = publisher.acknowledged - kept
        assert set(range(_BACKLOG)) <= kept
        print(f"caught up: {len(lost)} of {len(publisher.acknowledged)} lost in {KILLS} kills at {_RATE}/s")  # noqa: T201 - the figure itself


def publish_evenly(publisher: Publisher, stop: threading.Event) -> None:
    """Publish on and on, at a rate any collector keeps up with."""
    number = max(publisher.acknowledged, default=-1) + 1
    while not stop.wait(0.02):
        for _ in range(_RATE // 50):
            publisher.publish(number)
            number += 1


def test_a_killed_broker_loses_what_it_queued_since_it_last_saved_and_no_more(tmp_path: Path) -> None:
    saved, unsaved = range(_BACKLOG), range(_BACKLOG, _BACKLOG + _BACKLOG // 5)
    with ShippedMosquitto(tmp_path) as broker, Journal(tmp_path / "journal") as journal:
        away(broker.port, journal)
        with Publisher(broker.port) as publisher:
            publisher.publish_all(saved)
            broker.save()
            publisher.publish_all(unsaved)
        broker.kill()
        broker.start()
        listening = source(broker.port)
        with collecting(listening, journal):
            until(lambda: listening.health().acknowledged >= len(saved))
            time.sleep(1)
        kept = set(numbers(journal))
        assert set(saved) <= kept
        lost = set(unsaved) - kept
        print(f"collector away: of {len(saved)} saved 0 lost, of {len(unsaved)} since then {len(lost)}")  # noqa: T201 - the figure itself
        assert lost == set(unsaved), "mosquitto keeps more than it says: state the new bound"


@pytest.mark.slow
@pytest.mark.timeout(400 + 60 * KILLS)
def test_a_killed_broker_that_persists_first_loses_nothing_whether_anybody_listens_or_not(tmp_path: Path) -> None:
    chance = random.Random(20261122)
    with RabbitMq(tmp_path) as broker, Journal(tmp_path / "journal") as journal:
        away(broker.port, journal)
        # Before that a subscription does not outlive it, and what nobody has subscribed to it acknowledges and forgets.
        broker.await_decisions()
        with Publisher(broker.port) as publisher:
            stop = threading.Event()
            sent = threading.Thread(target=publish_evenly, args=(publisher, stop))
            sent.start()
            for turn in range(KILLS):
                with nullcontext() if turn % 2 else collecting(source(broker.port), journal):
                    time.sleep(chance.uniform(0.5, 2))
                    broker.kill()
                    broker.start()
            stop.set()
            sent.join()
            until(lambda: not publisher.under_way, within=120)
        listening = source(broker.port)

        def missing() -> list[int]:
            return sorted(publisher.acknowledged - set(numbers(journal)))

        with collecting(listening, journal):
            # It may be silent for a while before it has handed on everything.
            with suppress(AssertionError):
                until(lambda: not missing(), within=120, every=0.5)
            lost = missing()
            assert not lost, f"{len(lost)} missing, {lost[0]} to {lost[-1]}; {listening.health()}"
            await_silence(listening)
        kept = list(numbers(journal))
        assert len(publisher.acknowledged) > KILLS * _RATE // 2, "nothing was under way"
        again = len(kept) - len(set(kept))
        print(  # noqa: T201 - the figure itself
            f"RabbitMQ: 0 of {len(publisher.acknowledged)} lost in {KILLS} kills at {_RATE}/s, {again} came twice"
        )


@pytest.mark.slow
def test_a_subscription_that_is_not_yet_decided_on_disk_is_forgotten_and_nobody_notices(tmp_path: Path) -> None:
    with RabbitMq(tmp_path) as broker, Journal(tmp_path / "journal") as journal:
        away(broker.port, journal)
        broker.await_decisions()
        broker.kill()
        broker.lose_last_decision()
        broker.start()
        with Publisher(broker.port) as publisher:
            publisher.publish_all(range(_BACKLOG))
            back = MqttCollector(
                "mqtt", Broker("127.0.0.1", broker.port, "collector"), [TOPIC], earlier=Earlier(has_queue=True)
            )
            with collecting(back, journal):
                until(lambda: back.health().connected_since)
                await_silence(back)
                assert back.health().received == 0, "RabbitMQ keeps more than it says: state the new bound"
                assert back.health().queues_lost == 0
                again = range(_BACKLOG, 2 * _BACKLOG)
                publisher.publish_all(again)
                until(lambda: set(numbers(journal)) == set(again))


def await_silence(listening: MqttCollector) -> None:
    """Wait until it is connected, and nothing has come for a second."""
    until(lambda: listening.health().connected_since)
    received = -1
    while received != (received := listening.health().received):
        time.sleep(1)
