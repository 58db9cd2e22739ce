import numpy as np
import pytest

from processors.soil.permittivity import topp_water_content
from processors.soil.soil_water_content import water_content_from_permittivity

NONE = np.array([np.nan])


def test_what_the_device_converts_itself_is_not_doubled() -> None:
    permittivity = np.full((30, 1, 1), 12.0)
    told = np.full((30, 1, 1), np.nan)
    told[0] = 22.0
    made = water_content_from_permittivity(permittivity, told, NONE, NONE)[:, 0, 0]
    assert np.isnan(made[:24]).all(), "the place is the device's for a day"
    assert (made[24:] == topp_water_content(12.0)).all()


def test_a_calibration_of_ones_own_stands_above_what_the_device_says() -> None:
    made = water_content_from_permittivity(
        np.full((1, 2, 1), 11.4244), np.full((1, 2, 1), 25.0), np.array([1.58, np.nan]), np.array([9.0, 9.0])
    )
    assert made[0, 0, 0] == pytest.approx(20)
    assert np.isnan(made[0, 1, 0]), "half a calibration is none"
