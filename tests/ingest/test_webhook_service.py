from __future__ import annotations

import json
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest
from mosquitto import free_port
from service_process import ServiceProcess

from gruenpuls.stores.registry import Registry
from ingest.journal import Journal

pytestmark = [pytest.mark.server, pytest.mark.slow]

TOKEN = "a-token-of-the-city"


def posted(port: int, body: bytes, token: str) -> int:
    with closing(HTTPConnection("127.0.0.1", port, timeout=20)) as client:
        client.request("POST", "/lora", body, {"Authorization": f"Bearer {token}"})
        return client.getresponse().status


def answers(port: int) -> bool:
    try:
        with closing(HTTPConnection("127.0.0.1", port, timeout=20)) as client:
            client.request("GET", "/health")
            return client.getresponse().status == 200
    except OSError:
        return False


def test_what_is_posted_to_the_service_is_accounted_for_and_its_repeat_a_duplicate(tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "gruenpuls.toml").write_text(
        f'[[webhooks]]\nname = "lora"\ntoken = "{TOKEN}"\n'
        f"[webhook]\nport = {port}\n[console]\nport = {free_port()}\n[work]\npause = 0.1\n",
        encoding="utf-8",
    )
    body = b'{"device": "bed-7", "payload_hex": "0a1b", "counter": 7, "time": "2026-07-01T12:00:00Z"}'
    (tmp_path / "var").mkdir()
    with (
        closing(Registry.open(f"sqlite:///{tmp_path / 'var' / 'registry.sqlite'}")) as registry,
        ServiceProcess("run", directory=tmp_path) as service,
    ):
        service.await_true(lambda: answers(port), "listening")
        assert [posted(port, body, TOKEN), posted(port, body, TOKEN), posted(port, body, "wrong")] == [200, 200, 401]
        service.await_true(lambda: registry.arrivals.noted().tally.total == 2, "worked off")
        with ServiceProcess("status", "--json", directory=tmp_path) as status:
            assert status.ended() == 0
            found = json.loads(status.said)
        assert TOKEN not in service.said
    assert found["journalled"] == {"lora": 2}
    assert (found["dead_letters_by_reason"], found["duplicates"]) == ({"unknown_device": 1}, 1)
    assert found["adds_up"]
    assert TOKEN.encode() not in b"".join(file.read_bytes() for file in tmp_path.glob("var/**/*.sqlite*"))
    with Journal.reader(tmp_path / "var" / "journal") as journal:
        assert [entry.message.payload for entry in journal.read(0, 10)] == [body, body]
