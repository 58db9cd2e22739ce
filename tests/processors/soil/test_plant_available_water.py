from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gruenpuls.domain.processor import Array, Fleet
from gruenpuls.domain.site import Site, SiteKind, Soil
from processors.soil.field_capacity import LEARNED
from processors.soil.plant_available_water import (
    FROM_TENSION,
    LEADS_FOR,
    PLANT_AVAILABLE_WATER,
    leading_water,
    plant_available_water,
    root_zone_water,
    water_from_tension,
)
from processors.soil.retention import CURVES, curves
from processors.soil.site_soil import soil_attributes
from processors.soil.soil_tension import FROM_RESISTANCE
from processors.soil.soil_water_content import FROM_PERMITTIVITY

References = Callable[[str], list[dict[str, Any]]]


def share(content: float, field_capacity: float, wilting_point: float) -> float:
    return plant_available_water(np.array([[[content]]]), np.array([field_capacity]), np.array([wilting_point])).item()


def root_zone(water: list[float], depths: list[float], root_depth: float = np.nan) -> float:
    return root_zone_water(np.array([[water]]), np.array([depths]), np.array([root_depth])).item()


@pytest.mark.parametrize(
    ("texture", "field_capacity", "available"),
    # KA5 table 70, medium density, little humus: field capacity and nFK [% by volume]
    [("Sl3", 23, 13), ("Ut3", 31, 17), ("Lt2", 30, 10), ("Tt", 41, 7)],
)
def test_a_texture_is_full_at_field_capacity_and_empty_at_wilting_point(
    texture: str, field_capacity: float, available: float
) -> None:
    wilting_point = field_capacity - available
    assert share(field_capacity, field_capacity, wilting_point) == 100, texture
    assert share(wilting_point, field_capacity, wilting_point) == 0
    assert share(wilting_point + available / 2, field_capacity, wilting_point) == 50


def test_published_texture_values_give_their_own_capacity(reference_values: References) -> None:
    for entry in reference_values("soil.ka5_lookup"):
        field_capacity, available, _ = entry["expected"]
        assert share(field_capacity, field_capacity, field_capacity - available) == pytest.approx(100)


@given(st.floats(0, 60), st.floats(10, 45), st.floats(1, 30), st.floats(0.1, 0.9))
def test_it_does_not_depend_on_the_unit_of_water_content(
    content: float, field_capacity: float, capacity: float, scale: float
) -> None:
    wilting_point = field_capacity - capacity
    whole, scaled = (share(content * s, field_capacity * s, wilting_point * s) for s in (1.0, scale))
    assert (np.isnan(whole) and np.isnan(scaled)) or whole == pytest.approx(scaled, abs=1e-6)


@given(st.floats(0, 60), st.floats(0, 60))
def test_wetter_soil_holds_more(one: float, other: float) -> None:
    drier, wetter = (share(content, 30.0, 12.0) for content in sorted((one, other)))
    assert np.isnan(wetter) or np.isnan(drier) or drier <= wetter


@pytest.mark.parametrize(
    ("content", "field_capacity", "wilting_point"),
    [
        (np.nan, 23, 10),
        (15, np.nan, 10),
        (15, 23, np.nan),
        (15, 10, 10),
        (15, 10, 23),
        (-1, 23, 10),
        (101, 23, 10),
        (60, 23, 10),
    ],
)
def test_what_is_missing_or_cannot_be_stays_missing(
    content: float, field_capacity: float, wilting_point: float
) -> None:
    assert np.isnan(share(content, field_capacity, wilting_point))


def test_a_root_zone_weighs_each_depth_by_its_layer() -> None:
    # layers 0-45, 45-75, 75-120 cm
    assert root_zone([0, 50, 100], [30, 60, 90], 1.2) == pytest.approx((0 * 45 + 50 * 30 + 100 * 45) / 120)


def test_the_order_of_the_probes_does_not_matter() -> None:
    assert root_zone([100, 0, 50], [90, 30, 60], 1.2) == root_zone([0, 50, 100], [30, 60, 90], 1.2)


def test_a_missing_probe_leaves_its_layer_to_its_neighbours() -> None:
    assert root_zone([0, np.nan, 100], [30, 60, 90], 1.2) == pytest.approx(50)


def test_a_probe_below_the_root_zone_does_not_count() -> None:
    assert root_zone([20, 80, 999], [30, 60, 150], 0.9) == root_zone([20, 80], [30, 60], 0.9)


def test_without_a_root_depth_the_deepest_probe_is_its_end() -> None:
    assert root_zone([20, 80], [30, 60]) == pytest.approx((20 * 45 + 80 * 15) / 60)


@pytest.mark.parametrize("water", [[np.nan, np.nan], [50, np.nan]])
def test_fewer_than_two_depths_tell_no_root_zone(water: list[float]) -> None:
    assert np.isnan(root_zone(water, [30, 60], 0.9))


