"""How fast reference evapotranspiration is computed, and how far it is from the reference implementation `refet`.

Run with ``python benchmarks/evapotranspiration.py``. Days and hours of random weather at 500 places; both
compute the same points, take turns, and medians count. Use the ratio: figures depend on the machine and its load.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import refet
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from processors.water.evapotranspiration import (
    daily_evapotranspiration,
    hourly_evapotranspiration,
)
from processors.water.sun import sine_of_elevation
from processors.water.wind import LOWEST, wind_at_2m

Numbers = NDArray[np.float64]

STEPS, SITES, ROUNDS = 2000, 500, 5
ELEVATION, HEIGHT = 60.0, 10.0


def seconds(compute: Callable[[], Numbers]) -> tuple[float, Numbers]:
    """Return how long a computation takes [s], and what it gives."""
    begun = time.perf_counter()
    result = compute()
    return time.perf_counter() - begun, result


def compare(name: str, ours: Callable[[], Numbers], theirs: Callable[[], Numbers], alike: NDArray[np.bool_]) -> None:
    """Print points per second of both and their largest difference where they mean the same."""
    took: tuple[list[float], list[float]] = ([], [])
    found: list[Numbers] = []
    for _ in range(ROUNDS):
        found = []
        for times, compute in zip(took, (ours, theirs), strict=True):
            spent, result = seconds(compute)
            times.append(spent)
            found.append(result)
    own, other = (STEPS * SITES / statistics.median(times) for times in took)
    worst = np.nanmax(np.abs(found[0] - np.maximum(found[1], 0))[alike])
    print(
        f"{name:8} Grünpuls {own:12,.0f} points/s   refet {other:12,.0f} points/s   ratio {own / other:4.2f}   "
        f"largest difference {worst:.4f} mm over {alike.sum():,} points"
    )


def main() -> None:
    """Compare days, then hours."""
    generator = np.random.default_rng(1)
    shape = (STEPS, SITES)
    latitude, longitude = generator.uniform(51.2, 51.8, SITES), generator.uniform(6.3, 8.0, SITES)
    day = np.broadcast_to((np.arange(STEPS) % 365 + 1.0)[:, np.newaxis], shape)
    low = generator.uniform(-5, 18, shape)
    high = low + generator.uniform(2, 15, shape)
    vapour = 0.6108 * np.exp(17.27 * low / (low + 237.3)) * generator.uniform(0.6, 1.0, shape)
    wind = generator.uniform(0.8, 8, shape)
    wind_2m = wind_at_2m(wind, np.array([HEIGHT]))
    radiation = generator.uniform(1, 7, shape)
    everywhere = np.broadcast_to(latitude, shape)
    compare(
        "daily",
        lambda: daily_evapotranspiration(
            low,
            high,
            vapour_pressure=vapour,
            radiation=radiation,
            wind_speed=wind_2m,
            latitude=latitude,
            elevation=np.array([ELEVATION]),
            day=day,
        ),
        lambda: refet.Daily(
            tmin=low, tmax=high, ea=vapour, rs=radiation, uz=wind, zw=HEIGHT, elev=ELEVATION, lat=everywhere,
            doy=day, method="asce",
        ).eto(),
        wind_2m >= LOWEST,
    )  # fmt: skip
    hour = np.broadcast_to((np.arange(STEPS) % 24 + 0.0)[:, np.newaxis], shape)
    sine = sine_of_elevation(latitude, longitude, day, hour + 0.5)
    mean = (low + high) / 2
    sunshine = np.maximum(sine, 0) * generator.uniform(0.2, 0.7, shape) * 4.9
    compare(
        "hourly",
        lambda: hourly_evapotranspiration(
            mean,
            vapour_pressure=vapour,
            radiation=sunshine,
            wind_speed=wind_2m,
            latitude=latitude,
            longitude=longitude,
            elevation=np.array([ELEVATION]),
            day=day,
            utc_hour=hour + 0.5,
        ),
        lambda: refet.Hourly(
            tmean=mean, ea=vapour, rs=sunshine, uz=wind, zw=HEIGHT, elev=ELEVATION, lat=everywhere,
            lon=np.broadcast_to(longitude, shape), doy=day, time=hour, method="asce",
        ).eto(),
        # refet takes low suns as clear skies.
        (wind_2m >= LOWEST) & (sine > np.sin(0.45)),
    )  # fmt: skip


if __name__ == "__main__":
    main()
