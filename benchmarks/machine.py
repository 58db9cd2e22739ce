"""How busy the machine is that measures, and how fast, which stands before every figure; and how rates are measured.

Figures depend on the machine and on what else runs there; with the time of one fixed piece of work beside them, those
of different hours can be compared by their ratios.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence


def calibration() -> float:
    """Return how long a fixed piece of work takes on this machine now [ms]."""
    started = time.perf_counter()
    total = 0
    for number in range(1_000_000):
        total += number & 7
    return (time.perf_counter() - started) * 1000


def best_rates(
    calls: Sequence[Callable[[], object]], count: int, slices: int, clock: Callable[[], float] = time.process_time
) -> list[float]:
    """Return how many of `count` things each call does in a second; they take turns, each one's best slice counts.

    Parameters
    ----------
    calls : sequence of callable
        Each deals with `count` things.
    count, slices : int
    clock : callable
        Processor time, or that of the wall where other processes do the work [s].
    """
    least = [float("inf")] * len(calls)
    for _ in range(slices):
        for place, call in enumerate(calls):
            began = clock()
            call()
            least[place] = min(least[place], clock() - began)
    return [count / took for took in least]


def busyness() -> str:
    """Return the load of the last minute, the processors, and the calibration, for people to read."""
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors, calibration {calibration():.0f} ms"


if __name__ == "__main__":
    print(busyness())
