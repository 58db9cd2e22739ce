"""Whatever comes in, nothing known gives nothing known: for every function of comfort, climate, rain and quality."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from typing import Any, Final

import numpy as np
import pytest

from gruenpuls.domain.processor import Array, Fleet
from gruenpuls.domain.reading import Flag, Times
from processors.climate import climate_days as days
from processors.climate import cooling_effect as green
from processors.climate import (
    daily_extremes,
    diffuse_radiation,
    heat_island,
    heat_wave,
    night_cooling,
    night_minimum,
    season,
    sun_position,
)
from processors.climate.cool_places import cool_places
from processors.comfort import thermal_stress, wet_bulb_globe_temperature, wind_profile
from processors.comfort.dew_point import dew_point
from processors.comfort.heat_index import heat_index
from processors.comfort.humidex import humidex
from processors.comfort.mean_radiant_temperature import (
    mean_radiant_temperature_from_globe,
    mean_radiant_temperature_from_radiation,
)
from processors.comfort.physiological_equivalent_temperature import physiological_equivalent_temperature
from processors.comfort.reason import above, humid
from processors.comfort.site_sun import site_sun
from processors.comfort.universal_thermal_climate_index import universal_thermal_climate_index, vapour_pressure
from processors.comfort.vapour_pressure_deficit import vapour_pressure_deficit
from processors.comfort.wet_bulb_temperature import wet_bulb_temperature
from processors.quality import flat_line, neighbours, sensor_in_air
from processors.quality.attenuated_signal import attenuated_signal
from processors.quality.climatology import climatology
from processors.quality.counter_error import counter_error
from processors.quality.frozen_ground import frozen_ground
from processors.quality.gross_range import gross_range
from processors.quality.rate_of_change import rate_of_change
from processors.quality.rise_without_rain import rise_without_rain
from processors.quality.saturated_plateau import saturated_plateau
from processors.quality.spike import spike
from processors.quality.strands import Strands
from processors.rain import counter, gauge_correction, gauge_fault, intensity, rain_event, rare_rain, water_account
from processors.rain.heavy_rain_index import heavy_rain_index
from processors.rain.precipitation import rain_of_counter
from processors.rain.rain_level import rain_level

Call = Callable[[Array], Any]

ROOMS: Final = ("comfort", "climate", "rain", "quality")
START: Final = np.datetime64("2026-07-01", "ms")
HOUR, DAY = np.timedelta64(1, "h"), np.timedelta64(1, "D")
MONTHS: Final = np.tile([-20.0, 40.0], (12, 1))
PERIODS: Final = np.array([1.0, 10.0, 100.0])


def hours(values: Array) -> Times:
    return START + np.arange(len(values)) * HOUR


def ends(values: Array) -> Times:
    return np.asarray(hours(values) + HOUR, "datetime64[ms]")


def calendar(values: Array) -> np.ndarray:
    return (START + np.arange(len(values)) * DAY).astype("datetime64[D]")


def site(values: Array) -> Array:
    return values[:, None]


def strand(values: Array) -> Strands:
    return Strands(np.zeros(len(values), np.int64), hours(values).astype("datetime64[ms]"), values)


def fleet(values: Array) -> Fleet:
    keys = ("wind_speed", "global_radiation", "illuminance", "air_temperature")
    place = {"latitude": np.array([51.5]), "longitude": np.array([7.2])}
    return Fleet(hours(values), {(name, "mean"): site(values) for name in keys}, np.empty((1, 0)), place)


def generator() -> np.random.Generator:
    return np.random.default_rng(1)


def by_day(given: Fleet) -> Array:
    """Return the radiation while the sun may shine; at night there is none, whatever is measured."""
    found = site_sun(given)
    return found.radiation[found.elevation > -5]


def known_water(values: Array) -> list[Array]:
    """Return all but on how many days it rests, which is 0 of none."""
    column = site(values)
    found = water_account.water_account(column, column, column, column, np.ones(1))
    return [getattr(found, field.name) for field in fields(found) if field.name != "days"]


def told(effect: green.Effect) -> Array:
    return np.array([effect.difference, effect.low, effect.high])


def islands(found: heat_island.HeatIsland) -> list[Array]:
    return [found.mean, found.largest]


CALLS: Final[dict[str, Call]] = {
    # comfort: what is judged has its own test beside the reasons, tests/processors/comfort/test_wrong_input.py
    "comfort.dew_point.dew_point": lambda v: dew_point(v, v),
    "comfort.heat_index.heat_index": lambda v: heat_index(v, v),
    "comfort.humidex.humidex": lambda v: humidex(v, v),
    "comfort.mean_radiant_temperature.mean_radiant_temperature_from_globe": lambda v: (
        mean_radiant_temperature_from_globe(v, v, v)
    ),
    "comfort.mean_radiant_temperature.mean_radiant_temperature_from_radiation": lambda v: (
        mean_radiant_temperature_from_radiation(v, v, v, v, v)
    ),
    "comfort.physiological_equivalent_temperature.physiological_equivalent_temperature": lambda v: (
        physiological_equivalent_temperature(v, v, v, v, v)
    ),
    "comfort.universal_thermal_climate_index.universal_thermal_climate_index": lambda v: (
        universal_thermal_climate_index(v, v, v, v)
    ),
    "comfort.universal_thermal_climate_index.vapour_pressure": lambda v: vapour_pressure(v, v),
    "comfort.vapour_pressure_deficit.vapour_pressure_deficit": lambda v: vapour_pressure_deficit(v, v),
    "comfort.wet_bulb_temperature.wet_bulb_temperature": lambda v: wet_bulb_temperature(v, v),
    "comfort.wet_bulb_globe_temperature.natural_wet_bulb": lambda v: wet_bulb_globe_temperature.natural_wet_bulb(
        v, v, v, v
    ),
    "comfort.wet_bulb_globe_temperature.wet_bulb_globe_temperature": lambda v: (
        wet_bulb_globe_temperature.wet_bulb_globe_temperature(v, v, v, np.ones(len(v), np.bool_))
    ),
    "comfort.wet_bulb_globe_temperature.wet_bulb_globe_temperature_from_weather": lambda v: (
        wet_bulb_globe_temperature.wet_bulb_globe_temperature_from_weather(v, v, v, v, v, v, v)
    ),
    "comfort.wet_bulb_globe_temperature.wet_bulb_globe_temperature_simple": lambda v: (
        wet_bulb_globe_temperature.wet_bulb_globe_temperature_simple(v, v)
    ),
    "comfort.wind_profile.wind_at_height": lambda v: wind_profile.wind_at_height(v, np.full(len(v), 2.0), 10.0),
    "comfort.wind_profile.site_wind": lambda v: wind_profile.site_wind(fleet(v), 10.0),
    "comfort.site_sun.site_sun": lambda v: by_day(fleet(v)),
    "comfort.thermal_stress.utci_class": thermal_stress.utci_class,
    "comfort.thermal_stress.pet_class": thermal_stress.pet_class,
    "comfort.thermal_stress.perceived_class": thermal_stress.perceived_class,
    "comfort.reason.humid": lambda v: humid(v) & ~np.isnan(v),
    "comfort.reason.above": lambda v: above(v, v),
    # climate
    "climate.climate_days.climate_days": lambda v: days.climate_days(site(v), site(v), site(v)),
    "climate.cool_places.cool_places": lambda v: (cool_places(v).rank, cool_places(v).cooler),
    "climate.cooling_effect.before_and_after": lambda v: told(
        green.before_and_after(hours(v), v, v, START + 20 * DAY, generator(), repeats=20)
    ),
    "climate.cooling_effect.cooling_effect": lambda v: told(
        green.cooling_effect(hours(v), v, v, generator(), repeats=20)
    ),
    "climate.daily_extremes.daily_extremes": lambda v: daily_extremes.daily_extremes(site(v), site(v), site(v)),
    "climate.diffuse_radiation.known_radiation": lambda v: diffuse_radiation.known_radiation(v, np.full(len(v), 40.0)),
    "climate.diffuse_radiation.possible_radiation": lambda v: (
        diffuse_radiation.possible_radiation(v, np.full(len(v), 40.0)) & ~np.isnan(v)
    ),
    "climate.diffuse_radiation.sunlight": lambda v: diffuse_radiation.sunlight(
        v, np.full(len(v), 40.0), np.ones(len(v))
    ),
    "climate.heat_island.heat_island": lambda v: islands(heat_island.heat_island(hours(v), v, v, v, v)),
    "climate.heat_wave.heat_threshold": lambda v: heat_wave.heat_threshold(calendar(v), site(v)),
    "climate.heat_wave.heat_wave_days": lambda v: heat_wave.heat_wave_days(v, v > 30),
    "climate.heat_wave.hot_for_the_season": lambda v: heat_wave.hot_for_the_season(calendar(v), v, np.full(366, 25.0)),
    "climate.night_cooling.along_path": lambda v: night_cooling.along_path(np.tile(v[:, None], (1, 4)), np.arange(4.0)),
    "climate.night_cooling.night_cooling": lambda v: (
        night_cooling.night_cooling(hours(v), site(v), np.array([51.5]), np.array([7.2])).rate
    ),
    "climate.night_minimum.night_minimum": lambda v: night_minimum.night_minimum(hours(v), site(v)),
    "climate.season.degree_hours": lambda v: season.degree_hours(v, 26.0),
    "climate.season.season_sums": lambda v: season.season_sums(hours(v), site(v)).total,
    "climate.sun_position.refraction": lambda v: sun_position.refraction(v, v, v),
    # rain
    "rain.counter.increments": lambda v: (
        counter.increments(np.zeros(len(v), np.int64), hours(v), v, np.ones(len(v))).amount
    ),
    "rain.counter.without_lone_tips": lambda v: counter.without_lone_tips(site(v), np.array([0.2]), 4),
    "rain.gauge_correction.corrected_precipitation": lambda v: gauge_correction.corrected_precipitation(
        v, np.full(len(v), 0.345), np.full(len(v), 0.38)
    ),
    "rain.gauge_correction.gauge_correction": lambda v: gauge_correction.gauge_correction(
        hours(v), site(v), site(v), gauge_correction.Exposure.FREE
    ),
    "rain.gauge_fault.blocked_gauge": lambda v: gauge_fault.blocked_gauge(v, np.stack([v, v], axis=1)),
    "rain.gauge_fault.frozen_gauge": lambda v: gauge_fault.frozen_gauge(v, v),
    "rain.heavy_rain_index.heavy_rain_index": lambda v: heavy_rain_index(v, v, np.full(len(v), 40.0)),
    "rain.intensity.hourly_sums": lambda v: intensity.hourly_sums(site(v), 3)[0],
    "rain.intensity.moving_sums": lambda v: intensity.moving_sums(hours(v), ends(v), v, 3 * HOUR),
    "rain.precipitation.rain_of_counter": lambda v: rain_of_counter(site(v), site(v), np.array([0.2]), site(v))[
        "precipitation", ""
    ],
    "rain.rain_event.rain_events": lambda v: rain_event.rain_events(hours(v), ends(v), v).depth,
    "rain.rain_level.rain_level": lambda v: rain_level(v, 1),
    "rain.rare_rain.rain_yield": lambda v: rare_rain.rain_yield(v, np.full(len(v), 60.0)),
    "rain.rare_rain.return_period": lambda v: rare_rain.return_period(
        v, PERIODS, np.tile([10.0, 20.0, 40.0], (len(v), 1))
    ),
    "rain.water_account.drawn_and_filled": lambda v: np.array(water_account.drawn_and_filled(v)),
    "rain.water_account.water_account": known_water,
    "rain.water_account.wet_spells": lambda v: water_account.wet_spells(v) > 0,
    # quality
    "quality.attenuated_signal.attenuated_signal": lambda v: attenuated_signal(strand(v), 12.0, 0.1, 0.01),
    "quality.climatology.climatology": lambda v: climatology(hours(v), v, MONTHS),
    "quality.counter_error.counter_error": lambda v: counter_error(strand(v), 100.0),
    "quality.flat_line.flat_line": lambda v: flat_line.flat_line(v, 0.05, 5),
    "quality.flat_line.still": lambda v: flat_line.still(strand(v), 0.05, 5.0, 20.0),
    "quality.frozen_ground.frozen_ground": frozen_ground,
    "quality.gross_range.gross_range": lambda v: gross_range(v, (-40.0, 60.0)),
    "quality.neighbours.apart": lambda v: neighbours.apart(np.tile(v[:, None], (1, 5))),
    "quality.neighbours.outlying": lambda v: neighbours.outlying(np.tile(v[:, None], (1, 5)), 1.0),
    "quality.neighbours.slope": lambda v: neighbours.slope(site(v), 5),
    "quality.rate_of_change.rate_of_change": lambda v: rate_of_change(strand(v), 20.0, 60.0),
    "quality.rise_without_rain.rise_without_rain": lambda v: rise_without_rain(
        site(v), site(v), np.zeros((len(v), 1), np.bool_), np.array([5.0])
    ),
    "quality.saturated_plateau.saturated_plateau": lambda v: saturated_plateau(strand(v), 47.5, 12.0, 0.05),
    "quality.sensor_in_air.sensor_in_air": lambda v: sensor_in_air.sensor_in_air(
        v[:, None, None], v[:, None, None], v[:, None, None], np.array([[20.0]])
    ),
    "quality.spike.spike": lambda v: spike(strand(v), 6.0, 15.0),
}

OF_NO_READINGS: Final = {
    # of moments, depths, names, flags of others, or steps inside an index that is tested as a whole
    "comfort.body.breath", "comfort.body.convection", "comfort.body.core_temperature", "comfort.body.evaporation",
    "comfort.body.radiation", "comfort.body.sweat", "comfort.portion.in_portions", "comfort.reason.judged",
    "comfort.reason.named", "comfort.reason.reasons", "comfort.root.roots", "comfort.wind_profile.site_attribute",
    "climate.sun_position.sun", "climate.sun_position.sun_elevation", "climate.sun_position.sunrise_and_sunset",
    "rain.rare_rain.column", "rain.rare_rain.rare_rain_of", "quality.clock_error.clock_error",
    "quality.criteria.criteria", "quality.examination.dryness", "quality.gap.gap",
    "quality.sensor_in_air.greatest_daily_range",
}  # fmt: skip


def outputs(found: Any) -> Iterator[np.ndarray]:  # noqa: ANN401 - whatever a function gives
    if isinstance(found, dict):
        for value in found.values():
            yield from outputs(value)
    elif isinstance(found, tuple | list):
        for value in found:
            yield from outputs(value)
    elif is_dataclass(found):
        for field in fields(found):
            yield from outputs(getattr(found, field.name))
    else:
        yield np.asarray(found)


def public_functions() -> set[str]:
    found = set()
    for room in ROOMS:
        package = importlib.import_module(f"processors.{room}")
        for module in pkgutil.iter_modules(package.__path__):
            there = importlib.import_module(f"processors.{room}.{module.name}")
            found |= {
                f"{room}.{module.name}.{name}"
                for name, it in inspect.getmembers(there, inspect.isfunction)
                if it.__module__ == there.__name__ and not name.startswith("_")
            }
    return found


def test_every_function_is_here() -> None:
    assert public_functions() == CALLS.keys() | OF_NO_READINGS
    assert not CALLS.keys() & OF_NO_READINGS


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("length", [0, 1, 2, 60])
def test_nothing_known_is_nothing_said(name: str, length: int) -> None:
    for found in outputs(CALLS[name](np.full(length, np.nan))):
        if found.dtype == np.float64:
            assert np.isnan(found).all(), "a number of nothing"
        elif found.dtype == np.bool_:
            assert not found.any(), "a verdict on nothing"
        elif found.dtype == np.uint8:
            assert np.isin(found, [Flag.MISSING, Flag.NOT_EVALUATED, 0]).all(), "a flag of nothing"


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("value", [0.0, -1.0, 101.0, 1e9, -1e9, np.inf, -np.inf, 6553.5])
@pytest.mark.parametrize("length", [1, 60])
def test_nonsense_is_no_exception_and_no_infinity(name: str, value: float, length: int) -> None:
    with np.errstate(all="warn" if np.isfinite(value) else "ignore"):
        found = list(outputs(CALLS[name](np.full(length, value))))
    if np.isfinite(value):
        assert not any(np.isinf(it).any() for it in found if it.dtype == np.float64)


@pytest.mark.parametrize("name", CALLS)
def test_what_is_known_is_the_same_beside_what_is_not(name: str) -> None:
    rough = np.random.default_rng(5).normal(15.0, 3.0, 60)
    rough[np.random.default_rng(6).random(60) < 0.3] = np.nan
    list(outputs(CALLS[name](rough)))
