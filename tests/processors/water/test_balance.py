import doctest
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from water_seasons import buckets, of, readings, states, weather

from processors.water import assimilation, balance, bucket
from processors.water.assimilation import Seen
from processors.water.balance import Balance, available_water_band, water_balance
from processors.water.bucket import Day, State, daily_step

SEEDS = st.integers(0, 2**32 - 1)
STEPS, SITES = 60, 5
EVERY_SITE = slice(None)


@pytest.mark.parametrize("module", [bucket, assimilation, balance])
def test_the_examples_run(module: object) -> None:
    results = doctest.testmod(module, extraglobs={"np": np})  # type: ignore[arg-type]  # a module, as parametrized
    assert not results.failed


@given(SEEDS)
def test_no_water_is_made_or_lost_over_a_season(seed: int) -> None:
    generator = np.random.default_rng(seed)
    sites = buckets(generator, SITES)
    start, days = states(generator, sites), weather(generator, STEPS, SITES)
    season = water_balance(sites, start, days)
    catchment = 1 + sites.drained_share
    came = catchment * days.precipitation.sum(axis=0) + days.watering.sum(axis=0) / sites.area
    went = season.interception + season.evapotranspiration + season.runoff + season.percolation
    kept = season.storage[-1] - start.storage + catchment * (season.snow[-1] - start.snow)
    np.testing.assert_allclose(went.sum(axis=0) + kept, came, rtol=0, atol=1e-9 * (1 + came.max()))
    for flux in (season.interception, season.evapotranspiration, season.runoff, season.percolation, season.storage):
        assert (flux >= -1e-12).all()
    assert (season.storage <= sites.saturation * (1 + 1e-12)).all()


@given(SEEDS, st.integers(1, STEPS - 1))
@settings(max_examples=30)
def test_a_restart_in_the_middle_is_as_if_it_had_never_stopped(seed: int, middle: int) -> None:
    generator = np.random.default_rng(seed)
    sites = buckets(generator, SITES)
    start, days, seen = states(generator, sites), weather(generator, STEPS, SITES), readings(generator, STEPS, SITES)
    whole = water_balance(sites, start, days, seen)
    first, second = slice(middle), slice(middle, None)
    begun = water_balance(sites, start, of(days, first, EVERY_SITE), Seen(*(a[first] for a in _arrays(seen))))
    ended = water_balance(sites, begun.state(), of(days, second, EVERY_SITE), Seen(*(a[second] for a in _arrays(seen))))
    _same(whole, begun, ended, axis=0)


@given(SEEDS, st.integers(1, SITES - 1))
@settings(max_examples=30)
def test_sites_in_batches_are_as_all_at_once(seed: int, cut: int) -> None:
    generator = np.random.default_rng(seed)
    sites = buckets(generator, SITES)
    start, days, seen = states(generator, sites), weather(generator, STEPS, SITES), readings(generator, STEPS, SITES)
    whole = water_balance(sites, start, days, seen)
    parts = [
        water_balance(
            sites.at(some),
            start.at(some),
            of(days, slice(None), some),
            Seen(*(a[:, some] for a in _arrays(seen))),
        )
        for some in (slice(cut), slice(cut, None))
    ]
    _same(whole, *parts, axis=1)


def test_more_sites_than_are_stepped_together_are_as_each_alone() -> None:
    generator = np.random.default_rng(3)
    many = 2 * balance._AT_ONCE + 5
    sites = buckets(generator, many)
    start, days, seen = states(generator, sites), weather(generator, 3, many), readings(generator, 3, many)
    whole = water_balance(sites, start, days, seen)
    last = slice(many - 1, many)
    alone = water_balance(
        sites.at(last), start.at(last), of(days, slice(None), last), Seen(*(a[:, last] for a in _arrays(seen)))
    )
    for part in fields(Balance):
        np.testing.assert_array_equal(getattr(whole, part.name)[:, last], getattr(alone, part.name))


@given(SEEDS, st.floats(0, 80))
def test_more_rain_never_leaves_less_water(seed: int, more: float) -> None:
    generator = np.random.default_rng(seed)
    sites = buckets(generator, SITES)
    start, days = states(generator, sites), weather(generator, STEPS, SITES)
    rain = days.precipitation.copy()
    rain[generator.integers(STEPS)] += more
    wetter = replace(days, precipitation=rain)
    drier_season, wetter_season = water_balance(sites, start, days), water_balance(sites, start, wetter)
    assert (wetter_season.storage >= drier_season.storage - 1e-9).all()


@given(SEEDS, st.floats(1, 3))
def test_a_thirstier_site_is_never_wetter(seed: int, factor: float) -> None:
    generator = np.random.default_rng(seed)
    sites = buckets(generator, SITES)
    start, days = states(generator, sites), weather(generator, STEPS, SITES)
    thirsty = water_balance(sites, start, replace(days, demand=factor * days.demand))
    assert (thirsty.storage <= water_balance(sites, start, days).storage + 1e-9).all()


