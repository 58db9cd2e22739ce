import doctest
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from water_fleet import CISTERN, OLD, ROOF, YOUNG, fleet

from gruenpuls.domain.processor import Array
from processors.water import climatology
from processors.water.balance import TENTH
from processors.water.roof import retention
from processors.water.water_balance import DEMAND_ASSUMED, RAIN_ASSUMED, WATER_BALANCE

Found = dict[tuple[str, str], Array]
SITES = (YOUNG, OLD, ROOF)
DRY = np.zeros(30)
P10, P50, P90 = (("plant_available_water", name) for name in ("p10", "p50", "p90"))


def balance(*arguments: object, **named: object) -> Found:
    return WATER_BALANCE.compute(fleet(*arguments, **named))  # type: ignore[arg-type]  # as of the fleet


def full(sites: tuple = SITES) -> Found:
    """Return a state of full sites, surely known."""
    return {key: np.zeros(len(sites)) for key in ((o.quantity, o.statistic) for o in WATER_BALANCE.carries)} | {
        ("soil_water_storage", ""): fleet(sites, DRY).attributes["capacity"].copy()
    }


def test_the_examples_of_the_climate_run() -> None:
    assert not doctest.testmod(climatology, extraglobs={"np": np}).failed


def test_every_tree_has_a_balance_from_day_one_and_a_wide_band() -> None:
    found = balance(SITES, DRY)
    width = found[P90] - found[P10]
    assert np.isfinite(found[P50]).all()
    assert (width[0] > 60).all()


def test_the_band_is_nearly_closed_where_probes_say_much() -> None:
    probes = np.full((30, 2, 3), 60.0)
    blind, seeing = balance((YOUNG, OLD), DRY, demand=0.2), balance((YOUNG, OLD), DRY, demand=0.2, probes=probes)
    blind_width, seeing_width = ((found[P90] - found[P10])[-1, 0] for found in (blind, seeing))
    assert seeing_width < blind_width
    assert abs(seeing[P50][-1, 0] - 60) < abs(blind[P50][-1, 0] - 60)
    assert np.isfinite(seeing["soil_water_innovation", ""]).all()
    assert np.isnan(blind["soil_water_innovation", ""]).all()


def test_where_nothing_grows_there_is_no_balance() -> None:
    found = balance((YOUNG, CISTERN), DRY)
    assert all(np.isnan(values[:, 1]).all() for values in found.values())
    assert np.isfinite(found[P50][:, 0]).all()


def test_a_week_of_sun_dries_and_a_wet_week_fills() -> None:
    rain = np.r_[np.zeros(14), np.full(14, 20.0)]
    share = balance(SITES, rain, carried=full())[P50]
    assert (np.diff(share[:14], axis=0) < 0).all()
    assert (share[-1] > share[13]).all()


def test_watering_arrives_as_litres_on_the_root_zone_less_what_is_lost() -> None:
    watered = np.zeros((30, 3))
    watered[20, 0] = 100.0
    given = fleet(SITES, DRY, carried=full())
    dry, wet = (
        WATER_BALANCE.compute(one)["soil_water_storage", ""][20, 0] for one in (given, replace(given, watered=watered))
    )
    area, efficiency = (given.attributes[name][0] for name in ("root_zone_area", "efficiency"))
    # what is given is partly drunk the same day
    assert 0.8 * 100 * efficiency / area < wet - dry <= 100 * efficiency / area


def test_missing_rain_is_the_climate_s_and_says_so_and_never_none() -> None:
    rain = DRY.copy()
    rain[10:] = np.nan
    known, unknown = balance(SITES, DRY, carried=full()), balance(SITES, rain, carried=full())
    assert (known["assumed_weather", ""] == 0).all()
    assert (unknown["assumed_weather", ""][10:] == RAIN_ASSUMED).all()
    assert (unknown["soil_water_storage", ""][-1] > known["soil_water_storage", ""][-1]).all()
    wider = unknown["soil_water_storage", "deviation"] > known["soil_water_storage", "deviation"]
    assert wider[10:13].all()


def test_missing_demand_is_the_climate_s_and_says_so() -> None:
    found = balance(SITES, DRY, demand=np.nan, carried=full())
    assert (found["assumed_weather", ""] == DEMAND_ASSUMED).all()
    assert (found["actual_evapotranspiration", ""] > 0).all()


def test_a_site_nobody_ever_told_anything_of_has_no_balance_until_somebody_does() -> None:
    rain = np.full(30, np.nan)
    rain[12] = 5.0
    found = balance(SITES, rain, demand=np.nan)
    assert np.isnan(found[P50][:12]).all()
    assert np.isfinite(found[P50][12:]).all()
    late = balance(SITES, rain[12:], demand=np.nan, first="2023-06-13")
    np.testing.assert_allclose(found[P50][12:], late[P50], rtol=1e-12)


