"""What a probe says beside others of its kind: far off, or drifting away."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.processor import Array

FEWEST: Final = 3
"""Neighbours it takes to judge."""
_NORMAL: Final = 1.4826


def apart(values: Array) -> Array:
    """Return how far each is from the median of the others.

    Parameters
    ----------
    values : float64 (time, probe)
        Of one site class, quantity and depth; NaN is missing [unit of the quantity].

    Returns
    -------
    float64 (time, probe)
        NaN where fewer than three others are known [unit of the quantity].

    Notes
    -----
    Valid where the probes measure the same kind of place.

    References
    ----------
    Our own rule, no published table: the median of the others, so that a probe does not vouch for itself.

    Examples
    --------
    >>> apart(np.array([[20.0, 21.0, 22.0, 30.0]])).tolist()
    [[-2.0, -1.0, 1.0, 9.0]]
    """
    count = (~np.isnan(values)).sum(axis=1, keepdims=True)
    if not values.shape[1]:
        return values.copy()
    ranked = np.sort(values, axis=1)
    order = np.argsort(values, axis=1, kind="stable")
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.broadcast_to(np.arange(values.shape[1]), values.shape), axis=1)

    def other(place: NDArray[np.int64]) -> Array:
        # Without the one itself, everything from its rank on moves up by one.
        chosen = np.clip(place + (place >= rank), 0, values.shape[1] - 1)
        return np.asarray(np.take_along_axis(ranked, chosen, axis=1))

    others = count - 1
    low, high = np.maximum(others - 1, 0) // 2, np.maximum(others, 0) // 2
    median = (other(np.broadcast_to(low, values.shape)) + other(np.broadcast_to(high, values.shape))) / 2
    return np.where((others >= FEWEST) & ~np.isnan(values), values - median, np.nan)


def outlying(values: Array, least_spread: float) -> Array:
    """Return how many robust standard deviations each is from the median of the others.

    Parameters
    ----------
    values : float64 (time, probe)
        Of one site class, quantity and depth; NaN is missing [unit of the quantity].
    least_spread : float
        The standard deviation is taken to be at least this [unit of the quantity].

    Returns
    -------
    float64 (time, probe)
        NaN where fewer than three others are known [-].

    Notes
    -----
    Valid where the probes measure the same kind of place. The deviation is 1.4826 times the median
    distance of all of them from their median.

    References
    ----------
    Iglewicz and Hoaglin (1993), How to Detect and Handle Outliers, ASQC, modified z-score, equation of
    chapter 3.

    Examples
    --------
    >>> outlying(np.array([[20.0, 21.0, 22.0, 23.0, 60.0]]), 1.0).round(1).tolist()
    [[-1.7, -1.0, 0.0, 1.0, 26.0]]
    """
    middle = _median(values)[:, None]
    spread = _NORMAL * _median(np.abs(values - middle))[:, None]
    return apart(values) / np.maximum(np.nan_to_num(spread), least_spread)


def slope(values: Array, fewest: int) -> Array:
    """Return the median slope between all pairs of steps.

    Parameters
    ----------
    values : float64 (step, probe)
        One value a step; NaN is missing [unit of the quantity].
    fewest : int
        Known values that takes [-].

    Returns
    -------
    float64 (probe,)
        NaN where fewer are known [unit of the quantity per step].

    Notes
    -----
    Valid for a steady drift: up to 29 % of the values may be wrong without harm.

    References
    ----------
    Sen (1968), Estimates of the Regression Coefficient Based on Kendall's Tau, Journal of the American
    Statistical Association 63, 1379-1389, equation 2.1.

    Examples
    --------
    >>> drifting = np.arange(30.0)[:, None] * 0.1
    >>> drifting[4] = 50.0
    >>> slope(drifting, 20).round(3).tolist()
    [0.1]
    """
    known = (~np.isnan(values)).sum(axis=0)
    found = np.full(values.shape[1], np.nan)
    enough = np.flatnonzero(known >= max(fewest, 2))
    if len(enough):
        later, earlier = np.tril_indices(len(values), -1)
        some = values[:, enough]
        pairs = (some[later] - some[earlier]) / (later - earlier)[:, None]
        found[enough] = _median(pairs.T)
    return found


def _median(rows: Array) -> Array:
    """Return the median of each row's known values; NaN without any."""
    ranked = np.sort(rows, axis=1)
    known = (~np.isnan(rows)).sum(axis=1)
    if not rows.shape[1]:
        return np.full(len(rows), np.nan)
    place = np.arange(len(rows))
    middle: Array = (ranked[place, np.maximum(known - 1, 0) // 2] + ranked[place, np.maximum(known, 1) // 2]) / 2
    return middle
