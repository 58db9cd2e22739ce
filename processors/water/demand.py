"""Demand: how much water a plant at its place gives off, from what a meadow would."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import numpy as np

from gruenpuls.domain.processor import Array


class Vegetation(StrEnum):
    """What grows at a site, as far as its demand goes."""

    TREE = "tree"
    SHRUB = "shrub"
    LAWN = "lawn"
    SEDUM = "sedum"
    ROOF_PERENNIALS = "roof_perennials"


PLANT_FACTOR: Final[dict[Vegetation, float]] = {
    Vegetation.TREE: 0.7,
    Vegetation.SHRUB: 0.7,
    Vegetation.LAWN: 0.8,
    Vegetation.SEDUM: 0.5,
    Vegetation.ROOF_PERENNIALS: 0.9,
}
"""Share of the reference evapotranspiration that keeps established plants presentable in a humid climate [-].

Trees, shrubs and cool-season lawn: ANSI/ASABE S623.1 (2017), Determining landscape plant water demands;
roofs: our assumption, between half a meadow for stonecrop and most of one for perennials.
"""


class Microclimate(StrEnum):
    """What surrounds a plant, as far as its demand goes."""

    PAVED_STREET = "paved_street"
    PARK = "park"
    CANYON = "canyon"


MICROCLIMATE_FACTOR: Final[dict[Microclimate, float]] = {
    Microclimate.PAVED_STREET: 1.2,
    Microclimate.PARK: 1.0,
    Microclimate.CANYON: 0.8,
}
"""How much more or less the surroundings make a plant need [-].

Costello et al. (2000), A Guide to Estimating Irrigation Water Needs of Landscape Plantings in California
(WUCOLS), microclimate factor: 0.5 to 0.9 in shade and shelter, 1.0 in the open, 1.1 to 1.4 beside pavement
and walls; the value within each range is our choice.
"""

DEPLETION_FRACTION: Final[dict[str, float]] = {"deciduous": 0.5, "conifer": 0.7, "lawn": 0.4}
"""Share of the available water a plant takes without stress at 5 mm/d [-]: FAO-56 table 22."""

BARE: Final = 0.2
"""Demand of a deciduous tree without leaves, as a share of that in leaf: soil and bark; our assumption [-]."""

_WHOLE: Final = 100.0
LEAF_OUT: Final = (105.0, 135.0)
LEAF_FALL: Final = (288.0, 319.0)
"""First and last day of the year of either, 15 April to 15 May and 15 October to 15 November [-].

