"""Wind brought to the height its index is defined for."""

from __future__ import annotations

from typing import Final

import numpy as np

from gruenpuls.domain.processor import Array

LOWEST: Final = 0.5
"""Below this the equations of evapotranspiration no longer hold: still air is taken as this [m/s]."""
_STRONGEST: Final = 60.0
_LOWEST_HEIGHT: Final = 0.5
_HIGHEST_HEIGHT: Final = 200.0


def wind_at_2m(wind_speed: Array, height: Array) -> Array:
    """Return the wind speed at 2 m above short grass.

    Parameters
    ----------
    wind_speed : float64 (...)
        At `height` [m/s].
    height : float64 (...)
        Of the anemometer above ground [m].

    Returns
    -------
    float64 (...)
        [m/s]; missing where an input is missing or outside the validity range.

    Notes
    -----
    Valid for heights of 0.5 to 200 m and winds of 0 to 60 m/s over short grass. In a street canyon the
    profile differs: the result is what a meadow under the same wind aloft would have.

    References
    ----------
    Allen et al. (1998), FAO Irrigation and Drainage Paper 56, equation 47.

    Examples
    --------
    >>> wind_at_2m(np.array([3.2, 3.2]), np.array([10.0, np.nan])).round(1).tolist()
    [2.4, nan]
    """
    valid = (wind_speed >= 0) & (wind_speed <= _STRONGEST) & (height >= _LOWEST_HEIGHT) & (height <= _HIGHEST_HEIGHT)
    profile = np.log(67.8 * np.where(valid, height, 2.0) - 5.42)
    return np.where(valid, wind_speed * 4.87 / profile, np.nan)