@given(
    st.lists(st.tuples(st.floats(5, 100), st.floats(0, 120)), min_size=2, max_size=8, unique_by=lambda pair: pair[0])
)
def test_a_root_zone_lies_between_its_driest_and_wettest_depth(profile: list[tuple[float, float]]) -> None:
    depths, water = (list(column) for column in zip(*profile, strict=True))
    mixed = root_zone(water, depths, 1.2)
    assert min(water) - 1e-9 <= mixed <= max(water) + 1e-9


def fleet(soil: Soil, hours: int = 3, **inputs: Array | float) -> dict[str, Array]:
    """Return what is said of one site with probes at 30 and 60 cm, by statistic."""
    given_inputs = {needed.key: np.full((hours, 1, 2), np.nan) for needed in PLANT_AVAILABLE_WATER.inputs}
    for name, values in inputs.items():
        quantity, _, statistic = name.partition("__")
        given_inputs[quantity, statistic or "mean"] = np.broadcast_to(np.asarray(values, np.float64), (hours, 1, 2))
    known = soil_attributes([Site("B", "B", SiteKind.STREET_TREE, soil=soil)]) | {"root_depth": np.array([0.9])}
    steps = np.datetime64("2024-07-01", "ms") + np.arange(hours) * np.timedelta64(1, "h")
    told = PLANT_AVAILABLE_WATER.compute(Fleet(steps, given_inputs, np.array([[30.0, 60.0]]), known))
    return {statistic: values for (_, statistic), values in told.items()}


def test_a_site_with_tension_alone_has_available_water_from_its_own_curve() -> None:
    told = fleet(Soil("Sl3"), soil_tension=33.0)
    assert told[""][0, 0, 0] == pytest.approx(float(CURVES["Sl3"].available_water(33.0)))
    np.testing.assert_array_equal(told[""], told[FROM_TENSION])
    assert told["mean_root_zone"][0, 0] == pytest.approx(float(CURVES["Sl3"].available_water(33.0)))
    converted = fleet(Soil("Sl3"), **{f"soil_tension__{FROM_RESISTANCE}": 33.0})
    np.testing.assert_array_equal(converted[""], told[""])


def test_without_a_curve_tension_gives_no_share() -> None:
    for soil in (Soil("unbekannt"), Soil(None, 23, 10), Soil()):
        assert np.isnan(fleet(soil, soil_tension=33.0)[""]).all()


def test_water_content_leads_and_both_stay_told_apart() -> None:
    told = fleet(Soil("Sl3"), soil_water_content=16.5, soil_tension=33.0)
    assert (told[""] == 50).all()
    assert told[FROM_TENSION].ravel().tolist() == pytest.approx([float(CURVES["Sl3"].available_water(33.0))] * 6)


def test_a_calibration_of_ones_own_stands_above_what_the_device_says() -> None:
    told = fleet(Soil("Sl3"), soil_water_content=23.0, **{f"soil_water_content__{FROM_PERMITTIVITY}": 10.0})
    assert (told[""] == 0).all()


def test_tension_takes_over_only_where_there_has_been_no_content_for_two_days() -> None:
    content = np.full((LEADS_FOR + 3, 1, 1), np.nan)
    content[1] = 40.0
    joined = leading_water(content, np.full_like(content, 70.0))[:, 0, 0]
    assert joined[0] == 70
    assert joined[1] == 40
    assert np.isnan(joined[2 : LEADS_FOR + 1]).all()
    assert (joined[LEADS_FOR + 1 :] == 70).all()


def test_a_learned_field_capacity_is_full_and_keeps_the_capacity_of_the_table() -> None:
    learned = np.full((3, 1, 2), np.nan)
    learned[0] = 28.0
    told = fleet(Soil("Sl3"), soil_water_content=28.0, **{f"field_capacity__{LEARNED}": learned})
    assert (told[""] == 100).all()
    empty = fleet(Soil("Sl3"), soil_water_content=15.0, **{f"field_capacity__{LEARNED}": learned})
    assert (empty[""] == 0).all(), "28 % less the 13 % of the table"


def test_a_field_capacity_a_person_set_stands_above_a_learned_one() -> None:
    told = fleet(Soil("Sl3", field_capacity=25), soil_water_content=25.0, **{f"field_capacity__{LEARNED}": 28.0})
    assert (told[""] == 100).all()


@given(st.floats(0, 100_000), st.floats(0, 100_000), st.sampled_from(sorted(CURVES)))
def test_drier_soil_never_holds_more_available_water(one: float, other: float, soil: str) -> None:
    tension = np.array(sorted((one, other)))[:, None, None]
    wet, dry = water_from_tension(tension, curves([soil])).ravel()
    assert -50 <= dry <= wet <= 250
