from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.soil.watermark import DRIEST, FALLBACK_TEMPERATURE, Converted, Fault, shock_tension, watermark_tension

References = Callable[[str], list[dict[str, Any]]]


def converted(kilohms: float, temperature: float = 24.0, factor: float = 1.0) -> tuple[float, Fault]:
    told: Converted = watermark_tension(np.array([kilohms]), np.array([temperature]), factor)
    return told.tension.item(), Fault(told.fault.item())


def test_the_printed_chart_is_met(reference_values: References) -> None:
    for entry in reference_values("soil.watermark_200ss"):
        given_values = entry["inputs"]
        tension, fault = converted(
            given_values["resistance_ohm"] / 1000, given_values["soil_temperature_C"], given_values["curve_factor"]
        )
        assert tension == pytest.approx(entry["expected"], abs=entry["tolerance"]), entry["id"]
        assert fault is Fault.NONE


def test_the_published_equation_is_met(reference_values: References) -> None:
    for entry in reference_values("soil.watermark_shock1998"):
        ohms, temperature = entry["inputs"]["resistance_ohm"], entry["inputs"]["soil_temperature_C"]
        for tension in (shock_tension(ohms / 1000, temperature).item(), converted(ohms / 1000, temperature)[0]):
            assert tension == pytest.approx(entry["expected"], abs=entry["tolerance"]), entry["id"]


@pytest.mark.parametrize(
    ("kilohms", "fault"),
    [(np.nan, Fault.MISSING), (0.0, Fault.SHORTED), (0.299, Fault.SHORTED), (35.0, Fault.OPEN), (999.0, Fault.OPEN)],
)
def test_a_fault_has_no_tension_but_a_reason(kilohms: float, fault: Fault) -> None:
    tension, told = converted(kilohms)
    assert np.isnan(tension)
    assert told is fault


def test_beyond_its_range_the_probe_says_at_least_this_dry() -> None:
    assert converted(34.9) == (DRIEST, Fault.BEYOND_RANGE)


def test_without_a_thermometer_a_stated_temperature_is_taken_and_told() -> None:
    assert converted(6.0, np.nan) == (converted(6.0, FALLBACK_TEMPERATURE)[0], Fault.ASSUMED_TEMPERATURE)


def test_a_device_may_stretch_the_curve_above_one_kilohm() -> None:
    assert converted(6.0, factor=1.1)[0] == pytest.approx(1.1 * converted(6.0)[0])
    assert converted(20.0, factor=1.1)[0] == pytest.approx(1.1 * converted(20.0)[0])
    assert converted(0.9, factor=1.1) == converted(0.9)


def test_the_curve_has_no_step_at_one_kilohm() -> None:
    assert converted(1.0001)[0] == pytest.approx(converted(1.0)[0], abs=0.01)


@given(st.floats(0.3, 34.9), st.floats(0.3, 34.9))
def test_at_the_temperature_of_the_chart_more_resistance_is_never_wetter(one: float, other: float) -> None:
    wet, dry = (converted(kilohms)[0] for kilohms in sorted((one, other)))
    assert wet <= dry


@given(st.floats(-5, 40), st.floats(0.3, 34.9))
def test_no_weather_gives_a_negative_or_an_endless_tension(temperature: float, kilohms: float) -> None:
    tension, fault = converted(kilohms, temperature)
    assert 0 <= tension <= DRIEST
    assert fault in {Fault.NONE, Fault.BEYOND_RANGE}
