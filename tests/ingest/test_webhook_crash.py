from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import textwrap
import threading
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest
from collecting import until
from mosquitto import free_port

from ingest.journal import Journal

pytestmark = pytest.mark.server

KILLS = int(os.environ.get("GRUENPULS_COLLECTOR_KILLS", "10"))
"""How often the collector is killed."""

SENDERS = 8
TOKEN = "a-token-of-the-city"

COLLECTOR = textwrap.dedent(
    """
    import sys
    import threading
    from pathlib import Path
    from ingest.collect import collect
    from ingest.journal import Journal
    from ingest.webhook import Endpoint, webhooks

    sources = webhooks([Endpoint("lora", token=sys.argv[3])], "127.0.0.1", int(sys.argv[2]))

    def on_health(health):
        if health.sources[0].journalled:
            print("receives", flush=True)

    with Journal(Path(sys.argv[1])) as journal:
        collect(sources, journal, threading.Event(), on_health, health_seconds=0.01)
    """
)


class Sender(threading.Thread):
    """Posts numbers over one connection after the other, and remembers which ones it heard 200 for."""

    def __init__(self, port: int, first: int, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self._port = port
        self._number = first
        self._stopped = stop
        self.confirmed: list[int] = []

    def run(self) -> None:
        while not self._stopped.is_set():
            client = HTTPConnection("127.0.0.1", self._port, timeout=10)
            try:
                while not self._stopped.is_set():
                    self._number += SENDERS
                    client.request("POST", "/lora", b"%d" % self._number, {"Authorization": f"Bearer {TOKEN}"})
                    response = client.getresponse()
                    response.read()
                    if response.status == 200:
                        self.confirmed.append(self._number)
            except (OSError, HTTPException):
                time.sleep(0.01)
            finally:
                client.close()


def test_nothing_that_got_200_is_missing_after_kill_9(tmp_path: Path) -> None:
    chance = random.Random(20261122)
    directory = tmp_path / "journal"
    port = free_port()
    stop = threading.Event()
    senders = [Sender(port, first, stop) for first in range(SENDERS)]

    def confirmed() -> int:
        return sum(len(sender.confirmed) for sender in senders)

    for sender in senders:
        sender.start()
    for _ in range(KILLS):
        with subprocess.Popen(
            [sys.executable, "-c", COLLECTOR, str(directory), str(port), TOKEN], stdout=subprocess.PIPE, text=True
        ) as collector:
            assert collector.stdout
            assert collector.stdout.readline() == "receives\n"
            before = confirmed()
            until(lambda before=before: confirmed() > before + 20)
            time.sleep(chance.uniform(0, 0.4))
            collector.send_signal(signal.SIGKILL)
    stop.set()
    for sender in senders:
        sender.join(20)
    heard = {number for sender in senders for number in sender.confirmed}
    with Journal(directory) as journal:
        kept = [int(entry.message.payload) for entry in journal.read(0, 10_000_000)]
        assert journal.damage() == []
    assert len(heard) > 20 * KILLS
    assert heard <= set(kept)
    assert len(set(kept)) == len(kept), "nothing was posted twice, so nothing is there twice"
