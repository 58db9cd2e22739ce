"""How much memory the service holds while a million uplinks of 10,000 devices go through it.

Run with ``python benchmarks/memory.py``. A simulated city is registered with its sites, so that processors and
rules have their work as well; its frames come through a mosquitto of its own as fast as that takes them.
Printed is the resident memory of every process each time another twentieth is worked off, shared pages counted
once, and in the end the most the tree held and how far it strayed from its median once a fifth was worked off.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import sys
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from contenders.process_tree import resident, with_children  # noqa: E402 - the path comes first
from machine import busyness  # noqa: E402 - the path comes first
from mosquitto import Mosquitto, free_port  # noqa: E402 - the path comes first
from service_process import ServiceProcess  # noqa: E402 - the path comes first

from gruenpuls.service.ahead import NAME as READING  # noqa: E402 - the path comes first
from gruenpuls.service.begin import system_name  # noqa: E402 - the path comes first
from gruenpuls.service.registry import open_registry  # noqa: E402 - the path comes first
from gruenpuls.service.start import PROCESSES  # noqa: E402 - the path comes first
from gruenpuls.settings import settings_from  # noqa: E402 - the path comes first
from gruenpuls.stores.registry import Registry  # noqa: E402 - the path comes first

_TOPICS = ("application/+/device/+/event/up", "v3/+/devices/+/up", "helium/+/rx")
_REST_SECONDS = 20.0


def main() -> None:
    """Run the service and watch it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sites", type=int, default=8300, help="with about 1.2 devices each")
    parser.add_argument("--hours", type=int, default=104, help="of one uplink an hour and device")
    arguments = parser.parse_args()
    os.environ["PYTHONPATH"] = str(ROOT)
    with tempfile.TemporaryDirectory() as name, Mosquitto(Path(name)) as broker:
        directory = Path(name) / "city"
        directory.mkdir()
        topics = ", ".join(f'"{topic}"' for topic in _TOPICS)
        file = directory / "gruenpuls.toml"
        file.write_text(
            f'data_dir = "{directory / "var"}"\n'
            f'[[sources]]\nname = "city"\nport = {broker.port}\ntopics = [{topics}]\nclient_id = "city"\n'
            f"[console]\nport = {free_port()}\n",
            encoding="utf-8",
        )
        # The last days: what is derived from uplinks of long ago would be computed for all the time since.
        first = datetime.now(UTC).replace(minute=0) - timedelta(hours=arguments.hours)
        city = ["--sites", str(arguments.sites), "--from", f"{first:%Y-%m-%dT%H:%MZ}"]
        hours = [f"{first + timedelta(hours=count):%Y-%m-%dT%H:%MZ}" for count in (1, arguments.hours)]
        frames = ("--settings", str(file), "simulate", "frames", *city, "--to")
        print(busyness())
        with ServiceProcess(*frames, hours[0], str(directory / "x"), "--register", directory=directory / "a") as some:
            assert some.ended(900) == 0, some.said
        with (
            ServiceProcess("--settings", str(file), "run", directory=directory / "b") as service,
            closing(open_registry(settings_from(file))) as registry,
        ):
            time.sleep(_REST_SECONDS)
            told(0, held(service))
            with ServiceProcess(*frames, hours[1], directory=directory / "c") as publishing:
                watch(registry, service, publishing, arguments.hours * registry.devices.count())


def watch(registry: Registry, service: ServiceProcess, publishing: ServiceProcess, about: int) -> None:
    """Print what the service holds until all is worked off, and what it comes to."""
    curve: list[tuple[int, float]] = []
    started, next_at, done, published = time.monotonic(), 0, 0, None
    while published is None or done < published:
        time.sleep(1)
        assert service.process.poll() is None, service.said
        if published is None and publishing.process.poll() is not None:
            published = int(re.findall(r"(\d+) acknowledged by the broker", publishing.said)[0])
        done = registry.arrivals.noted().tally.total
        memory = held(service)
        curve.append((done, sum(memory.values())))
        if done >= next_at:
            told(done, memory)
            next_at = done + about // 20
    seconds = time.monotonic() - started
    settled = [memory for number, memory in curve if number >= done / 5]
    middle = statistics.median(settled)
    print(f"{done:,} uplinks of {registry.devices.count():,} devices in {seconds:.0f} s")
    print(f"at most {max(memory for _, memory in curve):.0f} MB; after a fifth {middle:.0f} MB, ", end="")
    print(f"{min(settled) / middle - 1:+.0%} to {max(settled) / middle - 1:+.0%}")


def held(service: ServiceProcess) -> dict[str, float]:
    """Return resident memory by process [MB]."""
    found: dict[str, float] = {}
    for process in with_children([service.process.pid]):
        try:
            called = Path(f"/proc/{process}/comm").read_text("utf-8").strip()
        except OSError:
            continue
        name = next((name for name in (*PROCESSES, READING) if system_name(name) == called), "run and others")
        found[name] = found.get(name, 0.0) + resident(process)
    return found


def told(done: int, memory: dict[str, float]) -> None:
    """Print a point of the curve."""
    parts = ", ".join(f"{name} {size:.0f}" for name, size in sorted(memory.items()))
    print(f"{done:9,} uplinks: {sum(memory.values()):4.0f} MB ({parts})", flush=True)


if __name__ == "__main__":
    main()
