from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.soil.retention import CURVES
from processors.soil.texture import EDITION, TECHNOGENIC, TEXTURES, TREE_PIT_SUBSTRATE, Texture, texture, texture_name

References = Callable[[str], list[dict[str, Any]]]


def test_capacities_are_those_published(reference_values: References) -> None:
    for entry in reference_values("soil.ka5_lookup"):
        soil = TEXTURES[entry["inputs"]["texture"]]
        assert [soil.field_capacity, soil.available_capacity, soil.air_capacity] == entry["expected"], entry["id"]
        assert soil.source == EDITION


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Sl3", "Sl3"),
        ("sl3", "Sl3"),
        (" SL 3 ", "Sl3"),
        ("mittel lehmiger Sand", "Sl3"),
        ("Medium loamy sand", "Sl3"),
        ("stark toniger Schluff", "Ut4"),
        ("sandig-toniger Lehm", "Lts"),
        ("Ts2", "Ts2"),
        ("lehmiger Sand", "Sl3"),
        ("Su", "Su3"),
        ("Baumsubstrat", TREE_PIT_SUBSTRATE),
        ("tree pit substrate", TREE_PIT_SUBSTRATE),
        ("unbekannt", TECHNOGENIC),
        ("Bauschutt", TECHNOGENIC),
        ("Moos", None),
        ("", None),
        (None, None),
    ],
)
def test_names_are_understood_in_both_languages_and_any_case(text: str | None, name: str | None) -> None:
    assert texture_name(text) == name


@pytest.mark.parametrize("soil", TEXTURES.values(), ids=lambda soil: soil.name)
def test_every_soil_is_found_by_each_of_its_names_and_says_where_it_is_from(soil: Texture) -> None:
    assert texture(soil.name) is texture(soil.german) is texture(soil.english) is soil
    assert soil.source
    assert 0 < soil.available_capacity <= soil.field_capacity < soil.field_capacity + soil.air_capacity < 70
    assert soil.wilting_point + soil.available_capacity == soil.field_capacity


def test_a_texture_without_capacities_has_none() -> None:
    assert texture("Ts2") is None
    assert "Ts2" in CURVES


def test_nobody_knows_less_than_of_technogenic_soil() -> None:
    widest = max(TEXTURES.values(), key=lambda soil: soil.uncertainty)
    assert widest is TEXTURES[TECHNOGENIC]
    assert widest.available_deviation == 6


def test_the_uncertainty_is_how_far_two_published_sets_lie_apart() -> None:
    apart = [
        abs(float(curve.field_capacity - curve.wilting_point) / TEXTURES[name].available_capacity - 1)
        for name, curve in CURVES.items()
        if name in TEXTURES and name != TREE_PIT_SUBSTRATE
    ]
    assert np.median(apart) / np.sqrt(2) == pytest.approx(TEXTURES["Sl3"].uncertainty, abs=0.01)


@given(st.floats(0, 99.9), st.sampled_from(sorted(TEXTURES)))
def test_stones_take_their_share_of_everything(stones: float, name: str) -> None:
    soil = TEXTURES[name]
    stony = soil.with_stones(stones)
    for capacity in ("field_capacity", "available_capacity", "air_capacity", "wilting_point", "available_deviation"):
        assert getattr(stony, capacity) == pytest.approx(getattr(soil, capacity) * (1 - stones / 100))


@pytest.mark.parametrize("stones", [-1, 100, float("nan")])
def test_a_share_of_stones_that_cannot_be_is_refused(stones: float) -> None:
    with pytest.raises(ValueError, match="stones"):
        TEXTURES["Sl3"].with_stones(stones)
