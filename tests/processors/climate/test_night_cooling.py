import numpy as np
import pytest

from processors.climate.night_cooling import along_path, night_cooling

STEPS = np.datetime64("2023-08-14T12:00", "ms") + np.arange(48) * np.timedelta64(1, "h")
PLACE = np.array([51.5, 51.5]), np.array([7.0, 7.2])


def test_a_steady_fall_is_its_own_rate_at_every_site() -> None:
    falling = 30 - np.arange(48.0)[:, None] * np.array([0.4, 0.9])
    found = night_cooling(STEPS, falling, *PLACE)
    assert found.nights.astype(str).tolist() == ["2023-08-14", "2023-08-15", "2023-08-16"]
    np.testing.assert_allclose(found.rate[:2], [[0.4, 0.9]] * 2)


def test_only_the_dark_hours_count() -> None:
    temperature = np.full((48, 2), 20.0)
    temperature[:6] = 35.0
    temperature[19:30] = 35.0  # from 7 UTC on the sun is up
    assert night_cooling(STEPS, temperature, *PLACE).rate[0] == pytest.approx([0, 0], abs=1e-12)


def test_a_night_with_too_many_gaps_has_no_rate() -> None:
    falling = np.tile(30 - 0.5 * np.arange(48.0)[:, None], 2)
    falling[9:13, 1] = np.nan
    found = night_cooling(STEPS, falling, *PLACE)
    assert found.rate[0, 0] == pytest.approx(0.5)
    assert np.isnan(found.rate[0, 1])
    assert found.rate[1, 1] == pytest.approx(0.5)


def test_an_unknown_place_and_no_hours_are_no_trouble() -> None:
    assert np.isnan(night_cooling(STEPS, np.ones((48, 1)), np.array([np.nan]), np.array([7.0])).rate).all()
    assert night_cooling(STEPS[:0], np.ones((0, 1)), np.array([51.0]), np.array([7.0])).rate.shape == (0, 1)


def test_the_path_slows_down_towards_the_city() -> None:
    rates = np.array([[1.0, 0.9, 0.8, 0.7], [0.5, np.nan, 0.5, 0.5], [1, np.nan, np.nan, 1]])
    found = along_path(rates, np.array([0.0, 0.5, 1.0, 1.5]))
    assert found[:2] == pytest.approx([-0.2, 0.0])
    assert np.isnan(found[2])


def test_sites_at_one_spot_are_no_path() -> None:
    assert np.isnan(along_path(np.ones((1, 3)), np.ones(3))).all()
