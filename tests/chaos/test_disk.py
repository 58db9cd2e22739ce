"""The disk is full for a while; a page is torn by a power cut; the clock is wrong."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from chaos.extent import extent
from chaos.fleet import (
    BEGIN,
    CLIENT,
    TOPIC,
    City,
    is_noise,
    is_strange,
    leave_session,
    message,
    portions,
    received,
    undisturbed,
)
from collecting import collecting, until
from mosquitto import Mosquitto, broker, free_port
from requirement import require

from gruenpuls.simulation.publish import Publisher
from ingest.journal import Journal
from ingest.mqtt import Broker, MqttCollector

__all__ = ["broker"]

UPLINKS = extent("DISK_UPLINKS", 1_000, 100_000)
"""How many are published before, while and after the disk is full, together."""
TEARS = extent("TEARS", 12, 1_000)
"""How often the power is cut in the middle of a commit."""
STEP_UPLINKS = extent("STEP_UPLINKS", 50, 12_500)
"""How many come between two jumps of the clock."""

pytestmark = pytest.mark.timeout(300 + max(UPLINKS, 8 * STEP_UPLINKS) // 50 + TEARS)

_DISK_BYTES = (32 << 20) + 1_000 * UPLINKS
_SECTOR = 512
_PAGE = 4096


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    require(os.geteuid() == 0, "a small disk can only be mounted as root")
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={_DISK_BYTES}", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(disk: Path) -> None:
    """Leave not a byte free."""
    with (disk / "ballast").open("wb", buffering=0) as ballast:
        for size in (1 << 20, _PAGE, 1):
            try:
                while ballast.write(bytes(size)) == size:
                    pass
            except OSError:
                continue


@pytest.mark.server
@pytest.mark.slow
def test_a_disk_that_is_full_for_a_while_costs_nothing(broker: Mosquitto, tmp_path: Path, small_disk: Path) -> None:
    with City(tmp_path / "city", broker.port, free_port(), small_disk / "var") as city:
        leave_session(broker.port)
        before, meanwhile, after = (
            range(UPLINKS // 4),
            range(UPLINKS // 4, UPLINKS // 4 * 3),
            range(UPLINKS // 4 * 3, UPLINKS),
        )
        with city.process("run") as service, Publisher(broker.host, broker.port) as publisher:
            publisher.publish_all(map(message, before))
            service.await_true(lambda: city.worked_off().total >= len(before), "worked off")
            fill(small_disk)
            publisher.publish_all(map(message, meanwhile))
            service.await_true(lambda: "full" in service.said, "complaining")
            # What came meanwhile waits at the broker: for a few tries there is nowhere to put it.
            time.sleep(3)
            assert city.worked_off().total < UPLINKS // 4 * 3
            (small_disk / "ballast").unlink()
            publisher.publish_all(map(message, after))
            assert publisher.drain()
            service.await_true(lambda: city.is_through(range(UPLINKS)), "worked off after all", 120 + UPLINKS // 500)
            service.process.terminate()
            assert service.ended() == 0
        city.assert_complete(range(UPLINKS), undisturbed(tmp_path / "undisturbed", range(UPLINKS)))


def test_a_torn_last_page_takes_only_what_was_not_acknowledged(tmp_path: Path) -> None:
    chance = random.Random(20261122)
    with City(tmp_path / "city") as city:
        directory = city.settings.journal_dir
        numbers = range(TEARS * 40)
        torn_away = 0
        for turn, part in enumerate(portions(numbers, 40)):
            with Journal(directory) as journal:
                # Acknowledged in two commits, so that the second stands behind the first in the log.
                for size in (part[:10], part[10:20]):
                    journal.append(received(size))
                acknowledged = journal.waiting(0)
                image = contents(directory)
                journal.append(received(part[20:]))
                cut_short = torn(image, contents(directory), chance)
            shutil.rmtree(directory)
            directory.mkdir()
            for name, content in cut_short.items():
                (directory / name).write_bytes(content)
            with Journal(directory) as journal:
                assert journal.damage() == [], f"turn {turn}"
                kept = journal.waiting(0)
                assert kept in {acknowledged, acknowledged + 20}, "all of a commit, or nothing"
                torn_away += kept == acknowledged
                # The broker got no acknowledgement, and sends it again.
                journal.append(received(part[20:]))
        assert torn_away > 0, "not one commit was torn"
        city.work_off()
        status = city.assert_complete(numbers, undisturbed(tmp_path / "undisturbed", numbers))
        assert status["duplicates"] <= (TEARS - torn_away) * 20


def contents(directory: Path) -> dict[str, bytes]:
    """Return the files of a journal, but for those SQLite makes again after a crash."""
    return {
        path.name: path.read_bytes()
        for path in directory.iterdir()
        if path.is_file() and not path.name.endswith("-shm")
    }


def torn(before: dict[str, bytes], after: dict[str, bytes], chance: random.Random) -> dict[str, bytes]:
    """Return the files as a power cut leaves them: new sectors of the log are missing, one of its last page."""
    found = dict(before)
    (log,) = (name for name in after if before.get(name) != after[name])
    assert log.endswith("-wal"), f"{log} is written before the commit is in the log"
    old, new = before[log].ljust(len(after[log]), b"\0"), after[log]
    changed = [at for at in range(0, len(new), _SECTOR) if old[at : at + _SECTOR] != new[at : at + _SECTOR]]
    last_page = [at for at in changed if at >= changed[-1] - _PAGE]
    lost = set(chance.sample(last_page, chance.randint(1, len(last_page))))
    lost |= {at for at in changed if chance.random() < chance.choice((0, 0.2))}
    sectors = ((old if at in lost else new)[at : at + _SECTOR] for at in range(0, len(new), _SECTOR))
    found[log] = b"".join(sectors)
    return found


@pytest.mark.server
def test_a_clock_that_jumps_costs_nothing_but_what_it_dates_before_its_time(broker: Mosquitto, tmp_path: Path) -> None:
    with City(tmp_path / "city", broker.port) as city:
        leave_session(broker.port)
        steps = [timedelta(hours=hours) for hours in (0, -3, 3, -30, 26, 24 * 400, 0)]
        wrong = timedelta(days=-365)
        numbers = range(STEP_UPLINKS * (len(steps) + 1))
        step = timedelta()

        def clock() -> datetime:
            return BEGIN + timedelta(days=30) + step

        source = MqttCollector("fleet", Broker(broker.host, broker.port, CLIENT), [TOPIC], clock=clock)
        with (
            Journal(city.settings.journal_dir, clock=clock) as journal,
            collecting(source, journal),
            Publisher(broker.host, broker.port) as publisher,
        ):
            parts = list(portions(numbers, STEP_UPLINKS))
            for turn, part in enumerate(parts):
                step = [*steps, wrong][turn]
                publisher.publish_all(map(message, part))
                until(lambda expected=STEP_UPLINKS * (turn + 1): source.health().acknowledged >= expected)
        city.work_off()
        status = city.status()
        assert status["adds_up"]
        assert (status["journalled"], status["duplicates"], status["damaged_segments"]) == (
            {"fleet": len(numbers)},
            0,
            [],
        )
        early = sum(not is_noise(number) and not is_strange(number) for number in parts[-1])
        assert status["dead_letters_by_reason"]["implausible_time"] == early
        assert city.content() == undisturbed(tmp_path / "undisturbed", range(STEP_UPLINKS * len(steps)))
