"""Sums over the past months, and what they were on the same day of earlier years."""

from __future__ import annotations

from typing import Final

import numpy as np

from gruenpuls.domain.processor import Array
from gruenpuls.domain.reading import Times

_COMPLETE: Final = 0.95
"""Share of the days of a sum that must be known; the few others count as the mean of those: our choice."""
_DECIMALS: Final = 6


def rolling_sum(daily: Array, days: int) -> Array:
    """Return the sum of each day and those before it, as many as asked for.

    Parameters
    ----------
    daily : float64 (time, site)
        One value a day, without a gap in time [mm]; NaN is missing.
    days : int
        How many days a sum spans [d].

    Returns
    -------
    float64 (time, site)
        [mm]; missing where fewer than 95 % of the days are known. A missing day counts as
        the mean of the known ones, never as 0.

    Notes
    -----
    Valid for days without a gap in time.

    References
    ----------
    Completeness is our own choice; there is no equation to name.

    Examples
    --------
    >>> rolling_sum(np.array([[1.0], [2.0], [3.0], [np.nan]]), 2).ravel().tolist()
    [nan, 3.0, 5.0, nan]
    """
    sums = np.full(daily.shape, np.nan)
    if len(daily) < days:
        return sums
    known = ~np.isnan(daily)
    total = _since_start(np.where(known, daily, 0.0))
    count = _since_start(known.astype(np.float64))
    total, count = total[days:] - total[:-days], count[days:] - count[:-days]
    enough = (count >= _COMPLETE * days) & (count > 0)
    whole = total / np.maximum(count, 1) * days
    sums[days - 1 :] = np.where(enough, whole, np.nan).round(_DECIMALS)
    return sums


def _since_start(values: Array) -> Array:
    return np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])


def same_day_of_earlier_years(steps: Times, values: Array, years: int) -> Array:
    """Return what the values were on the same calendar day of each of the years before.

    Parameters
    ----------
    steps : datetime64[ms] (time,)
        Calendar days, without a gap.
    values : float64 (time, site)
        [mm]
    years : int
        How many years to look back [a].

    Returns
    -------
    float64 (year, time, site)
        The year before first [mm]; missing before the first step. 29 February compares with 28 February.

    Notes
    -----
    Valid for days without a gap in time.

    References
    ----------
    The calendar; there is no equation to name.

    Examples
    --------
    >>> days = np.arange(np.datetime64("2023-02-27"), np.datetime64("2024-03-01")).astype("datetime64[ms]")
    >>> counted = np.arange(len(days), dtype=np.float64)[:, np.newaxis]
    >>> same_day_of_earlier_years(days, counted, 1)[0, -2:].ravel().tolist()
    [1.0, 1.0]
    """
    days = steps.astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    within = days - months.astype("datetime64[D]")
    earlier = np.full((years, *values.shape), np.nan)
    one_day = np.timedelta64(1, "D")
    for back in range(1, years + 1) if len(days) else ():
        month = months - 12 * back
        last = (month + 1).astype("datetime64[D]") - month.astype("datetime64[D]") - one_day
        then = month.astype("datetime64[D]") + np.minimum(within, last)
        place = (then - days[0]) // one_day
        there = place >= 0
        earlier[back - 1, there] = values[place[there]]
    return earlier


def antecedent(daily: Array, weights: Array) -> tuple[Array, Array]:
    """Return each day's weighted sum of itself and the days before it, and the weight of those that are known.

    Parameters
    ----------
    daily : float64 (time, site)
        [mm]; NaN is missing.
    weights : float64 (lag,)
        Of the day itself first [-].

    Returns
    -------
    total : float64 (time, site)
        [mm]
    weight : float64 (time, site)
        [-]

    Notes
    -----
    Valid for days without a gap in time.

    References
    ----------
    Kohler & Linsley (1951), U.S. Weather Bureau Research Paper 34, equation of the index written as a sum.

    Examples
    --------
    >>> total, weight = antecedent(np.array([[10.0], [np.nan]]), np.array([1.0, 0.9]))
    >>> total.ravel().tolist(), weight.ravel().tolist()
    ([10.0, 9.0], [1.0, 0.9])
    """
    known = ~np.isnan(daily)
    rain = np.where(known, daily, 0.0)
    total, weight = np.zeros(daily.shape), np.zeros(daily.shape)
    for lag, share in enumerate(weights[: len(daily)].tolist()):
        # Lag by lag, so that a day's sum does not depend on how many sites are computed together.
        total[lag:] += share * rain[: len(daily) - lag]
        weight[lag:] += share * known[: len(daily) - lag]
    return total, weight
