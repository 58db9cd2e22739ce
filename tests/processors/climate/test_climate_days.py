from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gruenpuls.domain.quantity import QUANTITIES
from processors.climate.climate_days import climate_days

TEMPERATURES = st.floats(-50, 55)


def one(maximum: float, minimum: float, night: float) -> dict[str, float]:
    found = climate_days(*(np.array([value]) for value in (maximum, minimum, night)))
    return {name: values.item() for name, values in found._asdict().items()}


def test_published_class_boundaries(reference_values: Callable[[str], list[dict[str, Any]]]) -> None:
    for entry in reference_values("dwd_climate_day"):
        i = entry["inputs"]
        found = one(i["tmax_C"], i["tmin_C"], i["tmin_C"])
        names = {QUANTITIES[name].german.replace("ß", "ss") for name, is_one in found.items() if is_one}
        assert names == set(entry["expected"]), entry["id"]


@given(TEMPERATURES, TEMPERATURES)
def test_a_hot_day_is_a_summer_day_and_an_ice_day_a_frost_day(one_temperature: float, other: float) -> None:
    minimum, maximum = sorted((one_temperature, other))
    found = one(maximum, minimum, minimum)
    assert found["hot_day"] <= found["summer_day"]
    assert found["ice_day"] <= found["frost_day"]


@pytest.mark.parametrize(("maximum", "minimum"), [(np.nan, np.nan), (10, 11), (56, 10), (10, -51), (np.inf, -np.inf)])
def test_a_day_that_cannot_be_is_unknown(maximum: float, minimum: float) -> None:
    found = one(maximum, minimum, np.nan)
    assert np.isnan([found["tropical_night"], found["hot_day"] + found["frost_day"]]).all()


def test_what_is_known_of_half_a_day_counts() -> None:
    found = one(31, np.nan, 21)
    assert found["hot_day"] == found["tropical_night"] == 1
    assert np.isnan(found["frost_day"])
