from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.soil.plant_available_water import plant_available_water, root_zone_water

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
