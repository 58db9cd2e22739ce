"""How busy the machine is that measures, and how fast: what stands before every figure.

Figures depend on the machine and on what else runs there; with the time of one fixed piece of work beside them, those
of different hours can be compared by their ratios.
"""

from __future__ import annotations

import os
import time


def calibration() -> float:
    """Return how long a fixed piece of work takes on this machine now [ms]."""
    started = time.perf_counter()
    total = 0
    for number in range(1_000_000):
        total += number & 7
    return (time.perf_counter() - started) * 1000


def busyness() -> str:
    """Return the load of the last minute, the processors, and the calibration, for people to read."""
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors, calibration {calibration():.0f} ms"


if __name__ == "__main__":
    print(busyness())
