from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import thermofeel
from hypothesis import given
from hypothesis import strategies as st

from gruenpuls.domain.processor import Fleet
from processors.comfort.mean_radiant_temperature import (
    MEAN_RADIANT_TEMPERATURE,
    mean_radiant_temperature_from_globe,
    mean_radiant_temperature_from_radiation,
)
from processors.comfort.reason import Reason
from processors.comfort.wind_profile import wind_at_height

References = Callable[[str], list[dict[str, Any]]]


def by_globe(globe: float, air: float, wind: float, **given_: float) -> float:
    return mean_radiant_temperature_from_globe(*(np.array([x]) for x in (globe, air, wind)), **given_).value.item()


def by_sun(
    air: float, humidity: float, radiation: float, elevation: float, distance: float = 1.0, **given_: float
) -> float:
    weather = (np.array([x]) for x in (air, humidity, radiation, elevation, distance))
    return mean_radiant_temperature_from_radiation(*weather, **given_).value.item()


def test_the_example_of_the_standard(reference_values: References) -> None:
    for entry in reference_values("tmrt_globe_iso7726"):
        i = entry["inputs"]
        found = by_globe(i["t_globe_C"], i["ta_C"], i["va_m_s"], diameter=i["D_m"], emissivity=i["emissivity"])
        assert found == pytest.approx(entry["expected"], abs=entry["tolerance"]), entry["id"]


def test_thermofeels_example_which_rounds_the_standards_factor(reference_values: References) -> None:
    for entry in reference_values("tmrt_globe_thermofeel"):
        i = entry["inputs"]
        kelvin = (np.array([i[name] + 273.15]) for name in ("ta_C", "t_globe_C"))
        theirs = thermofeel.calculate_mrt_from_bgt(*kelvin, np.array([float(i["va_m_s"])])).item() - 273.15
        assert theirs == pytest.approx(entry["expected"], abs=entry["tolerance"])
        wind = wind_at_height(np.array([float(i["va_m_s"])]), np.array([10.0]), 1.1).item()
        assert by_globe(i["t_globe_C"], i["ta_C"], wind) == pytest.approx(theirs, abs=0.3)


@given(st.floats(-20, 45), st.floats(0.1, 10), st.floats(-0.5, 20), st.floats(0.05, 0.15))
def test_a_warmer_globe_means_warmer_surroundings_than_itself(
    air: float, wind: float, above: float, diameter: float
) -> None:
    found = by_globe(air + above, air, wind, diameter=diameter)
    if np.isfinite(found):
        assert (found - air - above) * above >= -1e-6


@given(st.floats(0, 40), st.floats(0.1, 10), st.floats(0.1, 10), st.floats(0, 15))
def test_in_more_wind_the_same_globe_means_more_radiation(
    air: float, one_wind: float, other: float, above: float
) -> None:
    calmer, windier = sorted((one_wind, other))
    low, high = by_globe(air + above, air, calmer), by_globe(air + above, air, windier)
    assert np.isnan(high) or low <= high + 1e-9


def test_a_globe_as_warm_as_the_air_says_that_all_around_is() -> None:
    assert by_globe(25, 25, 1) == pytest.approx(25, abs=1e-9)


@pytest.mark.parametrize(
    ("globe", "air", "wind", "more", "reason"),
    [
        (20, 25, 1, {"elevation": 50.0}, Reason.GLOBE),
        (91, 30, 1, {}, Reason.GLOBE),
        (40, 30, 1, {"diameter": 0.5}, Reason.GLOBE),
        (40, 30, 1, {"emissivity": 0.0}, Reason.GLOBE),
        (40, 30, 0, {}, Reason.WIND),
        (40, 56, 1, {}, Reason.AIR_TEMPERATURE),
        (80, 20, 20, {}, Reason.BEYOND_SCALE),
        (np.nan, 30, 1, {}, Reason.MISSING),
        (40, np.nan, 1, {}, Reason.MISSING),
        (40, 30, np.nan, {}, Reason.MISSING),
    ],
)
def test_a_globe_that_cannot_be_believed_gives_none_and_a_reason(
    globe: float, air: float, wind: float, more: dict[str, float], reason: Reason
) -> None:
    found = mean_radiant_temperature_from_globe(*(np.array([x]) for x in (globe, air, wind)), **more)
    assert np.isnan(found.value).all()
    assert Reason(int(found.reason[0])) == reason


def test_at_night_a_globe_may_be_colder_than_the_air() -> None:
    assert by_globe(12, 15, 0.5, elevation=-20.0) < 12


