"""A site's calendar days in UTC: they last 23 to 25 hours."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo


def day_start(day: date, zone: tzinfo) -> datetime:
    """Return when a day begins somewhere, aware UTC."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def local_day(moment: datetime, zone: tzinfo) -> date:
    """Return which day it is somewhere."""
    return moment.astimezone(zone).date()


def stretches(first: date, end: date, longest: int) -> Iterator[tuple[date, date]]:
    """Yield spans of days, their ends exclusive, none longer than so many days or across a new year."""
    while first < end:
        last = min(end, first + timedelta(days=longest), date(first.year + 1, 1, 1))
        yield first, last
        first = last
