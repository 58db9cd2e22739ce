"""How far apart two places are."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

_EARTH_RADIUS: Final = 6371.0
"""Mean radius of the earth [km]."""

Degrees = NDArray[np.float64]


def distance(latitude: Degrees, longitude: Degrees, other_latitude: Degrees, other_longitude: Degrees) -> Degrees:
    """Return the distance along the ground between places.

    Parameters
    ----------
    latitude, longitude, other_latitude, other_longitude : float64 (...)
        WGS 84 [°]; shapes broadcast.

    Returns
    -------
    float64 (...)
        [km]; on a sphere, so wrong by up to 0.5 %.

    Notes
    -----
    The haversine formula, valid for any two places on earth.

    References
    ----------
    Sinnott (1984), Virtues of the Haversine, Sky and Telescope 68, 158.

    Examples
    --------
    >>> bochum, muenster = (np.array(51.48), np.array(7.22)), (np.array(51.97), np.array(7.63))
    >>> distance(*bochum, *muenster).round(1).tolist()
    61.4
    """
    here, there = np.radians(latitude), np.radians(other_latitude)
    half_north = (there - here) / 2
    half_east = np.radians(other_longitude - longitude) / 2
    chord = np.sin(half_north) ** 2 + np.cos(here) * np.cos(there) * np.sin(half_east) ** 2
    result: Degrees = 2 * _EARTH_RADIUS * np.arcsin(np.sqrt(np.minimum(chord, 1.0)))
    return result
