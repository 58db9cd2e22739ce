"""Verdicts that must last: medians of a day, limits with a band, and spans without a break."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.processor import Array

WINDOW: Final = 24
"""Steps whose median is judged [h]."""
HELD_FOR: Final = 168
"""How long a value inside the hysteresis band keeps the verdict it had [h]."""
_AT_ONCE: Final = 500_000
"""Values sorted at once, four megabytes."""
_FEWEST: Final = 3
"""Steps with a reading the median needs; probes that report every six hours reach four."""


def moving_median(values: Array) -> Array:
    """Return the median of the last `WINDOW` steps, this one included.

    Parameters
    ----------
    values : float64 (time, ...)
        In steps of an hour; NaN is missing [any unit].

    Returns
    -------
    float64 (time, ...)
        [unit of the values]; NaN where fewer than three of the window are known.

    Notes
    -----
    Valid for any values: outliers do not move it until they are half of what is known.

    References
    ----------
    The window is our own choice. No equation.

    Examples
    --------
    >>> moving_median(np.array([[1.0], [9.0], [2.0], [np.nan]])).ravel().tolist()
    [nan, nan, 2.0, 2.0]
    """
    if not values.size:
        return values.copy()
    columns = values.reshape(len(values), -1)
    medians = np.full(columns.shape, np.nan)
    # Most places of a city have either tension or water, and a window of each value takes a day's worth of memory.
    known = np.flatnonzero((~np.isnan(columns)).any(axis=0))
    at_once = max(1, _AT_ONCE // max(1, len(columns) * WINDOW))
    for start in range(0, len(known), at_once):
        some = known[start : start + at_once]
        medians[:, some] = _medians(columns[:, some])
    return medians.reshape(values.shape)


def _medians(columns: Array) -> Array:
    before = np.full((WINDOW - 1, columns.shape[1]), np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(np.concatenate([before, columns]), WINDOW, axis=0)
    ordered = np.sort(windows, axis=-1)
    count = (~np.isnan(columns)).cumsum(axis=0)
    count[WINDOW:] = count[WINDOW:] - count[:-WINDOW]
    count = count[..., None]
    low = np.take_along_axis(ordered, np.maximum(count - 1, 0) // 2, axis=-1)
    high = np.take_along_axis(ordered, count // 2 % WINDOW, axis=-1)
    return np.where(count >= _FEWEST, (low + high) / 2, np.nan)[..., 0]


def raised(values: Array, on: Array, off: Array) -> NDArray[np.bool_]:
    """Return whether a limit was reached and not left again; inside the band its last verdict holds.

    Parameters
    ----------
    values : float64 (time, ...)
        NaN changes nothing [any unit].
    on : float64 (...)
        From here on it is reached [unit of the values].
    off : float64 (...)
        From here down it is left [unit of the values]; below `on`.

    Returns
    -------
    bool (time, ...)
        Whether it holds [-]; after `HELD_FOR` steps inside the band it is let go.

    Notes
    -----
    Valid for limits that are reached from below; whoever has one reached from above turns the signs round.

    References
    ----------
    A hysteresis; how long it holds inside its band is our own choice. No equation.

    Examples
    --------
    >>> raised(np.array([1.0, 5.0, 4.0, 2.0]), np.array(5.0), np.array(3.0)).tolist()
    [False, True, True, False]
    """
    index = np.arange(len(values)).reshape(-1, *[1] * (values.ndim - 1))
    reached_at = np.maximum.accumulate(np.where(values >= on, index, -1), axis=0)
    left_at = np.maximum.accumulate(np.where(values <= off, index, -1), axis=0)
    return np.asarray((reached_at > left_at) & (index - reached_at <= HELD_FOR))


def lasted(values: Array, limit: Array, steps: int) -> NDArray[np.bool_]:
    """Return whether values stayed at a limit or above throughout the last steps, this one included.

    Parameters
    ----------
    values : float64 (time, ...)
        NaN is missing [any unit].
    limit : float64 (...)
        [unit of the values]; NaN is never reached.
    steps : int
        For how long, at least one [steps].

    Returns
    -------
    bool (time, ...)
        Whether they did [-].

    Notes
    -----
    Valid in the face of gaps: known must be the present value and one in the oldest quarter of the span; of
    those between, none may lie below.

    References
    ----------
    Our own choice. No equation.

    Examples
    --------
    >>> lasted(np.array([1.0, 5.0, 5.0, 6.0, 6.0]), np.array(5.0), 3).tolist()
    [False, False, False, True, True]
    """
    beyond = np.zeros(values.shape, np.bool_)
    if len(values) < steps:
        return beyond
    known = ~np.isnan(values)
    first = np.zeros((1, *values.shape[1:]), np.int64)
    seen = np.concatenate([first, np.cumsum(known, axis=0)])
    below = np.concatenate([first, np.cumsum(values < limit, axis=0)])
    ends, quarter = np.arange(steps, len(values) + 1), (steps - 1) // 4 + 1
    begun = seen[ends - steps + quarter] > seen[ends - steps]
    beyond[steps - 1 :] = begun & (below[ends] == below[ends - steps]) & known[steps - 1 :] & ~np.isnan(limit)
    return beyond
