from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.climate.sun_position import refraction, sun, sun_elevation, sunrise_and_sunset

References = Callable[[str], list[dict[str, Any]]]
RUHR = np.array([51.45]), np.array([7.0])
MST_BEHIND = np.timedelta64(7, "h")


def moment(text: str) -> np.ndarray[tuple[int], np.dtype[np.datetime64]]:
    naive = datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None)
    return np.array([naive], "datetime64[ms]")


def place(inputs: dict[str, float]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    return np.array([inputs["lat_deg"]]), np.array([inputs["lon_deg"]])


def test_published_elevation(reference_values: References) -> None:
    for entry in reference_values("solar.elevation_true"):
        found = sun_elevation(moment(entry["inputs"]["time"]), *place(entry["inputs"])).item()
        assert found == pytest.approx(entry["expected"], abs=entry["tolerance"])


def test_published_zenith_with_refraction(reference_values: References) -> None:
    for entry in reference_values("solar.apparent_zenith"):
        i = entry["inputs"]
        elevation = sun_elevation(moment(i["time"]), *place(i))
        lifted = elevation + refraction(elevation, np.array([i["pressure_hPa"]]), np.array([i["temperature_C"]]))
        assert 90 - lifted.item() == pytest.approx(entry["expected"], abs=entry["tolerance"])


def test_published_sunrise_and_sunset(reference_values: References) -> None:
    for entry in reference_values("solar.sunrise_sunset_seconds_local"):
        i = entry["inputs"]
        day = np.array([i["date"]], "datetime64[D]")
        rises, sets = sunrise_and_sunset(day, *place(i))
        found = rises if "sunrise" in entry["id"] else sets
        seconds = (found - MST_BEHIND - day.astype("datetime64[ms]")) / np.timedelta64(1, "s")
        assert seconds.item() == pytest.approx(entry["expected"], abs=entry["tolerance"])


@pytest.mark.parametrize(
    ("at", "declination", "distance"),
    [  # solstices and equinox; distances by the algorithm of NREL (2008)
        ("2023-06-21T14:58:00+00:00", 23.4385, 1.0162),
        ("2023-12-22T03:27:00+00:00", -23.4385, 0.9839),
        ("2023-03-20T21:24:00+00:00", 0.0, 0.9959),
    ],
)
def test_the_turning_points_of_the_year(at: str, declination: float, distance: float) -> None:
    found = sun(moment(at))
    assert np.degrees(found.declination).item() == pytest.approx(declination, abs=0.002)
    assert found.distance.item() == pytest.approx(distance, abs=0.0002)


@given(st.datetimes(datetime(1950, 1, 1), datetime(2050, 1, 1)), st.floats(-90, 90), st.floats(-180, 180))
def test_the_sun_stands_somewhere_on_the_sphere(at: datetime, latitude: float, longitude: float) -> None:
    steps = np.array([at], "datetime64[ms]")
    found = sun_elevation(steps, np.array([latitude]), np.array([longitude])).item()
    assert -90.01 <= found <= 90.01
    antipode = sun_elevation(steps, np.array([-latitude]), np.array([longitude + 180])).item()
    assert found + antipode == pytest.approx(0, abs=0.006)  # but for the parallax at both


@given(st.dates(datetime(1951, 1, 1).date(), datetime(2049, 1, 1).date()), st.floats(-60, 60), st.floats(-180, 180))
def test_at_sunrise_and_sunset_the_rim_touches_the_horizon(day: Any, latitude: float, longitude: float) -> None:  # noqa: ANN401 - a date
    where = np.array([latitude]), np.array([longitude])
    rises, sets = sunrise_and_sunset(np.array([day], "datetime64[D]"), *where)
    for passage in (rises[0], sets[0]):
        assert sun_elevation(passage, *where).item() == pytest.approx(-0.8333 - 0.0024, abs=0.002)
    noon = rises + (sets - rises) / 2
    assert (noon.astype("datetime64[m]") - np.datetime64(day, "m")) / np.timedelta64(1, "h") == pytest.approx(
        12 - longitude / 15, abs=0.35
    )


def test_in_the_polar_night_it_never_rises_and_an_unknown_place_has_no_sun() -> None:
    day = np.array(["2023-12-21"], "datetime64[D]")
    rises, sets = sunrise_and_sunset(day, np.array([80.0, np.nan, 51.0]), np.array([20.0, 7.0, np.nan]))
    assert np.isnat(rises).all()
    assert np.isnat(sets).all()
    assert np.isnan(sun_elevation(day.astype("datetime64[ms]"), np.array([np.nan]), np.array([7.0]))).all()


@pytest.mark.parametrize(("steps", "sites"), [(0, 1), (1, 0), (3, 2)])
def test_any_number_of_moments_and_places(steps: int, sites: int) -> None:
    moments = np.datetime64("2023-06-21", "ms") + np.arange(steps) * np.timedelta64(1, "h")
    assert sun_elevation(moments, np.full(sites, 51.0), np.full(sites, 7.0)).shape == (steps, sites)


def test_refraction_lifts_most_at_the_horizon_and_nothing_below() -> None:
    elevations = np.array([-10.0, -0.5, 0.0, 10.0, 90.0])
    lift = refraction(elevations, np.array([1010.0]), np.array([10.0]))
    assert lift[0] == 0
    assert (np.diff(lift[1:]) < 0).all()
    assert lift[-1] == pytest.approx(0, abs=1e-4)
