import numpy as np
import pytest

from gruenpuls.domain.processor import Array, Fleet
from processors.comfort.site_sun import LUMINOUS_EFFICACY, site_sun

STEPS = np.datetime64("2023-06-21T10:00", "ms") + np.arange(14) * np.timedelta64(1, "h")


def fleet(radiation: Array, illuminance: Array, latitude: float = 51.45) -> Fleet:
    inputs = {("global_radiation", "mean"): radiation, ("illuminance", "mean"): illuminance}
    place = {"latitude": np.array([latitude]), "longitude": np.array([7.0])}
    return Fleet(STEPS, inputs, np.empty((1, 0)), place)


def test_light_stands_in_for_radiation_nobody_measured() -> None:
    radiation = np.full((14, 1), np.nan)
    radiation[0] = 700
    found = site_sun(fleet(radiation, np.full((14, 1), 57_500.0)))
    assert found.radiation[0] == 700
    assert found.radiation[1] == pytest.approx(57_500 / LUMINOUS_EFFICACY)


def test_in_the_dark_nothing_needs_to_be_measured_and_by_day_something() -> None:
    nothing = np.full((14, 1), np.nan)
    found = site_sun(fleet(nothing, nothing))
    assert np.isnan(found.radiation[:10]).all()
    assert found.radiation[-1] == 0
    assert found.elevation[1, 0] > 61
    assert np.isnan(site_sun(fleet(nothing, nothing, np.nan)).radiation).all()
