from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from gruenpuls.jobs.days import years


@given(st.dates(date(1999, 1, 1), date(2030, 1, 1)), st.integers(0, 900))
def test_parts_of_years_are_all_days_once(first: date, count: int) -> None:
    end = date.fromordinal(first.toordinal() + count)
    parts = list(years(first, end))
    covered = [day for low, high in parts for day in range(low.toordinal(), high.toordinal())]
    assert covered == list(range(first.toordinal(), end.toordinal()))
    assert all(low.year == date.fromordinal(high.toordinal() - 1).year for low, high in parts)
