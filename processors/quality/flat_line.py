"""A stuck sensor: readings that keep coming and do not move."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.processor import Array


def flat_line(values: Array, tolerance: float, steps: int) -> NDArray[np.bool_]:
    """Return where a reading has not moved over the last steps, this one included.

    Parameters
    ----------
    values : float64 (time, …)
        Readings in steps of one length [unit of the quantity]; NaN is missing.
    tolerance : float
        By how much they may differ and still count as one [unit of the quantity].
    steps : int
        How many steps that must last, at least two [-].

    Returns
    -------
    bool (time, …)
        True where a reading is there, another lies in the oldest quarter of the span, and no two in the
        span differ by more than the tolerance. A step without a reading is never flat: silence is another
        fault.

    Notes
    -----
    Valid for any quantity that cannot stand still that long. Nothing before the span counts.

    References
    ----------
    IOOS QARTOD, manuals for in-situ data, flat line test: tolerance over a span. Ours looks at the
    range within the span.

    Examples
    --------
    >>> flat_line(np.array([1.0, 2.0, 2.0, 2.0, 2.1]), 0.05, 3).tolist()
    [False, False, False, True, False]
    >>> flat_line(np.array([2.0, np.nan, 2.0, 2.0]), 0.05, 3).tolist()
    [False, False, True, False]
    """
    if len(values) < steps:
        return np.zeros(values.shape, np.bool_)
    highest, lowest = _extreme(values, steps, np.fmax), _extreme(values, steps, np.fmin)
    counted = np.cumsum(~np.isnan(values), axis=0)
    counted = np.concatenate([np.zeros_like(counted[:1]), counted])
    ends, quarter = np.arange(steps, len(values) + 1), (steps - 1) // 4 + 1
    begun = np.zeros(values.shape, np.bool_)
    begun[steps - 1 :] = counted[ends - steps + quarter] > counted[ends - steps]
    return np.asarray(begun & ~np.isnan(values) & (highest - lowest <= tolerance))


def _extreme(values: Array, steps: int, of: np.ufunc) -> Array:
    """Return the running extreme of the last steps, doubling the span instead of visiting every step."""
    found, covered = values.copy(), 1
    while covered < steps:
        shift = min(covered, steps - covered)
        found[shift:] = of(found[shift:], found[:-shift].copy())
        covered += shift
    return found
