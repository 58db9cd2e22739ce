"""How fast readings are judged: QARTOD tests beside ioos_qc, and a city of 10,000 sites with fresh data.

Run with ``python benchmarks/quality.py [SITES]``. Both compute the same points in turns, and medians count. Use the
ratio: figures depend on the machine and its load.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from machine import busyness
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from ioos_qc import qartod

from gruenpuls.domain.device import Channel, Deployment, Device
from gruenpuls.domain.ports import Commit
from gruenpuls.domain.reading import Flag, ReadingBatch, to_stored
from gruenpuls.domain.series import Owner, SeriesKey
from gruenpuls.domain.site import Site, SiteKind
from gruenpuls.jobs.quality import Judging
from gruenpuls.stores.embedded import EmbeddedStore
from gruenpuls.stores.registry import Registry
from processors.quality.attenuated_signal import attenuated_signal
from processors.quality.flat_line import still
from processors.quality.gross_range import gross_range
from processors.quality.rate_of_change import rate_of_change
from processors.quality.spike import spike
from processors.quality.strands import Strands

POINTS, ROUNDS = 200_000, 3
DAYS = 9
NOW = datetime(2026, 7, 10, 12, tzinfo=UTC)
CHANNELS = ("soil_water_content", "soil_temperature")
DEPTHS = (30.0, 60.0)


def seconds(compute: Callable[[], NDArray[np.uint8]]) -> tuple[float, NDArray[np.uint8]]:
    """Return how long a test takes [s], and its flags."""
    begun = time.perf_counter()
    flags = compute()
    return time.perf_counter() - begun, np.asarray(np.ma.filled(flags, 9)).astype(np.uint8)


def compare() -> None:
    """Print points per second of each test, ours and ioos_qc's, and how many flags differ."""
    random = np.random.default_rng(1)
    at = np.datetime64("2026-01-01", "ms") + np.arange(POINTS) * np.timedelta64(600_000, "ms")
    value = 15 + 8 * np.sin(np.arange(POINTS) / 144 * 2 * np.pi) + random.normal(0, 0.3, POINTS)
    value[random.integers(0, POINTS, POINTS // 500)] += 20
    value[random.integers(0, POINTS, POINTS // 100)] = np.nan
    for begin in random.integers(0, POINTS - 300, 50):
        value[begin : begin + 300] = 12.0
    one = Strands.of(at, value)
    pairs: dict[str, tuple[Callable[[], NDArray[np.uint8]], Callable[[], NDArray[np.uint8]]]] = {
        "gross range": (
            lambda: gross_range(value, (-40, 60), (-5, 30)),
            lambda: qartod.gross_range_test(value, (-40, 60), (-5, 30)),
        ),
        "spike": (lambda: spike(one, 6.0, 15.0), lambda: qartod.spike_test(value, 6.0, 15.0)),
        "rate of change": (
            lambda: rate_of_change(one, 20.001, 60.001),
            lambda: qartod.rate_of_change_test(value, at, 20.001 / 3600, 60.001 / 3600),
        ),
        "flat line": (
            lambda: still(one, 0.05, 12.0, 24.0, by_count=True),
            lambda: qartod.flat_line_test(value, at, 43_200, 86_400, 0.05),
        ),
        "attenuated signal": (
            lambda: attenuated_signal(one, 24.0, 0.123, 0.0123, 12),
            lambda: qartod.attenuated_signal_test(value, at, 0.123, 0.0123, test_period=86_400, min_obs=12),
        ),
    }
    for name, (ours, theirs) in pairs.items():
        took: tuple[list[float], list[float]] = ([], [])
        flags: list[NDArray[np.uint8]] = []
        for _ in range(ROUNDS):
            flags = []
            for times, compute in zip(took, (ours, theirs), strict=True):
                spent, found = seconds(compute)
                times.append(spent)
                flags.append(found)
        own, other = (POINTS / statistics.median(times) for times in took)
        print(
            f"{name:18} Grünpuls {own:12,.0f} points/s   ioos_qc {other:12,.0f} points/s   ratio {own / other:6.1f}   "
            f"{(flags[0] != flags[1]).sum()} of {POINTS:,} flags differ"
        )


def city(directory: Path, sites: int) -> tuple[Registry, EmbeddedStore, list[int]]:
    """Return a registry and a store with nine days of hourly readings of four probes a site, but for today's."""
    registry = Registry.open(f"sqlite:///{directory}/registry.db", clock=lambda: NOW)
    store = EmbeddedStore.open_writer(directory / "lake", registry.judgements)
    keys = [f"T{number}" for number in range(sites)]
    registry.places.add_all(
        [Site(key, key, SiteKind.STREET_TREE, time_zone="Europe/Berlin") for key in keys], actor="benchmark"
    )
    channels = tuple(Channel(f"{name}_{depth:g}", name, depth) for name in CHANNELS for depth in DEPTHS)
    registry.devices.add_all([Device(f"d{key}", "probe", key, channels) for key in keys], actor="benchmark")
    registry.deployments.begin_all(
        [Deployment(f"d{key}", key, NOW - timedelta(days=400)) for key in keys], actor="benchmark"
    )
    series = registry.arrivals.series_ids(
        [
            SeriesKey(Owner.CHANNEL, f"d{key}/{channel.name}", channel.quantity, channel.depth)
            for key in keys
            for channel in channels
        ]
    )
    registry.dirty.clear(registry.dirty.take())
    for day in range(DAYS, 0, -1):
        store.write(Commit(readings(series, NOW - timedelta(days=day), 24)))
    return registry, store, series


def readings(series: list[int], from_at: datetime, hours: int) -> ReadingBatch:
    """Return hourly readings of all series."""
    random = np.random.default_rng(int(from_at.timestamp()))
    count = len(series) * hours
    at = to_stored(from_at) + np.arange(hours) * np.timedelta64(3_600_000, "ms")
    value = np.tile(20 + 4 * np.sin(np.arange(hours) / 24 * 2 * np.pi), len(series)) + random.normal(0, 0.2, count)
    value[random.integers(0, count, count // 2000)] += 25
    return ReadingBatch(
        np.repeat(np.array(series, np.int64), hours),
        np.tile(at, len(series)),
        value,
        np.full(count, Flag.GOOD, np.uint8),
        np.ones(count, np.int64),
    )


def judge(sites: int) -> None:
    """Print how long a city's fresh data and its new day take."""
    with tempfile.TemporaryDirectory() as name:
        registry, store, series = city(Path(name), sites)
        judging = Judging(registry, store, lambda _profile: None)
        with closing(store), closing(registry):
            for title, now in (
                ("a first look at two days, with all of yesterday", NOW),
                ("fresh data of one hour", NOW),
                ("the first data after midnight, with all of yesterday", NOW + timedelta(days=1)),
            ):
                batch = readings(series, now, 1)
                registry.arrivals.mark_dirty(
                    dict.fromkeys(series, now if "fresh" in title else now - timedelta(days=1))
                )
                store.write(Commit(batch))
                spans = registry.dirty.take()
                begun, cpu = time.perf_counter(), time.process_time()
                changed = judging.judge(spans, now)
                print(
                    f"{len(spans):,} sites, {len(series):,} series, {title}: "
                    f"{time.perf_counter() - begun:.1f} s ({time.process_time() - cpu:.1f} s of CPU), "
                    f"{changed:,} judgements came or went"
                )
                registry.dirty.clear(registry.dirty.take())


def main() -> None:
    """Compare tests, then judge a city."""
    print(busyness())
    compare()
    judge(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)


if __name__ == "__main__":
    main()
