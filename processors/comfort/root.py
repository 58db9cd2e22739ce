"""Roots of many equations at once, each kept between two bounds: Chandrupatla's method."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from gruenpuls.domain.processor import Array

_MOST_STEPS: Final = 60


def roots(function: Callable[..., Array], low: Array, high: Array, given: tuple[Array, ...], tolerance: float) -> Array:
    """Return where functions cross zero from above, each between its own bounds.

    Parameters
    ----------
    function : callable
        From candidates and `given`, all float64 (n,), to values [any unit]; it is called again and again
        with what is still open only, so it must not look beyond its own element.
    low, high : float64 (n,)
        Bounds: positive at the lower, negative at the upper [any one unit].
    given : tuple of float64 (n,)
        What the function takes beside the candidates [any units].
    tolerance : float
        How narrow the bounds become [unit of the bounds].

    Returns
    -------
    float64 (n,)
        The better of the last two bounds [unit of the bounds]; missing where the function has the same sign
        at both bounds or none at all. A jump through zero is found too: whoever calls looks at what is left there.

    Notes
    -----
    Valid for functions that are positive at the lower and negative at the upper bound, continuous or not.

    References
    ----------
    Chandrupatla, T. R. (1997), A new hybrid quadratic/bisection algorithm for finding the zero of a
    nonlinear function without using derivatives, Adv. Eng. Softw. 28, 145-149: its equation of the inverse
    parabola, and halving where that is not safe.

    Examples
    --------
    >>> roots(lambda x, c: c - x * x, np.zeros(2), np.full(2, 9.0), (np.array([2.0, 100.0]),), 1e-9).round(6).tolist()
    [1.414214, nan]
    """
    found = np.full(low.shape, np.nan)
    value_low, value_high = function(low, *given), function(high, *given)
    open_ = np.flatnonzero((value_low >= 0) & (value_high <= 0))
    a, fa = high[open_], value_high[open_]  # the newest point
    b, fb = low[open_], value_low[open_]  # the one on the other side of zero
    rest = tuple(values[open_] for values in given)
    share = np.full(open_.shape, 0.5)
    for _ in range(_MOST_STEPS):
        new = a + share * (b - a)
        value = function(new, *rest)
        same_side = (value > 0) == (fa > 0)
        c, fc = np.where(same_side, a, b), np.where(same_side, fa, fb)  # the one left behind
        b, fb = np.where(same_side, b, a), np.where(same_side, fb, fa)
        a, fa = new, value
        nearer = np.where(np.abs(fa) < np.abs(fb), a, b)
        least = tolerance / np.maximum(np.abs(b - a), np.finfo(np.float64).tiny)
        done = (least >= 1) | (fa == 0)
        found[open_[done]] = np.where(fa == 0, a, nearer)[done]
        if done.all():
            break
        going = ~done
        a, fa, b, fb, c, fc = (values[going] for values in (a, fa, b, fb, c, fc))
        open_, least, rest = open_[going], least[going], tuple(values[going] for values in rest)
        share = np.clip(_share(a, fa, b, fb, c, fc), least / 2, 1 - least / 2)
    return found


def _share(a: Array, fa: Array, b: Array, fb: Array, c: Array, fc: Array) -> Array:
    """Return how far from `a` towards `b` to look next: by the inverse parabola where that is safe, else halfway."""
    with np.errstate(divide="ignore", invalid="ignore"):
        xi, phi = (a - b) / (c - b), (fa - fb) / (fc - fb)
        parabola = fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb)
        safe = (phi * phi < xi) & ((1 - phi) ** 2 < 1 - xi)
    return np.where(safe, parabola, 0.5)
