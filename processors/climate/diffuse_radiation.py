"""Global radiation split into what comes from the sun's disc and what from the whole sky."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.processor import Array

SOLAR_CONSTANT: Final = 1361.0
"""[W/m2]"""
_LOWEST_SUN: Final = 3.0
"""Below it the beam is long, bent and mostly scattered: all radiation counts as diffuse [°]."""
_TWILIGHT: Final = -6.0
"""Below it there is no light to speak of [°]."""
_ZENITH: Final = 90.0
_OFFSET: Final = -4.0
"""What a pyranometer may show at night [W/m2]."""


class Sunlight(NamedTuple):
    """Global radiation by where it comes from.

    Parameters
    ----------
    direct : float64 (...)
        From the disc, on a level plane [W/m2].
    diffuse : float64 (...)
        From the sky, on a level plane [W/m2].
    beam : float64 (...)
        From the disc, on a plane facing it [W/m2].
    """

    direct: Array
    diffuse: Array
    beam: Array


def possible_radiation(global_radiation: Array, elevation: Array) -> NDArray[np.bool_]:
    """Return whether so much radiation can reach the ground under a sun so high.

    Parameters
    ----------
    global_radiation : float64 (...)
        [W/m2]
    elevation : float64 (...)
        Of the sun [°].

    Returns
    -------
    bool (...)
        [-]; false where either is missing.

    Notes
    -----
    Valid for means of up to an hour.

    References
    ----------
    Long, C. N., and Dutton, E. G. (2002), BSRN Global Network recommended QC tests, V2.0, table 1, physically
    possible limits.

    Examples
    --------
    >>> possible_radiation(np.array([900.0, 900.0]), np.array([60.0, 5.0])).tolist()
    [True, False]
    """
    height = np.where(np.abs(elevation) <= _ZENITH, elevation, np.nan)
    sine = np.maximum(np.sin(np.radians(height)), 0)
    return (global_radiation >= _OFFSET) & (global_radiation <= SOLAR_CONSTANT * 1.5 * sine**1.2 + 100)


def known_radiation(global_radiation: Array, elevation: Array) -> Array:
    """Return global radiation as good as it can be known: measured, and nothing after dusk.

    Parameters
    ----------
    global_radiation : float64 (...)
        [W/m2]
    elevation : float64 (...)
        Of the sun [°].

    Returns
    -------
    float64 (...)
        [W/m2]; 0 for a pyranometer's offset at night, and where nothing was measured while the sun stood more
        than 6° below the horizon.

    Notes
    -----
    Valid for any sun.

    References
    ----------
    Definition of civil twilight; no equation.

    Examples
    --------
    >>> known_radiation(np.array([np.nan, np.nan, -1.5]), np.array([30.0, -20.0, -3.0])).tolist()
    [nan, 0.0, 0.0]
    """
    night = np.isnan(global_radiation) & (elevation < _TWILIGHT)
    offset = (global_radiation < 0) & (global_radiation >= _OFFSET)
    return np.where(night | offset, 0.0, global_radiation)


def sunlight(global_radiation: Array, elevation: Array, distance: Array) -> Sunlight:
    """Return global radiation split by where it comes from.

    Parameters
    ----------
    global_radiation : float64 (...)
        Mean of up to an hour [W/m2].
    elevation : float64 (...)
        Of the sun in its middle [°].
    distance : float64 (...)
        Of earth and sun [au].

    Returns
    -------
    Sunlight
        Direct, diffuse and beam [W/m2]; missing where an input is.

    Notes
    -----
    Valid for hourly means; with the sun below 3° all counts as diffuse. The regression scatters: a single
    hour's diffuse share may be out by 0.1 to 0.2.

    References
    ----------
    Erbs, D. G., Klein, S. A., and Duffie, J. A. (1982), Sol. Energy 28, 293-302,
    doi:10.1016/0038-092X(82)90302-4, equation 1.

    Examples
    --------
    >>> split = sunlight(np.array([800.0]), np.array([60.0]), np.array([1.0]))
    >>> split.direct.round().tolist(), split.diffuse.round().tolist(), split.beam.round().tolist()
    ([577.0], [223.0], [666.0])
    """
    sine = np.sin(np.radians(elevation))
    high = elevation >= _LOWEST_SUN
    outside = SOLAR_CONSTANT / distance**2 * np.where(high, sine, 1.0)
    clear = np.clip(global_radiation / outside, 0, 1)
    bright = 0.9511 + clear * (-0.1604 + clear * (4.388 + clear * (-16.638 + clear * 12.336)))
    share = np.where(clear <= 0.22, 1 - 0.09 * clear, np.where(clear <= 0.8, bright, 0.165))  # noqa: PLR2004 - Erbs' bounds
    diffuse = global_radiation * np.where(high, share, 1.0)
    direct = global_radiation - diffuse
    return Sunlight(direct, diffuse, direct / np.where(high, sine, 1.0))
