from __future__ import annotations

import random
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from network_store import EVERY, FIRST_AT, KEY, NetworkStore

from ingest.backfill import Span
from ingest.backfill_orders import GapOrders
from ingest.envelopes import read_uplink
from ingest.journal import Journal

pytestmark = pytest.mark.server

KILLS = 4
"""How often the collector is killed; then it may finish."""

COUNT = 2_000
PAGE_SIZE = 100

COLLECTOR = textwrap.dedent(
    """
    import sys
    import threading
    from datetime import timedelta
    from pathlib import Path
    from ingest.backfill import TheThingsStackKeeper
    from ingest.backfill_fetch import Address
    from ingest.backfill_orders import GapOrders
    from ingest.backfill_source import GapCloser, Watched
    from ingest.collect import collect
    from ingest.journal import Journal
    from ingest.webhook import Endpoint, webhooks

    (line,) = webhooks([Endpoint("ttn")], "127.0.0.1", 0)
    keeper = TheThingsStackKeeper("trees", sys.argv[3], page_size=int(sys.argv[4]))
    orders = GapOrders(Path(sys.argv[1]) / "gaps")
    closer = GapCloser(Watched(line, Address(sys.argv[2]), keeper, orders, timedelta(minutes=2)))
    stop = threading.Event()

    def on_health(health):
        if health.sources[0].received:
            print("fetches", flush=True)
        if "gap closed" in str(health.sources[0].remark) and not orders.open():
            stop.set()

    with Journal(Path(sys.argv[1]) / "journal") as journal:
        collect([closer], journal, stop, on_health, health_seconds=0.01)
    """
)


def test_a_gap_is_closed_however_often_the_collector_is_killed_over_it(tmp_path: Path) -> None:
    chance = random.Random(20261122)
    orders = GapOrders(tmp_path / "gaps")
    orders.place(Span(FIRST_AT - EVERY, FIRST_AT + COUNT * EVERY))
    for attempt in range(KILLS + 1):
        with (
            NetworkStore(COUNT) as store,
            subprocess.Popen(
                [sys.executable, "-c", COLLECTOR, str(tmp_path), store.url, KEY, str(PAGE_SIZE)],
                stdout=subprocess.PIPE,
                text=True,
            ) as collector,
        ):
            if attempt < KILLS:
                # However late the kill comes, it is not done before.
                store.troubles.extend([*[""] * chance.randrange(1, COUNT // PAGE_SIZE), "held"])
            assert collector.stdout
            assert collector.stdout.readline() == "fetches\n"
            if attempt < KILLS:
                time.sleep(chance.uniform(0, 0.1))
                collector.send_signal(signal.SIGKILL)
                collector.wait()
                assert orders.open(), "it was killed before it was done"
            else:
                collector.stdout.read()
                assert collector.wait(60) == 0
    assert orders.open() == []
    with Journal(tmp_path / "journal") as journal:
        kept = {read_uplink(entry.message).frame_counter for entry in journal.read(0, 1_000_000)}
    assert kept == set(range(COUNT))
