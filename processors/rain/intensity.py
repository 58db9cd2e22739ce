"""Intensity: how much fell within some minutes to days."""

from __future__ import annotations

from typing import Final

import numpy as np

from gruenpuls.domain.processor import Array
from gruenpuls.domain.reading import Times, Values

DURATIONS: Final = (5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 360, 540, 720, 1080, 1440, 2880, 4320)
"""Those of KOSTRA-DWD up to three days [min]."""
COMPLETE: Final = 0.9
"""Share of a window's hours that must be known to say that no more fell [-]; our choice."""


def moving_sums(begin: Times, end: Times, precipitation: Values, duration: np.timedelta64) -> Values:
    """Return what fell in the time that ends with each step.

    Parameters
    ----------
    begin, end : datetime64[ms] (n,)
        Of each step, rising and not overlapping [UTC].
    precipitation : float64 (n,)
        Of each step [mm]; NaN is missing.
    duration : timedelta64
        [min]

    Returns
    -------
    float64 (n,)
        Of the steps wholly within the time [mm]; missing where the step itself is longer, or is missing.

    Notes
    -----
    Valid for durations of a step and more. What is missing within is not counted, so that the sum is at least
    what is known to have fallen. With steps that begin on the hour the highest sum of 60 minutes is missed by
    up to a seventh on average.

    References
    ----------
    DWA-A 531 (2012) for the durations; a sum, without an equation number.

    Examples
    --------
    >>> start = np.datetime64("2026-07-01T00:00", "ms") + np.arange(4) * np.timedelta64(5, "m")
    >>> rain = np.array([1.0, 3.0, 0.0, 2.0])
    >>> moving_sums(start, start + np.timedelta64(5, "m"), rain, np.timedelta64(10, "m")).tolist()
    [1.0, 4.0, 3.0, 2.0]
    """
    total = np.concatenate([[0.0], np.cumsum(np.nan_to_num(precipitation))])
    first = np.searchsorted(begin, end - duration, "left")
    told = (end - begin <= duration) & ~np.isnan(precipitation)
    # A difference of running sums must not be less than nothing.
    fell = np.maximum(total[1:] - total[np.minimum(first, np.arange(len(end)) + 1)], 0.0)
    return np.where(told, fell.round(9), np.nan)


def hourly_sums(precipitation: Array, hours: int) -> tuple[Array, Array]:
    """Return what fell in the hours that end with each, and how many of them are known.

    Parameters
    ----------
    precipitation : float64 (time, site)
        Of each hour, without a gap in time [mm]; NaN is missing.
    hours : int
        [h]

    Returns
    -------
    depth : float64 (time, site)
        Of the known ones [mm]; missing without any.
    known : float64 (time, site)
        Share of the hours [-]; those before the first count as not known.

    Notes
    -----
    Valid for hours without a gap in time.

    References
    ----------
    A sum, without an equation number.

    Examples
    --------
    >>> depth, known = hourly_sums(np.array([[1.0], [2.0], [np.nan], [4.0]]), 2)
    >>> depth.ravel().tolist(), known.ravel().tolist()
    ([1.0, 3.0, 2.0, 4.0], [0.5, 1.0, 0.5, 0.5])
    """
    start = np.zeros((1, precipitation.shape[1]))
    total = np.concatenate([start, np.cumsum(np.nan_to_num(precipitation), axis=0)])
    count = np.concatenate([start, np.cumsum(~np.isnan(precipitation), axis=0)])
    end = np.arange(1, len(precipitation) + 1)
    begin = np.maximum(end - hours, 0)
    known = count[end] - count[begin]
    depth = np.where(known > 0, np.maximum(total[end] - total[begin], 0.0).round(9), np.nan)
    return depth, known / hours
