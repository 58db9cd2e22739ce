"""Large arrays judged a portion at a time: what stays in the processor's cache is computed several times as fast."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.processor import Array

POINTS: Final = 1 << 14
"""Of one portion: 128 KiB an array."""


def in_portions(function: Callable[..., Array], where: NDArray[np.bool_], *inputs: Array) -> Array:
    """Return a function of arrays where it is worth asking, missing elsewhere.

    Parameters
    ----------
    function : callable
        From float64 (n,) arrays, one for each input, to float64 (n,) [any unit].
    where : bool (...)
        Whether it is worth asking [-].
    *inputs : float64
        Broadcast to the shape of `where` [any unit].

    Returns
    -------
    float64 (...)
        [unit of the function]; NaN where it was not asked.

    Notes
    -----
    Valid for functions whose elements do not depend on each other.

    References
    ----------
    No equation.

    Examples
    --------
    >>> in_portions(np.sqrt, np.array([True, False, True]), np.array([4.0, 9.0, 16.0])).tolist()
    [2.0, nan, 4.0]
    """
    result = np.full(where.shape, np.nan)
    flat = result.reshape(-1)
    columns = [np.broadcast_to(values, where.shape).reshape(-1) for values in inputs]
    chosen = np.flatnonzero(where)
    for begin in range(0, len(chosen), POINTS):
        part = chosen[begin : begin + POINTS]
        flat[part] = function(*(column[part] for column in columns))
    return result
