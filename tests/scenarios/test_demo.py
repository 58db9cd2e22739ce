"""The demo as a new user tries it: one command, a page, a clean end."""

import json
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest
from mosquitto import free_port
from service_process import ServiceProcess

from gruenpuls.service.begin import system_name
from gruenpuls.service.start import PROCESSES

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
        # What the broker has taken last may still be on its way into the journal.
        demo.await_true(lambda: status(tmp_path)["decoded"] == 17_446, "worked off", 120, every=2)
        numbers = status(tmp_path)
        assert numbers["journalled"] == {"demo": 17_446}
        assert (numbers["waiting"], numbers["dead_lettered"], numbers["adds_up"]) == (0, 0, True)
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


def test_the_demo_ends_with_what_ends_its_service(tmp_path: Path) -> None:
    # An address of nobody's (RFC 5737).
    elsewhere = {"GRUENPULS_CONSOLE__HOST": "203.0.113.1"}
    words = ["demo", "--no-browser", "--directory", "demo", "--port", str(free_port())]
    with ServiceProcess(*words, directory=tmp_path, environment=elsewhere) as demo:
        assert demo.ended(120) == 4
        assert "203.0.113.1" in demo.said
        assert "'serve' ended with status 4" in demo.said
        assert "Traceback" not in demo.said


def naming(word: str) -> list[str]:
    """Return what processes are called that were started with a word."""
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if word.encode() in (directory / "cmdline").read_bytes():
                found.append((directory / "comm").read_text("utf-8").strip())
    return found


def test_no_process_outlives_a_demo_that_is_killed(tmp_path: Path) -> None:
    place = str(tmp_path / "demo")
    words = ["demo", "--packaged-broker", "--no-browser", "--directory", place, "--port", str(free_port())]
    with ServiceProcess(*words, directory=tmp_path) as demo:
        # The page is there before every process has begun.
        names = {system_name(name) for name in ("run", *PROCESSES)}
        demo.await_true(lambda: "Ctrl-C stops" in demo.said and names < set(naming(place)), "running whole", 120)
        demo.process.kill()
        demo.process.wait()
        until = time.monotonic() + 120
        while left := naming(place):
            assert time.monotonic() < until, left
            time.sleep(0.1)
