"""Spans of days by the year."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date


def years(first: date, end: date) -> Iterator[tuple[date, date]]:
    """Yield a span of days, its end exclusive, in parts that do not cross a new year."""
    while first < end:
        last = min(end, date(first.year + 1, 1, 1))
        yield first, last
        first = last
