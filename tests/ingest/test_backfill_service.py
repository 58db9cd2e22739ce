from __future__ import annotations

import json
from contextlib import closing
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path

import pytest
from collecting import TOPIC, Collecting, until
from mosquitto import Mosquitto, broker, free_port
from network_store import FIRST_AT, KEY, NetworkStore, stored
from service_process import ServiceProcess

from gruenpuls.stores.registry import Registry
from ingest import backfill_source
from ingest.backfill import TheThingsStackKeeper
from ingest.backfill_fetch import Address
from ingest.backfill_orders import GapOrders
from ingest.backfill_source import GapCloser, Watched
from ingest.journal import Journal
from ingest.mqtt import Broker, MqttCollector

__all__ = ["broker"]

pytestmark = [pytest.mark.server, pytest.mark.slow]


def test_a_broker_that_was_away_leaves_a_gap_that_is_closed(broker: Mosquitto, tmp_path: Path) -> None:
    orders = GapOrders(tmp_path / "gaps")
    orders.note_covered(FIRST_AT)
    with NetworkStore(312) as store, Journal(tmp_path / "journal") as journal:
        line = collector(broker)
        keeper = TheThingsStackKeeper("trees", KEY, page_size=100)
        watched = Watched(line, Address(store.url), keeper, orders, timedelta(seconds=1))
        source = GapCloser(watched, margin=timedelta(seconds=1))
        broker.stop()
        running = Collecting([line, source], journal).start()
        until(lambda: line.health().last_error)
        assert store.asked == []
        broker.start()
        until(lambda: "gap closed: 312 uplinks" in str(source.health().remark))
        running.stop()
        assert running.error is None
        assert journal.counts() == {"ttn (gaps)": 312}


def test_a_broker_killed_with_its_queue_leaves_a_gap_however_short(
    broker: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backfill_source, "_NOTE_EVERY", timedelta(seconds=0.1))
    orders = GapOrders(tmp_path / "gaps")
    with NetworkStore(1) as store, Journal(tmp_path / "journal") as journal:
        line = collector(broker)
        watched = Watched(
            line, Address(store.url), TheThingsStackKeeper("trees", KEY), orders, longest_absence=timedelta(minutes=2)
        )
        running = Collecting([line, GapCloser(watched, margin=timedelta(seconds=1))], journal).start()
        until(orders.covered_until)
        broker.restart()
        until(lambda: line.health().reconnects == 1 and line.health().connected_since)
        back_at = line.health().connected_since
        until(lambda: back_at and (orders.covered_until() or back_at) > back_at)
        assert orders.open() == [], "the broker has kept what came meanwhile"
        broker.kill()
        (broker.directory / "mosquitto.db").unlink()
        broker.start()
        until(orders.closed)
        running.stop()
        assert running.error is None
    (gap,) = orders.closed()
    assert gap.span.end - gap.span.start < timedelta(minutes=1)


def test_an_ordered_gap_is_closed_by_the_service_and_what_had_arrived_is_a_duplicate(tmp_path: Path) -> None:
    port = free_port()
    with NetworkStore(312) as store:
        (tmp_path / "gruenpuls.toml").write_text(
            f'[[webhooks]]\nname = "ttn"\ntoken = "{KEY}-{KEY}"\n[webhook]\nport = {port}\n'
            f'[[gaps]]\nsource = "ttn"\nnetwork = "the_things_stack"\nurl = "{store.url}"\n'
            f'collection = "trees"\napi_key = "{KEY}"\n[console]\nport = {free_port()}\n[work]\npause = 0.1\n',
            encoding="utf-8",
        )
        span = ("--source", "ttn", "--from", "2026-07-01", "--to", "2026-07-02")
        with ServiceProcess("gap", "close", *span, directory=tmp_path) as order:
            assert order.ended() == 0
        with (
            closing(Registry.open(f"sqlite:///{tmp_path / 'var' / 'registry.sqlite'}")) as registry,
            ServiceProcess("run", directory=tmp_path) as service,
        ):
            service.await_true(lambda: "gap closed" in told(registry), "told")
            with closing(HTTPConnection("127.0.0.1", port, timeout=20)) as client:
                client.request("POST", "/ttn", json.dumps(stored(5)), {"X-Api-Key": f"{KEY}-{KEY}"})
                assert client.getresponse().status == 200
            service.await_true(lambda: registry.arrivals.noted().tally.total == 313, "worked off")
            assert registry.arrivals.noted().tally.duplicates == 1
            assert KEY not in service.said
    assert counts(tmp_path) == {"ttn": 1, "ttn (gaps)": 312}
    assert not list(tmp_path.glob("var/gaps/*/order-*"))
    with ServiceProcess("status", directory=tmp_path) as status:
        assert status.ended() == 0
        assert "ttn (gaps): gap closed: 312 uplinks from 2026-07-01 00:00:00" in status.said


def collector(broker: Mosquitto) -> MqttCollector:
    address = Broker(broker.host, broker.port, "collector")
    return MqttCollector("ttn", address, [TOPIC], first_wait=0.05, longest_wait=0.3)


def counts(directory: Path) -> dict[str, int]:
    with closing(Journal.reader(directory / "var" / "journal")) as journal:
        return journal.counts()


def told(registry: Registry) -> str:
    return json.dumps([component.body for component in registry.health.all()])
