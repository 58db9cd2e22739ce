from __future__ import annotations

import json
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from collecting import TOPIC, Collecting, until
from mosquitto import Mosquitto, broker
from network_store import FIRST_AT, KEY, NetworkStore
from service_process import ServiceProcess

from gruenpuls.stores.registry import Registry
from ingest.backfill import TheThingsStackKeeper
from ingest.backfill_fetch import Address
from ingest.backfill_orders import GapOrders
from ingest.backfill_source import GapCloser, Watched
from ingest.journal import Journal
from ingest.mqtt import Broker, MqttCollector

__all__ = ["broker"]

pytestmark = pytest.mark.server


def test_a_broker_that_was_away_leaves_a_gap_that_is_closed(broker: Mosquitto, tmp_path: Path) -> None:
    orders = GapOrders(tmp_path / "gaps")
    orders.note_covered(FIRST_AT)
    with NetworkStore(312) as store, Journal(tmp_path / "journal") as journal:
        line = MqttCollector("ttn", Broker(broker.host, broker.port, "collector"), [TOPIC], first_wait=0.05)
        keeper = TheThingsStackKeeper("trees", KEY, page_size=100)
        source = GapCloser(Watched(line, Address(store.url), keeper, orders, timedelta(seconds=1)))
        broker.stop()
        running = Collecting([line, source], journal).start()
        until(lambda: line.health().last_error)
        assert store.asked == []
        broker.start()
        until(lambda: "gap closed: 312 uplinks" in str(source.health().remark))
        running.stop()
        assert running.error is None
        assert journal.counts() == {"ttn (gaps)": 312}


def test_an_ordered_gap_is_closed_by_the_service_and_told(broker: Mosquitto, tmp_path: Path) -> None:
    with NetworkStore(312) as store:
        (tmp_path / "gruenpuls.toml").write_text(
            f'[[sources]]\nname = "ttn"\nport = {broker.port}\n[[gaps]]\nsource = "ttn"\n'
            f'network = "the_things_stack"\nurl = "{store.url}"\ncollection = "trees"\napi_key = "{KEY}"\n',
            encoding="utf-8",
        )
        span = ("--source", "ttn", "--from", "2026-07-01", "--to", "2026-07-02")
        with ServiceProcess("gap", "close", *span, directory=tmp_path) as order:
            assert order.ended() == 0
        with ServiceProcess("collect", directory=tmp_path) as service:
            service.await_true(lambda: counts(tmp_path) == {"ttn (gaps)": 312}, "fetched")
            service.await_true(lambda: "gap closed" in told(tmp_path), "told")
            assert KEY not in service.said
    assert not list(tmp_path.glob("var/gaps/*/order-*"))
    with ServiceProcess("status", directory=tmp_path) as status:
        assert status.ended() == 0
        assert "ttn (gaps): gap closed: 312 uplinks from 2026-07-01 00:00:00" in status.said


def counts(directory: Path) -> dict[str, int]:
    with closing(Journal.reader(directory / "var" / "journal")) as journal:
        return journal.counts()


def told(directory: Path) -> str:
    with closing(Registry.open(f"sqlite:///{directory / 'var' / 'registry.sqlite'}")) as registry:
        return json.dumps([component.body for component in registry.health.all()])
