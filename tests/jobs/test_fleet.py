import doctest
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gruenpuls.jobs import fleet
from gruenpuls.jobs.days import day_start, local_day, years
from gruenpuls.jobs.fleet import growing_season

BERLIN = ZoneInfo("Europe/Berlin")


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
    assert np.isnan(growing_season(planted_on, 2023))


def test_before_it_was_planted_a_tree_has_no_age() -> None:
    assert np.isnan(growing_season("2024-03-01", 2023))


def test_its_examples_run() -> None:
    results = doctest.testmod(fleet)
    assert results.attempted
    assert not results.failed


@given(st.dates(date(1999, 1, 1), date(2030, 1, 1)), st.integers(0, 900))
def test_parts_of_years_are_all_days_once(first: date, count: int) -> None:
    end = date.fromordinal(first.toordinal() + count)
    parts = list(years(first, end))
    covered = [day for low, high in parts for day in range(low.toordinal(), high.toordinal())]
    assert covered == list(range(first.toordinal(), end.toordinal()))
    assert all(low.year == date.fromordinal(high.toordinal() - 1).year for low, high in parts)


def test_a_day_begins_at_the_site_s_own_midnight() -> None:
    assert day_start(date(2024, 3, 31), BERLIN) == datetime(2024, 3, 30, 23, tzinfo=UTC)
    assert day_start(date(2024, 4, 1), BERLIN) == datetime(2024, 3, 31, 22, tzinfo=UTC)
    assert local_day(datetime(2024, 3, 31, 22, tzinfo=UTC), BERLIN) == date(2024, 4, 1)
