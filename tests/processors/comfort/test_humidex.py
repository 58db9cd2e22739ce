from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import thermofeel
from hypothesis import given
from hypothesis import strategies as st

from processors.comfort.humidex import humidex

TEMPERATURES = st.floats(20, 50)


def one(air: float, dew: float) -> float:
    return humidex(np.array([air]), np.array([dew])).value.item()


def test_published_values(reference_values: Callable[[str], list[dict[str, Any]]]) -> None:
    for entry in reference_values("humidex"):
        inputs = entry["inputs"]
        found = one(inputs["ta_C"], inputs["td_C"])
        assert found == pytest.approx(entry["expected"], abs=entry["tolerance"]), entry["id"]


@given(TEMPERATURES, st.floats(-10, 20))
def test_it_is_thermofeels_but_for_the_zero_that_counts_from(air: float, dew: float) -> None:
    other = thermofeel.calculate_humidex(np.array([air + 273.15]), np.array([dew + 273.15])).item() - 273.15
    assert one(air, dew) == pytest.approx(other, abs=0.02)


@given(TEMPERATURES, st.floats(-20, 20), st.floats(-20, 20))
def test_damper_air_feels_warmer(air: float, one_dew: float, other: float) -> None:
    drier, damper = sorted((one_dew, other))
    assert one(air, drier) <= one(air, damper)


@pytest.mark.parametrize(
    ("air", "dew"), [(19.9, 10), (55.1, 10), (30, -31), (40, 35.1), (25, 25.2), (np.nan, 10), (30, np.nan)]
)
def test_outside_its_range_there_is_none(air: float, dew: float) -> None:
    assert np.isnan(one(air, dew))


def test_the_edges_have_a_value() -> None:
    assert np.isfinite([one(20, 20), one(55, -30), one(40, 35)]).all()
