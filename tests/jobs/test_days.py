from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from gruenpuls.jobs.days import day_start, local_day, years

BERLIN = ZoneInfo("Europe/Berlin")


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
