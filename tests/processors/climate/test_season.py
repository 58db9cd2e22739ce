import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from processors.climate.season import degree_hours, season_sums

DAY = np.timedelta64(1, "D")


def test_winter_begins_in_december_and_every_season_has_three_months() -> None:
    days = np.arange("2022-12-01", "2024-03-01", dtype="datetime64[D]").astype("datetime64[ms]")
    found = season_sums(days, np.ones((len(days), 1)))
    assert found.seasons.astype(str).tolist() == ["2022-12", "2023-03", "2023-06", "2023-09", "2023-12"]
    assert found.total.ravel().tolist() == [90, 92, 92, 91, 91]


@given(st.integers(1, 1200), st.integers(0, 20_000), st.floats(0, 1))
def test_the_seasons_add_up_to_the_whole(count: int, first: int, missing: float) -> None:
    days = (np.datetime64("1970-01-01", "D") + first + np.arange(count)).astype("datetime64[ms]")
    generator = np.random.default_rng(first)
    values = np.where(generator.random((count, 2)) < missing, np.nan, 1.0)
    found = season_sums(days, values)
    assert np.nansum(found.total) == np.nansum(values)
    assert ((found.completeness >= 0) & (found.completeness <= 1)).all()


def test_a_season_without_a_value_is_unknown_not_nothing() -> None:
    found = season_sums(np.array(["2023-07-01"], "datetime64[ms]"), np.array([[np.nan, 0.0]]))
    assert np.isnan(found.total[0, 0])
    assert found.total[0, 1] == 0
    assert found.completeness.tolist() == [[0, 1]]


def test_no_days_are_no_trouble() -> None:
    assert season_sums(np.empty(0, "datetime64[ms]"), np.empty((0, 3))).total.shape == (0, 3)


def test_degree_hours_count_what_is_above() -> None:
    utci = np.array([[26.0], [33.5], [39.0], [np.nan]])
    np.testing.assert_array_equal(degree_hours(utci, 32), [[0], [1.5], [7], [np.nan]])
