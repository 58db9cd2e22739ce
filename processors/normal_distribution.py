"""The standard normal distribution, array by array, as Python itself knows it: loading SciPy takes 27 MB."""

from __future__ import annotations

from statistics import NormalDist
from typing import Final

import numpy as np

from gruenpuls.domain.processor import Array

_STANDARD: Final = NormalDist()
_PROBABILITY: Final = np.frompyfunc(_STANDARD.cdf, 1, 1)
_SCORE: Final = np.frompyfunc(_STANDARD.inv_cdf, 1, 1)


def probability(values: Array) -> Array:
    """Return how likely a standard normal value is to be lower.

    Parameters
    ----------
    values : float64 (...)
        [standard deviations]; NaN stays NaN.

    Returns
    -------
    float64 (...)
        [0 to 1]

    Notes
    -----
    Valid for any number, to about 1e-16: beyond eight standard deviations that is all there is.

    References
    ----------
    `statistics.NormalDist.cdf` of Python's standard library. No equation.

    Examples
    --------
    >>> probability(np.array([-1.0, 0.0, 1.0])).round(3).tolist()
    [0.159, 0.5, 0.841]
    """
    found: Array = np.asarray(_PROBABILITY(values), np.float64)
    return found


def score(probabilities: Array) -> Array:
    """Return the standard normal value that is not reached with a probability.

    Parameters
    ----------
    probabilities : float64 (...)
        [-], above 0 and below 1.

    Returns
    -------
    float64 (...)
        [standard deviations]

    Raises
    ------
    statistics.StatisticsError
        Outside of 0 and 1.

    Notes
    -----
    Valid to some 1e-16 of what is returned.

    References
    ----------
    Wichura (1988), algorithm AS241, Appl. Stat. 37, 477-484, by `statistics.NormalDist.inv_cdf` of Python's standard
    library. An approximation; no equation.

    Examples
    --------
    >>> score(np.array([0.1, 0.5, 0.9])).round(3).tolist()
    [-1.282, 0.0, 1.282]
    """
    found: Array = np.asarray(_SCORE(probabilities), np.float64)
    return found