def test_rain_from_afar_is_believed_less() -> None:
    rain = np.tile([0.0, 0.0, 8.0], 10)
    near, far = (balance(SITES, rain, carried=full(), distance=away) for away in (0.0, 25.0))
    assert far["soil_water_storage", "deviation"][5, 0] > near["soil_water_storage", "deviation"][5, 0]


@pytest.mark.parametrize(("soil", "air", "believed"), [(0.2, 5.0, False), (3.0, -5.0, True), (np.nan, -1.0, False)])
def test_frozen_ground_is_not_believed(soil: float, air: float, believed: bool) -> None:
    probes = np.full((30, 2, 3), 5.0)
    found = balance((YOUNG, OLD), DRY, probes=probes, soil_temperature=soil, temperature=air, first="2023-01-10")
    assert np.isfinite(found["soil_water_innovation", ""]).all() == believed


def test_a_probe_beside_a_young_tree_s_roots_does_not_count() -> None:
    probes = np.full((30, 2, 3), 5.0)
    given = fleet((YOUNG, OLD), DRY, probes=probes)
    placements = np.full((2, 3), "native_soil")
    found = WATER_BALANCE.compute(replace(given, placements=placements))["soil_water_innovation", ""]
    assert np.isnan(found[:, 0]).all()
    assert np.isfinite(found[:, 1]).all()


def test_snow_lies_and_fills_the_ground_when_it_melts() -> None:
    cold = balance(SITES, np.full(5, 4.0), temperature=-3.0, first="2023-01-10", demand=0.2)
    assert cold["snow_water", ""][-1] == pytest.approx(20.0)
    state = {key: cold[key][-1] for key in ((o.quantity, o.statistic) for o in WATER_BALANCE.carries)}
    thaw = balance(SITES, np.zeros(5), temperature=6.0, first="2023-01-15", demand=0.2, carried=state)
    assert thaw["snow_water", ""][-1] == pytest.approx(0.0)
    assert (thaw["soil_water_storage", ""][1] > cold["soil_water_storage", ""][-1]).all()


@given(st.integers(1, 29), st.integers(0, 2**32 - 1))
@settings(max_examples=20)
def test_carried_over_any_night_it_is_as_if_it_had_run_through(day: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    rain = generator.exponential(5, 30) * (generator.random(30) < 0.4)
    probes = generator.uniform(0, 110, (30, 3, 3))
    probes[generator.random(probes.shape) < 0.7] = np.nan
    whole = balance(SITES, rain, probes=probes)
    first = balance(SITES, rain[:day], probes=probes[:day])
    state = {key: first[key][-1] for key in ((o.quantity, o.statistic) for o in WATER_BALANCE.carries)}
    start = str(np.datetime64("2023-06-01") + day)
    second = balance(SITES, rain[day:], probes=probes[day:], first=start, carried=state)
    for key, values in second.items():
        np.testing.assert_allclose(values, whole[key][day:], rtol=1e-9, atol=1e-9, err_msg=str(key))


def test_percentiles_are_those_of_the_deviation() -> None:
    found = balance((OLD,), DRY, probes=np.full((30, 1, 3), 60.0))
    attributes = fleet((OLD,), DRY).attributes
    share = 100 / attributes["capacity"][0]
    own = share * found["soil_water_storage", "deviation"][-1, 0]
    assert found[P50][-1, 0] > 50  # above the depletion fraction what is missing is known in mm
    of_capacity = (100 - found[P50][-1, 0]) * attributes["capacity_error"][0]
    expected = found[P50][-1, 0] - TENTH * np.hypot(own, of_capacity)
    assert found[P10][-1, 0] == pytest.approx(max(expected, 0))


def test_an_extensive_roof_holds_back_about_what_fll_expects_of_a_year() -> None:
    generator = np.random.default_rng(7)
    wet = generator.random(365) < 0.45
    rain = generator.exponential(830 / 365 / 0.45, 365) * wet
    day = np.arange(365)
    given = fleet((ROOF,), rain, first="2023-01-01")
    demand = climatology.expected_evapotranspiration(np.array([51.5]), day[:, None] + 1.0)
    inputs = dict(given.inputs) | {("reference_evapotranspiration", "last"): demand}
    found = WATER_BALANCE.compute(replace(given, inputs=inputs))
    held_back = retention(rain[:, None], found["runoff", ""])
    assert 40 <= held_back.item() <= 65
    assert (found["free_storage", ""] >= 0).all()
    assert (found["percolation", ""] == 0).all()
