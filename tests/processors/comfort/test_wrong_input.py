"""Whatever a broken sensor says: a missing value with a reason, never an exception, never a plausible number."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gruenpuls.domain.processor import Array
from processors.comfort.dew_point import dew_point
from processors.comfort.heat_index import heat_index
from processors.comfort.humidex import humidex
from processors.comfort.mean_radiant_temperature import (
    mean_radiant_temperature_from_globe,
    mean_radiant_temperature_from_radiation,
)
from processors.comfort.physiological_equivalent_temperature import physiological_equivalent_temperature
from processors.comfort.reason import Judgement, Reason
from processors.comfort.universal_thermal_climate_index import universal_thermal_climate_index
from processors.comfort.vapour_pressure_deficit import vapour_pressure_deficit
from processors.comfort.wet_bulb_globe_temperature import (
    wet_bulb_globe_temperature,
    wet_bulb_globe_temperature_from_weather,
    wet_bulb_globe_temperature_simple,
)
from processors.comfort.wet_bulb_temperature import wet_bulb_temperature


def wbgt_in_sun(wet: Array, globe: Array, air: Array) -> Judgement:
    return wet_bulb_globe_temperature(wet, globe, air, np.ones(wet.shape, np.bool_))


GOOD: list[tuple[Callable[..., Judgement], tuple[float, ...]]] = [
    (dew_point, (25, 50)),
    (heat_index, (30, 50)),
    (vapour_pressure_deficit, (25, 50)),
    (wet_bulb_temperature, (25, 50)),
    (humidex, (25, 15)),
    (universal_thermal_climate_index, (25, 40, 2, 1.5)),
    (physiological_equivalent_temperature, (25, 40, 1, 50, 1013)),
    (mean_radiant_temperature_from_globe, (40, 30, 1)),
    (mean_radiant_temperature_from_radiation, (25, 50, 600, 50, 1)),
    (wbgt_in_sun, (20, 40, 28)),
    (wet_bulb_globe_temperature_from_weather, (30, 50, 1013, 2, 600, 0.5, 50)),
    (wet_bulb_globe_temperature_simple, (30, 50)),
]
NONSENSE = [np.nan, np.inf, -np.inf, 1e9, -1e9, -273.15, 6553.5, 1e308]
ANYTHING = st.floats(allow_nan=True, allow_infinity=True)


@pytest.mark.parametrize(("index", "good"), GOOD)
def test_good_input_has_a_value_and_no_reason(index: Callable[..., Judgement], good: tuple[float, ...]) -> None:
    found = index(*(np.array([float(value)]) for value in good))
    assert np.isfinite(found.value).all()
    assert found.reason.tolist() == [0]


@pytest.mark.parametrize(("index", "good"), GOOD)
def test_one_wrong_reading_spoils_its_own_point_alone(index: Callable[..., Judgement], good: tuple[float, ...]) -> None:
    wrong = [
        [*good[:place], value, *good[place + 1 :]] for place, value in itertools.product(range(len(good)), NONSENSE)
    ]
    found = index(*np.array([good, *wrong], np.float64).T.copy())
    assert np.isfinite(found.value[0])
    assert np.isnan(found.value[1:]).all()
    assert (found.reason[1:] > 0).all()


@pytest.mark.parametrize(("index", "good"), GOOD)
@given(data=st.data())
def test_a_value_or_a_reason_for_anything_at_all(
    index: Callable[..., Judgement], good: tuple[float, ...], data: st.DataObject
) -> None:
    rows = data.draw(st.lists(st.tuples(*[ANYTHING] * len(good)), min_size=1, max_size=4))
    found = index(*np.array(rows, np.float64).reshape(len(rows), len(good)).T.copy())
    assert not np.isinf(found.value).any()
    told = (found.reason & ~np.uint16(Reason.CALM)) > 0
    assert (np.isnan(found.value) == told).all()


@pytest.mark.parametrize(("index", "good"), GOOD)
@pytest.mark.parametrize("shape", [(0,), (0, 3), (1, 1), (2, 3)])
def test_any_shape_is_no_trouble(
    index: Callable[..., Judgement], good: tuple[float, ...], shape: tuple[int, ...]
) -> None:
    found = index(*(np.full(shape, float(value)) for value in good))
    assert found.value.shape == found.reason.shape == shape
    assert np.isfinite(found.value).all()
