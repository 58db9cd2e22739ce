from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from water_fleet import CISTERN, OLD, ROOF, YOUNG, fleet

from gruenpuls.domain.processor import Array, Fleet, Processor
from gruenpuls.domain.site import Site, SiteKind, Soil
from processors.soil.limits import changed_limits
from processors.water.irrigation_need import FORECAST, IRRIGATION_NEED, irrigation_need_processor
from processors.water.water_balance import WATER_BALANCE

NEED, PUT_OFF = ("irrigation_need", ""), ("watering_postponed", "")


def need(
    sites: tuple[Site, ...],
    share: float | Array,
    *,
    forecast: float | Array = np.nan,
    days: int = 5,
    first: str = "2024-06-01",
    watered: Array | None = None,
    temperature: float = 18.0,
    by: Processor = IRRIGATION_NEED,
) -> dict[tuple[str, str], Array]:
    """Return what is needed at a share of the capacity [% nFK] with some rain in sight [mm]."""
    given = fleet(sites, np.zeros(days), first=first, watered=watered, temperature=temperature)
    shape = (days, len(sites))
    middle = np.broadcast_to(np.asarray(share, np.float64), shape)
    inputs = {("plant_available_water", name): middle + off for name, off in (("p10", -10), ("p50", 0), ("p90", 10))}
    inputs[FORECAST] = np.broadcast_to(np.asarray(forecast, np.float64).reshape(-1, 1), shape)
    inputs["air_temperature", "mean"] = given.inputs["air_temperature", "mean"]
    return by.compute(Fleet(given.steps, inputs, given.depths, given.attributes, watered=given.watered))


def test_a_thirsty_young_tree_gets_what_a_ring_holds() -> None:
    litres = need((YOUNG,), 20.0)[NEED]
    assert (litres == 100.0).all()


def test_a_site_with_enough_gets_nothing_and_the_next_date() -> None:
    found = need((YOUNG,), 85.0)
    assert (found[NEED] == 0).all()
    assert (found["days_until_watering", ""] > 1).all()
    assert (need((YOUNG,), 30.0)["days_until_watering", ""] == 0).all()


@given(st.floats(0, 120), st.floats(0, 120))
def test_more_water_in_the_ground_never_means_more_litres(one: float, other: float) -> None:
    drier, wetter = sorted((one, other))
    assert (need((YOUNG, OLD, ROOF), drier)[NEED] >= need((YOUNG, OLD, ROOF), wetter)[NEED]).all()


@given(st.lists(st.floats(0, 40), min_size=20, max_size=20), st.integers(0, 19), st.floats(0, 50))
def test_more_rain_never_means_more_litres(rain: list[float], day: int, more: float) -> None:
    wetter = np.array(rain)
    wetter[day] += more
    litres = []
    for amount in (np.array(rain), wetter):
        given_rain = fleet((YOUNG, OLD), amount, first="2024-06-01")
        found = WATER_BALANCE.compute(given_rain)
        inputs = found | {FORECAST: np.full((20, 2), np.nan), ("air_temperature", "mean"): np.full((20, 2), 18.0)}
        litres.append(IRRIGATION_NEED.compute(replace(given_rain, inputs=inputs))[NEED])
    assert (litres[1] <= litres[0] + 1e-9).all()


def test_rain_in_sight_puts_it_off_for_two_days_and_no_longer() -> None:
    found = need((YOUNG,), 30.0, forecast=60.0)
    assert (found[NEED][:, 0] > 0).tolist() == [False, False, True, True, True]
    assert found[PUT_OFF][:, 0].tolist() == [1, 2, 2, 2, 2]


def test_an_older_tree_may_be_put_off_twice_running() -> None:
    grown = replace(YOUNG, planted_on="2017-11")
    found = need((grown,), 20.0, forecast=200.0, days=6)
    assert (found[NEED][:, 0] > 0).tolist() == [False] * 4 + [True] * 2


def test_rain_that_the_street_keeps_puts_nothing_off() -> None:
    sealed = replace(YOUNG, attributes={"sealing": 100.0, "surface": "asphalt"})
    assert (need((YOUNG,), 30.0, forecast=60.0, days=1)[NEED] == 0).all()
    assert (need((sealed,), 30.0, forecast=60.0, days=1)[NEED] > 0).all()


@pytest.mark.parametrize("forecast", [np.nan, 0.0, 5.0])
def test_without_enough_rain_in_sight_nothing_is_put_off(forecast: float) -> None:
    assert (need((YOUNG,), 30.0, forecast=forecast)[NEED] > 0).all()


def test_a_watering_today_ends_the_need_and_lets_the_next_be_put_off() -> None:
    watered = np.zeros((5, 1))
    watered[2] = 100.0
    found = need((YOUNG,), 30.0, forecast=60.0, watered=watered)
    assert found[PUT_OFF][:, 0].tolist() == [1, 2, 0, 1, 2]
    assert found[NEED][2, 0] == 0


def test_an_old_extensive_roof_needs_nothing_unless_its_site_says_so() -> None:
    new = replace(ROOF, planted_on="2023-11")
    told = replace(ROOF, attributes={"needs_watering": "ja"})
    intensive = replace(ROOF, soil=Soil("Intensivsubstrat", root_depth=0.4))
    litres = need((ROOF, new, told, intensive), 2.0)[NEED][0]
    assert litres[0] == 0
    assert (litres[1:] > 0).all()


def test_an_old_tree_and_a_lawn_are_not_watered_at_the_first_thirst() -> None:
    lawn = Site("p", "p", SiteKind.PARK)
    told = replace(lawn, attributes={"needs_watering": "ja"})
    assert (need((YOUNG, OLD, lawn, told), 35.0)[NEED][0] > 0).tolist() == [True, False, False, True]
    assert (need((OLD,), 25.0)[NEED] == 300.0).all()


def test_nobody_is_told_to_water_bare_trees_or_frozen_ground() -> None:
    assert (need((OLD,), 5.0, first="2024-01-10", temperature=4.0)[NEED] == 0).all()
    assert np.isnan(need((OLD,), 5.0, first="2024-01-10", temperature=-4.0)[NEED]).all()


def test_what_has_no_balance_has_no_need() -> None:
    assert all(np.isnan(values).all() for values in need((CISTERN,), np.nan).values())


def test_the_drier_and_the_younger_come_first() -> None:
    priority = need((YOUNG, OLD), np.array([20.0, 20.0]))["watering_priority", ""][0]
    assert priority[0] > priority[1] > 0


def test_a_citys_own_limits_say_who_is_due_and_its_season_when() -> None:
    generous = irrigation_need_processor(changed_limits({"season 4 to 10": {"water_soon": 75}}))
    grown = replace(YOUNG, planted_on="2017-11")
    assert (need((grown,), 60.0)[NEED] == 0).all()
    assert (need((grown,), 60.0, by=generous)[NEED] > 0).all()
    assert generous.source != IRRIGATION_NEED.source
    winter, always = {"first": "2024-12-01"}, irrigation_need_processor(dormancy=None)
    assert (need((grown,), 20.0, **winter)[NEED] == 0).all()
    assert (need((grown,), 20.0, **winter, by=always)[NEED] > 0).all()
