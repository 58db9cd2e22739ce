from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gruenpuls.domain.errors import InputError
from gruenpuls.simulation.chance import Chance
from gruenpuls.simulation.city import City, Span, Truth
from gruenpuls.simulation.city_ground import Kind, ground
from gruenpuls.simulation.soil_column import FIELD_CAPACITY, WILTING_POINT, SoilWater, in_leaf
from gruenpuls.simulation.weather import Climate, clear_sky_radiation, makkink, sine_of_sun_elevation

START = datetime(2025, 1, 1, tzinfo=UTC)
YEAR = Span.between(START, datetime(2026, 1, 1, tzinfo=UTC))
MAY = Span.between(datetime(2025, 5, 20, tzinfo=UTC), datetime(2025, 6, 9, 7, tzinfo=UTC))
SITES = ground(3, np.arange(40))
SEEDS = st.integers(0, 2**63 - 1)


def joined(parts: list[Truth], name: str) -> np.ndarray:
    return np.concatenate([getattr(part, name) for part in parts])


def forcing(seed: int, hours: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    shape = (hours, len(SITES.numbers))
    rain = rng.exponential(4, shape) * (rng.random(shape) < 0.2)
    watering = rng.exponential(15, shape) * (rng.random(shape) < 0.02)
    return rain, watering, rng.random(shape) * 0.7


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.floats(0, 1.3), st.floats(0, 1))
def test_no_water_is_made_or_lost(seed: int, filled: float, leaf: float) -> None:
    soil = SoilWater(SITES.columns, filled)
    before = soil.stored
    for rain, watering, demand in zip(*forcing(seed, 200), strict=True):
        soil.step(rain, watering, demand, leaf)
        assert np.abs(before + soil.balance.gained - soil.stored).max() < 1e-9
    assert all((part >= 0).all() for part in (soil.balance.evaporation, soil.balance.drainage, soil.balance.runoff))


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.floats(0, 1.3), st.floats(0, 1), st.floats(0.01, 30))
def test_more_rain_never_makes_any_layer_drier(seed: int, filled: float, leaf: float, more: float) -> None:
    usual, wetter = SoilWater(SITES.columns, filled), SoilWater(SITES.columns, filled)
    extra = np.random.default_rng(seed + 1).random(100) < 0.2
    for place, (rain, watering, demand) in enumerate(zip(*forcing(seed, 100), strict=True)):
        usual.step(rain, watering, demand, leaf)
        wetter.step(rain + more * extra[place], watering, demand, leaf)
        assert (wetter.water - usual.water).min() >= -1e-9


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.floats(0, 1.3), st.floats(0, 1))
def test_a_layer_is_never_fuller_than_its_pores_nor_emptied_below_wilting(
    seed: int, filled: float, leaf: float
) -> None:
    soil, curve = SoilWater(SITES.columns, filled), SITES.columns.retention
    for forces in zip(*forcing(seed, 100), strict=True):
        soil.step(*forces, leaf)
        assert (soil.content <= curve.saturated + 1e-9).all()
        assert (soil.content >= curve.content(WILTING_POINT) - 1e-9).all()


@given(st.lists(st.floats(0.01, 0.99), min_size=2, max_size=2, unique=True))
def test_tension_rises_as_water_falls(filled: list[float]) -> None:
    curve = SITES.columns.retention
    dry, wet = (curve.residual + share * (curve.saturated - curve.residual) for share in sorted(filled))
    assert (curve.tension(dry) >= curve.tension(wet)).all()


@given(st.floats(0.5, 3000))
def test_content_and_tension_are_each_others_inverse(tension: float) -> None:
    curve = SITES.columns.retention
    assert curve.tension(curve.content(tension)) == pytest.approx(tension, rel=1e-6)


def test_a_soil_keeps_what_its_published_curve_says_at_field_capacity() -> None:
    """Sl3 after Wessolek et al. (2009): 24 % at pF 1.8, from the parameters by hand."""
    sand = SITES.columns.retention
    unscaled = type(sand)(*(np.array([value]) for value in (0.0519, 0.3952, 0.07097, 1.35096)))
    assert unscaled.content(FIELD_CAPACITY)[0] == pytest.approx(0.2475, abs=0.001)


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.integers(400_000, 600_000))
def test_nothing_shines_at_night_and_never_more_than_the_clear_sky(seed: int, first: int) -> None:
    hours = np.arange(first, first + 30)
    sun = sine_of_sun_elevation(hours)
    weather = Climate(seed).weather(hours)
    assert (weather.global_radiation[sun <= 0] == 0).all()
    assert (weather.global_radiation <= clear_sky_radiation(sun)[:, None]).all()
    assert (weather.evaporation >= 0).all()
    assert ((weather.relative_humidity > 0) & (weather.relative_humidity <= 100)).all()


@given(st.floats(-10, 38), st.floats(0, 900), st.floats(1, 100))
def test_more_sun_evaporates_more(temperature: float, radiation: float, more: float) -> None:
    warmth = np.array([temperature])
    assert makkink(warmth, np.array([radiation + more])) > makkink(warmth, np.array([radiation]))