@given(st.floats(-10, 40), st.floats(10, 100), st.floats(5, 65), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_shade_is_never_hotter_than_sun(
    air: float, humidity: float, elevation: float, share: float, one_shade: float, other: float
) -> None:
    radiation = share * 1000 * np.sin(np.radians(elevation))
    lighter, darker = sorted((one_shade, other))
    assert by_sun(air, humidity, radiation, elevation, shade=darker) <= by_sun(
        air, humidity, radiation, elevation, shade=lighter
    )


@given(st.floats(-10, 40), st.floats(10, 100), st.floats(10, 65), st.floats(0.3, 1))
def test_a_wider_sky_is_colder_at_night(air: float, humidity: float, elevation: float, view: float) -> None:
    at_night = by_sun(air, humidity, 0, -elevation, sky_view=view)
    assert at_night <= by_sun(air, humidity, 0, -elevation, sky_view=0.0) + 1e-9
    assert at_night <= air + 1e-9


def test_known_weather_gives_what_was_measured_on_such_days() -> None:
    assert 55 < by_sun(30, 40, 850, 58) < 70  # sunny summer noon, six-directional measurements: 55 to 70 °C
    assert 30 < by_sun(30, 40, 850, 58, shade=1.0, sky_view=0.3) < 42  # below a tree crown
    assert 5 < by_sun(15, 70, 0, -30, cloud_cover=0.0) < 12  # clear night in the open


@pytest.mark.parametrize(
    ("weather", "more", "reason"),
    [
        ((30, 40, 1400, 20), {}, Reason.RADIATION),
        ((30, 40, -20, 50), {}, Reason.RADIATION),
        ((30, 40, 500, 50), {"sky_view": 1.1}, Reason.RADIATION),
        ((30, 40, 500, 50), {"cloud_cover": 130.0}, Reason.RADIATION),
        ((30, 0, 500, 50), {}, Reason.HUMIDITY),
        ((30, 101, 500, 50), {}, Reason.HUMIDITY),
        ((60, 40, 500, 50), {}, Reason.AIR_TEMPERATURE),
        ((30, 40, np.nan, 50), {}, Reason.MISSING),
        ((30, 40, 500, np.nan), {}, Reason.MISSING),
    ],
)
def test_weather_that_cannot_be_gives_none_and_a_reason(
    weather: tuple[float, ...], more: dict[str, float], reason: Reason
) -> None:
    columns = (np.array([value]) for value in (*weather, 1.0))
    found = mean_radiant_temperature_from_radiation(*columns, **more)
    assert np.isnan(found.value).all()
    assert Reason(int(found.reason[0])) == reason


def test_after_dusk_nobody_needs_a_pyranometer() -> None:
    assert by_sun(15, 70, np.nan, -20) == by_sun(15, 70, 0, -20)


def test_unknown_clouds_count_as_half() -> None:
    assert by_sun(15, 70, 0, -20, cloud_cover=np.nan) == by_sun(15, 70, 0, -20, cloud_cover=50.0)


def test_the_processor_knows_sun_and_shade_of_its_place_and_hour() -> None:
    steps = np.datetime64("2023-06-21T00:00", "ms") + np.arange(24) * np.timedelta64(1, "h")
    constant = {"air_temperature": 25.0, "relative_humidity": 50.0, "wind_speed": 2.0, "cloud_cover": 10.0}
    inputs = {(name, "mean"): np.full((24, 2), value) for name, value in constant.items()}
    inputs["global_radiation", "mean"] = np.tile(
        np.maximum(800 * np.sin((np.arange(24.0) - 4) / 16 * np.pi), 0)[:, None], 2
    )
    inputs["global_radiation", "mean"][20:] = np.nan
    inputs["illuminance", "mean"] = np.full((24, 2), np.nan)
    inputs["globe_temperature", "mean"] = np.column_stack([np.full(24, np.nan), np.full(24, 33.0)])
    attributes = {"latitude": np.array([51.45, np.nan]), "longitude": np.array([7.0, 7.0])}
    result = MEAN_RADIANT_TEMPERATURE.compute(Fleet(steps, inputs, np.empty((2, 0)), attributes))
    sun, shade = result["mean_radiant_temperature", "sun"], result["mean_radiant_temperature", "shade"]
    assert sun[11, 0] > shade[11, 0] + 10
    assert sun[23, 0] == shade[23, 0] < 25
    assert np.isnan(sun[:, 1]).all()
    assert np.isnan(result["mean_radiant_temperature", "globe"][:, 0]).all()
    assert (result["mean_radiant_temperature", "globe"][:, 1] > 33).all()
