import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gruenpuls.domain.processor import Fleet
from processors.comfort.wind_profile import site_wind, wind_at_height

HEIGHTS = st.floats(0.5, 200)
WINDS = st.floats(0, 40)


def one(wind: float, measured: float, height: float, roughness: float = 0.01) -> float:
    return wind_at_height(np.array([wind]), np.array([measured]), height, roughness).item()


def test_two_metres_become_ten_as_utci_prescribes() -> None:
    assert one(1.0, 2.0, 10.0) == pytest.approx(np.log(10 / 0.01) / np.log(2 / 0.01))


@given(WINDS, HEIGHTS, st.floats(0.5, 200), st.floats(0.001, 0.1))
def test_up_and_down_again_is_the_same_wind(wind: float, measured: float, height: float, roughness: float) -> None:
    assert one(one(wind, measured, height, roughness), height, measured, roughness) == pytest.approx(wind, abs=1e-9)


@given(st.floats(0.1, 40), HEIGHTS, st.floats(0.001, 0.1))
def test_it_blows_harder_higher_up(wind: float, measured: float, roughness: float) -> None:
    assert one(wind, measured, measured * 1.5, roughness) > wind


@pytest.mark.parametrize(
    ("wind", "measured", "roughness"),
    [(np.nan, 10, 0.01), (3, np.nan, 0.01), (3, 0.4, 0.01), (3, 201, 0.01), (3, 10, 0), (3, 10, -1), (3, 1, 0.5)],
)
def test_outside_its_range_there_is_none(wind: float, measured: float, roughness: float) -> None:
    assert np.isnan(one(wind, measured, 10.0, roughness))


def test_among_high_obstacles_there_is_no_wind_below_them() -> None:
    assert one(5, 30, 1.1, 2.0) == 0


def test_wind_from_elsewhere_is_that_of_a_mast_and_the_sites_own_that_of_its_anemometer() -> None:
    steps = np.datetime64("2023-06-21T12:00", "ms") + np.arange(2) * np.timedelta64(1, "h")
    inputs = {("air_temperature", "mean"): np.full((2, 2), 25.0), ("wind_speed", "mean"): np.full((2, 2), 3.0)}
    own = {"wind_height": np.array([3.0, np.nan])}
    away = {("wind_speed", "mean"): np.array([[0.0, 0.0], [12.5, 12.5]])}
    found = site_wind(Fleet(steps, inputs, np.empty((2, 0)), own, away), 10.0)
    assert found[0] == pytest.approx([one(3, 3, 10), one(3, 2, 10)])
    assert found[1] == pytest.approx([3, 3])
    assert site_wind(Fleet(steps, inputs, np.empty((2, 0)), own), 10.0)[1] == pytest.approx(found[0])
