"""A site's calendar days in UTC: they last 23 to 25 hours."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, tzinfo


def day_start(day: date, zone: tzinfo) -> datetime:
    """Return when a day begins somewhere, aware UTC."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def local_day(moment: datetime, zone: tzinfo) -> date:
    """Return which day it is somewhere."""
    return moment.astimezone(zone).date()


def years(first: date, end: date) -> Iterator[tuple[date, date]]:
    """Yield a span of days, its end exclusive, in parts that do not cross a new year."""
    while first < end:
        last = min(end, date(first.year + 1, 1, 1))
        yield first, last
        first = last
