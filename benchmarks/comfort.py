"""How fast and how close the comfort indices are, beside thermofeel and pythermalcomfort in one run.

Run with ``python benchmarks/comfort.py``. Two tables: points a second of processor time and the largest
difference over the same random weather, where both give a value; then a year of hours at 1,000 stations through
the processors as the service calls them, in groups of stations so that memory stays bounded. The calibration loop
and the load average say how much to trust the times.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import thermofeel
from machine import busyness
from pythermalcomfort.environment import mean_radiant_tmp
from pythermalcomfort.models import heat_index_rothfusz, pet_steady, utci
from pythermalcomfort.models import humidex as humidex_of_pythermalcomfort

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from gruenpuls.domain.processor import Array, Fleet, Processor
from processors.climate.climate_days import CLIMATE_DAYS
from processors.climate.night_minimum import NIGHT_MINIMUM
from processors.climate.sun_position import sun_elevation
from processors.comfort.body import KELVIN, Person
from processors.comfort.dew_point import DEW_POINT, dew_point
from processors.comfort.heat_index import HEAT_INDEX, heat_index
from processors.comfort.humidex import HUMIDEX, humidex
from processors.comfort.mean_radiant_temperature import (
    MEAN_RADIANT_TEMPERATURE,
    mean_radiant_temperature_from_globe,
)
from processors.comfort.physiological_equivalent_temperature import (
    PHYSIOLOGICAL_EQUIVALENT_TEMPERATURE,
    physiological_equivalent_temperature,
)
from processors.comfort.universal_thermal_climate_index import (
    UNIVERSAL_THERMAL_CLIMATE_INDEX,
    universal_thermal_climate_index,
    vapour_pressure,
)
from processors.comfort.vapour_pressure_deficit import VAPOUR_PRESSURE_DEFICIT
from processors.comfort.wet_bulb_globe_temperature import (
    WET_BULB_GLOBE_TEMPERATURE,
    wet_bulb_globe_temperature_from_weather,
)
from processors.comfort.wet_bulb_temperature import WET_BULB_TEMPERATURE, wet_bulb_temperature

PROCESSORS = (
    DEW_POINT,
    HEAT_INDEX,
    HUMIDEX,
    WET_BULB_TEMPERATURE,
    VAPOUR_PRESSURE_DEFICIT,
    MEAN_RADIANT_TEMPERATURE,
    UNIVERSAL_THERMAL_CLIMATE_INDEX,
    NIGHT_MINIMUM,
    CLIMATE_DAYS,
    WET_BULB_GLOBE_TEMPERATURE,
    PHYSIOLOGICAL_EQUIVALENT_TEMPERATURE,
)
SLOW = ("wet_bulb_globe_temperature", "physiological_equivalent_temperature")
"""They solve equations; all others together have to stay under 30 s."""
GROUP = 100
HOURS = 8760


def timed(call: Callable[[], Array]) -> tuple[Array, float]:
    """Return what a call gives and the least processor time of three it took [s]."""
    best = np.inf
    for _ in range(3):
        began = time.process_time()
        result = call()
        best = min(best, time.process_time() - began)
    return result, best


def side_by_side(points: int, slow_points: int) -> None:
    """Print rates and differences over random weather."""
    generator = np.random.default_rng(7)
    air = generator.uniform(-15, 42, points)
    radiant = air + generator.uniform(-5, 40, points)
    humidity = generator.uniform(10, 99, points)
    wind = generator.uniform(0.5, 10, points)
    globe = air + generator.uniform(-1, 15, points)
    pressure = generator.uniform(980, 1030, points)
    dew = dew_point(air, humidity).value
    vapour = vapour_pressure(air, humidity)
    sunny = generator.uniform(100, 800, points)
    elevation = generator.uniform(35, 60, points)
    few = slice(0, slow_points)
    person = Person(age=23, height=1.8, work=1.37 * 58.2)
    k = KELVIN
    rows: list[tuple[str, str, Callable[[], Array], Callable[[], Array], slice]] = [
        (
            "UTCI",
            "thermofeel",
            lambda: universal_thermal_climate_index(air, radiant, wind, vapour).value,
            lambda: thermofeel.calculate_utci(air + k, wind, radiant + k, ehPa=vapour * 10) - k,
            slice(None),
        ),
        (
            "UTCI",
            "pythermalcomfort",
            lambda: universal_thermal_climate_index(air, radiant, wind, vapour_pressure(air, humidity)).value,
            lambda: np.asarray(utci(air, radiant, wind, humidity, round_output=False).utci),
            slice(None),
        ),
        (
            "humidex",
            "thermofeel",
            lambda: humidex(air, dew).value,
            lambda: thermofeel.calculate_humidex(air + k, dew + k) - k,
            slice(None),
        ),
        (
            "humidex",
            "pythermalcomfort",
            lambda: humidex(air, dew_point(air, humidity).value).value,
            lambda: np.asarray(
                humidex_of_pythermalcomfort(air, humidity, round_output=False, model="masterson").humidex
            ),
            slice(None),
        ),
        (
            "heat index",
            "thermofeel",
            lambda: heat_index(air, humidity).value,
            lambda: thermofeel.calculate_heat_index_adjusted(air + k, dew + k) - k,
            slice(None),
        ),
        (
            "heat index",
            "pythermalcomfort",
            lambda: heat_index(air, humidity).value,
            lambda: np.asarray(heat_index_rothfusz(air, humidity, round_output=False).hi),
            slice(None),
        ),
        (
            "wet bulb",
            "thermofeel",
            lambda: wet_bulb_temperature(air, humidity).value,
            lambda: thermofeel.calculate_wbt(air + k, humidity) - k,
            slice(None),
        ),
        (
            "radiant (globe)",
            "pythermalcomfort",
            lambda: mean_radiant_temperature_from_globe(globe, air, wind).value,
            lambda: np.asarray(mean_radiant_tmp(tg=globe, tdb=air, v=wind, standard="ISO")),
            slice(None),
        ),
        (
            "WBGT (weather)",
            "thermofeel",
            lambda: (
                wet_bulb_globe_temperature_from_weather(
                    air, humidity, pressure, wind, sunny, np.full(points, 0.6), elevation
                ).value
            ),
            lambda: (
                thermofeel.calculate_wbgt_liljegren(
                    air + k, humidity, pressure, wind, sunny, np.full(points, 0.6), np.sin(np.radians(elevation))
                )
                - k
            ),
            slice(None),
        ),
        (
            "PET",
            "pythermalcomfort",
            lambda: physiological_equivalent_temperature(air, radiant, wind, humidity, pressure, person).value,
            lambda: np.asarray(
                pet_steady(air[few], radiant[few], wind[few], humidity[few], met=1.37, clo=0.9, p_atm=pressure[few]).pet
            ),
            few,
        ),
    ]
    print(f"{'index':16} {'beside':17} {'ours 1/s':>12} {'theirs 1/s':>12} {'times':>8} {'largest difference':>19}")
    for name, beside, ours, theirs, part in rows:
        mine, seconds = timed(ours)
        other, seconds_of_other = timed(theirs)
        rate, rate_of_other = len(mine) / seconds, len(other) / seconds_of_other
        difference = np.nanmax(np.abs(mine[part] - other))
        times = rate / rate_of_other
        print(f"{name:16} {beside:17} {rate:12,.0f} {rate_of_other:12,.0f} {times:8.1f} {difference:17.4f} K")


def weather(stations: int, seed: int) -> tuple[np.ndarray[tuple[int], np.dtype[np.datetime64]], dict[str, Array]]:
    """Return a plausible year of hours."""
    generator = np.random.default_rng(seed)
    steps = np.datetime64("2023-01-01T00:00", "ms") + np.arange(HOURS) * np.timedelta64(1, "h")
    hour = np.arange(HOURS)[:, None]
    noise = np.cumsum(generator.normal(0, 0.4, (HOURS, stations)), axis=0)
    noise -= np.linspace(0, 1, HOURS)[:, None] * noise[-1]
    air = 11 - 9 * np.cos(2 * np.pi * hour / HOURS) - 4 * np.cos(2 * np.pi * (hour - 3) / 24) + np.clip(noise, -12, 12)
    elevation = sun_elevation(steps + np.timedelta64(30, "m"), np.full(stations, 51.5), np.full(stations, 7.0))
    radiation = np.maximum(np.sin(np.radians(elevation)), 0) * generator.uniform(150, 1000, (HOURS, stations))
    return steps, {
        "air_temperature": air,
        "relative_humidity": generator.uniform(35, 99, (HOURS, stations)),
        "wind_speed": generator.weibull(2, (HOURS, stations)) * 2.5 + 0.05,
        "global_radiation": radiation,
        "illuminance": np.full((HOURS, stations), np.nan),
        "cloud_cover": generator.uniform(0, 100, (HOURS, stations)),
        "air_pressure": generator.uniform(985, 1030, (HOURS, stations)),
        "globe_temperature": air + radiation / 80,
    }


def year(stations: int) -> None:
    """Print how long a year of hours takes each processor."""
    spent = dict.fromkeys((processor.name for processor in PROCESSORS), 0.0)
    judged = dict.fromkeys(spent, 0)
    for begin in range(0, stations, GROUP):
        group = min(GROUP, stations - begin)
        steps, measured = weather(group, begin)
        place = {"latitude": np.full(group, 51.5), "longitude": np.full(group, 7.0)}
        derived: dict[tuple[str, str], Array] = {}
        for processor in PROCESSORS:
            at, inputs = _inputs(processor, steps, measured, derived)
            fleet = Fleet(at, inputs, np.empty((group, 0)), place)
            began = time.process_time()
            result = processor.compute(fleet)
            spent[processor.name] += time.process_time() - began
            judged[processor.name] += sum(int(np.isfinite(values).sum()) for values in result.values())
            derived.update(result)
    print(f"\n{'a year of hours, stations: ' + str(stations):42} {'seconds':>8} {'values':>14}")
    for name, seconds in spent.items():
        print(f"{name:42} {seconds:8.1f} {judged[name]:14,}")
    quick = sum(seconds for name, seconds in spent.items() if name not in SLOW)
    print(f"{'all but the last two':42} {quick:8.1f}")


def _inputs(
    processor: Processor,
    steps: np.ndarray[tuple[int], np.dtype[np.datetime64]],
    measured: dict[str, Array],
    derived: dict[tuple[str, str], Array],
) -> tuple[np.ndarray[tuple[int], np.dtype[np.datetime64]], dict[tuple[str, str], Array]]:
    if processor is CLIMATE_DAYS:
        days = measured["air_temperature"].reshape(HOURS // 24, 24, -1)
        night = derived["air_temperature", "min_night"][5::24]
        given = {"max_day": days.max(axis=1), "min_day": days.min(axis=1), "min_night": night}
        return steps[::24], {("air_temperature", name): values for name, values in given.items()}
    return steps, {
        needed.key: derived[needed.key] if needed.of else measured[needed.quantity] for needed in processor.inputs
    }


def main() -> None:
    """Measure and print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=200_000)
    parser.add_argument("--slow-points", type=int, default=1_000, help="points for the solver of pythermalcomfort")
    parser.add_argument("--stations", type=int, default=1_000)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")  # theirs divide by what they leave out afterwards
    print(busyness())
    side_by_side(arguments.points, arguments.slow_points)
    year(arguments.stations)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\n{busyness()}, memory at most {peak:,.0f} MB")


if __name__ == "__main__":
    main()
