import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.comfort.dew_point import dew_point

TEMPERATURES = st.floats(-30, 60)
HUMIDITIES = st.floats(30, 100)


def one(temperature: float, humidity: float) -> float:
    return dew_point(np.array([temperature]), np.array([humidity])).value.item()


@pytest.mark.parametrize(
    ("temperature", "humidity", "expected"),
    [
        # Sonntag (1990) is the inverse of e = 6.112 exp(17.62 t / (243.12 + t)); psychrometric tables to 0.1 K
        (20.0, 50.0, 9.3),
        (30.0, 60.0, 21.4),
        (25.0, 80.0, 21.3),
        (0.0, 100.0, 0.0),
    ],
)
def test_it_agrees_with_psychrometric_tables(temperature: float, humidity: float, expected: float) -> None:
    assert one(temperature, humidity) == pytest.approx(expected, abs=0.06)


@given(TEMPERATURES, HUMIDITIES)
def test_vapour_pressure_at_the_dew_point_is_that_of_the_air(temperature: float, humidity: float) -> None:
    def saturated(t: float) -> float:
        return 6.112 * float(np.exp(17.62 * t / (243.12 + t)))

    assert saturated(one(temperature, humidity)) == pytest.approx(saturated(temperature) * humidity / 100, rel=1e-9)


@given(TEMPERATURES, HUMIDITIES)
def test_it_is_never_above_the_air_temperature(temperature: float, humidity: float) -> None:
    assert one(temperature, humidity) <= temperature + 1e-9


@given(TEMPERATURES, HUMIDITIES, HUMIDITIES)
def test_damper_air_condenses_earlier(temperature: float, one_humidity: float, other: float) -> None:
    drier, damper = sorted((one_humidity, other))
    assert one(temperature, drier) <= one(temperature, damper)


def test_saturated_air_has_its_own_temperature_and_fog_counts_as_saturated() -> None:
    assert one(12.5, 100.0) == pytest.approx(12.5, abs=1e-12)
    assert one(12.5, 100.4) == pytest.approx(12.5, abs=1e-12)


@pytest.mark.parametrize(
    ("temperature", "humidity"),
    [(-45.1, 50), (60.1, 50), (20, 0), (20, -1), (20, 100.6), (np.nan, 50), (20, np.nan), (np.inf, 50), (-40, 10)],
)
def test_outside_its_range_there_is_none(temperature: float, humidity: float) -> None:
    assert np.isnan(one(temperature, humidity))
