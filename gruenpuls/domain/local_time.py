"""What clocks and calendars of a time zone show; a day there lasts 23 to 25 hours."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.reading import Times, from_stored, to_stored


def day_start(day: date, zone: tzinfo) -> datetime:
    """Return when a day begins somewhere, aware UTC."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def local_day(moment: datetime, zone: tzinfo) -> date:
    """Return which day it is somewhere."""
    return moment.astimezone(zone).date()


def calendar(first: date, days: int, zone: tzinfo) -> tuple[Times, Times]:
    """Return calendar days, and the moments in UTC at which each begins and the last one ends."""
    dates = [first + timedelta(days=number) for number in range(days + 1)]
    midnights = [to_stored(day_start(day, zone)) for day in dates]
    return np.array(dates[:-1], "datetime64[D]"), np.array(midnights, "datetime64[ms]")


def local_times(moments: Times, zone: tzinfo) -> Times:
    """Return what a clock of a time zone shows at each moment.

    Parameters
    ----------
    moments : datetime64[ms] (n,)
        UTC.
    zone : tzinfo
        Its clocks are set at most once a day.

    Returns
    -------
    datetime64[ms] (n,)
        Without a zone.

    Examples
    --------
    >>> from zoneinfo import ZoneInfo
    >>> utc = np.array(["2026-03-29T00:59:59", "2026-03-29T01:00"], "datetime64[ms]")
    >>> np.datetime_as_string(local_times(utc, ZoneInfo("Europe/Berlin")), "s").tolist()
    ['2026-03-29T01:59:59', '2026-03-29T03:00:00']
    """
    if not len(moments):
        return moments.copy()
    days = moments.astype("datetime64[D]")
    first = days.min()
    ahead = _ahead(np.arange(first, days.max() + 2), zone)
    place = (days - first).astype(np.int64)
    shift = ahead[place]
    # Only on the days on which clocks are set does the hour matter.
    set_today = shift != ahead[place + 1]
    if set_today.any():
        distinct, which = np.unique(moments[set_today], return_inverse=True)
        shift[set_today] = _ahead(distinct, zone)[which]
    shown: Times = moments + shift
    return shown


def _ahead(moments: Times, zone: tzinfo) -> NDArray[np.timedelta64]:
    """Return how far clocks are ahead of UTC at each moment."""
    offsets = [from_stored(moment).astimezone(zone).utcoffset() for moment in moments]
    return np.array(offsets, "timedelta64[ms]")
