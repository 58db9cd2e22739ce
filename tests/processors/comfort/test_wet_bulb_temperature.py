import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.comfort.dew_point import dew_point
from processors.comfort.reason import Reason
from processors.comfort.wet_bulb_temperature import wet_bulb_temperature

TEMPERATURES = st.floats(0, 50)
HUMIDITIES = st.floats(5, 99)


def one(air: float, humidity: float) -> float:
    return wet_bulb_temperature(np.array([air]), np.array([humidity])).value.item()


def test_it_gives_the_example_of_the_paper() -> None:
    assert one(20, 50) == pytest.approx(13.7, abs=0.05)


@pytest.mark.parametrize(("air", "humidity", "expected"), [(30, 60, 23.9), (25, 40, 16.1), (35, 50, 26.3)])
def test_it_agrees_with_psychrometric_tables_within_its_error(air: float, humidity: float, expected: float) -> None:
    assert one(air, humidity) == pytest.approx(expected, abs=0.65)


@given(TEMPERATURES, HUMIDITIES)
def test_it_lies_between_dew_point_and_air_temperature(air: float, humidity: float) -> None:
    found = one(air, humidity)
    if np.isfinite(found):
        assert dew_point(np.array([air]), np.array([humidity])).value.item() - 0.66 <= found <= air


@pytest.mark.parametrize(("air", "humidity"), [(-20.1, 50), (50.1, 50), (20, 4.9), (20, 100.6), (np.nan, 50)])
def test_outside_its_range_there_is_none(air: float, humidity: float) -> None:
    assert np.isnan(one(air, humidity))


def test_the_cold_dry_corner_is_left_out_with_a_reason() -> None:
    found = wet_bulb_temperature(np.array([-20.0]), np.array([5.0]))
    assert np.isnan(found.value).all()
    assert Reason(int(found.reason[0])) == Reason.BEYOND_SCALE
