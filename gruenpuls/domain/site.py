"""Sites: the places whose green is looked after."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

_SECOND_HALF: Final = 7
"""From this month on a tree is planted for the next growing season."""


class SiteKind(StrEnum):
    """What grows, or is measured, at a site."""

    STREET_TREE = "street_tree"
    TREE_GROUP = "tree_group"
    GREEN_ROOF = "green_roof"
    GREEN_FACADE = "green_facade"
    BED = "bed"
    PARK = "park"
    WETLAND = "wetland"
    WEATHER_STATION = "weather_station"
    CISTERN = "cistern"


@dataclass(frozen=True, slots=True)
class Soil:
    """What the soil or substrate at a site holds.

    Parameters
    ----------
    texture : str or None
        German KA5 texture class such as ``"Sl3"``, or a substrate's name.
    field_capacity, wilting_point : float or None
        Volumetric water content at pF 1.8 and pF 4.2 [%].
    root_depth : float or None
        Depth of the root zone or substrate [m].
    """

    texture: str | None = None
    field_capacity: float | None = None
    wilting_point: float | None = None
    root_depth: float | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """A place that is looked after or measured.

    Parameters
    ----------
    key : str
        Official cadastre key, or the city's own; unique.
    name : str
    kind : SiteKind
    latitude, longitude : float or None
        WGS 84 [°].
    municipality, district, maintenance_area, contract_lot : str or None
    time_zone : str
        IANA name; the site's day is the calendar day there.
    planted_on : str or None
        ISO date, or a year; unknown is None, never young or old.
    species : str or None
        Botanical name.
    soil : Soil
    attributes : dict
        What else its kind needs, by name: crown diameter, sealing, roof area …
    """

    key: str
    name: str
    kind: SiteKind
    latitude: float | None = None
    longitude: float | None = None
    municipality: str | None = None
    district: str | None = None
    maintenance_area: str | None = None
    contract_lot: str | None = None
    time_zone: str = "Europe/Berlin"
    planted_on: str | None = None
    species: str | None = None
    soil: Soil = field(default_factory=Soil)
    attributes: dict[str, str | float | bool] = field(default_factory=dict)


def growing_season(planted_on: str | None, year: int) -> float:
    """Return the n-th growing season a plant has at its site in a year; NaN is unknown.

    Planted from July on, or in a year nobody knows the month of, the next year counts as the first;
    in the months before it the plant is judged as in its first.

    Parameters
    ----------
    planted_on : str or None
        ISO date, year and month, or year.
    year : int

    Returns
    -------
    float
        [-]

    Examples
    --------
    >>> growing_season("2021-11-03", 2022), growing_season("2021-03", 2022), growing_season(None, 2022)
    (1.0, 2.0, nan)
    """
    match = re.match(r"(\d{4})(?:-(\d{2}))?", planted_on or "")
    if not match:
        return float("nan")
    planted, month = int(match[1]), int(match[2] or 12)
    first = planted + (month >= _SECOND_HALF)
    return float(max(year - first + 1, 1)) if year >= planted else float("nan")
