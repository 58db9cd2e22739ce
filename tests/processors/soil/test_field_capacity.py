import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from processors.soil.field_capacity import REMEMBERED, learned_field_capacity


def column(days: int, seen: dict[int, float]) -> np.ndarray:
    values = np.full((days, 1, 1), np.nan)
    for day, value in seen.items():
        values[day] = value
    return values


def test_the_median_of_winter_days_counts_and_one_bad_day_does_not() -> None:
    learned, plateaus = learned_field_capacity(column(50, {10: 27, 20: 28, 30: 40}), column(50, {}))
    assert learned[:, 0, 0][[9, 10, 20, 49]].tolist()[1:] == [27, 27.5, 28]
    assert np.isnan(learned[9]).all()
    assert plateaus[[10, 49], 0, 0].tolist() == [1, 3]


def test_a_watering_speaks_until_a_winter_has_passed() -> None:
    learned, plateaus = learned_field_capacity(column(50, {30: 27}), column(50, {10: 24}))
    assert learned[[10, 29, 30], 0, 0].tolist() == [24, 24, 27]
    assert plateaus[[10, 29, 30], 0, 0].tolist() == [0, 0, 1]


def test_what_is_older_than_the_winter_before_is_forgotten() -> None:
    days = REMEMBERED + 20
    learned, plateaus = learned_field_capacity(column(days, {5: 27, 100: 31}), column(days, {}))
    assert learned[[100, REMEMBERED + 4, REMEMBERED + 5], 0, 0].tolist() == [29, 29, 31]
    assert plateaus[[100, REMEMBERED + 4, REMEMBERED + 5], 0, 0].tolist() == [2, 2, 1]


@given(st.dictionaries(st.integers(0, 899), st.floats(10, 50), max_size=12), st.integers(0, 899))
def test_it_says_what_looking_back_from_each_day_says(seen: dict[int, float], day: int) -> None:
    learned, plateaus = learned_field_capacity(column(900, seen), column(900, {}))
    remembered = [value for at, value in seen.items() if day - REMEMBERED < at <= day]
    if remembered:
        assert learned[day, 0, 0] == np.median(remembered)
        assert plateaus[day, 0, 0] == len(remembered)
    else:
        assert np.isnan(learned[day, 0, 0])
