"""Why a site has its status: the depth that decides, its value, and the limits that apply to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from processors.soil.limits import LIMITS, limits_at

TENSION: Final = "soil_tension"
AVAILABLE_WATER: Final = "plant_available_water"


@dataclass(frozen=True, slots=True)
class DepthValue:
    """The last value at a depth of a site, and the growing season the site is in.

    Parameters
    ----------
    site : str
    quantity : str
        `TENSION` or `AVAILABLE_WATER`.
    depth : float
        [cm]
    value : float
        [kPa] or [% nFK].
    season : float
        [-]; NaN is unknown.
    """

    site: str
    quantity: str
    depth: float
    value: float
    season: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """What decides a site's soil water status.

    Parameters
    ----------
    quantity : str
        Soil tension where a site has any, otherwise plant-available water.
    value : float
        Its last value at the depth that is worst off [kPa] or [% nFK].
    depth : float
        [cm]
    soon, now : float
        The limits that apply there [kPa] or [% nFK]: tension rises to them, water falls below them.
    """

    quantity: str
    value: float
    depth: float
    soon: float
    now: float


def limits(quantity: str, depth: float, season: float) -> tuple[float, float] | None:
    """Return from where on a depth is soon and now in need of water; None if no source names it.

    Parameters
    ----------
    quantity : str
        `TENSION` or `AVAILABLE_WATER`.
    depth : float
        [cm]
    season : float
        [-]; NaN is unknown.
    """
    row, applies = limits_at(np.array([season]), np.array([[depth]]))
    if not applies[0, 0]:
        return None
    found = LIMITS[row[0, 0]]
    return found.tension if quantity == TENSION else found.available_water


def explanations(values: Sequence[DepthValue]) -> Mapping[str, Explanation]:
    """Return what decides the soil water status, by site; absent where nothing can be judged.

    The depth that exceeds its limit furthest decides; where a site has tension at a depth with limits,
    tension alone counts, as in `processors.soil.judgement`.
    """
    if not values:
        return {}
    rows, applies = limits_at(
        np.array([value.season for value in values]), np.array([[value.depth] for value in values])
    )
    found: dict[str, tuple[bool, float, Explanation]] = {}
    for value, row, counts in zip(values, rows[:, 0].tolist(), applies[:, 0].tolist(), strict=True):
        if not counts:
            continue
        leads = value.quantity == TENSION
        soon, now = LIMITS[row].tension if leads else LIMITS[row].available_water
        excess = value.value - now if leads else now - value.value
        before = found.get(value.site)
        if before is None or (leads, excess) > before[:2]:
            found[value.site] = (leads, excess, Explanation(value.quantity, value.value, value.depth, soon, now))
    return {site: explanation for site, (_, _, explanation) in found.items()}
