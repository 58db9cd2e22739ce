"""Allometry: how wide a tree's crown probably is, from its girth, its height or its age."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.processor import Array

CONIFERS: Final = frozenset(
    {
        "abies", "calocedrus", "cedrus", "chamaecyparis", "cryptomeria", "cupressus", "juniperus", "larix",
        "metasequoia", "picea", "pinus", "pseudotsuga", "sequoiadendron", "taxus", "thuja", "tsuga",
    }
)  # fmt: skip
"""Genera of conifers."""
SHEDDING_CONIFERS: Final = frozenset({"larix", "metasequoia"})
"""Conifers that are bare in winter."""

BROADLEAVED: Final = (5.57, 0.84)
CONIFEROUS: Final = (4.82, 0.73)
"""Crown diameter [m] of a trunk of 1 m girth, and the exponent of girth [-].

Fitted to 15,662 trees of the city of Konstanz (tree cadastre 2020, open data) by regression of logarithms;
single trees lie off by a factor of `GIRTH_ERROR`'s exponential.
"""
BY_HEIGHT: Final = (0.543, 1.0)
"""Crown diameter [m] of a tree 1 m high, and the exponent of height [-]; from the same trees."""
GIRTH_ERROR: Final = 0.35
HEIGHT_ERROR: Final = 0.44
AGE_ERROR: Final = 0.5
SPECIES_ERROR: Final = 0.6
"""Standard deviation of the logarithm of crown diameter, by what it was estimated from [-].

Girth and height as fitted; age and species are our assumption, the latter near the spread of all those trees.
"""
PLANTED_GIRTH: Final = 0.18
"""Girth of a street tree when it is planted [m]: the usual nursery size of 16 to 20 cm."""
GIRTH_GROWTH: Final = 0.025
"""How much girth a city tree gains in a year [m]: our assumption."""

TYPICAL_CROWN: Final = 6.0
CROWN_BY_GENUS: Final = {
    "acer": 6.0, "aesculus": 7.0, "alnus": 5.0, "betula": 7.0, "carpinus": 6.0, "corylus": 5.0, "crataegus": 3.0,
    "fagus": 9.0, "fraxinus": 5.0, "gleditsia": 3.0, "juglans": 6.0, "malus": 3.0, "pinus": 6.0, "platanus": 8.0,
    "populus": 7.0, "prunus": 4.0, "pyrus": 3.0, "quercus": 8.0, "robinia": 7.0, "salix": 8.0, "sorbus": 4.0,
    "tilia": 6.0, "ulmus": 3.0,
}  # fmt: skip
"""Median crown diameter of a genus with more than 150 trees in the same cadastre, and of all [m]."""


def genus(species: str | None) -> str:
    """Return the genus of a botanical name in small letters; empty where there is none.

    >>> genus("Tilia cordata, Winter-Linde"), genus(None)
    ('tilia', '')
    """
    words = (species or "").split()
    return words[0].strip(",").lower() if words else ""


def crown_from_girth(girth: Array, conifer: NDArray[np.bool_]) -> Array:
    """Return the probable crown diameter of a tree from the girth of its trunk.

    Parameters
    ----------
    girth : float64 (...)
        At breast height [m].
    conifer : bool (...)
        [-]

    Returns
    -------
    float64 (...)
        [m]; missing unless the girth is above 0.

    Notes
    -----
    Valid for girths from 0.1 to 6 m; one tree in three is off by more than a factor of 1.4.

    References
    ----------
    City of Konstanz, tree cadastre 2020, own regression by the equation diameter = a * girth ** b.

    Examples
    --------
    >>> crown_from_girth(np.array([1.0, 0.2, 1.0]), np.array([False, False, True])).round(2).tolist()
    [5.57, 1.44, 4.82]
    """
    known = np.where(girth > 0, girth, np.nan)
    return np.where(conifer, CONIFEROUS[0] * known ** CONIFEROUS[1], BROADLEAVED[0] * known ** BROADLEAVED[1])


def crown_from_height(height: Array) -> Array:
    """Return the probable crown diameter of a tree from its height.

    Parameters
    ----------
    height : float64 (...)
        [m]

    Returns
    -------
    float64 (...)
        [m]; missing unless the height is above 0.

    Notes
    -----
    Valid for grown trees of the street; less sure than by the girth, which is taken where it is known.

    References
    ----------
    The source of `crown_from_girth`, by the equation diameter = a * height ** b.

    Examples
    --------
    >>> crown_from_height(np.array([10.0])).round(2).tolist()
    [5.43]
    """
    return BY_HEIGHT[0] * np.where(height > 0, height, np.nan) ** BY_HEIGHT[1]


def girth_from_season(growing_season: Array) -> Array:
    """Return the probable girth of a tree in its n-th growing season at a site.

    Parameters
    ----------
    growing_season : float64 (...)
        From 1 on [-]; NaN is unknown.

    Returns
    -------
    float64 (...)
        At breast height [m].

    Notes
    -----
    Valid for trees planted at the size cities usually plant, `PLANTED_GIRTH`; it grows `GIRTH_GROWTH` a year.

    References
    ----------
    Our assumption: a straight line. No published equation.

    Examples
    --------
    >>> girth_from_season(np.array([1.0, 11.0])).round(3).tolist()
    [0.18, 0.43]
    """
    return PLANTED_GIRTH + GIRTH_GROWTH * (growing_season - 1)
