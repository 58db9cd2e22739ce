"""What rain costs: counts to increments, a year of hours to levels and index, a year of water accounts.

Run ``python benchmarks/rain.py``. What is timed is processor time on one core; making up counts and rain is not.
Absolute figures move with the machine and its load, so the load average and the time of one fixed calculation
stand first.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
from machine import busyness

from gruenpuls.domain.processor import Array, Fleet
from processors.rain.counter import WRAPS, increments, without_lone_tips
from processors.rain.heavy_rain import HEAVY_RAIN
from processors.rain.rare_rain import HOURLY, PERIODS, column
from processors.rain.water_account import water_account

HOURS = 8760
COUNTS = 52_560
"""A year of counts every ten minutes."""


def timed(name: str, points: int, work: Callable[[], object]) -> None:
    """Print how long some work takes."""
    start = time.process_time()
    work()
    took = time.process_time() - start
    print(f"{name:<46} {points:>12,} {took:>8.2f} s {points / took:>14,.0f} a second")


def showers(steps: int, sites: int) -> Array:
    """Return rain of a year like the Ruhr's, 800 mm in a tenth of the hours [mm]."""
    generator = np.random.default_rng(3)
    wet = generator.random((steps, sites)) < 0.1
    return np.where(wet, generator.exponential(0.9, (steps, sites)), 0.0)


def judged(rain: Array) -> None:
    """Judge a year of hours as the service does, in parts of 30 days with 3 days before each."""
    sites = rain.shape[1]
    attributes = {
        column(minutes, period): np.full(sites, 10.0 * (minutes / 60) ** 0.3 * (1 + 0.5 * np.log(period)))
        for minutes in HOURLY
        for period in PERIODS
    }
    steps = np.datetime64("2026-01-01", "ms") + np.arange(len(rain)) * np.timedelta64(1, "h")
    for start in range(0, len(rain), 720):
        part = slice(max(start - 72, 0), start + 720)
        inputs = {
            ("precipitation", "sum"): rain[part],
            ("precipitation_remark", "last"): np.zeros(rain[part].shape),
        }
        HEAVY_RAIN.compute(Fleet(steps[part], inputs, np.empty((sites, 0)), attributes))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gauges", type=int, default=100)
    parser.add_argument("--sites", type=int, default=1000)
    chosen = parser.parse_args()
    print(busyness())
    fell = showers(COUNTS, chosen.gauges) / 6
    count = (np.floor(np.cumsum(fell, axis=0) / 0.2) % 65536 * 0.2).T.ravel()
    series = np.repeat(np.arange(chosen.gauges), COUNTS)
    at = np.tile(np.datetime64("2026-01-01", "ms") + np.arange(COUNTS) * np.timedelta64(10, "m"), chosen.gauges)
    one = np.ones(len(count))
    timed(
        f"increments, {chosen.gauges} gauges, a year",
        len(count),
        lambda: increments(series, at, count, one, WRAPS["precipitation_total"]),
    )
    rain = showers(HOURS, chosen.sites)
    timed(
        f"lone tips, {chosen.sites} gauges, a year",
        rain.size,
        lambda: without_lone_tips(rain, np.full(chosen.sites, 0.2), 4),
    )
    timed(f"levels and index, {chosen.sites} sites, a year", rain.size, lambda: judged(rain))
    daily = rain[: HOURS // 24]
    timed(
        f"water account, {chosen.sites} sites, a year of days",
        daily.size,
        lambda: water_account(daily, 0.3 * daily, 0 * daily, 0.2 * daily, np.zeros(chosen.sites)),
    )


if __name__ == "__main__":
    main()
