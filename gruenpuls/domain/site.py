"""Sites: the places whose green is looked after."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final

_SECOND_HALF: Final = 7
"""From this month on a tree is planted for the next growing season."""
_WRITTEN_ISO: Final = re.compile(r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d))?)?", re.ASCII)
_WRITTEN_GERMAN: Final = re.compile(r"(?:(?P<day>\d{1,2})\.)?(?P<month>\d{1,2})[./](?P<year>\d{4})", re.ASCII)


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


def planting_date(text: str) -> str | None:
    """Return when something was planted as ISO date, year and month, or year; None where that is not what it says.

    >>> planting_date("15.03.2024"), planting_date("2024"), planting_date("3/2024"), planting_date("last year")
    ('2024-03-15', '2024', '2024-03', None)
    """
    match = _WRITTEN_ISO.fullmatch(text.strip()) or _WRITTEN_GERMAN.fullmatch(text.strip())
    if not match:
        return None
    parts = match.groupdict()
    year, month, day = (int(parts[name] or 1) for name in ("year", "month", "day"))
    try:
        whole = date(year, month, day).isoformat()
    except ValueError:
        return None
    return whole[: 10 if parts["day"] else 7 if parts["month"] else 4]


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
