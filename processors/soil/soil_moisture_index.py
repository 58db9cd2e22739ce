"""Classes of the soil moisture index, by which the German drought monitor names how rare dry soil is."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import numpy as np

from gruenpuls.domain.processor import Array


class Drought(IntEnum):
    """How rare: once in so many years on the same day."""

    NONE = 0
    UNUSUALLY_DRY = 1
    MODERATE = 2
    SEVERE = 3
    EXTREME = 4
    EXCEPTIONAL = 5


_AT_MOST: Final = (0.30, 0.20, 0.10, 0.05, 0.02)


def drought_class(soil_moisture_index: Array | float) -> Array:
    """Return the class of a soil moisture index.

    Parameters
    ----------
    soil_moisture_index : float64
        Share of all years in which this day was drier, 0 to 1 [-].

    Returns
    -------
    float64
        A `Drought` [-]; NaN outside 0 to 1.

    Notes
    -----
    Valid for indices from a long series; an upper limit belongs to the drier class.

    References
    ----------
    Helmholtz Centre for Environmental Research (UFZ), Dürremonitor Deutschland: 0.30, 0.20, 0.10, 0.05, 0.02. No
    equation.

    Examples
    --------
    >>> [Drought(int(code)).name for code in drought_class(np.array([0.5, 0.15, 0.02]))]
    ['NONE', 'MODERATE', 'EXCEPTIONAL']
    """
    index = np.asarray(soil_moisture_index, np.float64)
    reached = sum((index <= limit).astype(np.float64) for limit in _AT_MOST)
    return np.where((index >= 0) & (index <= 1), reached, np.nan)
