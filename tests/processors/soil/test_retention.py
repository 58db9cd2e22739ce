from collections.abc import Callable
from inspect import signature
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.soil.retention import CENTIMETRES_PER_KPA, CURVES, Retention, curves, pf_at_head, tension_at_pf

References = Callable[[str], list[dict[str, Any]]]
SOILS = st.sampled_from(sorted(CURVES))


def test_available_water_of_the_curves_as_published(reference_values: References) -> None:
    for entry in reference_values("soil.vg_available_water"):
        curve = CURVES[entry["inputs"]["texture"]]
        given_curve = [entry["inputs"][name] for name in ("theta_r", "theta_s", "alpha_per_cm", "n")]
        assert [curve.residual / 100, curve.saturated / 100, curve.alpha, curve.n] == pytest.approx(given_curve)
        capacity = (curve.field_capacity - curve.wilting_point) / 100
        assert capacity == pytest.approx(entry["expected"], abs=entry["tolerance"]), entry["id"]


def test_tension_from_water_content_as_published(reference_values: References) -> None:
    for entry in reference_values("soil.vg_suction_from_theta"):
        curve, content = CURVES[entry["inputs"]["texture"]], 100 * entry["inputs"]["theta"]
        head = curve.tension(content) * CENTIMETRES_PER_KPA
        assert head == pytest.approx(entry["expected"], abs=entry["tolerance"]), entry["id"]
        assert curve.available_water(curve.tension(content)) == pytest.approx(50, abs=0.01)


def test_pf_as_published(reference_values: References) -> None:
    for entry in reference_values("soil.pf_from_hPa"):
        pf = pf_at_head(entry["inputs"]["suction_hPa_or_cmWC"])
        assert pf == pytest.approx(entry["expected"], abs=entry["tolerance"]), entry["id"]


@pytest.mark.parametrize(
    ("soil", "shares"), [("Ss", [55, 48, 35, 31, 18]), ("Ls3", [65, 59, 46, 41, 26]), ("Ut3", [71, 65, 52, 46, 29])]
)
def test_share_of_available_water_at_the_tensions_practitioners_use(soil: str, shares: list[float]) -> None:
    found = CURVES[soil].available_water(np.array([25.0, 33, 62, 81, 200]))
    np.testing.assert_array_equal(found.round(), shares)


@pytest.mark.parametrize("soil", sorted(CURVES))
def test_field_capacity_is_full_and_the_wilting_point_empty(soil: str) -> None:
    curve = CURVES[soil]
    assert curve.available_water(tension_at_pf(1.8)) == pytest.approx(100)
    assert curve.available_water(tension_at_pf(4.2)) == pytest.approx(0, abs=1e-9)


@given(SOILS, st.floats(0, 50_000), st.floats(0, 50_000))
def test_drier_soil_never_holds_more(soil: str, one: float, other: float) -> None:
    wet, dry = CURVES[soil].water_content(np.array(sorted([one, other])))
    assert dry <= wet


@given(SOILS, st.floats(0.5, 5000))
def test_tension_survives_the_way_there_and_back(soil: str, tension: float) -> None:
    curve = CURVES[soil]
    assert curve.tension(curve.water_content(tension)) == pytest.approx(tension, rel=1e-6)


@pytest.mark.parametrize("soil", sorted(CURVES))
def test_beyond_the_ends_of_the_curve_its_end_is_given(soil: str) -> None:
    curve = CURVES[soil]
    ends = curve.tension(np.array([0.0, 100.0]))
    assert np.isfinite(ends).all()
    assert ends[1] < 0.5 < ends[0]
    assert np.isnan(curve.tension(np.array([-1.0, 101.0, np.nan]))).all()
    assert np.isnan(curve.water_content(np.array([-1.0, np.nan]))).all()
    assert curve.water_content(0.0) == curve.saturated


def test_many_sites_are_asked_at_once_and_those_without_a_curve_have_no_answer() -> None:
    fleet = curves(["Sl3", "extensiv", "Uu", "unbekannt", None])
    tension = np.full((2, 5, 3), 33.0)
    share = fleet.by_depth().available_water(tension)
    assert share.shape == (2, 5, 3)
    np.testing.assert_array_equal(np.isnan(share[0, :, 0]), [False, True, False, True, True])
    assert share[0, 2, 0] == CURVES["Uu"].available_water(33.0)


def test_capacities_of_another_source_have_no_way_in() -> None:
    assert set(Retention.__slots__) == {"residual", "saturated", "alpha", "n"}
    assert not {"field_capacity", "wilting_point"} & set(signature(Retention).parameters)
