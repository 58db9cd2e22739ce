"""The demo as a new user tries it: one command, a page, a clean end."""

import json
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from mosquitto import free_port
from service_process import ServiceProcess

pytestmark = [pytest.mark.server, pytest.mark.slow, pytest.mark.timeout(400)]


def status(directory: Path) -> dict[str, object]:
    command = [
        sys.executable,
        "-m",
        "gruenpuls",
        "--settings",
        str(directory / "demo" / "gruenpuls.toml"),
        "status",
        "--json",
    ]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, object] = json.loads(ended.stdout)
    return found


@pytest.mark.parametrize("packaged_broker", [False, True])
def test_the_demo_plays_everything_shows_it_and_stops_cleanly(tmp_path: Path, packaged_broker: bool) -> None:
    port = free_port()
    words = ["demo", "--no-browser", "--directory", "demo", "--port", str(port), "--minutes", "0.25"]
    if packaged_broker:
        words.append("--packaged-broker")
    with ServiceProcess(*words, directory=tmp_path) as demo:
        demo.await_true(lambda: "The replay is over" in demo.said, "over", 200)
        demo.await_true(lambda: status(tmp_path)["waiting"] == 0, "worked off", 120, every=2)
        numbers = status(tmp_path)
        assert numbers["journalled"] == {"demo": 17_446}
        assert (numbers["decoded"], numbers["dead_lettered"], numbers["adds_up"]) == (17_446, 0, True)
        page = urllib.request.urlopen(f"http://127.0.0.1:{port}/?lang=en", timeout=30).read().decode()
        assert "Tour Perret" in page
        assert "concrete tower" in page
        demo.interrupt()
        assert demo.ended() == 0
        assert "Stopped." in demo.said
        assert "Traceback" not in demo.said


def test_the_demo_does_not_empty_a_directory_that_is_not_its_own(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "thesis.txt").write_text("precious", encoding="utf-8")
    with ServiceProcess(
        "demo", "--no-browser", "--directory", "demo", "--port", str(free_port()), directory=tmp_path
    ) as demo:
        assert demo.ended() == 2
        assert "not emptied" in demo.said
    assert (tmp_path / "demo" / "thesis.txt").exists()
