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
_FEWEST: Final = 3
"""Steps with a reading the median needs; probes that report every six hours reach four."""


def moving_median(values: Array) -> Array:
    """Return the median of the last `WINDOW` steps (time, …), this one included; NaN with less than three values.

    >>> moving_median(np.array([[1.0], [9.0], [2.0], [np.nan]])).ravel().tolist()
    [nan, nan, 2.0, 2.0]
    """
    if not len(values):
        return values.copy()
    before = np.full((WINDOW - 1, *values.shape[1:]), np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(np.concatenate([before, values]), WINDOW, axis=0)
    ordered = np.sort(windows, axis=-1)
    count = (~np.isnan(ordered)).sum(axis=-1, keepdims=True)
    low = np.take_along_axis(ordered, np.maximum(count - 1, 0) // 2, axis=-1)
    high = np.take_along_axis(ordered, count // 2 % WINDOW, axis=-1)
    return np.where(count >= _FEWEST, (low + high) / 2, np.nan)[..., 0]


def raised(values: Array, on: Array, off: Array) -> NDArray[np.bool_]:
    """Return whether a limit was reached and not left again (time, …); inside the band its last verdict holds.

    >>> raised(np.array([1.0, 5.0, 4.0, 2.0]), np.array(5.0), np.array(3.0)).tolist()
    [False, True, True, False]
    """
    index = np.arange(len(values)).reshape(-1, *[1] * (values.ndim - 1))
    reached_at = np.maximum.accumulate(np.where(values >= on, index, -1), axis=0)
    left_at = np.maximum.accumulate(np.where(values <= off, index, -1), axis=0)
    return np.asarray((reached_at > left_at) & (index - reached_at <= HELD_FOR))


def lasted(values: Array, limit: Array, steps: int) -> NDArray[np.bool_]:
    """Return whether values stayed at a limit or above throughout the last steps (time, …), this one included.

    Known must be the present one and one in the oldest quarter of the span; of those between, none may
    lie below.

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
