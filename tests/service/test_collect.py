"""`gruenpuls collect` as a process of its own, with brokers that are there and brokers that are not."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from collecting import Publisher
from mosquitto import Mosquitto, broker, free_port
from service_process import ServiceProcess

from gruenpuls.domain.uplink import RawMessage
from gruenpuls.service.registry import open_registry
from gruenpuls.service.rooms import prepare
from gruenpuls.settings import Settings
from ingest.journal import Journal

__all__ = ["broker"]

pytestmark = pytest.mark.server

TOKEN = "a-token-of-the-city"


def settled(directory: Path, mqtt_port: int, hook_port: int, *more: str) -> Settings:
    """Write settings of a broker and a webhook, and make the rooms they need."""
    (directory / "gruenpuls.toml").write_text(
        f'[[sources]]\nname = "lora"\nport = {mqtt_port}\ntopics = ["city/+/up"]\n'
        + "".join(f"{line}\n" for line in more)
        + f'[[webhooks]]\nname = "hook"\ntoken = "{TOKEN}"\n[webhook]\nport = {hook_port}\n',
        encoding="utf-8",
    )
    settings = Settings(data_dir=directory / "var")
    prepare(settings)
    return settings


def posted(port: int) -> int:
    """Post an uplink, and return the answer's status; 0 while nobody listens."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=20)) as client:
        try:
            client.request("POST", "/hook", b'{"device": "x", "values": {"a": 1}}', {"X-Api-Key": TOKEN})
        except ConnectionError:
            return 0
        return client.getresponse().status


def test_a_broker_that_was_never_there_ends_it(tmp_path: Path) -> None:
    settled(tmp_path, free_port(), free_port())
    with ServiceProcess("collect", directory=tmp_path) as process:
        assert process.ended() == 4
        assert "the broker cannot be reached" in process.said


def test_tls_is_spoken_where_it_is_set(broker: Mosquitto, tmp_path: Path) -> None:
    settled(tmp_path, broker.port, free_port(), "tls = true")
    with ServiceProcess("collect", directory=tmp_path) as process:
        assert process.ended() == 4
        assert "the broker cannot be reached" in process.said, "it speaks no TLS"


def test_a_quiet_broker_that_was_once_there_is_waited_for_after_a_restart(broker: Mosquitto, tmp_path: Path) -> None:
    hook_port = free_port()
    settled(tmp_path, broker.port, hook_port)
    with ServiceProcess("collect", directory=tmp_path) as process:
        process.await_true(lambda: process.said.count("source connected") == 2, "connected")
        process.interrupt()
        assert process.ended() == 0
        assert "source not connected" not in process.said, "it was told to end"
    broker.stop()
    with ServiceProcess("collect", directory=tmp_path) as process:
        process.await_true(lambda: posted(hook_port) == 200, "journalled")
        process.await_true(lambda: "the broker cannot be reached" in process.said, "told in the log")


def heard_once(broker: Mosquitto, directory: Path) -> Settings:
    """Collect until a message of the broker is journalled."""
    settings = settled(directory, broker.port, free_port())
    with ServiceProcess("collect", directory=directory) as process:
        process.await_true(lambda: process.said.count("source connected") == 2, "connected")
        with Publisher(broker.port) as publisher:
            publisher.publish_all(range(1))
        process.await_true(lambda: said_of_lora(settings).get("acknowledged"), "acknowledged")
        process.interrupt()
        assert process.ended() == 0
    return settings


def said_of_lora(settings: Settings) -> Mapping[str, Any]:
    """Return what the collector said of the source last; nothing if it has said nothing yet."""
    with closing(open_registry(settings)) as registry:
        said = {one.name: one.body for one in registry.health.all()}
    return next((source for source in said.get("collect", {}).get("sources", ()) if source["name"] == "lora"), {})


def test_a_queue_that_was_lost_meanwhile_is_told(broker: Mosquitto, tmp_path: Path) -> None:
    settings = heard_once(broker, tmp_path)
    broker.stop()
    (broker.directory / "mosquitto.db").unlink()
    broker.start()
    with ServiceProcess("collect", directory=tmp_path) as process:
        process.await_true(lambda: "the broker has kept no queue for us" in process.said, "told")
        process.await_true(lambda: said_of_lora(settings)["queues_lost"] == 1, "counted")
        process.interrupt()
        assert process.ended() == 0
    lost_at = said_of_lora(settings)["queue_lost_at"]
    assert lost_at
    with ServiceProcess("collect", directory=tmp_path) as process:
        process.await_true(lambda: said_of_lora(settings)["queues_lost"] == 0, "reported")
        assert said_of_lora(settings)["queue_lost_at"] == lost_at


def test_under_another_client_id_no_queue_is_lost(broker: Mosquitto, tmp_path: Path) -> None:
    settings = heard_once(broker, tmp_path)
    settled(tmp_path, broker.port, free_port(), 'client_id = "another"')
    with ServiceProcess("collect", directory=tmp_path) as process:
        process.await_true(lambda: said_of_lora(settings)["queue"].endswith("/another"), "reported")
        process.await_true(lambda: said_of_lora(settings)["connected_since"], "connected")
        assert said_of_lora(settings)["queues_lost"] == 0
        assert "the broker has kept no queue for us" not in process.said


def test_a_new_address_where_nobody_is_ends_it_though_the_source_was_heard_elsewhere(
    broker: Mosquitto, tmp_path: Path
) -> None:
    heard_once(broker, tmp_path)
    settled(tmp_path, free_port(), free_port())
    with ServiceProcess("collect", directory=tmp_path) as process:
        assert process.ended() == 4
        assert "the broker cannot be reached" in process.said


def test_a_broker_known_from_before_that_is_away_keeps_no_webhook_from_working(tmp_path: Path) -> None:
    hook_port = free_port()
    settings = settled(tmp_path, free_port(), hook_port)
    with Journal(settings.journal_dir) as journal:
        journal.append([RawMessage("lora", "city/0/up", datetime(2026, 7, 1, tzinfo=UTC), b"{}")])
    with ServiceProcess("collect", directory=tmp_path) as process:
        process.await_true(lambda: posted(hook_port) == 200, "journalled")
        process.await_true(lambda: "trouble with a source" in process.said, "told in the log")
        assert "the broker cannot be reached" in process.said


def test_the_log_tells_of_an_outage_and_its_end(broker: Mosquitto, tmp_path: Path) -> None:
    settled(tmp_path, broker.port, free_port())
    with ServiceProcess("collect", directory=tmp_path) as process:
        process.await_true(lambda: process.said.count("source connected") == 2, "connected")
        with Publisher(broker.port) as publisher:
            publisher.publish_all(range(3))
        broker.stop()
        process.await_true(lambda: "source not connected" in process.said, "lost")
        broker.start()
        process.await_true(lambda: process.said.count("source connected") == 3, "connected again")
    assert TOKEN not in process.said
