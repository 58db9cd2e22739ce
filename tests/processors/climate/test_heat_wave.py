import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.climate.heat_wave import HOT_DAY, heat_threshold, heat_wave_days, hot_for_the_season


def waves(maxima: list[float]) -> list[float]:
    column = np.array(maxima, np.float64)[:, None]
    return heat_wave_days(column, column >= HOT_DAY)[:, 0].tolist()


@pytest.mark.parametrize(
    ("maxima", "expected"),
    [
        ([30, 31, 32], [1, 1, 1]),
        ([30, 31], [0, 0]),
        ([29.9, 30, 31, 29.9, 30, 30, 30, 30], [0, 0, 0, 0, 1, 1, 1, 1]),
        ([], []),
        ([35], [0]),
    ],
)
def test_three_in_a_row_make_a_wave(maxima: list[float], expected: list[float]) -> None:
    assert waves(maxima) == expected


def test_a_missing_day_ends_a_wave_and_is_itself_unknown() -> None:
    np.testing.assert_array_equal(waves([31, 31, np.nan, 31, 31, 31]), [0, 0, np.nan, 1, 1, 1])


@given(st.lists(st.sampled_from([20.0, 30.0, 35.0, np.nan]), max_size=40))
def test_it_is_what_counting_runs_by_hand_gives(maxima: list[float]) -> None:
    expected = [0.0] * len(maxima)
    begin = 0
    for place in range(len(maxima) + 1):
        if place == len(maxima) or not maxima[place] >= HOT_DAY:
            if place - begin >= 3:
                expected[begin:place] = [1.0] * (place - begin)
            begin = place + 1
    np.testing.assert_array_equal(waves(maxima), np.where(np.isnan(maxima), np.nan, expected))


def test_the_threshold_follows_the_season_and_bridges_new_year() -> None:
    days = np.arange("1961-01-01", "1991-01-01", dtype="datetime64[D]")
    number = (days - days.astype("datetime64[Y]")).astype(np.float64)
    warmth = (15 - 15 * np.cos(2 * np.pi * (number - 15) / 365.25))[:, None]
    threshold = heat_threshold(days, warmth)[:, 0]
    assert np.isfinite(threshold).all()
    assert abs(threshold[0] - threshold[-1]) < 0.5
    assert threshold[190:210].min() > threshold[:60].max() + 15


def test_a_short_record_gives_no_threshold_and_no_hot_days() -> None:
    days = np.arange("1985-01-01", "1991-01-01", dtype="datetime64[D]")
    threshold = heat_threshold(days, np.full((len(days), 1), 20.0))
    assert np.isnan(threshold).all()
    assert not hot_for_the_season(days, np.full((len(days), 1), 40.0), threshold).any()


def test_no_day_up_to_28_degrees_is_hot_however_unusual() -> None:
    day = np.array(["2023-04-20", "2023-04-21"], "datetime64[D]")
    assert hot_for_the_season(day, np.array([[28.0], [28.1]]), np.full((366, 1), 20.0)).ravel().tolist() == [
        False,
        True,
    ]
