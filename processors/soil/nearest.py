"""What a probe is told by its neighbours in time and depth."""

from __future__ import annotations

import numpy as np

from gruenpuls.domain.processor import Array


def previous(values: Array, steps: int) -> Array:
    """Return the last known value at each step.

    Parameters
    ----------
    values : float64 (time, ...)
        NaN is missing [any unit].
    steps : int
        How old it may be [steps].

    Returns
    -------
    float64 (time, ...)
        [unit of the values]; NaN where the last known one is older.

    Notes
    -----
    Valid for quantities that hardly move within so many steps; nothing is taken from the future.

    References
    ----------
    No equation.

    Examples
    --------
    >>> previous(np.array([1.0, np.nan, np.nan]), 1).tolist()
    [1.0, 1.0, nan]
    """
    index = np.arange(len(values)).reshape(-1, *[1] * (values.ndim - 1))
    known_at = np.maximum.accumulate(np.where(np.isnan(values), -1, index), axis=0)
    filled = np.take_along_axis(values, np.maximum(known_at, 0), axis=0)
    return np.where((known_at >= 0) & (index - known_at <= steps), filled, np.nan)


def nearest_known(values: Array, depths: Array) -> Array:
    """Return the value of each depth, or of the nearest depth that has any.

    Parameters
    ----------
    values : float64 (time, site, depth)
        NaN is missing [any unit].
    depths : float64 (site, depth)
        [cm]

    Returns
    -------
    float64 (time, site, depth)
        [unit of the values]; NaN where the site has none at that time.

    Notes
    -----
    Valid for what changes little from one depth to the next, such as soil temperature.

    References
    ----------
    No equation.

    Examples
    --------
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
