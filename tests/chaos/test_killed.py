"""Uplinks on their way through the whole service, while its processes are killed."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from chaos.extent import extent
from chaos.fleet import City, Content, children, leave_session, message, portions, undisturbed
from influx import Influx
from mosquitto import Mosquitto, broker, free_port
from service_process import ServiceProcess

from gruenpuls.queries.intake import WORK
from gruenpuls.service.ahead import NAME as READING
from gruenpuls.service.start import PROCESSES
from gruenpuls.simulation.publish import Publisher
from ingest.journal import Journal

__all__ = ["broker"]

UPLINKS = extent("UPLINKS", 1_500, 100_000)
"""How many are published while processes are killed."""
KILLS = extent("KILLS", 4, 20)
"""How many processes are killed."""
SEED = extent("SEED", 20261122, 20261122)
"""Of the moments of the kills."""
AWAY_SECONDS = extent("AWAY_SECONDS", 5, 90)
"""How long the store is away after all is in the journal."""

pytestmark = [pytest.mark.server, pytest.mark.slow, pytest.mark.timeout(300 + 90 * KILLS + UPLINKS // 100)]

_SERVER = "influxd"
_PUBLISHING_SECONDS = 1.0
"""Between two kills."""
_PORTION = 100
_BATCH = 200


def processes(service: ServiceProcess) -> dict[str, int]:
    """Return the processes of the service, and the one that reads for `work`, that run now."""
    found = children(service.process.pid)
    return found | children(found[WORK], [READING]) if WORK in found else found


def kill_one(service: ServiceProcess, name: str) -> str:
    """Kill a process of the service as soon as it runs; return which."""
    # What reads comes back with `work`, if it was killed already.
    names = [name, WORK] if name == READING else [name]
    seen: list[tuple[str, int]] = []

    def runs() -> bool:
        running = processes(service)
        seen[:] = [(one, running[one]) for one in names if one in running]
        return bool(seen)

    service.await_true(runs, f"running {name}")
    killed, process = seen[0]
    os.kill(process, signal.SIGKILL)
    return killed


def publish(port: int, numbers: range, seconds: float) -> None:
    """Publish uplinks evenly over a time."""
    parts = list(portions(numbers, _PORTION))
    started = time.monotonic()
    with Publisher("127.0.0.1", port) as publisher:
        for place, part in enumerate(parts):
            publisher.publish_all(map(message, part))
            time.sleep(max(0.0, started + seconds * (place + 1) / len(parts) - time.monotonic()))
        assert publisher.drain()
        assert publisher.acknowledged == len(numbers)


@pytest.fixture(scope="module")
def at_leisure(tmp_path_factory: pytest.TempPathFactory) -> Content:
    """Return what the store holds in the end if nothing is disturbed."""
    return undisturbed(tmp_path_factory.mktemp("undisturbed") / "city", range(UPLINKS))


@pytest.fixture(params=["embedded", "influxdb"])
def influx(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Influx | None]:
    """Yield the server that keeps the readings; None where they are files."""
    if request.param == "embedded":
        yield None
    else:
        with Influx(tmp_path) as server:
            yield server


def test_nothing_is_lost_or_doubled_while_processes_are_killed(
    broker: Mosquitto, influx: Influx | None, tmp_path: Path, at_leisure: Content
) -> None:
    chance = random.Random(SEED)
    # Each process is hit as often as the others, in an order nobody knows.
    hit = [*PROCESSES, READING, *([_SERVER] if influx else [])]
    victims = chance.sample(hit * -(-KILLS // len(hit)), KILLS)
    with City(tmp_path / "city", broker.port, free_port(), influx=influx.url if influx else None) as city:
        leave_session(broker.port)
        # Then a few hundred are so many that they are read ahead of time.
        with (city.directory / "gruenpuls.toml").open("a", encoding="utf-8") as settings:
            settings.write(f"[work]\nbatch = {_BATCH}\n")
        with city.process("run") as service:
            killed: list[str] = []
            for victim, share in zip(victims, portions(range(UPLINKS), -(-UPLINKS // KILLS)), strict=True):
                # Half of the kills come when all is well again, the others when something may still lie in ruins.
                goal = share.start if chance.random() < 0.5 else 0
                service.await_true(lambda goal=goal: city.worked_off().total >= goal, "working again")
                publishing = threading.Thread(target=publish, args=(broker.port, share, _PUBLISHING_SECONDS))
                publishing.start()
                time.sleep(chance.uniform(0, _PUBLISHING_SECONDS))
                if influx and victim == _SERVER:
                    influx.kill()
                    influx.start()
                    killed.append(victim)
                else:
                    killed.append(kill_one(service, victim))
                publishing.join()
            service.await_true(lambda: city.is_through(range(UPLINKS)), "worked off", 120 + 5 * KILLS)
            service.await_true(lambda: len(children(service.process.pid)) == len(PROCESSES), "running again")
            service.process.terminate()
            assert service.ended() == 0
            assert service.said.count("process ended, starting it again") == sum(one in PROCESSES for one in killed)
        status = city.assert_complete(range(UPLINKS), at_leisure)
        again = status["journalled"]["fleet"] - UPLINKS
        print(f"{UPLINKS} uplinks, killed: {', '.join(killed)}; {again} came twice")  # noqa: T201 - the report of a long run


def test_a_store_that_is_away_for_the_whole_run_is_named_and_costs_nothing(
    broker: Mosquitto, tmp_path: Path, at_leisure: Content
) -> None:
    server, console = Influx(tmp_path), free_port()
    with City(tmp_path / "city", broker.port, console, influx=server.url) as city:
        leave_session(broker.port)
        with city.process("run") as service:
            publish(broker.port, range(UPLINKS), 0)
            with Journal.reader(city.settings.journal_dir) as journal:
                service.await_true(lambda: journal.waiting(0) >= UPLINKS, "in the journal", 60 + UPLINKS // 500)

            def complaints() -> set[str] | None:
                said = ready(console)
                return None if said is None else {it["code"] for it in said["complaints"]}

            service.await_true(lambda: "work_failing" in (complaints() or ()), "complaining")
            # Longer than a process may be silent, and work waits longer and longer between two tries.
            until = time.monotonic() + AWAY_SECONDS
            while time.monotonic() < until:
                heard = complaints()
                assert heard is not None, "the console does not answer"
                assert "process_silent" not in heard
                time.sleep(1)
            status = city.status()
            assert status["adds_up"]
            assert (status["waiting"], status["by_source"]["fleet"]["waiting"]) == (UPLINKS, UPLINKS)
            assert server.url in next(it["complaint"] for it in status["processes"] if it["name"] == "work")
            assert all(it["alive"] for it in status["processes"])
            with server:
                service.await_true(lambda: city.is_through(range(UPLINKS)), "worked off", 120 + UPLINKS // 500)
                service.await_true(lambda: (said := complaints()) is not None and "work_failing" not in said, "content")
                service.process.terminate()
                assert service.ended() == 0
                again = city.assert_complete(range(UPLINKS), at_leisure)["duplicates"]
        print(f"{UPLINKS} uplinks while the store was away: 0 lost, {again} came twice")  # noqa: T201 - the report of a long run


def ready(console: int) -> Any:  # noqa: ANN401 - any JSON value
    """Return what the service says of itself; None where nothing answers."""
    try:
        response = httpx.get(f"http://127.0.0.1:{console}/health/ready", timeout=60)
    except httpx.TransportError:
        return None
    return response.json()


def test_uplinks_wait_in_the_journal_while_the_store_is_away(
    broker: Mosquitto, tmp_path: Path, at_leisure: Content
) -> None:
    with City(tmp_path / "city", broker.port) as city:
        leave_session(broker.port)
        with city.process("collect") as collector:
            publish(broker.port, range(UPLINKS), 0)
            with Journal.reader(city.settings.journal_dir) as journal:
                collector.await_true(lambda: journal.waiting(0) >= UPLINKS, "in the journal")
        with city.process("work") as work:
            work.await_true(lambda: city.is_through(range(UPLINKS)), "worked off", 60 + UPLINKS // 500)
        city.assert_complete(range(UPLINKS), at_leisure)
