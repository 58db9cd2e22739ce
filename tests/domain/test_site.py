import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gruenpuls.domain.site import growing_season


@pytest.mark.parametrize(
    ("planted_on", "year", "season"),
    [
        ("2021-11-03", 2022, 1),
        ("2021-03-01", 2022, 2),
        ("2021", 2022, 1),
        ("2021-06-30", 2021, 1),
        ("2021-07-01", 2021, 1),
    ],
)
def test_a_tree_planted_from_july_on_counts_from_the_next_year(planted_on: str, year: int, season: int) -> None:
    assert growing_season(planted_on, year) == season


@pytest.mark.parametrize("planted_on", [None, "", "long ago", "2031"])
def test_unknown_age_is_neither_young_nor_old(planted_on: str | None) -> None:
    assert math.isnan(growing_season(planted_on, 2026))


@given(st.dates().map(str), st.integers(1950, 2100))
def test_every_year_is_one_season_more(planted_on: str, year: int) -> None:
    now, then = growing_season(planted_on, year), growing_season(planted_on, year + 1)
    if not math.isnan(now):
        assert then - now in {0, 1}
        assert then >= now >= 1
