"""Hours and days of a series, each with how complete it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import pytest
from queries.city import City

from gruenpuls.domain.device import Channel, Deployment, Device
from gruenpuls.domain.reading import Flag
from gruenpuls.domain.site import Site, SiteKind
from gruenpuls.queries.summed import Summed, summed

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = timedelta(hours=1)
SUMMER_ENDS = datetime(2023, 10, 29, tzinfo=BERLIN).astimezone(UTC)


def measured(city: City, quantity: str) -> int:
    """Register a station with one channel; return the series."""
    city.registry.places.add(Site("W", "Station", SiteKind.WEATHER_STATION), actor="test")
    city.registry.devices.add(Device("d", "test", "", (Channel("c", quantity),)), actor="test")
    city.registry.deployments.begin(Deployment("d", "W", SUMMER_ENDS - timedelta(days=30)), actor="test")
    return city.measure("d", "c", None, quantity)


def told(
    city: City, quantity: str, by: Literal["hour", "day"], interval: timedelta | None, begin: datetime, end: datetime
) -> list[Summed]:
    (series,) = (it for it in city.registry.resolution.site_series("W", begin, end) if it.quantity == quantity)
    return list(summed(city.store, series, by, BERLIN, interval))


def test_the_day_on_which_clocks_go_back_expects_25_hours(empty: City) -> None:
    series = measured(empty, "air_temperature")
    empty.put(series, [SUMMER_ENDS + hour * HOUR for hour in range(20)], [float(hour) for hour in range(20)])
    (day,) = told(empty, "air_temperature", "day", HOUR, SUMMER_ENDS, SUMMER_ENDS + 25 * HOUR)
    assert (day.begin, day.count, day.failed) == (SUMMER_ENDS, 20, 0)
    assert (day.minimum, day.mean, day.maximum, day.total) == (0.0, 9.5, 19.0, None)
    assert day.completeness == pytest.approx(20 / 25)


def test_what_failed_is_counted_and_nothing_else(empty: City) -> None:
    series = measured(empty, "air_temperature")
    quarters = [SUMMER_ENDS + quarter * HOUR / 4 for quarter in range(4)]
    for at, value, flag in zip(
        quarters, (10, 99, 12, 14), (Flag.GOOD, Flag.FAIL, Flag.SUSPECT, Flag.GOOD), strict=True
    ):
        empty.put(series, [at], [value], flag=flag)
    (hour,) = told(empty, "air_temperature", "hour", HOUR / 4, SUMMER_ENDS, SUMMER_ENDS + HOUR)
    assert (hour.count, hour.failed, hour.minimum, hour.mean, hour.maximum) == (3, 1, 10.0, 12.0, 14.0)
    assert hour.completeness == pytest.approx(0.75)


def test_nobody_knows_how_complete_what_comes_at_no_known_interval_is(empty: City) -> None:
    series = measured(empty, "air_temperature")
    empty.put(series, [SUMMER_ENDS], [1.0])
    (hour,) = told(empty, "air_temperature", "hour", None, SUMMER_ENDS, SUMMER_ENDS + HOUR)
    assert hour.completeness is None


def test_rain_told_at_midnight_fell_the_day_before_and_is_summed(empty: City) -> None:
    series = measured(empty, "precipitation")
    empty.put(series, [SUMMER_ENDS, SUMMER_ENDS + HOUR, SUMMER_ENDS + 2 * HOUR], [5.0, 0.5, 0.25])
    before, after = told(
        empty, "precipitation", "day", HOUR, SUMMER_ENDS - timedelta(days=1), SUMMER_ENDS + timedelta(days=1)
    )
    assert (before.total, after.total, after.count) == (5.0, 0.75, 2)


def test_directions_have_no_mean(empty: City) -> None:
    series = measured(empty, "wind_direction")
    empty.put(series, [SUMMER_ENDS, SUMMER_ENDS + HOUR / 2], [350.0, 10.0])
    (hour,) = told(empty, "wind_direction", "hour", HOUR, SUMMER_ENDS, SUMMER_ENDS + HOUR)
    assert (hour.mean, hour.count) == (None, 2)
