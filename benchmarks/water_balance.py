"""What the water balance of a fleet costs: one season with a look at three probes per site and day.

Run ``python benchmarks/water_balance.py``. Sites are taken a batch at a time, as the service does: readings of
a batch in, the bands of all its days and sites out. What is timed is processor time on one core, from readings
by depth to percentiles, and from these to litres; making up readings is not. Absolute figures move with the
machine and its load, so the load average and the time of one fixed calculation stand first. Rising cost per
site would show in the column before the last.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from machine import busyness

from gruenpuls.domain.processor import Array, Fleet
from gruenpuls.domain.site import Site, SiteKind, Soil
from processors.water.irrigation_need import FORECAST, IRRIGATION_NEED
from processors.water.site_parameters import site_parameters
from processors.water.water_balance import WATER_BALANCE

DAYS = 270
STATIONS = 20
DEPTHS = (30.0, 60.0, 90.0)
BATCH = 2000
KEPT = (("plant_available_water", "p10"), ("plant_available_water", "p50"), ("plant_available_water", "p90"))
STEPS = np.datetime64("2026-02-15", "ms") + np.arange(DAYS) * np.timedelta64(1, "D")


def cadastre(sites: int) -> dict[str, Array]:
    """Return the attributes of a batch of street trees of all ages."""
    tree = Site("", "", SiteKind.STREET_TREE, species="Tilia cordata", soil=Soil("Sl3"))
    trees = [
        replace(tree, planted_on=str(1950 + number % 76), attributes={"girth": 20.0 + number % 180})
        for number in range(sites)
    ]
    columns = dict(site_parameters(trees, 2026).columns)
    season = np.array([2026.0 - 1950 - number % 76 for number in range(sites)])
    return columns | {"growing_season": np.maximum(season, 1.0), "latitude": np.full(sites, 51.5)}


def season(generator: np.random.Generator, sites: int, attributes: Mapping[str, Array]) -> Fleet:
    """Return a season's weather of some stations and readings of every probe, a tenth of them missing."""
    station = generator.integers(0, STATIONS, sites)
    rain = generator.exponential(6, (DAYS, STATIONS)) * (generator.random((DAYS, STATIONS)) < 0.35)
    day = np.arange(DAYS)[:, None]
    demand = 2.2 + 1.8 * np.sin(np.pi * day / DAYS) + generator.normal(0, 0.3, (DAYS, STATIONS))
    shape = (DAYS, sites, len(DEPTHS))
    probes = 70 + 30 * np.sin(day / 25)[:, :, None] + generator.normal(0, 3, shape)
    probes[generator.random(shape) < 0.1] = np.nan
    nothing = np.full((DAYS, sites), np.nan)
    return Fleet(
        STEPS,
        {
            ("reference_evapotranspiration", "last"): demand[:, station],
            ("precipitation", "sum"): rain[:, station],
            ("precipitation", "sum_day"): nothing,
            ("air_temperature", "mean"): np.broadcast_to(8 + 10 * np.sin(np.pi * day / DAYS), (DAYS, sites)),
            ("air_temperature", "mean_day"): nothing,
            ("plant_available_water", "mean"): probes,
            ("soil_temperature", "mean"): np.full(shape, 12.0),
        },
        np.broadcast_to(np.array(DEPTHS), (sites, len(DEPTHS))),
        attributes,
    )


def measured(sites: int) -> tuple[float, float]:
    """Return the processor time of a season's balance, and of its litres [s]; results are kept to the end."""
    generator = np.random.default_rng(1)
    attributes = cadastre(min(BATCH, sites))
    bands = {key: np.empty((DAYS, sites), np.float32) for key in KEPT}
    litres = np.empty((DAYS, sites), np.float32)
    balance = need = 0.0
    for start in range(0, sites, BATCH):
        places = slice(start, min(start + BATCH, sites))
        size = places.stop - start
        fleet = season(generator, size, {name: values[:size] for name, values in attributes.items()})
        begun = time.process_time()
        found = WATER_BALANCE.compute(fleet)
        balanced = time.process_time()
        needed = IRRIGATION_NEED.compute(
            replace(fleet, inputs={**found, ("air_temperature", "mean"): fleet.inputs["air_temperature", "mean"]}
                    | {FORECAST: np.zeros((DAYS, size))})
        )  # fmt: skip
        need += time.process_time() - balanced
        balance += balanced - begun
        for key, band in bands.items():
            band[:, places] = found[key]
        litres[:, places] = needed["irrigation_need", ""]
    assert all(np.isfinite(band).all() for band in (*bands.values(), litres))
    return balance, need


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sites", type=int, nargs="+", default=[1000, 10_000, 100_000])
    arguments = parser.parse_args()
    print(busyness())
    print(f"{'sites':>8} {'balance s':>10} {'litres s':>9} {'sites x days/s':>15} {'us per site-day':>16} {'MB':>6}")
    for sites in arguments.sites:
        balance, need = measured(sites)
        site_days = sites * DAYS
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        each = 1e6 * balance / site_days
        print(f"{sites:8d} {balance:10.2f} {need:9.2f} {site_days / balance:15,.0f} {each:16.3f} {peak:6.0f}")


if __name__ == "__main__":
    main()
