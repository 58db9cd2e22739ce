from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.comfort.heat_index import heat_index

References = Callable[[str], list[dict[str, Any]]]

HUMIDITIES = st.floats(0.1, 100)


def one(temperature: float, humidity: float) -> float:
    return heat_index(np.array([temperature]), np.array([humidity])).value.item()


def fahrenheit(temperature: float, humidity: float) -> float:
    return one((temperature - 32) / 1.8, humidity) * 1.8 + 32


@pytest.mark.parametrize(
    ("temperature", "humidity", "expected"),
    [
        # NWS heat index chart, whole °F
        (80, 40, 80),
        (90, 40, 91),
        (90, 70, 105),
        (100, 40, 109),
        (100, 60, 129),
        (110, 40, 136),
    ],
)
def test_it_agrees_with_the_chart_of_the_weather_service(temperature: float, humidity: float, expected: float) -> None:
    assert fahrenheit(temperature, humidity) == pytest.approx(expected, abs=1.0)


def test_published_values_in_fahrenheit(reference_values: References) -> None:
    for entry in reference_values("heat_index_nws_F"):
        inputs = entry["inputs"]
        assert fahrenheit(inputs["ta_F"], inputs["rh_pct"]) == pytest.approx(entry["expected"], abs=entry["tolerance"])


@pytest.mark.parametrize("method", ["heat_index_nws_C", "heat_index_rothfusz_C"])
def test_published_values_in_celsius(method: str, reference_values: References) -> None:
    entries = reference_values(method)
    for entry in entries:
        inputs = entry["inputs"]
        assert one(inputs["ta_C"], inputs["rh_pct"]) == pytest.approx(entry["expected"], abs=entry["tolerance"])


@given(st.floats(28, 44.4), HUMIDITIES, HUMIDITIES)
def test_damper_air_feels_warmer(temperature: float, one_humidity: float, other: float) -> None:
    drier, damper = sorted((one_humidity, other))
    low, high = one(temperature, drier), one(temperature, damper)
    assert np.isnan(high) or low <= high + 1e-9


@given(st.floats(20, 44.4), st.floats(20, 44.4), HUMIDITIES)
def test_warmer_air_feels_warmer_but_for_the_step_between_the_formulas(
    one_temperature: float, other: float, humidity: float
) -> None:
    cooler, warmer = sorted((one_temperature, other))
    low, high = one(cooler, humidity), one(warmer, humidity)
    assert np.isnan(high) or low <= high + 1.0


def test_dry_heat_feels_cooler_than_it_is() -> None:
    assert one(40, 5) < 40


@pytest.mark.parametrize(
    ("temperature", "humidity"),
    [(19.9, 50), (44.5, 20), (30, 0), (30, 100.6), (43, 60), (np.nan, 50), (30, np.nan), (np.inf, 50)],
)
def test_outside_its_range_there_is_none(temperature: float, humidity: float) -> None:
    assert np.isnan(one(temperature, humidity))


def test_the_edges_of_its_range_have_a_value() -> None:
    assert one(20, 50) == pytest.approx(19.3, abs=0.1)
    assert np.isfinite(one(44.4, 20))
    assert one(30, 100.4) == one(30, 100)