Our assumption for the Ruhr, around DWD's phenological means of leaf unfolding and leaf fall of the common
oak in North Rhine-Westphalia; a year may be two weeks off.
"""


def crown_projection(crown_diameter: Array) -> Array:
    """Return the ground a round crown covers.

    Parameters
    ----------
    crown_diameter : float64 (...)
        [m]

    Returns
    -------
    float64 (...)
        [m2]; missing unless the diameter is above 0.

    Notes
    -----
    Valid for any diameter above 0.

    References
    ----------
    The area of a circle; there is no equation to name.

    Examples
    --------
    >>> crown_projection(np.array([6.0, -1.0])).round(1).tolist()
    [28.3, nan]
    """
    return np.where(crown_diameter > 0, np.pi / 4 * crown_diameter**2, np.nan)


def leaf_cover(day: Array, evergreen: Array) -> Array:
    """Return how far out the leaves are: 0 bare to 1 in full leaf; evergreens always 1.

    Parameters
    ----------
    day : float64 (...)
        Day of the year [-].
    evergreen : bool or float64 (...)
        1 where leaves or needles stay, 0 where they fall [-].

    Returns
    -------
    float64 (...)
        [-]

    Notes
    -----
    Valid for the Ruhr: a milder or colder place is earlier or later.

    References
    ----------
    Straight lines between `LEAF_OUT` and `LEAF_FALL`: our assumption, without a published equation.

    Examples
    --------
    >>> leaf_cover(np.array([20.0, 120.0, 200.0, 340.0]), np.array([0.0])).tolist()
    [0.0, 0.5, 1.0, 0.0]
    """
    course = np.interp(day, [*LEAF_OUT, *LEAF_FALL], [0.0, 1.0, 1.0, 0.0])
    return np.where(np.asarray(evergreen) > 0, 1.0, np.where(np.isnan(day), np.nan, course))


def season_factor(leaf: Array) -> Array:
    """Return demand as a share of that in full leaf.

    Parameters
    ----------
    leaf : float64 (...)
        What `leaf_cover` gives [-].

    Returns
    -------
    float64 (...)
        0.2 without a leaf to 1 [-].

    Notes
    -----
    Valid for woody plants.

    References
    ----------
    Our assumption, without a published equation: soil and bark give off a fifth.

    Examples
    --------
    >>> season_factor(np.array([0.0, 0.5, 1.0])).round(1).tolist()
    [0.2, 0.6, 1.0]
    """
    return BARE + (1 - BARE) * leaf


def plant_evapotranspiration(reference: Array, plant_factor: Array, microclimate_factor: Array, season: Array) -> Array:
    """Return how much a plant that lacks no water gives off, per area it covers.

    Parameters
    ----------
    reference : float64 (...)
        Reference evapotranspiration [mm/d].
    plant_factor, microclimate_factor, season : float64 (...)
        From `PLANT_FACTOR`, `MICROCLIMATE_FACTOR` and `season_factor` [-].

    Returns
    -------
    float64 (...)
        [mm/d] on its crown projection; missing where an input is missing or below 0.

    Notes
    -----
    Valid for established plants of acceptable appearance in a humid climate.

    References
    ----------
    ANSI/ASABE S623.1 (2017), table of plant factors; Costello et al. (2000), WUCOLS, microclimate factor.

    Examples
    --------
    >>> given = [np.array([value]) for value in (4.0, 0.7, 1.2, 1.0)]
    >>> plant_evapotranspiration(*given).round(2).tolist()
    [3.36]
    """
    valid = (reference >= 0) & (plant_factor >= 0) & (microclimate_factor >= 0) & (season >= 0)
    return np.where(valid, reference * plant_factor * microclimate_factor * season, np.nan)


def depletion_fraction(table_value: Array, evapotranspiration: Array) -> Array:
    """Return the share of available water a plant takes without stress: less on days of high demand.

    Parameters
    ----------
    table_value : float64 (...)
        At 5 mm/d, from `DEPLETION_FRACTION` [-].
    evapotranspiration : float64 (...)
        Of the unstressed plant [mm/d].

    Returns
    -------
    float64 (...)
        0.1 to 0.8 [-]

    Notes
    -----
    Valid for the plants of `DEPLETION_FRACTION`, up to about 15 mm/d.

    References
    ----------
    Allen et al. (1998), FAO Irrigation and Drainage Paper 56, table 22, footnote 2.

    Examples
    --------
    >>> depletion_fraction(np.array([0.5, 0.5, 0.7]), np.array([5.0, 2.0, 0.0])).round(2).tolist()
    [0.5, 0.62, 0.8]
    """
    fraction: Array = np.clip(table_value + 0.04 * (5.0 - evapotranspiration), 0.1, 0.8)
    return fraction


def total_available_water(field_capacity: Array, wilting_point: Array, root_depth: Array) -> Array:
    """Return the water plants can take from the root zone.

    Parameters
    ----------
    field_capacity, wilting_point : float64 (...)
        Volumetric water content [%].
    root_depth : float64 (...)
        [m]

    Returns
    -------
    float64 (...)
        [mm]; missing unless field capacity is above the wilting point and the depth above 0.

    Notes
    -----
    Valid for contents of 0 to 100 %.

    References
    ----------
    Allen et al. (1998), FAO Irrigation and Drainage Paper 56, equation 82.

    Examples
    --------
    >>> total_available_water(np.array([32.0]), np.array([15.0]), np.array([0.8])).round(1).tolist()
    [136.0]
    """
    possible = (wilting_point >= 0) & (field_capacity <= _WHOLE) & (root_depth > 0)
    valid = (field_capacity > wilting_point) & possible
    return np.where(valid, 10 * (field_capacity - wilting_point) * root_depth, np.nan)


def water_stress(depletion: Array, available: Array, fraction: Array) -> Array:
    """Return how much of its demand a plant can meet: 1 without stress, 0 at the wilting point.

    Parameters
    ----------
    depletion : float64 (...)
        Water missing to field capacity [mm].
    available : float64 (...)
        Total available water of the root zone [mm].
    fraction : float64 (...)
        What is taken without stress [-], below 1.

    Returns
    -------
    float64 (...)
        [-]; missing where an input is missing or nothing is available.

    Notes
    -----
    Valid for fractions of 0 to below 1; a depletion beyond the available water counts as all of it.

    References
    ----------
    Allen et al. (1998), FAO Irrigation and Drainage Paper 56, equation 83 and 84.

    Examples
    --------
    >>> water_stress(np.array([20.0, 75.0, 120.0]), np.array([100.0]), np.array([0.5])).tolist()
    [1.0, 0.5, 0.0]
    """
    valid = (available > 0) & (fraction >= 0) & (fraction < 1)
    reserve = np.where(valid, (1 - fraction) * available, np.nan)
    coefficient: Array = np.clip((available - depletion) / reserve, 0.0, 1.0)
    return coefficient
