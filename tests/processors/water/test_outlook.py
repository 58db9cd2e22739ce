"""The outlook: what futures make of a site's water, and when it needs some."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.water.balance import Weather, water_balance
from processors.water.bucket import Bucket, State
from processors.water.futures import COUNT, demands, rains
from processors.water.outlook import BEYOND, Band, Outlook, outlook
from processors.water.weather_ahead import HourlyForecast, WeatherAhead, weather_ahead

DAYS = np.arange("2026-07-01", "2026-07-11", dtype="datetime64[D]")
MIDNIGHTS = np.arange("2026-06-30T22", "2026-07-11T00", 24, dtype="datetime64[h]").astype("datetime64[ms]")


def pits(sites: int, **other: float) -> Bucket:
    given = {
        "capacity": 100.0,
        "saturation": 160.0,
        "drainage_time": 1.0,
        "depletion_fraction": 0.5,
        "cover": 0.5,
        "interception_bare": 0.2,
        "interception_leaved": 1.0,
        "rain_share": 0.9,
        "drained_share": 0.2,
        "inflow_coefficient": 0.5,
        "infiltration_capacity": 60.0,
        "area": 6.0,
        "demand_error": 0.0,
        "inflow_error": 0.0,
        "noise": 0.0,
        **other,
    }
    return Bucket(**{name: np.full(sites, value) for name, value in given.items()})


def states(storage: list[float], deviation: float = 0.0) -> State:
    nothing = np.zeros(len(storage))
    return State(np.array(storage), nothing + deviation, nothing, nothing, nothing, nothing)


def usual(latitude: float = 51.5) -> WeatherAhead:
    return weather_ahead(HourlyForecast.nothing(np.array([latitude])), DAYS, MIDNIGHTS)


def certain(demand: float, rain: list[float]) -> WeatherAhead:
    """Return weather nobody doubts: dry, or exactly 5 mm."""
    one = np.ones((len(rain), 1))
    amount = np.array(rain)[:, np.newaxis]
    return WeatherAhead(
        DAYS[: len(rain)],
        demand * one,
        0 * one,
        np.stack([np.where(amount > low, 1.0, 0.0) for low in (0.0, 0.2, 1.0, 4.9)]),
        0 * one,
        amount,
        18 * one,
        11 * one,
    )


def ahead(bucket: Bucket, state: State, weather: WeatherAhead, **other: Any) -> Outlook:  # noqa: ANN401 - any of its arrays
    sites, days = len(bucket.capacity), len(weather.days)
    given: dict[str, Any] = {
        "demand_factor": np.ones((days, sites)),
        "leaf": np.ones((days, sites)),
        "capacity_error": np.zeros(sites),
        "thresholds": np.stack([np.full(sites, 50.0), np.full(sites, 30.0)]),
        **other,
    }
    return outlook(bucket, state, weather, np.zeros(sites, np.int64), **given)


def test_without_doubt_and_rain_it_is_the_balance_itself() -> None:
    bucket, state, weather = pits(2), states([90.0, 55.0]), certain(4.0, [0.0] * 10)
    found = ahead(bucket, state, weather)
    shape = (10, 2)
    nothing = np.zeros(shape)
    given = {part.name: nothing for part in fields(Weather)}
    same = water_balance(
        bucket,
        state,
        Weather(
            **{
                **given,
                "demand": np.full(shape, 4.0),
                "air_temperature": np.full(shape, 18.0),
                "leaf": np.ones(shape),
            }
        ),
    )
    for band in (found.available_water.low, found.available_water.middle, found.available_water.high):
        np.testing.assert_allclose(band, same.storage, atol=1e-9)


def test_days_are_counted_until_the_evening_it_is_below() -> None:
    # 4 mm a day from 61 mm: 57, 53, 49; what is below already needs no counting, what stays above is beyond.
    found = ahead(pits(3), states([61.0, 20.0, 100.0]), certain(4.0, [0.0] * 10))
    assert found.until.middle[0].tolist() == [3.0, 0.0, BEYOND]
    assert found.until.low[1, 1] == 0.0
    # Below half of the capacity each day takes the same share: 49 · exp(-4 / 50)^6 = 30.3 on the ninth day.
    assert found.until.middle[1].tolist() == [10.0, 0.0, BEYOND]


def test_what_does_not_happen_within_the_horizon_is_no_number() -> None:
    found = ahead(pits(1), states([100.0]), usual(), thresholds=np.array([[5.0]]))
    assert np.isinf(found.until.high[0, 0])
    assert found.available_water.low[-1, 0] > 5.0


def test_the_early_case_comes_first_and_the_dry_case_is_the_lowest() -> None:
    found = ahead(pits(4), states([95.0, 80.0, 65.0, 52.0], 5.0), usual(), demand_factor=np.full((10, 4), 1.5))
    for band in (found.available_water, found.until, found.rain_reaching):
        assert (band.low <= band.middle).all()
        assert (band.middle <= band.high).all()
    assert found.until.low[0].tolist() == sorted(found.until.low[0].tolist(), reverse=True)


def test_the_band_widens_with_the_days_and_with_doubt() -> None:
    narrow = ahead(pits(1), states([80.0], 2.0), usual()).available_water
    wide = ahead(pits(1, demand_error=0.3), states([80.0], 15.0), usual()).available_water
    width, wider = narrow.high - narrow.low, wide.high - wide.low
    assert width[9, 0] > 3 * width[0, 0]
    assert (wider > width).all()


def test_known_spread_of_the_state_is_handed_on() -> None:
    found = ahead(pits(1), states([80.0], 5.0), certain(0.0, [0.0]))
    # P10 and P90 of a normal distribution, of 41 futures the 5th from either end.
    assert found.available_water.low[0, 0] == pytest.approx(80 - 1.228 * 5, abs=0.02)
    assert found.available_water.high[0, 0] == pytest.approx(80 + 1.228 * 5, abs=0.02)


def test_rain_counts_only_as_far_as_it_reaches_the_pit() -> None:
    found = ahead(pits(1), states([20.0]), certain(4.0, [5.0, 0.0, 5.0]))
    # Under half the area 1 mm and a tenth of the rest stay in the crown: 5 - 0.5 · (1 + 0.4) = 4.3; nine tenths of
    # it enter, and half of what falls on a fifth as much ground: 3.87 + 0.5. The third day is too late.
    assert found.rain_reaching.middle[0] == pytest.approx(4.37)
    sealed = ahead(pits(1, rain_share=0.0, drained_share=0.0), states([20.0]), certain(4.0, [5.0, 0.0]))
    assert sealed.rain_reaching.high[0] == pytest.approx(0.0, abs=1e-9)


def test_a_site_without_state_or_threshold_gets_no_answer_and_harms_no_other() -> None:
    state = states([61.0, np.nan, 61.0])
    limits = np.array([[50.0, 50.0, np.nan]])
    found = ahead(pits(3), state, certain(4.0, [0.0] * 10), thresholds=limits)
    assert found.until.middle[0, 0] == 3.0
    assert np.isnan(found.until.middle[0, 1:]).all()
    assert np.isnan(found.available_water.middle[:, 1]).all()
    assert not np.isnan(found.available_water.middle[:, 2]).any()


def test_each_site_has_the_weather_of_its_place() -> None:
    dry, wet = certain(4.0, [0.0] * 4), certain(1.0, [5.0] * 4)
    joined = {
        part.name: np.concatenate([getattr(dry, part.name), getattr(wet, part.name)], axis=-1)
        for part in fields(WeatherAhead)
        if part.name != "days"
    }
    both = WeatherAhead(days=dry.days, **joined)
    sites = {"demand_factor": np.ones((4, 2)), "leaf": np.ones((4, 2)), "capacity_error": np.zeros(2)}
    found = outlook(pits(2), states([60.0, 60.0]), both, np.array([1, 0]), thresholds=np.full((1, 2), 50.0), **sites)
    assert found.until.middle[0].tolist() == [BEYOND, 3.0]


def test_many_sites_come_out_as_each_alone() -> None:
    draw = np.random.default_rng(1)
    storage = draw.uniform(5, 150, 1100)
    weather = usual()
    together = ahead(pits(1100), states(storage.tolist(), 6.0), weather)
    for site in (0, 511, 512, 1099):
        alone = ahead(pits(1), states([storage[site]], 6.0), weather)
        for name in ("available_water", "until", "rain_reaching"):
            for part in fields(Band):
                np.testing.assert_array_equal(
                    getattr(getattr(together, name), part.name)[..., site],
                    getattr(getattr(alone, name), part.name)[..., 0],
                )


@settings(max_examples=25, deadline=None)
@given(
    storage=st.floats(0, 160),
    factor=st.floats(0, 3),
    drier=st.floats(0, 40),
    latitude=st.floats(47, 55),
)
def test_a_drier_start_and_more_demand_never_give_more_water(
    storage: float, factor: float, drier: float, latitude: float
) -> None:
    bucket, state = pits(3), states([storage, max(storage - drier, 0.0), storage])
    factors = np.broadcast_to(np.array([factor, factor, factor * 1.5]), (10, 3))
    found = ahead(bucket, state, usual(latitude), demand_factor=factors)
    middle = found.available_water.middle
    assert (middle[:, 1] <= middle[:, 0] + 1e-9).all()
    assert (middle[:, 2] <= middle[:, 0] + 1e-9).all()
    for band in (found.available_water.low, found.available_water.high):
        assert (band >= 0).all()
        assert (band <= 160 + 1e-9).all()
    assert (found.until.middle[0, 1:] <= found.until.middle[0, 0]).all()


def test_wetter_chances_never_bring_the_day_of_watering_nearer() -> None:
    weather = usual()
    wetter = replace(weather, chance=np.minimum(weather.chance * 1.5, 1.0))
    assert (rains(wetter) >= rains(weather)).all()
    assert demands(weather).shape == (COUNT, 10, 1)
    bucket, state = pits(1), states([70.0], 8.0)
    some = {"demand_factor": np.full((10, 1), 1.6)}
    for part in fields(Band):
        later = getattr(ahead(bucket, state, wetter, **some).until, part.name)
        assert (later >= getattr(ahead(bucket, state, weather, **some).until, part.name)).all()
