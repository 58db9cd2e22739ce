from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from gruenpuls.domain.local_time import calendar, day_start, local_day, local_times
from gruenpuls.domain.reading import to_stored

BERLIN = ZoneInfo("Europe/Berlin")
_MOMENTS = st.datetimes(datetime(1995, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC))
_ZONES = ("Europe/Berlin", "Europe/London", "America/Sao_Paulo", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC")


@given(st.lists(_MOMENTS, max_size=30), st.sampled_from(_ZONES))
@example([datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1, 2)], "Europe/Berlin")
@example([datetime(2026, 3, 28, 23, 30, tzinfo=UTC), datetime(2026, 3, 29, 23, 30, tzinfo=UTC)], "Europe/Berlin")
def test_many_moments_at_once_are_what_each_alone_is(moments: list[datetime], name: str) -> None:
    zone = ZoneInfo(name)
    alone = [np.datetime64(moment.astimezone(zone).replace(tzinfo=None), "ms") for moment in moments]
    together = local_times(np.array([to_stored(moment) for moment in moments], "datetime64[ms]"), zone)
    assert together.tolist() == np.array(alone, "datetime64[ms]").tolist()


def test_a_day_begins_at_the_site_s_own_midnight() -> None:
    assert day_start(date(2024, 3, 31), BERLIN) == datetime(2024, 3, 30, 23, tzinfo=UTC)
    assert day_start(date(2024, 4, 1), BERLIN) == datetime(2024, 3, 31, 22, tzinfo=UTC)
    assert local_day(datetime(2024, 3, 31, 22, tzinfo=UTC), BERLIN) == date(2024, 4, 1)


def test_a_calendar_has_an_edge_more_than_days_and_a_short_day_where_clocks_are_set() -> None:
    days, edges = calendar(date(2024, 3, 30), 3, BERLIN)
    assert days.astype(str).tolist() == ["2024-03-30", "2024-03-31", "2024-04-01"]
    assert (np.diff(edges) / np.timedelta64(1, "h")).tolist() == [24, 23, 24]
