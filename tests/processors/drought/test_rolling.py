import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.drought.antecedent_precipitation import DECAY, antecedent_precipitation_index
from processors.drought.dry_spell import days_since_rain
from processors.drought.rolling import rolling_sum, same_day_of_earlier_years

RAINS = st.lists(st.one_of(st.just(float("nan")), st.floats(0, 50)), min_size=1, max_size=80)


def column(values: list[float]) -> np.ndarray:
    return np.array(values, np.float64)[:, np.newaxis]


@given(RAINS, st.sampled_from([0.1, 1.0]))
def test_a_spell_counts_the_days_below_the_limit_and_knows_no_more_than_was_measured(
    rains: list[float], limit: float
) -> None:
    found = days_since_rain(column(rains), limit, np.array([np.nan])).ravel()
    for day, spell in enumerate(found):
        if np.isnan(spell):
            continue
        dry = int(spell)
        assert all(rain < limit for rain in rains[day + 1 - dry : day + 1])
        assert rains[day - dry] >= limit


@given(RAINS, st.integers(1, 79))
def test_a_spell_continues_from_what_was_carried(rains: list[float], cut: int) -> None:
    whole = days_since_rain(column(rains), 1.0, np.array([3.0]))
    cut = min(cut, len(rains))
    first = days_since_rain(column(rains[:cut]), 1.0, np.array([3.0]))
    rest = days_since_rain(column(rains[cut:]) if rains[cut:] else np.empty((0, 1)), 1.0, first[-1])
    np.testing.assert_array_equal(np.concatenate([first, rest]), whole)


def test_a_day_of_less_than_a_millimetre_does_not_end_a_dry_spell_but_a_rainless_one() -> None:
    rain = column([5.0, 0.0, 0.4, 0.0])
    assert days_since_rain(rain, 1.0, np.array([np.nan])).ravel().tolist() == [0, 1, 2, 3]
    assert days_since_rain(rain, 0.1, np.array([np.nan])).ravel().tolist() == [0, 1, 0, 1]


def test_antecedent_precipitation_follows_its_recursion() -> None:
    rain = np.random.default_rng(3).gamma(0.4, 8, (200, 2))
    index = antecedent_precipitation_index(rain)
    by_recursion = np.zeros(2)
    for day in rain:
        by_recursion = DECAY * by_recursion + day
    np.testing.assert_allclose(index[-1], by_recursion, rtol=0.005)


def test_a_missing_day_is_not_a_dry_one() -> None:
    rain = np.full((100, 1), 4.0)
    rain[97] = np.nan
    assert antecedent_precipitation_index(rain)[-1, 0] == pytest.approx(antecedent_precipitation_index(rain)[90, 0])
    rain[96:] = np.nan
    assert np.isnan(antecedent_precipitation_index(rain)[-1, 0])


@given(st.lists(st.floats(0, 60), min_size=1, max_size=60), st.integers(1, 60))
def test_a_rolling_sum_is_the_sum(rains: list[float], days: int) -> None:
    found = rolling_sum(column(rains), days).ravel()
    for day, value in enumerate(found):
        if day + 1 < days:
            assert np.isnan(value)
        else:
            assert value == pytest.approx(sum(rains[day + 1 - days : day + 1]), abs=1e-5)


def test_a_sum_lacks_where_more_than_a_twentieth_of_its_days_do() -> None:
    rain = np.full((100, 1), 2.0)
    rain[:5] = np.nan
    assert rolling_sum(rain, 100)[-1, 0] == 200.0
    rain[5] = np.nan
    assert np.isnan(rolling_sum(rain, 100)[-1, 0])


def test_earlier_years_are_those_of_the_same_date() -> None:
    days = np.arange(np.datetime64("2000-01-01"), np.datetime64("2005-01-01")).astype("datetime64[ms]")
    number = np.arange(len(days), dtype=np.float64)[:, np.newaxis]
    earlier = same_day_of_earlier_years(days, number, 4)[:, -1, 0]
    assert [str(days[int(place)])[:10] for place in earlier] == ["2003-12-31", "2002-12-31", "2001-12-31", "2000-12-31"]
