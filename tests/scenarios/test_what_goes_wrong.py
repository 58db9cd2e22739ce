"""What a person sees when something outside is wrong: a clear message, and a defined end."""

import os
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from mosquitto import Mosquitto, free_port
from requirement import require
from service_process import ServiceProcess

from gruenpuls.domain.clock import ReplaySpan
from gruenpuls.domain.uplink import RawMessage
from gruenpuls.service.rooms import keep_replay_spans, replay_spans
from gruenpuls.stores.registry import Registry
from ingest.journal import Journal

pytestmark = pytest.mark.server


def settings(directory: Path, text: str) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "gruenpuls.toml").write_text(f'data_dir = "var"\n{text}', encoding="utf-8")
    return directory


def test_a_broker_that_is_not_there_ends_the_run_with_4(tmp_path: Path) -> None:
    port = free_port()
    directory = settings(tmp_path, f'[[sources]]\nname = "lora"\nport = {port}\n[console]\nport = {free_port()}\n')
    with ServiceProcess("run", directory=directory) as service:
        assert service.ended() == 4
        assert f"127.0.0.1:{port}" in service.said
        assert "'collect' ended" in service.said
        assert "Traceback" not in service.said


def test_a_wrong_password_ends_the_collector_with_4(tmp_path: Path) -> None:
    with Mosquitto(tmp_path, users={"collector": "right"}) as broker:
        source = f'[[sources]]\nname = "lora"\nport = {broker.port}\nusername = "collector"\npassword = "wrong"\n'
        with ServiceProcess("collect", directory=settings(tmp_path / "city", source)) as service:
            assert service.ended() == 4
            assert "lora" in service.said
            assert "password" in service.said
            assert "wrong" not in service.said.replace("wrong password", "")


def test_a_busy_port_ends_the_console_with_4(tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as somebody:
        directory = settings(tmp_path / "city", f"[console]\nport = {somebody.port}\n")
        with ServiceProcess("serve", directory=directory) as service:
            assert service.ended() == 4
            assert f"127.0.0.1:{somebody.port}" in service.said
            assert "console.port" in service.said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_replay_that_is_stopped_leaves_no_clock_behind(tmp_path: Path, number: signal.Signals) -> None:
    with Mosquitto(tmp_path) as broker:
        directory = settings(tmp_path / "city", f'[[sources]]\nname = "lora"\nport = {broker.port}\n')
        lines = [f'{{"device": "bed", "time": "2023-08-{day}T12:00:00Z", "values": {{"a": 1}}}}' for day in (14, 28)]
        (directory / "recorded.ndjson").write_text("\n".join(lines), encoding="utf-8")
        with (
            closing(Registry.open(f"sqlite:///{directory / 'registry.sqlite'}")) as registry,
            ServiceProcess(
                "replay",
                "recorded.ndjson",
                "--speed",
                "1",
                directory=directory,
                environment={"GRUENPULS_REGISTRY_URL": f"sqlite:///{directory / 'registry.sqlite'}"},
            ) as replay,
        ):
            replay.await_true(lambda: replay_spans(registry), "playing")
            replay.process.send_signal(number)
            assert replay.ended() == 0
            assert replay_spans(registry) == ()


def test_a_service_that_starts_follows_no_clock_of_a_killed_replay(tmp_path: Path) -> None:
    then, now = datetime(2023, 8, 14, tzinfo=UTC), datetime.now(UTC)
    url = f"sqlite:///{tmp_path / 'registry.sqlite'}"
    with Mosquitto(tmp_path / "broker") as broker, closing(Registry.open(url)) as registry:
        span = ReplaySpan("recorded", then, then + timedelta(days=1), now - timedelta(hours=1), now)
        keep_replay_spans(registry, [span], actor="test")
        source = f'[[sources]]\nname = "lora"\nport = {broker.port}\n[console]\nport = {free_port()}\n'
        directory = settings(tmp_path / "city", source)
        with ServiceProcess("run", directory=directory, environment={"GRUENPULS_REGISTRY_URL": url}) as service:
            service.await_true(lambda: not replay_spans(registry), "in the present")


def test_a_second_service_on_the_same_data_ends_with_6(tmp_path: Path) -> None:
    directory = settings(tmp_path, "")
    with ServiceProcess("work", directory=directory) as first:
        first.await_true((directory / "var" / "uplinks.sqlite").exists, "working")
        with ServiceProcess(
            "work", directory=directory / "again", environment={"GRUENPULS_DATA_DIR": str(directory / "var")}
        ) as second:
            assert second.ended() == 6
            assert str(first.process.pid) in second.said


def test_a_port_that_is_no_number_ends_with_3(tmp_path: Path) -> None:
    with ServiceProcess("serve", directory=settings(tmp_path, '[console]\nport = "many"\n')) as service:
        assert service.ended() == 3
        assert "console.port" in service.said


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    require(os.geteuid() == 0, "a small disk can only be mounted as root")
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_full_disk_ends_a_command_with_5_and_says_so(small_disk: Path, tmp_path: Path) -> None:
    (small_disk / "ballast").write_bytes(b"x" * (3 << 20))
    data = {"GRUENPULS_DATA_DIR": str(small_disk / "var")}
    with ServiceProcess("site", "list", directory=tmp_path / "city", environment=data) as command:
        assert command.ended() == 5
        assert "Traceback" not in command.said
        assert "→" in command.said


def test_a_corrupt_journal_page_is_set_aside_counted_and_told(tmp_path: Path) -> None:
    directory = settings(tmp_path, "")
    with Journal(directory / "var" / "journal") as journal:
        journal.append([RawMessage("lora", "t", datetime.now(UTC), os.urandom(400)) for _ in range(200)])
    (segment,) = (directory / "var" / "journal").glob("*.sqlite*")
    with sqlite3.connect(segment) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    with segment.open("r+b") as file:
        file.seek(segment.stat().st_size // 2)
        file.write(os.urandom(512))
    with ServiceProcess("work", directory=directory) as service:
        service.await_true((directory / "var" / "uplinks.sqlite").exists, "working")
        with ServiceProcess(
            "status", directory=directory / "asking", environment={"GRUENPULS_DATA_DIR": str(directory / "var")}
        ) as status:
            assert status.ended() == 0
            assert "damaged" in status.said
            assert "backup" in status.said
