"""The roof: what its layer stores, sheds in a cloudburst and holds back over a year."""

from __future__ import annotations

from typing import Final

import numpy as np

from gruenpuls.domain.processor import Array

EXTENSIVE_DEPTH: Final = 0.08
INTENSIVE_DEPTH: Final = 0.3
"""Depth of a layer nobody measured [m]; our assumption."""
INTENSIVE_FROM: Final = 0.15
"""From this depth a roof of unknown planting counts as intensive [m]."""

_DEPTHS: Final = np.array([4.0, 6.0, 10.0, 15.0, 25.0, 50.0])
_PEAK: Final = np.array([0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1])
_YEARLY: Final = np.array([40.0, 45.0, 50.0, 55.0, 60.0])
_YEARLY_DEPTHS: Final = np.array([4.0, 6.0, 10.0, 15.0])


def roof_storage(depth: Array, maximum_water_capacity: Array) -> Array:
    """Return what a roof's layer holds when it is full.

    Parameters
    ----------
    depth : float64 (...)
        Of the substrate [m].
    maximum_water_capacity : float64 (...)
        By FLL [% by volume].

    Returns
    -------
    float64 (...)
        [mm]

    Notes
    -----
    Valid for depths above 0 and capacities up to 100 %.

    References
    ----------
    FLL, Dachbegrünungsrichtlinien (2018), maximum water capacity. A definition, without an equation number.

    Examples
    --------
    >>> roof_storage(np.array([0.08]), np.array([35.0])).tolist()
    [28.0]
    """
    return 10.0 * depth * maximum_water_capacity


def peak_runoff_coefficient(depth: Array) -> Array:
    """Return the share of a 15-minute cloudburst a saturated roof of up to 5° sheds.

    Parameters
    ----------
    depth : float64 (...)
        Of the substrate [m].

    Returns
    -------
    float64 (...)
        [-]; missing where the depth is.

    Notes
    -----
    Valid for roofs of up to 5° with the usual multi-layer build-up.

    References
    ----------
    FLL, Dachbegrünungsrichtlinien (2018), table of peak runoff coefficients by depth.

    Examples
    --------
    >>> peak_runoff_coefficient(np.array([0.03, 0.08, 0.3, 0.6])).tolist()
    [0.7, 0.5, 0.2, 0.1]
    """
    return np.where(np.isnan(depth), np.nan, _PEAK[np.searchsorted(_DEPTHS, 100 * depth)])


def expected_yearly_retention(depth: Array) -> Array:
    """Return the share of a year's rain an extensive roof is expected to hold back, to compare a balance with.

    Parameters
    ----------
    depth : float64 (...)
        Of the substrate [m]; up to 0.2.

    Returns
    -------
    float64 (...)
        [%]; missing beyond.

    Notes
    -----
    Valid for extensive roofs and 650 to 800 mm of rain a year.

    References
    ----------
    FLL, Dachbegrünungsrichtlinien (2018), table of yearly retention: 40, 45, 50, 55, 60 %
    for up to 4, 6, 10, 15, 20 cm.

    Examples
    --------
    >>> expected_yearly_retention(np.array([0.08, 0.12, 0.5])).tolist()
    [50.0, 55.0, nan]
    """
    valid = (depth > 0) & (depth <= 0.2)  # noqa: PLR2004 - where the table ends
    return np.where(valid, _YEARLY[np.searchsorted(_YEARLY_DEPTHS, 100 * np.where(valid, depth, 0.0) - 1e-9)], np.nan)


def retention(precipitation: Array, runoff: Array) -> Array:
    """Return the share of some days' rain a site held back.

    Parameters
    ----------
    precipitation, runoff : float64 (time, ...)
        [mm]; a day with either missing does not count.

    Returns
    -------
    float64 (...)
        [%]; missing without rain.

    Notes
    -----
    Valid over days enough for a full store at their end not to matter.

    References
    ----------
    FLL, Dachbegrünungsrichtlinien (2018): 1 - sum of runoff / sum of rain. Without an equation number.

    Examples
    --------
    >>> retention(np.array([[10.0], [20.0]]), np.array([[0.0], [12.0]])).tolist()
    [60.0]
    """
    known = ~np.isnan(precipitation) & ~np.isnan(runoff)
    rain = np.where(known, precipitation, 0.0).sum(axis=0)
    shed = np.where(known, runoff, 0.0).sum(axis=0)
    return np.where(rain > 0, 100.0 * (1.0 - shed / np.where(rain > 0, rain, 1.0)), np.nan)
