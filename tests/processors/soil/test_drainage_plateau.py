import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.soil.drainage_plateau import content_after_watering, drainage_plateau

RAIN = [0.0, 12, 10, 0, 0, 0, 0, 0]
CONTENT = [20.0, 30, 34, 29, 27, 26.5, 26, 26]


def plateaus(rain: list[float], temperature: float = 5.0, content: list[float] = CONTENT) -> list[int]:
    values = np.array(content)[:, None, None]
    found = drainage_plateau(values, np.full_like(values, temperature), np.array(rain)[:, None])[:, 0, 0]
    kept = np.flatnonzero(~np.isnan(found))
    assert (found[kept] == np.array(content)[kept]).all()
    return kept.tolist()


def test_two_days_after_heavy_rain_a_probe_shows_its_field_capacity() -> None:
    assert plateaus(RAIN) == [4, 5]


def test_rain_meanwhile_too_little_rain_or_a_gap_in_it_make_no_plateau() -> None:
    assert plateaus([0, 12, 10, 0, 5, 0, 0, 0]) == []
    assert plateaus([0, 10, 10, 0, 0, 0, 0, 0]) == []
    assert plateaus([0, 12, 10, np.nan, 0, 0, 0, 0]) == [5], "the day after must be known to be dry"


@pytest.mark.parametrize("temperature", [1.9, 8.1, np.nan])
def test_frozen_or_growing_soil_makes_no_plateau(temperature: float) -> None:
    assert plateaus(RAIN, temperature) == []


def test_a_depth_without_a_thermometer_takes_the_others() -> None:
    content = np.array(CONTENT)[:, None, None].repeat(2, axis=2)
    temperature = np.full_like(content, 5.0)
    temperature[..., 1] = np.nan
    found = drainage_plateau(content, temperature, np.array(RAIN)[:, None])
    np.testing.assert_array_equal(found[..., 0], found[..., 1])


def test_after_a_watering_that_saturated_a_depth_the_next_two_days_count() -> None:
    content = np.array([[15.0, 20], [25, 20], [28, 20.5], [26, 20.5], [25, 20]])[:, None, :]
    litres = np.array([0.0, 100, 0, 0, 0])[:, None]
    found = content_after_watering(content, litres)[:, 0]
    assert found[3, 0] == 27
    assert np.isnan(found[:, 1]).all(), "the water has not reached this depth"
    assert np.isnan(content_after_watering(content, np.zeros_like(litres))).all()
    again = litres.copy()
    again[3] = 50
    assert np.isnan(content_after_watering(content, again)).all()


@given(st.lists(st.floats(0, 40), min_size=12, max_size=12), st.integers(6, 11))
def test_a_day_depends_on_no_more_than_the_days_before_it(rain: list[float], last: int) -> None:
    content = np.arange(12.0)[:, None, None]
    cool, fell = np.full_like(content, 5.0), np.array(rain)[:, None]
    whole = drainage_plateau(content, cool, fell)[last]
    part = drainage_plateau(content[last - 5 : last + 1], cool[:6], fell[last - 5 : last + 1])[-1]
    np.testing.assert_array_equal(whole, part)
