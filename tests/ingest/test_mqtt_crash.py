from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest
from collecting import TOPIC, Publisher, collecting, numbers, until
from mosquitto import Mosquitto, broker

from ingest.journal import Journal
from ingest.mqtt import Broker, MqttCollector

__all__ = ["broker"]

pytestmark = [pytest.mark.server, pytest.mark.timeout(400)]

KILLS = int(os.environ.get("GRUENPULS_COLLECTOR_KILLS", "10"))
"""How often the collector is killed."""

COLLECTOR = textwrap.dedent(
    """
    import sys
    import threading
    from pathlib import Path
    from ingest.collect import collect
    from ingest.journal import Journal
    from ingest.mqtt import Broker, MqttCollector

    source = MqttCollector("mqtt", Broker("127.0.0.1", int(sys.argv[2]), "collector"), [sys.argv[3]])

    def on_health(health):
        if health.sources[0].journalled:
            print("receives", flush=True)

    with Journal(Path(sys.argv[1])) as journal:
        collect([source], journal, threading.Event(), on_health, health_seconds=0.01)
    """
)


def test_nothing_the_publisher_got_acknowledged_is_missing_after_kill_9(broker: Mosquitto, tmp_path: Path) -> None:
    chance = random.Random(20261122)
    directory = tmp_path / "journal"
    address = Broker(broker.host, broker.port, "collector")
    with Publisher(broker.port) as publisher:
        source = MqttCollector("mqtt", address, [TOPIC])
        with Journal(directory) as journal, collecting(source, journal):
            until(lambda: source._started)

        stop = threading.Event()
        sent = threading.Thread(target=publish_until, args=(publisher, stop))
        sent.start()
        kept_before = 0
        for _ in range(KILLS):
            with subprocess.Popen(
                [sys.executable, "-c", COLLECTOR, str(directory), str(broker.port), TOPIC],
                stdout=subprocess.PIPE,
                text=True,
            ) as collector:
                assert collector.stdout
                assert collector.stdout.readline() == "receives\n"
                time.sleep(chance.uniform(0, 0.4))
                collector.send_signal(signal.SIGKILL)
            with Journal.reader(directory) as journal:
                kept = journal.waiting(0)
            assert kept > kept_before
            kept_before = kept
        stop.set()
        sent.join()
        until(lambda: not publisher.under_way, within=150)

        source = MqttCollector("mqtt", address, [TOPIC])
        with Journal(directory) as journal, collecting(source, journal):
            until(lambda: publisher.acknowledged <= set(numbers(journal)), within=150, every=0.5)
            assert journal.damage() == []
    assert len(publisher.acknowledged) > 100 * KILLS


def publish_until(publisher: Publisher, stop: threading.Event) -> None:
    number = 0
    while not stop.is_set():
        for _ in range(50):
            publisher.publish(number)
            number += 1
        time.sleep(0.02)
