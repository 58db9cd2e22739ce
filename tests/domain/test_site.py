import doctest
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gruenpuls.domain import site
from gruenpuls.domain.site import growing_season


@pytest.mark.parametrize(
    ("planted_on", "year", "season"),
    [
        ("2022-03-15", 2022, 1),
        ("2022-06-30", 2023, 2),
        ("2022-07-01", 2023, 1),
        ("2022-11-15", 2022, 1),  # just planted: judged as in its first season
        ("2022-11-15", 2024, 2),
        ("2022-11", 2024, 2),
        ("2022", 2023, 1),  # the month unknown: the younger, which gets water sooner
        ("1990", 2023, 33),
    ],
)
def test_standing_years_are_growing_seasons(planted_on: str, year: int, season: int) -> None:
    assert growing_season(planted_on, year) == season


@pytest.mark.parametrize("planted_on", [None, "", "unknown", "vor dem Krieg"])
def test_an_unknown_age_stays_unknown(planted_on: str | None) -> None:
    assert math.isnan(growing_season(planted_on, 2023))


def test_before_it_was_planted_a_tree_has_no_age() -> None:
    assert math.isnan(growing_season("2024-03-01", 2023))


def test_its_examples_run() -> None:
    results = doctest.testmod(site)
    assert results.attempted
    assert not results.failed


@given(st.dates().map(str), st.integers(1950, 2100))
def test_every_year_is_one_season_more(planted_on: str, year: int) -> None:
    now, then = growing_season(planted_on, year), growing_season(planted_on, year + 1)
    if not math.isnan(now):
        assert then - now in {0, 1}
        assert then >= now >= 1
