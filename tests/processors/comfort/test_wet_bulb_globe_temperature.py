from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gruenpuls.domain.processor import Fleet
from processors.comfort.reason import Reason
from processors.comfort.wet_bulb_globe_temperature import (
    WET_BULB_GLOBE_TEMPERATURE,
    natural_wet_bulb,
    wet_bulb_globe_temperature,
    wet_bulb_globe_temperature_from_weather,
    wet_bulb_globe_temperature_simple,
)
from processors.comfort.wet_bulb_temperature import wet_bulb_temperature

References = Callable[[str], list[dict[str, Any]]]


def columns(*values: float) -> list[np.ndarray[tuple[int], np.dtype[np.float64]]]:
    return [np.array([value], np.float64) for value in values]


def test_published_values_with_a_globe(reference_values: References) -> None:
    for entry in reference_values("wbgt"):
        i = entry["inputs"]
        air = np.nan if i["ta_C"] is None else i["ta_C"]
        found = wet_bulb_globe_temperature(
            *columns(i["t_nwb_C"], i["t_globe_C"], air), np.array([bool(i["solar_load"])])
        )
        assert found.value.item() == pytest.approx(entry["expected"], abs=entry["tolerance"]), entry["id"]


def test_published_values_from_weather(reference_values: References) -> None:
    for entry in reference_values("wbgt_liljegren_K"):
        i = entry["inputs"]
        weather = (i["t2_K"] - 273.15, i["rh_pct"], i["pressure_hPa"], i["va10_m_s"], i["ssrd_W_m2"], i["fdir"])
        elevation = np.degrees(np.arcsin(i["cossza"]))
        found = wet_bulb_globe_temperature_from_weather(*columns(*weather, elevation))
        assert found.value.item() + 273.15 == pytest.approx(entry["expected"], abs=entry["tolerance"]), entry["id"]


def test_published_value_of_the_rough_formula(reference_values: References) -> None:
    for entry in reference_values("wbgt_abm_simple"):
        found = wet_bulb_globe_temperature_simple(*columns(entry["inputs"]["ta_C"], entry["inputs"]["rh_pct"]))
        assert found.value.item() == pytest.approx(entry["expected"], abs=entry["tolerance"]), entry["id"]


@given(st.floats(10, 40), st.floats(20, 90), st.floats(0, 400), st.floats(0, 400), st.floats(0.7, 8))
def test_more_radiation_and_damper_air_strain_more(
    air: float, humidity: float, one_radiation: float, other: float, wind: float
) -> None:
    less, more = sorted((one_radiation, other))

    def wbgt(radiation: float, humidity: float) -> float:
        given_ = columns(air, humidity, 1013, wind, radiation, 0.5, 50)
        return wet_bulb_globe_temperature_from_weather(*given_).value.item()

    assert wbgt(less, humidity) <= wbgt(more, humidity) + 0.1  # the iteration stops at 0.02 K
    assert wbgt(less, humidity) <= wbgt(less, humidity + 5) + 0.1


@given(st.floats(0, 45), st.floats(10, 95), st.floats(0.05, 10))
def test_without_radiation_the_open_wet_bulb_lies_between_the_ventilated_one_and_the_air(
    air: float, humidity: float, wind: float
) -> None:
    wet = wet_bulb_temperature(*columns(air, humidity)).value.item()
    assert wet - 1e-9 <= natural_wet_bulb(*columns(air, humidity, air, wind)).item() <= air + 1e-9


@pytest.mark.parametrize(
    ("weather", "reason"),
    [
        ((30, 50, 1013, 0, 500, 0.5, 50), Reason.WIND),
        ((30, 0, 1013, 2, 500, 0.5, 50), Reason.HUMIDITY),
        ((30, 101, 1013, 2, 500, 0.5, 50), Reason.HUMIDITY),
        ((30, 50, np.nan, 2, 500, 0.5, 50), Reason.MISSING),
        ((30, 50, 101.3, 2, 500, 0.5, 50), Reason.PRESSURE),
        ((30, 50, 1013, 2, 1400, 0.5, 10), Reason.RADIATION),
        ((30, 50, 1013, 2, 500, 1.5, 50), Reason.RADIATION),
        ((-11, 50, 1013, 2, 0, 0, 50), Reason.AIR_TEMPERATURE),
        ((np.nan, 50, 1013, 2, 0, 0, 50), Reason.MISSING),
    ],
)
def test_weather_that_cannot_be_gives_none_and_a_reason(weather: tuple[float, ...], reason: Reason) -> None:
    found = wet_bulb_globe_temperature_from_weather(*columns(*weather))
    assert np.isnan(found.value).all()
    assert Reason(int(found.reason[0])) == reason


@pytest.mark.parametrize(
    ("thermometers", "reason"),
    [
        ((20, 91, 40), Reason.GLOBE),
        ((20, 80, 15), Reason.GLOBE),
        ((31, 30, 30), Reason.HUMIDITY),
        ((20, 60, 56), Reason.AIR_TEMPERATURE),
        ((20, np.nan, 30), Reason.MISSING),
        ((20, 30, np.nan), Reason.MISSING),
    ],
)
def test_thermometers_that_contradict_each_other_give_none(thermometers: tuple[float, ...], reason: Reason) -> None:
    found = wet_bulb_globe_temperature(*columns(*thermometers), np.array([True]))
    assert np.isnan(found.value).all()
    assert Reason(int(found.reason[0])) == reason


def test_hardly_any_wind_counts_as_the_least_and_says_so() -> None:
    calm = wet_bulb_globe_temperature_from_weather(*columns(30, 50, 1013, 0.3, 500, 0.5, 50))
    least = wet_bulb_globe_temperature_from_weather(*columns(30, 50, 1013, 0.62, 500, 0.5, 50))
    assert calm.value.item() == least.value.item()
    assert Reason(int(calm.reason[0])) == Reason.CALM


def test_the_processor_tells_sun_from_shade_and_takes_the_globe_where_there_is_one() -> None:
    steps = np.datetime64("2023-06-21T00:00", "ms") + np.arange(24) * np.timedelta64(1, "h")
    constant = {"air_temperature": 28.0, "relative_humidity": 50.0, "wind_speed": 2.0, "air_pressure": 1010.0}
    inputs = {(name, "mean"): np.full((24, 2), value) for name, value in constant.items()}
    inputs["global_radiation", "mean"] = np.tile(
        np.maximum(800 * np.sin((np.arange(24.0) - 4) / 16 * np.pi), 0)[:, None], 2
    )
    inputs["illuminance", "mean"] = np.full((24, 2), np.nan)
    inputs["globe_temperature", "mean"] = np.column_stack([np.full(24, np.nan), np.full(24, 45.0)])
    attributes = {"latitude": np.full(2, 51.45), "longitude": np.full(2, 7.0)}
    result = WET_BULB_GLOBE_TEMPERATURE.compute(Fleet(steps, inputs, np.empty((2, 0)), attributes))
    sun, shade, globe = (result["wet_bulb_globe_temperature", name] for name in ("sun", "shade", "globe"))
    assert sun[11, 0] > shade[11, 0] + 1
    assert sun[0, 0] == pytest.approx(shade[0, 0])
    assert np.isnan(globe[:, 0]).all()
    assert np.isfinite(globe[:, 1]).all()
