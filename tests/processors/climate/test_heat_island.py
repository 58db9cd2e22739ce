import numpy as np

from gruenpuls.domain.processor import Array
from processors.climate.heat_island import heat_island

STEPS = np.datetime64("2023-08-01T00:00", "ms") + np.arange(96) * np.timedelta64(1, "h")
RURAL = 20 - 4 * np.cos(2 * np.pi * (np.arange(96.0) - 14) / 24)
CALM, DRY = np.full(96, 1.5), np.zeros(96)


def city(warmer: float) -> Array:
    return (RURAL + warmer)[:, None]


def test_it_is_the_difference_of_clear_calm_dry_nights() -> None:
    found = heat_island(STEPS, city(3.5), RURAL, CALM, DRY)
    assert found.nights.astype(str).tolist() == ["2023-08-01", "2023-08-02", "2023-08-03"]
    np.testing.assert_allclose(found.mean, 3.5)
    np.testing.assert_allclose(found.largest, 3.5)


def test_the_largest_hour_of_the_night_stands_beside_the_mean() -> None:
    urban = city(2.0)
    urban[24 + 1] += 4
    found = heat_island(STEPS, urban, RURAL, CALM, DRY)
    assert found.largest[0, 0] == 6.0
    assert found.mean[0, 0] == 2.5


def test_wind_clouds_and_rain_of_the_day_before_make_a_night_unfit() -> None:
    wind, rain, clouds = CALM.copy(), DRY.copy(), np.full(96, 20.0)
    wind[21:29] = 5
    rain[24 + 8] = 0.4
    clouds[48 + 21 : 48 + 29] = 90
    found = heat_island(STEPS, city(3.0), RURAL, wind, rain, clouds)
    assert found.fit.tolist() == [False, False, False]
    assert np.isnan(found.mean).all()
    assert heat_island(STEPS, city(3.0), RURAL, wind, rain).fit.tolist() == [False, False, True]


def test_unknown_wind_or_rain_is_not_taken_for_calm_and_dry() -> None:
    unknown = np.full(96, np.nan)
    assert not heat_island(STEPS, city(3.0), RURAL, unknown, DRY).fit.any()
    assert not heat_island(STEPS, city(3.0), RURAL, CALM, unknown).fit.any()


def test_a_site_that_was_silent_most_of_the_night_has_no_value() -> None:
    urban = np.hstack([city(3.0), city(3.0)])
    urban[23:29, 1] = np.nan
    found = heat_island(STEPS, urban, RURAL, CALM, DRY)
    assert found.mean[0, 0] == 3.0
    assert np.isnan([found.mean[0, 1], found.largest[0, 1]]).all()


def test_no_night_at_all_is_no_trouble() -> None:
    for hours in (0, 1, 20):
        found = heat_island(STEPS[:hours], city(1)[:hours], RURAL[:hours], CALM[:hours], DRY[:hours])
        assert found.mean.shape == (0, 1)
