import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.water.demand import (
    DEPLETION_FRACTION,
    MICROCLIMATE_FACTOR,
    PLANT_FACTOR,
    Microclimate,
    Vegetation,
    crown_projection,
    depletion_fraction,
    leaf_cover,
    plant_evapotranspiration,
    season_factor,
    total_available_water,
    water_stress,
)

SHARES = st.floats(0, 1)


def a(*values: float) -> np.ndarray:
    return np.array(values, np.float64)


def test_a_lime_in_a_paved_street_drinks_what_practice_reckons_with() -> None:
    # 6 m of crown on a July day of 4 mm: 95 L.
    whole = plant_evapotranspiration(
        a(4.0), a(PLANT_FACTOR[Vegetation.TREE]), a(MICROCLIMATE_FACTOR[Microclimate.PAVED_STREET]), a(1.0)
    )
    assert (whole * crown_projection(a(6.0))).item() == pytest.approx(95.0, abs=0.1)


@pytest.mark.parametrize(("day", "cover"), [(1, 0), (105, 0), (120, 0.5), (135, 1), (200, 1), (288, 1), (319, 0)])
def test_leaves_come_and_go(day: float, cover: float) -> None:
    assert leaf_cover(a(day), a(0)).item() == cover
    assert leaf_cover(a(day), a(1)).item() == 1


def test_a_bare_tree_still_gives_off_a_little() -> None:
    assert season_factor(a(0.0, 0.5, 1.0)).tolist() == pytest.approx([0.2, 0.6, 1.0])


@given(st.floats(0, 15))
def test_the_more_is_asked_for_the_sooner_it_is_hard(demand: float) -> None:
    for share in DEPLETION_FRACTION.values():
        now, later = depletion_fraction(a(share), a(demand)).item(), depletion_fraction(a(share), a(demand + 1)).item()
        assert 0.1 <= later <= now <= 0.8


@given(st.floats(0, 300), st.floats(1, 300), st.floats(0.1, 0.8))
def test_stress_is_none_up_to_the_easy_water_and_total_at_the_wilting_point(
    depletion: float, available: float, fraction: float
) -> None:
    stress = water_stress(a(depletion), a(available), a(fraction)).item()
    assert 0 <= stress <= 1
    if depletion <= fraction * available:
        assert stress == pytest.approx(1)
    if depletion >= available:
        assert stress == 0


@pytest.mark.parametrize(
    ("capacity", "wilting", "depth"), [(10, 20, 1), (30, 30, 1), (30, 10, 0), (130, 10, 1), (30, -5, 1)]
)
def test_a_soil_that_cannot_be_holds_nothing_known(capacity: float, wilting: float, depth: float) -> None:
    assert np.isnan(total_available_water(a(capacity), a(wilting), a(depth))).all()


@pytest.mark.parametrize("unknown", range(4))
def test_what_is_missing_stays_missing(unknown: int) -> None:
    given_ = [a(4.0), a(0.7), a(1.2), a(1.0)]
    given_[unknown] = a(np.nan)
    assert np.isnan(plant_evapotranspiration(*given_)).all()
    assert np.isnan(water_stress(a(np.nan), a(100), a(0.5))).all()
    assert np.isnan(leaf_cover(a(np.nan), a(0))).all()
    assert np.isnan(crown_projection(a(np.nan, 0))).all()
