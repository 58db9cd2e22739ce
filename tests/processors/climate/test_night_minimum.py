import numpy as np

from processors.climate.night_minimum import night_minimum

HOUR = np.timedelta64(1, "h")


def test_a_night_is_what_lies_between_18_and_6_utc() -> None:
    steps = np.datetime64("2023-07-01T00:00", "ms") + np.arange(48) * HOUR
    values = np.full((48, 2), 25.0)
    values[17], values[18 + 12] = 1.0, 2.0  # 17 UTC and 6 UTC of the next day: outside
    values[22, 0], values[29, 1] = 19.5, 18.5
    found = night_minimum(steps, values)
    assert found[29].tolist() == [19.5, 18.5]
    assert np.isfinite(found).sum() == 2


def test_with_more_than_three_hours_missing_nobody_knows() -> None:
    steps = np.datetime64("2023-07-01T18:00", "ms") + np.arange(12) * HOUR
    values = np.full((12, 2), 21.0)
    values[:3], values[3, 1] = np.nan, np.nan
    assert night_minimum(steps, values)[-1, 0] == 21
    assert np.isnan(night_minimum(steps, values)[-1, 1])


def test_a_night_that_began_before_the_first_hour_is_left_out() -> None:
    steps = np.datetime64("2023-07-01T19:00", "ms") + np.arange(11) * HOUR
    assert np.isnan(night_minimum(steps, np.full((11, 1), 21.0))).all()
