"""The pit: where a tree's roots drink, and how much of the rain reaches them."""

from __future__ import annotations

import re
from typing import Final

import numpy as np

from gruenpuls.domain.processor import Array

RUNOFF_COEFFICIENT: Final = {
    "asphalt": 0.9,
    "tight_paving": 0.75,
    "open_paving": 0.5,
    "firm_gravel": 0.6,
    "loose_gravel": 0.3,
    "seeping_stones": 0.25,
    "lawn_grid": 0.15,
    "open": 0.0,
}
"""Share of the rain a surface sheds [-]: DWA-M 153, mean values; ``open`` is bare or planted ground."""
_WORDS: Final = (
    (r"offene fugen|fugenpflaster|open paving|open joints", "open_paving"),
    (r"sickerstein|sickerpflaster|drän|seep", "seeping_stones"),
    (r"rasengitter|rasenfuge|lawn.grid", "lawn_grid"),
    (r"wassergebunden|fester kies|firm.gravel|tennen", "firm_gravel"),
    (r"kies|schotter|splitt|gravel", "loose_gravel"),
    (r"pflaster|platten|paving|slabs", "tight_paving"),
    (r"asphalt|beton|concrete|versiegelt|sealed", "asphalt"),
    (r"offen|boden|erde|mulch|rasen|gras|beet|staude|open|soil|grass|planted", "open"),
)
ASSUMED_SURFACE: Final = "tight_paving"

LEAF_AREA: Final = (4.0, 6.0)
"""Leaf area index of city trees, deciduous and coniferous [-]: middle of 3 to 5, and our assumption."""
STORE_OF_A_LEAF: Final = 0.2
"""What each unit of leaf area index holds back of a rain [mm]: i-Tree Hydro."""
STORE_OF_BRANCHES: Final = 0.2
"""What a bare crown holds back [mm]."""

BALL_SEASONS: Final = 3.0
"""Growing seasons a tree lives from its pit alone [-]; watering contracts last as long."""
ESTABLISHED_SEASON: Final = 11.0
"""Growing season from which roots reach as far as the crown [-]; between, they grow evenly. Our assumption."""
YOUNG_AREA: Final = 1.5
"""Root-zone area of a young tree whose pit nobody measured [m²]."""
YOUNG_DEPTH: Final = 0.8
DEPTH: Final = 1.0
"""Root-zone depth of young and of other trees nobody measured [m]; our assumption."""
WIDEST_CROWN: Final = 4.0
"""Crown area per root-zone area beyond which roots must reach further than the pit [-]; our assumption."""


def surface_name(text: str) -> str | None:
    """Return which surface of DWA-M 153 people mean; None where it is none.

    >>> surface_name("Betonpflaster"), surface_name("Rasengittersteine"), surface_name("Mond")
    ('tight_paving', 'lawn_grid', None)
    """
    plain = text.strip().lower().replace("_", " ")
    for name in RUNOFF_COEFFICIENT:
        if plain == name.replace("_", " "):
            return name
    return next((name for pattern, name in _WORDS if re.search(pattern, plain)), None)


def root_zone_area(pit_area: Array, crown_area: Array, growing_season: Array) -> Array:
    """Return the ground a street tree drinks from.

    Parameters
    ----------
    pit_area : float64 (...)
        Open or built root space under the tree [m²]; NaN is unknown.
    crown_area : float64 (...)
        Crown projection [m²].
    growing_season : float64 (...)
        The n-th at the site [-]; NaN counts as established.

    Returns
    -------
    float64 (...)
        [m²]

    Notes
    -----
    Valid for street trees. In its first three seasons a tree has its root ball and what is around it, 1.5 m²
    or a smaller pit; then its roots grow evenly until in the eleventh they fill the pit and reach as far as the
    crown, wherever that may be; never less than a quarter of the crown, since no tree lives from less.

    References
    ----------
    Our assumption; 1.5 m² is what 75 to 100 L a watering are meant for. No equation.

    Examples
    --------
    >>> root_zone_area(np.array([6.0, np.nan, 6.0]), np.array([3.0, 3.0, 50.0]), np.array([1.0, 7.0, 20.0])).tolist()
    [1.5, 2.25, 50.0]
    """
    known = pit_area > 0
    young = np.where(known, np.minimum(pit_area, YOUNG_AREA), YOUNG_AREA)
    old = np.maximum(np.where(known, pit_area, YOUNG_AREA), crown_area)
    grown = (growing_season - BALL_SEASONS) / (ESTABLISHED_SEASON - BALL_SEASONS)
    share = np.where(np.isnan(growing_season), 1.0, np.clip(grown, 0.0, 1.0))
    area: Array = np.maximum(young + share * (old - young), crown_area / WIDEST_CROWN)
    return area


def rain_share(sealed_share: Array, runoff_coefficient: Array) -> Array:
    """Return the share of the rain on the root-zone area that enters the ground.

    Parameters
    ----------
    sealed_share : float64 (...)
        Of the root-zone area [-].
    runoff_coefficient : float64 (...)
        Of its surface [-].

    Returns
    -------
    float64 (...)
        [-]

    Notes
    -----
    Valid for shares from 0 to 1; what a paved surface does not shed seeps through its joints.

    References
    ----------
    DWA-M 153, mean runoff coefficients. No equation number.

    Examples
    --------
    >>> rain_share(np.array([0.8]), np.array([0.75])).round(2).tolist()
    [0.4]
    """
    return 1.0 - np.clip(sealed_share, 0.0, 1.0) * runoff_coefficient
