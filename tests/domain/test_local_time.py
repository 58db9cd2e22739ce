from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from gruenpuls.domain.local_time import local_times
from gruenpuls.domain.reading import to_stored

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
