"""What a probe is told by its neighbours in time and depth."""

from __future__ import annotations

import numpy as np

from gruenpuls.domain.processor import Array


def previous(values: Array, steps: int) -> Array:
    """Return the last known value at each step (time, …), at most so many steps old [steps].

    >>> previous(np.array([1.0, np.nan, np.nan]), 1).tolist()
    [1.0, 1.0, nan]
    """
    index = np.arange(len(values)).reshape(-1, *[1] * (values.ndim - 1))
    known_at = np.maximum.accumulate(np.where(np.isnan(values), -1, index), axis=0)
    filled = np.take_along_axis(values, np.maximum(known_at, 0), axis=0)
    return np.where((known_at >= 0) & (index - known_at <= steps), filled, np.nan)


def nearest_known(values: Array, depths: Array) -> Array:
    """Return the value of each depth (time, site, depth), or of the nearest depth [cm] that has any.

    >>> nearest_known(np.array([[[np.nan, 4.0, 9.0]]]), np.array([[30.0, 60.0, 90.0]])).tolist()
    [[[4.0, 4.0, 9.0]]]
    """
    filled = values.copy()
    distance = np.abs(depths[:, :, None] - depths[:, None, :])
    neighbours = np.argsort(distance, axis=2)
    for rank in range(depths.shape[1]):
        neighbour = np.broadcast_to(neighbours[None, :, :, rank], values.shape)
        filled = np.where(np.isnan(filled), np.take_along_axis(values, neighbour, axis=2), filled)
    return filled
