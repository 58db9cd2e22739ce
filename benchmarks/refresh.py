"""What it costs to compute and judge a city anew after fresh readings: processor time and peak memory, by processor.

Run ``python benchmarks/refresh.py --sites 5000``. A simulated city is registered, measures for some days, and is
computed once in full; that is made before the clock runs. Then every device is heard `--hours` more times, and one
refresh works it off, in a process of its own so that the peak is its own. Absolute figures move with the machine and
its load, so the load average and the time of one fixed calculation are printed; compare ratios.
"""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import resource
import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from machine import busyness

import processors
from alerts.rule_file import shipped_rules
from device_profiles.catalogue import Catalogue
from gruenpuls.domain.ports import DirtySpan
from gruenpuls.domain.processor import Processor
from gruenpuls.jobs.evaluate import Evaluation
from gruenpuls.jobs.recompute import Batch, Recomputation
from gruenpuls.jobs.refresh import Refresh
from gruenpuls.jobs.weather import Surroundings
from gruenpuls.simulation.city import City, Span
from gruenpuls.simulation.city_faults import Rates
from gruenpuls.simulation.city_history import History, register_all
from gruenpuls.simulation.city_observed import Observation
from gruenpuls.stores.embedded import EmbeddedStore, Limits
from gruenpuls.stores.registry import Registry

START = datetime(2025, 6, 10, tzinfo=UTC)
NOON = timedelta(hours=12)


@dataclass
class Times:
    """Processor time by part [s]."""

    spent: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    @contextmanager
    def of(self, part: str) -> Iterator[None]:
        """Count what happens meanwhile."""
        began = time.process_time()
        yield
        self.spent[part] += time.process_time() - began


@dataclass(frozen=True)
class TimedRecomputation(Recomputation):
    """Also tells what each processor took, reading and writing included."""

    times: Times = field(default_factory=Times)

    def _fill(self, processor: Processor, batch: Batch, around: Surroundings) -> None:
        with self.times.of(processor.name):
            super()._fill(processor, batch, around)


@dataclass(frozen=True)
class TimedEvaluation(Evaluation):
    """Also tells what the rules took."""

    times: Times = field(default_factory=Times)

    def judge(self, spans: Sequence[DirtySpan], now: datetime) -> None:
        """Judge and count."""
        with self.times.of("all rules"):
            super().judge(spans, now)


def peak() -> float:
    """Return the most memory this process has held [MB]."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@contextmanager
def opened(folder: Path) -> Iterator[tuple[Registry, EmbeddedStore]]:
    """Open registry and store as the service does."""
    with Registry.open(f"sqlite:///{folder / 'registry.sqlite'}") as registry:
        store = EmbeddedStore.open_writer(folder / "readings", registry.judgements, Limits(512, 1))
        yield registry, store
        store.close()


def measured(folder: Path, sites: int, from_at: datetime, to_at: datetime) -> None:
    """Write what all devices measure in a span, as if it had just been decoded."""
    profiles = {profile.name: profile for profile in Catalogue.shipped()}
    city = Observation(City(1, sites, Span.between(from_at, to_at)), Rates(), 1)
    with opened(folder) as (registry, store):
        register_all(city, profiles, registry, "benchmark", lambda _: None)
        print(f"{History(city, profiles, registry, store).write(lambda _: None):,} readings", flush=True)


def refresh(folder: Path, now: datetime, *, told: bool) -> None:
    """Work off what is dirty and print what it took."""
    with opened(folder) as (registry, store):
        times = Times()
        recomputation = TimedRecomputation(registry, store, processors.ALL, times=times)
        evaluation = TimedEvaluation(registry, store, shipped_rules(), times=times)
        gc.freeze()
        gc.set_threshold(100_000)
        before, began, began_cpu = peak(), time.perf_counter(), time.process_time()
        if told:
            print(f"refresh ({busyness()})", flush=True)
        worked_off = Refresh(registry, recomputation, evaluation, lambda: now).work_off()
        seconds, processor = time.perf_counter() - began, time.process_time() - began_cpu
    if told:
        for part, spent in sorted(times.spent.items(), key=lambda pair: -pair[1]):
            print(f"{spent:8.2f} s  {part}")
        print(f"{worked_off:,} sites in {seconds:.1f} s, {processor:.1f} s of processor; ", end="")
        print(f"peak memory {peak():,.0f} MB, {before:,.0f} MB before", flush=True)


def in_a_process(act: Callable[..., None], *arguments: object, **named: object) -> None:
    """Run something in a process of its own."""
    process = multiprocessing.get_context("spawn").Process(target=act, args=arguments, kwargs=named)
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit(process.exitcode)


def main() -> None:
    """Prepare a city and refresh it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sites", type=int, default=5000)
    parser.add_argument("--days", type=int, default=4, help="of readings before")
    parser.add_argument("--hours", type=int, default=1, help="of fresh readings")
    parser.add_argument("--keep", type=Path, help="directory the prepared city is kept in, and taken from again")
    wanted = parser.parse_args()
    now = START + timedelta(days=wanted.days) + NOON
    later = now + timedelta(hours=wanted.hours)
    with tempfile.TemporaryDirectory() as name:
        kept = wanted.keep or Path(name) / "kept"
        if not kept.exists():
            kept.mkdir(parents=True)
            in_a_process(measured, kept, wanted.sites, START, now)
            in_a_process(refresh, kept, now, told=False)
            in_a_process(measured, kept, wanted.sites, now, later)
        folder = Path(name) / "city"
        shutil.copytree(kept, folder)
        in_a_process(refresh, folder, later, told=True)


if __name__ == "__main__":
    main()
