import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.comfort.vapour_pressure_deficit import vapour_pressure_deficit

TEMPERATURES = st.floats(-40, 60)
HUMIDITIES = st.floats(0.1, 100)


def one(air: float, humidity: float) -> float:
    return vapour_pressure_deficit(np.array([air]), np.array([humidity])).value.item()


@pytest.mark.parametrize(
    ("air", "humidity", "expected"),
    [(20, 50, 1.169), (30, 40, 2.546), (25, 100, 0.0), (25, 100.4, 0.0)],  # FAO-56 annex 2, table 2.3
)
def test_it_agrees_with_the_table_of_fao_56(air: float, humidity: float, expected: float) -> None:
    assert one(air, humidity) == pytest.approx(expected, abs=0.001)


@given(TEMPERATURES, HUMIDITIES, HUMIDITIES)
def test_damper_air_takes_less(air: float, one_humidity: float, other: float) -> None:
    drier, damper = sorted((one_humidity, other))
    assert one(air, drier) >= one(air, damper) >= 0


@given(TEMPERATURES, TEMPERATURES, HUMIDITIES)
def test_warmer_air_takes_more(one_air: float, other: float, humidity: float) -> None:
    cooler, warmer = sorted((one_air, other))
    assert one(cooler, humidity) <= one(warmer, humidity)


@pytest.mark.parametrize(("air", "humidity"), [(-45.1, 50), (60.1, 50), (20, 0), (20, 100.6), (np.nan, 50)])
def test_outside_its_range_there_is_none(air: float, humidity: float) -> None:
    assert np.isnan(one(air, humidity))
