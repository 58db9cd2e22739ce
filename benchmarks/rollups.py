"""What a year costs to draw: from readings, and from hours and days that are kept; and what keeping them costs.

Run ``python benchmarks/rollups.py``. All of it is measured in one run; processor time is that of the whole process,
the engine's threads included. Absolute figures move with the machine and its load, so the load average and the time
of one fixed calculation stand first; compare ratios.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from machine import busyness

from gruenpuls.domain.device import Channel, Deployment, Device
from gruenpuls.domain.ports import Commit
from gruenpuls.domain.reading import FlagInterval, ReadingBatch, to_stored
from gruenpuls.domain.retention import Tier
from gruenpuls.domain.rollup import Rollup, Stretch, rolled_up_within
from gruenpuls.domain.series import Owner, SeriesKey
from gruenpuls.domain.site import Site, SiteKind
from gruenpuls.queries import curves
from gruenpuls.stores.embedded import EmbeddedReader, EmbeddedStore
from gruenpuls.stores.registry import Registry

START = datetime(2025, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
BERLIN = ZoneInfo("Europe/Berlin")
MONTHS = 13


class NoJudgements:
    """Nobody judged anything later."""

    def flag_intervals(self, series: Collection[int], from_at: datetime, to_at: datetime) -> Sequence[FlagInterval]:
        """Return nothing."""
        del series, from_at, to_at
        return ()


def month(number: int, series: int, every: timedelta, rng: np.random.Generator) -> ReadingBatch:
    """Return 30 days of readings: random walks of a resolution of 0.1, with up to two seconds of jitter."""
    count = int(30 * DAY / every)
    at = to_stored(START) + (number * count + np.arange(count)) * np.timedelta64(
        every // timedelta(milliseconds=1), "ms"
    )
    jitter = rng.integers(0, 2000, count * series).astype("timedelta64[ms]")
    walk = (rng.normal(0, 0.3, (series, count)).cumsum(axis=1) + 20).round(1).ravel()
    ids, ones = np.repeat(np.arange(series), count), np.ones(count * series, np.int64)
    return ReadingBatch(ids, np.tile(at, series) + jitter, walk, ones.astype(np.uint8), ones)


def since(end: datetime) -> datetime:
    """Return the midnight in Berlin a year before, where the page of a site begins."""
    return (end - 365 * DAY).astimezone(BERLIN).replace(hour=0).astimezone(UTC)


def timed(name: str, act: Callable[[int], object], times: int) -> float:
    """Print the median of how long something takes, by the clock and of the processors [ms]; return the latter."""
    wall, busy = [], []
    for turn in range(times):
        began = time.perf_counter(), time.process_time()
        act(turn)
        wall.append(time.perf_counter() - began[0])
        busy.append(time.process_time() - began[1])
    print(f"{name:<62} {1000 * np.median(wall):>8.1f} ms {1000 * np.median(busy):>8.1f} ms processor", flush=True)
    return float(np.median(busy))


def size(directory: Path, table: str) -> int:
    """Return how much the files of a table take [bytes]."""
    return sum(path.stat().st_size for path in (directory / "data" / "main" / table).rglob("*.parquet"))


def drawn(reader: EmbeddedReader, series: int, times: int) -> None:
    """Compare a year's hours and days from readings with what is kept."""
    end = START + timedelta(days=388)
    from_at = since(end)

    def stretches(turn: int) -> list[Stretch]:
        return [Stretch(turn * series + one, from_at, end) for one in range(series)]

    def of_readings(turn: int) -> Rollup:
        wanted = stretches(turn)
        return rolled_up_within(reader.read([it.series for it in wanted], from_at, end), wanted)

    text = f"{series} series, 365 days: "
    readings = timed(
        f"{text}readings", lambda turn: reader.read([it.series for it in stretches(turn)], from_at, end), times
    )
    hours = timed(f"{text}hours from readings", of_readings, times)
    kept = timed(f"{text}hours that are kept", lambda turn: reader.hourly(stretches(turn)), times)
    days = timed(f"{text}days that are kept", lambda turn: reader.daily(stretches(turn), BERLIN), times)
    print(f"{text}kept hours cost {hours / kept:.1f}, kept days {hours / days:.1f} times less than from readings")
    print(f"{text}and {readings / kept:.1f} and {readings / days:.1f} times less than only reading readings")


def page(reader: EmbeddedReader, directory: Path, times: int) -> None:
    """Compare a site's charts of a year, eight probes at one tree, from readings and from days."""
    with closing(Registry.open(f"sqlite:///{directory / 'registry.sqlite'}")) as registry:
        tree = Site("T", "Tree", SiteKind.STREET_TREE)
        registry.places.add(tree, actor="benchmark")
        channels = tuple(Channel(f"t{number}", "soil_tension", 10.0 * number) for number in range(1, 9))
        registry.devices.add(Device("aa00000000000001", "test", "", channels), actor="benchmark")
        registry.deployments.begin(Deployment("aa00000000000001", "T", START), actor="benchmark")
        keys = [SeriesKey(Owner.CHANNEL, f"aa00000000000001/{one.name}", one.quantity, one.depth) for one in channels]
        registry.arrivals.series_ids(keys)
        end = START + 388 * DAY

        def charts(_turn: int) -> object:
            return curves.site_charts(registry, reader, tree, since(end), end)

        kept = timed("a site's page, 8 curves, 365 days: from days that are kept", charts, times)
        curves._BY_DAYS_FROM = 9999 * DAY  # noqa: SLF001 - as it was drawn before
        readings = timed("a site's page, 8 curves, 365 days: from readings", charts, times)
        print(f"a site's page: {readings / kept:.1f} times less")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=200)
    parser.add_argument("--minutes", type=int, default=15)
    parser.add_argument("--times", type=int, default=9)
    chosen = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="gruenpuls-rollups-"))
    try:
        store = EmbeddedStore.open_writer(directory, NoJudgements())
        rng = np.random.default_rng(1)
        for number in range(MONTHS):
            store.write(Commit(month(number, chosen.series, timedelta(minutes=chosen.minutes), rng)))
        store.compact(keep_for=timedelta(0))
        rows = store.statistics().rows
        print(f"{rows:,} readings of {chosen.series} series every {chosen.minutes} minutes ({busyness()})")
        began = time.process_time()
        while store.roll_up(START + 387 * DAY, BERLIN, []):
            pass
        took = time.process_time() - began
        store.compact(keep_for=timedelta(0))
        share = size(directory, "rollup") / size(directory, "reading")
        print(
            f"rolled up in {took:.1f} s of processor, {rows / took:,.0f} readings/s; their files take {share:.2f} times"
        )
        began = time.process_time()
        late = month(0, chosen.series, timedelta(days=1), rng)
        store.write(Commit(late))
        store.roll_up(START + 387 * DAY, BERLIN, [])
        print(f"{len(late):,} days changed: rolled up anew in {time.process_time() - began:.1f} s of processor")
        reader = EmbeddedStore.open_reader(directory, NoJudgements())
        for series in (1, 8):
            drawn(reader, series, chosen.times)
        page(reader, directory, chosen.times)
        reader.close()
        before = size(directory, "reading")
        gone = store.retire(Tier.RAW, START + 200 * DAY, [])
        store.compact(keep_for=timedelta(0))
        after = size(directory, "reading")
        print(
            f"retention: {gone.rows:,} readings, {gone.size:,} bytes were to go; {before - after:,} went from the disk"
        )
        store.close()
    finally:
        shutil.rmtree(directory)


if __name__ == "__main__":
    main()
