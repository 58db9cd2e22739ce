"""Heavy rain index (SRI): from 1, a shower of every year, to 12, beyond all that was planned for."""

from __future__ import annotations

from typing import Final

import numpy as np

from gruenpuls.domain.processor import Array

FROM_PERIOD: Final = (1.0, 3.0, 10.0, 20.0, 30.0, 50.0, 100.0)
"""From which return period on the index is 1 to 7 [a]."""
FROM_MULTIPLE: Final = (1.2, 1.4, 1.6, 2.2, 2.8)
"""From which multiple of the depth of 100 years on it is 8 to 12 [-]."""
CENTURY: Final = 100.0


def heavy_rain_index(return_period: Array, depth: Array, depth_of_century: Array) -> Array:
    """Return the heavy rain index.

    Parameters
    ----------
    return_period : float64 (...)
        [a]; from 100 on the depth decides.
    depth : float64 (...)
        [mm]
    depth_of_century : float64 (...)
        What falls within the same duration once in 100 years [mm].

    Returns
    -------
    float64 (...)
        0 for rain of more than once a year, else 1 to 12 [-]; missing where the period is.

    Notes
    -----
    Valid for durations of 5 min to 72 h. 1 and 2 are heavy, 3 to 5 intense, 6 and 7 exceptional, 8 to 12
    extreme rain.

    References
    ----------
    Schmitt, Krüger, Pfister, Becker, Mudersbach, Fuchs, Hoppe, Lakes (2018), Einheitliches Konzept zur
    Bewertung von Starkregenereignissen mittels Starkregenindex, KW 11, table of return periods and factors.

    Examples
    --------
    >>> heavy_rain_index(np.array([2.0, 100.0]), np.array([20.0, 90.0]), np.array([52.1, 52.1])).tolist()
    [1.0, 10.0]
    """
    index = np.searchsorted(FROM_PERIOD, return_period, "right").astype(np.float64)
    with np.errstate(invalid="ignore"):
        multiple = depth / np.where(depth_of_century > 0, depth_of_century, np.nan)
        beyond = np.sum([multiple >= least for least in FROM_MULTIPLE], axis=0)
    index += np.where(return_period >= CENTURY, beyond, 0)
    return np.where(np.isnan(return_period), np.nan, index)
