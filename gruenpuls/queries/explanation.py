"""Why a site has its status: the depth that decides, its value, and the limits that apply to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from gruenpuls.domain.site import Site, SiteKind
from processors.soil.limits import LIMITS, Limits, LimitTable, Planting, limits_at
from processors.soil.retention import CURVES
from processors.soil.texture import texture_name
from processors.water.site_parameters import site_parameters

TENSION: Final = "soil_tension"
AVAILABLE_WATER: Final = "plant_available_water"
_PLANTED: Final = {
    SiteKind.STREET_TREE: Planting.TREE,
    SiteKind.TREE_GROUP: Planting.TREE,
    SiteKind.BED: Planting.BED,
    SiteKind.PARK: Planting.BED,
    SiteKind.GREEN_FACADE: Planting.BED,
}


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
    planting : Planting
        What grows there.
    texture : str or None
        Whose retention curve gives the limits of plant-available water.
    """

    site: str
    quantity: str
    depth: float
    value: float
    season: float
    planting: Planting = Planting.TREE
    texture: str | None = None


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


def planting(site: Site, year: int) -> Planting:
    """Return what grows at a site, as far as its limits differ."""
    if site.kind is SiteKind.GREEN_ROOF:
        return Planting(int(site_parameters([site], year).columns["planting"].item()))
    return _PLANTED.get(site.kind, Planting.NONE)


def limits(
    quantity: str,
    depth: float,
    season: float,
    planted: Planting = Planting.TREE,
    texture: str | None = None,
    table: LimitTable = LIMITS,
) -> tuple[float, float] | None:
    """Return from where on a depth is soon and now in need of water; None if no source names it.

    Parameters
    ----------
    quantity : str
        `TENSION` or `AVAILABLE_WATER`.
    depth : float
        [cm]
    season : float
        [-]; NaN is unknown.
    planted : Planting
    texture : str or None
        Whose retention curve gives the limits of plant-available water.
    table : LimitTable
        The city's.
    """
    row, applies = limits_at(np.array([season]), np.array([[depth]]), table, np.array([float(planted)]))
    return _pair(quantity, table[int(row[0, 0])], texture) if applies[0, 0] else None


def _pair(quantity: str, found: Limits, texture: str | None) -> tuple[float, float] | None:
    """Return soon and now; None where a plant is never so dry that it must be watered now."""
    pair = found.tension if quantity == TENSION else found.water_limits(CURVES.get(texture_name(texture) or ""))
    return None if np.isnan(pair).any() else pair


def explanations(values: Sequence[DepthValue], table: LimitTable = LIMITS) -> Mapping[str, Explanation]:
    """Return what decides the soil water status, by site; absent where nothing can be judged.

    The depth that exceeds its limit furthest decides; where a site has tension at a depth with limits,
    tension alone counts, as in `processors.soil.judgement`.
    """
    if not values:
        return {}
    rows, applies = limits_at(
        np.array([value.season for value in values]),
        np.array([[value.depth] for value in values]),
        table,
        np.array([float(value.planting) for value in values]),
    )
    found: dict[str, tuple[bool, float, Explanation]] = {}
    for value, row, counts in zip(values, rows[:, 0].tolist(), applies[:, 0].tolist(), strict=True):
        pair = _pair(value.quantity, table[row], value.texture) if counts else None
        if pair is None:
            continue
        leads = value.quantity == TENSION
        soon, now = pair
        excess = value.value - now if leads else now - value.value
        before = found.get(value.site)
        if before is None or (leads, excess) > before[:2]:
            found[value.site] = (leads, excess, Explanation(value.quantity, value.value, value.depth, soon, now))
    return {site: explanation for site, (_, _, explanation) in found.items()}
