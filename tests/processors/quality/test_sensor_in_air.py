import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.quality.sensor_in_air import greatest_daily_range, sensor_in_air

HOURS = np.arange(48)


def told(content: float, tension: float, swing: float, depth: float = 30.0, every: int = 1) -> bool:
    temperature = 20 + swing / 2 * np.sin(HOURS / 24 * 2 * np.pi)[:, None, None]
    temperature[HOURS % every != 0] = np.nan
    columns = [np.full(temperature.shape, value) for value in (content, tension)]
    return bool(sensor_in_air(*columns, temperature, np.array([[depth]]))[-1, 0, 0])


def test_a_pulled_probe_is_seen() -> None:
    assert told(0.3, np.nan, 12)
    assert told(np.nan, 239, 12)
    assert told(np.nan, 100_000, 12)


def test_dry_soil_that_keeps_its_temperature_is_dry_soil() -> None:
    assert not told(0.3, np.nan, 1)
    assert not told(np.nan, 239, 2)


def test_moist_soil_on_a_hot_day_is_moist_soil() -> None:
    assert not told(18, 40, 12)


def test_near_the_surface_and_without_a_thermometer_nobody_knows() -> None:
    assert not told(0.3, np.nan, 25, depth=5)
    assert not told(0.3, np.nan, np.nan)
    assert not told(np.nan, np.nan, 25)


@pytest.mark.parametrize(("every", "seen"), [(6, True), (12, False)])
def test_a_day_needs_four_temperatures(every: int, *, seen: bool) -> None:
    temperature = np.where(HOURS // every % 2 == 0, 15.0, 30.0)[:, None, None].astype(float)
    temperature[HOURS % every != 0] = np.nan
    dry, none = np.full(temperature.shape, 0.1), np.full(temperature.shape, np.nan)
    assert sensor_in_air(dry, none, temperature, np.array([[40.0]]))[-1, 0, 0] == seen


@given(st.floats(10, 200), st.floats(10, 200))
def test_deeper_soil_swings_no_wider(one: float, other: float) -> None:
    upper, lower = greatest_daily_range(np.array(sorted((one, other))))
    assert lower <= upper
