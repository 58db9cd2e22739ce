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

_YEARLY: Final = np.array([40.0, 45.0, 50.0, 55.0, 60.0])
_YEARLY_DEPTHS: Final = np.array([4.0, 6.0, 10.0, 15.0])


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