@pytest.mark.parametrize("seed", [0, 1, 4, 5])
def test_a_year_is_one_of_the_ruhr(seed: int) -> None:
    weather = Climate(seed).weather(np.arange(YEAR.first, YEAR.end))
    days = weather.rain[:, 0].reshape(365, 24).sum(axis=1)
    assert 9 < weather.air_temperature.mean() < 12.5
    assert -16 < weather.air_temperature.min() < 0
    assert 26 < weather.air_temperature.max() < 41
    assert 500 < days.sum() < 1200
    assert 100 < (days >= 0.1).sum() < 230
    dry = "".join("." if day < 1 else "#" for day in days).split("#")
    assert 10 <= max(map(len, dry)) <= 50
    assert 900 < weather.global_radiation.mean(axis=1).sum() / 1000 < 1250
    assert 70 < weather.relative_humidity.mean() < 85
    assert 2 < weather.wind_speed.mean() < 4.5


@settings(max_examples=20, deadline=None)
@given(SEEDS, st.floats(0.1, 2.0))
def test_the_deeper_the_later_and_weaker_the_heat_of_the_day(seed: int, depth: float) -> None:
    hours = np.arange(YEAR.first, YEAR.end)
    climate = Climate(seed)
    assert np.ptp(climate.ground(hours, depth)) < np.ptp(climate.ground(hours, 0.0))
    assert climate.ground(hours, depth).argmin() != climate.ground(hours, 0.0).argmin()


def test_leaves_come_in_spring_and_go_in_autumn() -> None:
    assert [in_leaf(day) for day in (1, 105, 120, 200, 300, 320)] == [0, 0, 0.5, 1, pytest.approx(3 / 7), 0]


def test_portions_of_time_and_of_sites_change_no_bit() -> None:
    city = City(11, 37, MAY)
    whole = list(city.truth(0, 37, 10_000))
    hourly = list(city.truth(0, 37, 7))
    assert len(whole) == 2
    for name in ("content", "rain", "watering", "air_temperature", "relative_humidity"):
        assert np.array_equal(joined(hourly, name), joined(whole, name)), name
    parts = [list(city.truth(first, first + 5, 100)) for first in range(0, 37, 5)]
    beside = np.concatenate([joined(part, "content") for part in parts], axis=2)
    assert np.array_equal(beside, joined(whole, "content"))
    assert np.array_equal(joined(hourly, "hours"), np.arange(MAY.first, MAY.end))
    temperature = np.concatenate([part.soil_temperature(2) for part in hourly])
    assert np.array_equal(temperature, np.concatenate([part.soil_temperature(2) for part in whole]))


def test_the_same_seed_is_the_same_city_and_another_one_is_not() -> None:
    again, other = (next(City(seed, 10, MAY).truth(0, 10, 100)) for seed in (11, 12))
    larger = next(City(11, 1000, MAY).truth(0, 10, 100))
    assert np.array_equal(again.content, larger.content)
    assert not np.array_equal(again.rain, other.rain)


def test_young_trees_are_watered_in_dry_spells_only_and_roofs_never() -> None:
    city = City(2, 300, YEAR)
    parts = list(city.truth(0, 300, 744))
    watering, rain = joined(parts, "watering"), joined(parts, "rain")
    sites = city.ground
    young = (sites.kind <= Kind.PARK_TREE) & (sites.planted > 2020)
    litres = watering.sum(axis=0) * sites.area
    assert litres[young].mean() > 3 * litres[~young].mean()
    assert (litres[(sites.kind == Kind.GREEN_ROOF) | (sites.kind == Kind.STATION)] == 0).all()
    months = np.arange(YEAR.first, YEAR.end).astype("datetime64[h]").astype("datetime64[M]").astype(int) % 12 + 1
    assert set(months[watering.any(axis=1)]) <= {4, 5, 6, 7, 8, 9}
    of_ten_days = np.array([rain[place - 240 : place].mean(axis=1).sum() for place in np.flatnonzero(watering.any(1))])
    assert of_ten_days.max() < 30


def test_random_numbers_are_even_and_unrelated() -> None:
    chance, numbers = Chance(1, "test"), np.arange(200_000)
    uniform, normal = chance.uniform(numbers), chance.normal(numbers)
    assert (uniform.mean(), uniform.var()) == (pytest.approx(0.5, abs=0.005), pytest.approx(1 / 12, abs=0.001))
    assert (normal.mean(), normal.var()) == (pytest.approx(0, abs=0.01), pytest.approx(1, abs=0.02))
    assert chance.exponential(numbers).mean() == pytest.approx(1, abs=0.02)
    assert abs(np.corrcoef(uniform[1:], uniform[:-1])[0, 1]) < 0.01
    assert abs(np.corrcoef(uniform, Chance(1, "tesu").uniform(numbers))[0, 1]) < 0.01
    assert chance.smooth(numbers / 50).std() == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize(("seed", "sites"), [(-1, 1), (2**63, 1), (0, 0), (0, 1_000_001)])
def test_a_city_that_cannot_be_is_refused(seed: int, sites: int) -> None:
    with pytest.raises(InputError):
        City(seed, sites, MAY)


@pytest.mark.parametrize("end", [START, datetime(2024, 12, 31, tzinfo=UTC)])
def test_a_span_without_an_hour_is_refused(end: datetime) -> None:
    with pytest.raises(InputError, match="no hour"):
        Span.between(START, end)
