"""Values by the calendar day of the place they come from, and sums by hour or day."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.local_time import local_times
from gruenpuls.domain.quantity import Aggregation
from gruenpuls.domain.reading import Times, Values, to_stored

Days = NDArray[np.datetime64]
"""`datetime64[D]`, calendar days without a zone."""

_INSTANT: Final = np.timedelta64(1, "ms")
_DAY: Final = timedelta(days=1)


def local_days(measured_at: Times, zone: ZoneInfo) -> Days:
    """Return the calendar day of each moment in a time zone; such a day has 23 to 25 hours."""
    return local_times(measured_at, zone).astype("datetime64[D]")


def by_day(measured_at: Times, value: Values, zone: ZoneInfo, aggregation: Aggregation) -> tuple[Days, Values]:
    """Return the days that have values, and what becomes of each day's.

    A value that is summed up tells what fell in the interval that ends with it: midnight's belongs to the day
    before.

    Parameters
    ----------
    measured_at : datetime64[ms] (n,)
        UTC.
    value : float64 (n,)
        Without NaN.
    zone : ZoneInfo
    aggregation : Aggregation
        Mean, sum, maximum or circular mean.

    Returns
    -------
    days : datetime64[D] (m,)
    values : float64 (m,)
    """
    summed = aggregation is Aggregation.SUM
    days, group = np.unique(local_days(measured_at - _INSTANT if summed else measured_at, zone), return_inverse=True)
    if summed:
        return days, np.bincount(group, value).astype(np.float64)
    if aggregation is Aggregation.MAX:
        highest = np.full(len(days), -np.inf)
        np.maximum.at(highest, group, value)
        return days, highest
    count = np.bincount(group)
    if aggregation is Aggregation.CIRCULAR_MEAN:
        east, north = (np.bincount(group, part(np.deg2rad(value))) / count for part in (np.sin, np.cos))
        return days, np.rad2deg(np.arctan2(east, north)) % 360
    return days, np.bincount(group, value) / count


def sums(measured_at: Times, value: Values, zone: ZoneInfo, step: timedelta) -> tuple[Times, Values]:
    """Return the sums of each hour, or of each calendar day, and when it began [UTC]."""
    if step >= _DAY:
        days, total = by_day(measured_at, value, zone, Aggregation.SUM)
        midnights = [to_stored(datetime.combine(day, time(), zone)) for day in days.tolist()]
        return np.array(midnights, "datetime64[ms]"), total
    hours, group = np.unique((measured_at - _INSTANT).astype("datetime64[h]"), return_inverse=True)
    return hours.astype("datetime64[ms]"), np.bincount(group, value).astype(np.float64)
