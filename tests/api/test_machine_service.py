"""Metrics and health of a real service: collector, worker and console as processes of their own."""

from __future__ import annotations

import json
import re
import subprocess
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from pathlib import Path

import pytest
from api.exposition_text import samples
from mosquitto import free_port
from requirement import program
from service_process import ServiceProcess

pytestmark = pytest.mark.server

TOKEN = "a-token-of-the-city"


def asked(port: int, path: str) -> tuple[int, str]:
    """Return status and body of an answer; 0 where nobody answers."""
    try:
        with closing(HTTPConnection("127.0.0.1", port, timeout=20)) as client:
            client.request("GET", path)
            answer = client.getresponse()
            return answer.status, answer.read().decode()
    except OSError:
        return 0, ""


def posted(port: int, body: bytes) -> int:
    with closing(HTTPConnection("127.0.0.1", port, timeout=20)) as client:
        client.request("POST", "/lora", body, {"Authorization": f"Bearer {TOKEN}"})
        return client.getresponse().status


def complaints(port: int) -> list[str]:
    """Return what the service says is not ready."""
    status, body = asked(port, "/health/ready")
    found = json.loads(body)
    assert (status == 200) == found["ready"] == (not found["complaints"])
    return [it["code"] for it in found["complaints"]]


def test_a_service_tells_what_arrived_and_when_a_source_falls_silent(tmp_path: Path) -> None:
    port, hook = free_port(), free_port()
    (tmp_path / "gruenpuls.toml").write_text(
        f'[[webhooks]]\nname = "lora"\ntoken = "{TOKEN}"\nsilent_after = 5\n[webhook]\nport = {hook}\n'
        f"[console]\nport = {port}\n[work]\npause = 0.1\n[ready]\nfree_mb = 1\n",
        encoding="utf-8",
    )
    body = b'{"device": "bed-7", "payload_hex": "0a1b", "counter": 7, "time": "2026-07-01T12:00:00Z"}'
    with ServiceProcess("run", directory=tmp_path) as service:
        service.await_true(lambda: asked(port, "/health/live")[0] == 200, "live")
        service.await_true(lambda: asked(hook, "/health")[0] == 200, "listening")
        assert [posted(hook, body), posted(hook, body)] == [200, 200]

        def told() -> dict[str, float]:
            status, text = asked(port, "/metrics")
            assert status == 200
            return samples(text)

        service.await_true(lambda: told().get('gruenpuls_messages_duplicates{source="lora"}'), "worked off")
        service.await_true(lambda: told().get('gruenpuls_messages_journalled_total{source="lora"}') == 2, "reported")
        service.await_true(lambda: "gruenpuls_numbers_add_up" in told(), "checked")
        found = told()
        assert found['gruenpuls_messages_dead_lettered{source="lora"}'] == 1
        assert found['gruenpuls_source_received_total{source="lora"}'] == 2
        assert found["gruenpuls_journal_committed_messages_total"] == 2
        assert found["gruenpuls_journal_commit_seconds_sum"] > 0
        assert found["gruenpuls_numbers_add_up"] == found["gruenpuls_registry_agrees"] == 1
        service.await_true(lambda: complaints(port) == ["source_silent"], "silent")
        assert told()["gruenpuls_ready"] == 0
        service.await_true(lambda: posted(hook, body) == 200 and complaints(port) == [], "ready again")


def test_promtool_finds_nothing_to_complain_of(tmp_path: Path) -> None:
    promtool = program("promtool", "prometheus")
    port = free_port()
    (tmp_path / "gruenpuls.toml").write_text(f"[console]\nport = {port}\n", encoding="utf-8")
    with ServiceProcess("work", directory=tmp_path) as work, ExitStack() as later:
        # Which `work` opens once it has made the store.
        work.await_true((tmp_path / "var" / "uplinks.sqlite").exists, "ready")
        environment = {"GRUENPULS_DATA_DIR": str(tmp_path / "var"), "GRUENPULS_CONSOLE__PORT": str(port)}
        serve = later.enter_context(ServiceProcess("serve", directory=tmp_path / "serve", environment=environment))
        serve.await_true(lambda: "gruenpuls_numbers_add_up" in asked(port, "/metrics")[1], "checked")
        text = asked(port, "/metrics")[1]
    checked = subprocess.run([promtool, "check", "metrics"], input=text, text=True, capture_output=True, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_promtool_accepts_the_alerts_the_manual_proposes(tmp_path: Path) -> None:
    promtool = program("promtool", "prometheus")
    manual = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text("utf-8")
    (rules,) = re.findall(r"```yaml\n(groups:\n.*?)```", manual, re.DOTALL)
    (tmp_path / "rules.yaml").write_text(rules, "utf-8")
    checked = subprocess.run(
        [promtool, "check", "rules", str(tmp_path / "rules.yaml")], text=True, capture_output=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
    assert f"{rules.count('alert:')} rules found" in checked.stdout
