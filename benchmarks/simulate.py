"""What a simulated city costs: truth, observation, and history in the store; sites × hours a second, peak memory.

Run ``python benchmarks/simulate.py --help``. Absolute figures move with the machine and its load, so every section
starts with the load average and the time of one fixed calculation; compare ratios. Each section runs in a process of
its own, so that the peak memory is its own.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from machine import busyness

from device_profiles.catalogue import Catalogue
from gruenpuls.simulation.city import City, Span
from gruenpuls.simulation.city_faults import Rates
from gruenpuls.simulation.city_history import MONTH, History, register_all
from gruenpuls.simulation.city_observed import Observation
from gruenpuls.stores.embedded import EmbeddedStore
from gruenpuls.stores.registry import Registry

START = datetime(2025, 1, 1, tzinfo=UTC)
SITES_AT_ONCE = 1000


def observation(sites: int, hours: int, every: int) -> Observation:
    """Return a city with its usual faults."""
    return Observation(City(1, sites, Span.between(START, START + timedelta(hours=hours))), Rates(), every)


def truth(sites: int, hours: int, every: int) -> str:
    """Make the truth of all sites and throw it away."""
    city = observation(sites, hours, every).city
    for first in range(0, sites, SITES_AT_ONCE):
        for _ in city.truth(first, first + SITES_AT_ONCE, MONTH):
            pass
    return "the spin-up of 1,440 hours is not counted in the rate"


def observed(sites: int, hours: int, every: int) -> str:
    """Make what all devices measure and throw it away."""
    city = observation(sites, hours, every)
    uplinks = 0
    for first in range(0, sites, SITES_AT_ONCE):
        for _, groups in city.sent(first, first + SITES_AT_ONCE, MONTH):
            uplinks += sum(int(group.heard.sum()) for group in groups)
    return f"{uplinks:,} uplinks heard"


def history(sites: int, hours: int, every: int) -> str:
    """Register the city and write its history into an embedded store."""
    city = observation(sites, hours, every)
    profiles = {profile.name: profile for profile in Catalogue.shipped()}
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        with Registry.open(f"sqlite:///{folder / 'registry.sqlite'}") as registry:
            began = time.perf_counter()
            register_all(city, profiles, registry, "benchmark", lambda _: None)
            registered = time.perf_counter() - began
            store = EmbeddedStore.open_writer(folder / "readings", registry.judgements)
            began = time.perf_counter()
            readings = History(city, profiles, registry, store).write(lambda _: None)
            seconds = time.perf_counter() - began
            size = sum(path.stat().st_size for path in (folder / "readings").rglob("*") if path.is_file())
            store.close()
    return (
        f"registered in {registered:.1f} s ({sites / registered:,.0f} sites/s), {readings:,} readings in"
        f" {seconds:.1f} s ({readings / seconds:,.0f}/s), {size / 1e6:,.0f} MB ({size / readings:.1f} B a reading)"
    )


SECTIONS: dict[str, Callable[[int, int, int], str]] = {"truth": truth, "observed": observed, "history": history}


def section(name: str, sites: int, hours: int, every: int) -> None:
    """Run a section and print what it took."""
    print(f"\n== {name}: {sites:,} sites, {hours:,} hours, every {every} h ({busyness()})", flush=True)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began, began_cpu = time.perf_counter(), time.process_time()
    remark = SECTIONS[name](sites, hours, every)
    seconds, processor = time.perf_counter() - began, time.process_time() - began_cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    rate = sites * hours / seconds
    print(f"{seconds:.1f} s ({processor:.1f} s of processor), {rate / 1e6:.2f} million site-hours/s; {remark}")
    print(f"peak memory {peak / 1024:,.0f} MB, {before / 1024:,.0f} MB before", flush=True)


def main() -> None:
    """Run the sections asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", help=f"{', '.join(SECTIONS)}; default: all")
    parser.add_argument("--sites", type=int, default=2000)
    parser.add_argument("--hours", type=int, default=8760)
    parser.add_argument("--every", type=int, default=1, help="hours between two uplinks of a device")
    wanted = parser.parse_args()
    for name in wanted.sections or SECTIONS:
        process = multiprocessing.get_context("spawn").Process(
            target=section, args=(name, wanted.sites, wanted.hours, wanted.every)
        )
        process.start()
        process.join()
        if process.exitcode:
            raise SystemExit(process.exitcode)


if __name__ == "__main__":
    main()