@given(SEEDS)
def test_the_band_is_in_order_and_within_what_the_ground_can_hold(seed: int) -> None:
    generator = np.random.default_rng(seed)
    sites = buckets(generator, SITES)
    season = water_balance(
        sites, states(generator, sites), weather(generator, STEPS, SITES), readings(generator, STEPS, SITES)
    )
    low, middle, high = available_water_band(sites, season.storage, season.deviation, generator.uniform(0, 0.6, SITES))
    assert (low >= 0).all()
    assert (low <= middle).all()
    assert (middle <= high).all()
    assert (high <= 100 * sites.saturation / sites.capacity + 1e-9).all()


@given(st.floats(0, 0.8), st.floats(1.0, 400.0), st.floats(5, 150))
def test_the_band_follows_what_another_capacity_would_have_left(fraction: float, drawn: float, capacity: float) -> None:
    one = np.ones(1)
    site = replace(buckets(np.random.default_rng(1), 1), depletion_fraction=fraction * one)
    shares = []
    for size in (capacity, 1.001 * capacity):
        some = replace(site, capacity=size * one, saturation=2 * size * one)
        state = State(some.capacity, *[0 * one] * 5)
        after, _ = daily_step(some, state, Day(*[0 * one] * 2, 20 * one, drawn * one, *[0 * one] * 3))
        shares.append(100 * after.storage.item() / size)
    some = replace(site, capacity=capacity * one, saturation=2 * capacity * one)
    left = np.array([shares[0] / 100 * capacity])
    low, middle, high = available_water_band(some, left, 0 * one, 0.001 * one)
    moved = (high - middle).item() / balance.TENTH
    assert moved == pytest.approx(shares[1] - shares[0], rel=0.02, abs=1e-4)
    assert low.item() <= middle.item()


@given(SEEDS)
def test_without_probes_a_site_is_ever_less_certain_while_it_dries(seed: int) -> None:
    generator = np.random.default_rng(seed)
    sites = replace(buckets(generator, SITES), depletion_fraction=np.full(SITES, 0.5))
    full = State(sites.capacity.copy(), *(np.zeros(SITES) for _ in range(5)))
    dry = replace(
        weather(generator, 5, SITES),
        precipitation=np.zeros((5, SITES)),
        precipitation_deviation=np.zeros((5, SITES)),
        demand=np.broadcast_to(0.05 * sites.capacity, (5, SITES)),  # stays above the depletion fraction
        watering=np.zeros((5, SITES)),
    )
    deviation = water_balance(sites, full, dry).deviation
    assert (np.diff(deviation, axis=0) >= 0).all()


@given(SEEDS)
def test_a_reading_never_makes_the_balance_less_certain_and_draws_it_near(seed: int) -> None:
    generator = np.random.default_rng(seed)
    sites = buckets(generator, SITES)
    start, days = replace(states(generator, sites), correlation=np.zeros(SITES)), weather(generator, 1, SITES)
    look = Seen(*(a[0] for a in _arrays(readings(generator, 1, SITES))))
    before, _ = daily_step(sites, start, days.on(0, slice(None)))
    after, innovation, gain = assimilation.assimilate(sites, before, look)
    known = ~np.isnan(look.available_water)
    assert (after.deviation <= before.deviation + 1e-9).all()
    assert ((gain >= 0) & (gain <= 1)).all()
    np.testing.assert_array_equal(after.storage[~known], before.storage[~known])
    assert np.isnan(innovation[~known]).all()
    moved = after.storage - before.storage
    assert (moved[known] * innovation[known] >= -1e-9).all()


def test_a_full_profile_is_followed_further_than_a_single_probe() -> None:
    sites = buckets(np.random.default_rng(5), 2)
    sites = replace(sites, capacity=np.full(2, 100.0), saturation=np.full(2, 150.0))
    nothing = np.zeros(2)
    model = State(np.full(2, 80.0), np.full(2, 10.0), nothing, nothing, nothing, nothing)
    for _ in range(30):
        model, _, _ = assimilation.assimilate(
            sites, model, Seen(np.full(2, 40.0), np.full(2, 3.0), np.array([3.0, 25.0]))
        )
    profile, single = model.storage
    assert profile == pytest.approx(40, abs=5)
    assert single == pytest.approx(80 - 40 * 10**2 / (10**2 + 25**2), abs=5)
    assert model.deviation[1] > 2 * model.deviation[0]
    assert model.offset[1] < -25


def _arrays(seen: Seen) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return seen.available_water, seen.noise, seen.offset


def _same(whole: Balance, *parts: Balance, axis: int) -> None:
    for part in fields(Balance):
        joined = np.concatenate([getattr(some, part.name) for some in parts], axis=axis)
        np.testing.assert_array_equal(joined, getattr(whole, part.name), err_msg=part.name)
