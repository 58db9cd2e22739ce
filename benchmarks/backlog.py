"""How fast a backlog in the journal becomes readings in the store, and how much memory that takes.

Run with ``python benchmarks/backlog.py``: 5,000 sensors that reported every 15 minutes for a day, each at a site
of its own, in three networks' envelopes. ``--sensors 10000 --uplinks 1000000`` shows whether memory stays flat.
Processor time is steadier than the rate, and counts the start and both processes; memory is that of the one that
stores. ``work`` computes and judges besides, which is not in these figures.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from decoding_bench import PROBE_TEXT, payload_of  # noqa: E402 - the path comes first
from machine import busyness  # noqa: E402 - the path comes first

from gruenpuls.domain.device import Deployment, Device  # noqa: E402 - the path comes first
from gruenpuls.domain.site import Site, SiteKind  # noqa: E402 - the path comes first
from gruenpuls.domain.uplink import RawMessage  # noqa: E402 - the path comes first
from gruenpuls.service.ahead import reading_ahead  # noqa: E402 - the path comes first
from gruenpuls.service.registry import open_registry  # noqa: E402 - the path comes first
from gruenpuls.service.work import COLLECT_AFTER  # noqa: E402 - the path comes first
from gruenpuls.service.workshop import workshop  # noqa: E402 - the path comes first
from gruenpuls.settings import Settings, settings_from  # noqa: E402 - the path comes first
from gruenpuls.simulation.messages import chirpstack_v4, helium, things_stack_v3  # noqa: E402 - the path comes first
from ingest.journal import Journal  # noqa: E402 - the path comes first

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
PERIOD = timedelta(minutes=15)
NETWORKS = (chirpstack_v4, things_stack_v3, helium)
COMMIT = 1_000
LINES = 10


def key(sensor: int) -> str:
    """Return a sensor's DevEUI."""
    return f"a81758fffe{sensor:06x}"


def uplink(number: int, sensors: int) -> RawMessage:
    """Return a message of the fleet; all report once a period, one after the other."""
    counter, sensor = divmod(number, sensors)
    sent = NETWORKS[sensor % len(NETWORKS)](
        key(sensor),
        payload_of((number * 7 % 400 - 100) / 10, number % 101),
        port=5,
        counter=counter,
        measured_at=BEGIN + counter * PERIOD + sensor * PERIOD / sensors,
    )
    return RawMessage("fleet", f"fleet/{key(sensor)}/up", datetime.now(UTC), sent)


def city(directory: Path, sensors: int, uplinks: int) -> Settings:
    """Make a data directory: sensors at sites, and their uplinks in the journal."""
    (directory / "profiles").mkdir()
    (directory / "profiles" / "bench-probe.yaml").write_text(PROBE_TEXT, encoding="utf-8")
    file = directory / "gruenpuls.toml"
    file.write_text(
        f'data_dir = "{directory / "var"}"\nprofiles_dir = "{directory / "profiles"}"\n[store]\nthreads = 1\n', "utf-8"
    )
    settings = settings_from(file)
    sites = [Site(f"site-{sensor}", f"Baum {sensor}", SiteKind.STREET_TREE) for sensor in range(sensors)]
    with closing(open_registry(settings)) as registry:
        registry.devices.add_all([Device(key(sensor), "bench-probe") for sensor in range(sensors)], actor="benchmark")
        registry.places.add_all(sites, actor="benchmark")
        mounted = [Deployment(key(sensor), site.key, BEGIN) for sensor, site in enumerate(sites)]
        registry.deployments.begin_all(mounted, actor="benchmark")
    with Journal(settings.journal_dir) as journal:
        for start in range(0, uplinks, COMMIT):
            journal.append([uplink(number, sensors) for number in range(start, min(start + COMMIT, uplinks))])
    return settings


def resident() -> float:
    """Return this process's resident memory [MB]."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def processor_seconds() -> float:
    """Return the processor time of this process and of those it waited for [s]."""
    return sum(os.times()[:4])


def work_off(settings: Settings, uplinks: int) -> None:
    """Decode the journal as `gruenpuls work` does, and print how it went."""
    before = processor_seconds()
    with reading_ahead(settings) as ahead, workshop(settings, ahead) as tools:
        gc.freeze()
        gc.set_threshold(COLLECT_AFTER)
        began, shown = time.perf_counter(), 0
        while (progress := tools.decoder.step()) is not None:
            if progress.offset >= shown + uplinks // LINES:
                shown = progress.offset
                print(
                    f"  {progress.offset:9,} uplinks {time.perf_counter() - began:6.1f} s {resident():5.0f} MB",
                    flush=True,
                )
        wall = time.perf_counter() - began
        tally = tools.store.progress().tally
    assert (tally.decoded, tally.total) == (uplinks, uplinks), tally
    processor = processor_seconds() - before
    print(f"{uplinks / wall:,.0f} uplinks/s, {processor / uplinks * 1e6:.0f} µs processor time an uplink, {wall:.1f} s")


def main() -> None:
    """Make the backlog, and work it off."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sensors", type=int, default=5_000)
    parser.add_argument("--uplinks", type=int, default=480_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        settings = city(Path(directory), arguments.sensors, arguments.uplinks)
        print(f"{arguments.uplinks:,} uplinks of {arguments.sensors:,} sensors, {busyness()}")
        work_off(settings, arguments.uplinks)


if __name__ == "__main__":
    main()
