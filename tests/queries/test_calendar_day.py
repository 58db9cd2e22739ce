from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from gruenpuls.domain.quantity import Aggregation
from gruenpuls.queries.calendar_day import by_day, sums

BERLIN = ZoneInfo("Europe/Berlin")


def hourly(start: str, count: int) -> np.ndarray:
    """Return so many full hours from a UTC moment on."""
    return np.datetime64(start, "ms") + np.arange(count) * np.timedelta64(1, "h").astype("timedelta64[ms]")


@pytest.mark.parametrize(
    ("start", "length"), [("2026-03-28T23:00", 23), ("2026-10-24T22:00", 25), ("2026-07-01T22:00", 24)]
)
def test_a_day_is_the_sites_own_and_has_23_to_25_hours(start: str, length: int) -> None:
    measured_at = hourly(start, 48)
    days, mean = by_day(measured_at, np.arange(48.0), BERLIN, Aggregation.MEAN)
    assert mean[0] == np.arange(length).mean()
    assert days[0] == np.datetime64(start, "D") + np.timedelta64(1, "D")


def test_rain_that_is_told_at_midnight_fell_on_the_day_before() -> None:
    measured_at = np.array(["2026-07-01T21:30", "2026-07-01T22:00", "2026-07-01T22:30"], "datetime64[ms]")
    days, total = by_day(measured_at, np.array([1.0, 2.0, 4.0]), BERLIN, Aggregation.SUM)
    assert [str(day) for day in days] == ["2026-07-01", "2026-07-02"]
    assert total.tolist() == [3.0, 4.0]


def test_the_mean_of_north_west_and_north_east_is_north() -> None:
    _, mean = by_day(hourly("2026-07-02T10:00", 2), np.array([315.0, 45.0]), BERLIN, Aggregation.CIRCULAR_MEAN)
    assert np.cos(np.deg2rad(mean[0])) == pytest.approx(1)


def test_the_gust_of_a_day_is_its_strongest() -> None:
    _, highest = by_day(hourly("2026-07-02T10:00", 3), np.array([3.0, 17.0, 5.0]), BERLIN, Aggregation.MAX)
    assert highest.tolist() == [17.0]


def test_sums_begin_where_their_day_or_hour_begins() -> None:
    measured_at = hourly("2026-07-01T22:00", 25)
    moments, total = sums(measured_at, np.ones(25), BERLIN, timedelta(days=1))
    assert [str(moment) for moment in moments] == ["2026-06-30T22:00:00.000", "2026-07-01T22:00:00.000"]
    assert total.tolist() == [1.0, 24.0]
    moments, total = sums(measured_at[:2], np.ones(2), BERLIN, timedelta(hours=1))
    assert str(moments[0]) == "2026-07-01T21:00:00.000"
    assert total.tolist() == [1.0, 1.0]
