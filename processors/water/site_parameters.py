"""Site parameters: what a balance needs to know of every site, given or estimated, and from what.

Every tree of a cadastre gets a balance from its first day: what nobody measured is estimated from girth,
height, age or species and marked as assumed, and the wider the estimate, the wider the band of the balance.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.processor import Array
from gruenpuls.domain.site import Site, SiteKind, growing_season
from processors.soil.limits import Planting
from processors.soil.texture import EXTENSIVE_ROOF, INTENSIVE_ROOF, TECHNOGENIC, TEXTURES, texture
from processors.water import allometry, pit, roof
from processors.water.demand import DEPLETION_FRACTION, PLANT_FACTOR, Vegetation, crown_projection
from processors.water.surroundings import microclimate_factor, vegetation_of


class Origin(StrEnum):
    """Where a parameter comes from; everything but `GIVEN` is assumed."""

    GIVEN = "given"
    GIRTH = "girth"
    HEIGHT = "height"
    AGE = "age"
    SPECIES = "species"
    CROWN = "crown"
    PIT = "pit"
    SOIL = "soil"
    KIND = "kind"


_ORIGINS: Final = tuple(Origin)
_LARGEST: Final = {
    "crown_diameter": 50.0,
    "girth": 1500.0,
    "trunk_diameter": 500.0,
    "height": 60.0,
    "pit_area": 1e4,
    "pit_volume": 1e4,
    "sealing": 100.0,
    "drained_area": 1e5,
    "stones": 90.0,
    "area": 1e7,
    "maximum_water_capacity": 90.0,
}
"""Up to which a cadastre's numbers are believed; in the units of `gruenpuls.domain.row`."""
_TREES: Final = frozenset({SiteKind.STREET_TREE, SiteKind.TREE_GROUP})
_WATERED_KINDS: Final = frozenset(
    {
        SiteKind.STREET_TREE,
        SiteKind.TREE_GROUP,
        SiteKind.GREEN_ROOF,
        SiteKind.GREEN_FACADE,
        SiteKind.BED,
        SiteKind.PARK,
    }
)
"""Kinds with a water balance; stations, cisterns and wetlands have none."""
_YES: Final = re.compile(r"ja|yes|true|wahr|1|x|1\.0", re.IGNORECASE)
_NO: Final = re.compile(r"nein|no|false|falsch|0|keine?|none|0\.0", re.IGNORECASE)

SEALED_STREET: Final = 0.5
"""Share of an established street tree's root zone that is sealed, where nobody said [-]; our assumption."""
DRAINAGE_TIME: Final = 2.0
"""Time constant of water above field capacity [d]: gone within two to three days, as field capacity is defined."""
WITHOUT_DRAINAGE: Final = 10.0
"""The same in a pit that has been said to have none [d]; our assumption."""
INFILTRATION: Final = 60.0
"""The most a pit takes in a day [mm]; our assumption for trodden ground."""
CLOSED_STAND: Final = 1.0
"""Plant factor of trees that stand together [-]: FAO-56 table 12 for conifers; at Weierbach beeches used 0.9 to 1.2."""
NOISE: Final = 0.0005
"""What the balance does not describe, each day, per capacity [-]; calibrated on the sandstone stand of Weierbach."""
DEMAND_ERROR: Final = 0.3
INFLOW_ERROR: Final = (0.2, 0.4)
"""Relative standard deviation of demand where plant and place are known, and of inflow where the ground is open or
its sealing was given, and where not [-]: that of demand calibrated as `NOISE`, the others our assumption."""
FROM_AFAR: Final = 0.4
"""What is added for street trees past their third season whose root space nobody built: they may drink under the road,
from gardens and from pipes, or find less than their crown covers [-]; our assumption."""
DEPTH_ERROR: Final = 0.25
"""Relative standard deviation of a root depth nobody measured [-]; our assumption."""
_LARGEST_ERROR: Final = 0.8
EFFICIENCY: Final = 0.9
"""Share of the water given that reaches the roots, from a bag or a watering ring [-]; our assumption."""
PASS_LIMIT: Final = (100.0, 300.0)
"""What one pass gives a tree of up to ten seasons, which a watering ring holds, and an older one [L]."""
PASS_DEPTH: Final = 20.0
"""What one pass gives beds, lawns and roofs [mm]; our assumption."""
_OLD_SEASON: Final = 10.0
_HUNDRED: Final = 100.0

_GROUND: Final[dict[SiteKind, tuple[float, float]]] = {
    SiteKind.BED: (0.4, 10.0),
    SiteKind.PARK: (0.3, 1000.0),
    SiteKind.GREEN_FACADE: (0.6, 2.0),
}
"""Root depth [m] and area [m²] of ground without trees, where nobody said; our assumption."""
_FACADE: Final = 3.0
"""Green wall per area of its bed [-]; our assumption."""


@dataclass(frozen=True, slots=True)
class SiteParameters:
    """What the balance needs to know of sites.

    Parameters
    ----------
    columns : dict of float64 (site,)
        `capacity`, `saturation` [mm], `drainage_time` [d], `depletion_fraction`, `cover` [-],
        `interception_bare`, `interception_leaved` [mm], `rain_share`, `drained_share`, `inflow_coefficient`
        [-], `infiltration_capacity` [mm/d], `root_zone_area` [m²], `balance_depth` [m], `crown_share`
        (transpiring per root-zone area) [-], `plant_factor`, `microclimate_factor`, `evergreen` [-],
        `demand_error`, `inflow_error`, `capacity_error`, `noise` [-], `efficiency` [-], `pass_limit` [L],
        `planting` (a `Planting`) and `needs_watering` (1, 0, NaN where nobody said) [-]; NaN where a kind of
        site has no balance.
    origins : dict of int64 (site,)
        By parameter, an index into `Origin`.
    """

    columns: Mapping[str, Array]
    origins: Mapping[str, NDArray[np.int64]]

    def assumed(self, place: int) -> dict[str, Origin]:
        """Return which parameters of a site were assumed, and from what."""
        found = {name: _ORIGINS[codes[place]] for name, codes in self.origins.items()}
        return {name: origin for name, origin in found.items() if origin is not Origin.GIVEN}


class _First:
    """The first known of several sources for a parameter."""

    def __init__(self, values: Array, origin: Origin = Origin.GIVEN) -> None:
        self.values = np.where(values > 0, values, np.nan)
        self.codes = np.full(len(values), _ORIGINS.index(origin), np.int64)

    def otherwise(self, values: Array | float, origin: Origin) -> _First:
        """Fill what is unknown so far."""
        filling = np.isnan(self.values) & ~np.isnan(values)
        self.values = np.where(filling, values, self.values)
        self.codes = np.where(filling, _ORIGINS.index(origin), self.codes)
        return self


def _number(value: object) -> float:
    try:
        return float(str(value).replace(",", "."))
    except ValueError:
        return float("nan")


def _believed(sites: Sequence[Site], name: str, most: float) -> Array:
    values = np.array([_number(site.attributes.get(name)) for site in sites], np.float64)
    return np.where((values >= 0) & (values <= most), values, np.nan)


def _yes(value: object) -> float:
    text = "" if value is None else str(value).strip()
    return 1.0 if _YES.fullmatch(text) else 0.0 if _NO.fullmatch(text) else float("nan")


def _known(values: Sequence[float | None]) -> Array:
    return np.array([np.nan if value is None else value for value in values], np.float64)


def site_parameters(sites: Sequence[Site], year: int) -> SiteParameters:
    """Return what the balance needs to know of sites in a year, given or estimated.

    Parameters
    ----------
    sites : sequence of Site
        With numbers in the units of `gruenpuls.domain.row` [-].
    year : int
        Whose growing season counts [a].

    Returns
    -------
    SiteParameters
        In the units it names [-].

    Notes
    -----
    Valid for every kind of site; where nothing grows all columns are missing. Values out of their range, such as
    a crown of 0 m, count as unknown. Soil comes from field capacity and wilting point, else from the texture's
    table, else it is technogenic or unknown, with half its capacity
    as standard deviation.

    References
    ----------
    KA5 (2005), table 70, DWA-M 153, FLL (2018), and the sources beside each constant; no equation.

    Examples
    --------
    >>> linden = Site("1", "1", SiteKind.STREET_TREE, species="Tilia cordata", attributes={"girth": 100.0})
    >>> found = site_parameters([linden], 2026)
    >>> found.columns["root_zone_area"].round(1).tolist(), found.assumed(0)["crown_diameter"].value
    ([24.4], 'girth')
    """
    kind = np.array([site.kind.value for site in sites], object)
    tree = np.isin(kind, [some.value for some in _TREES])
    street = kind == SiteKind.STREET_TREE.value
    season = np.array([growing_season(site.planted_on, year) for site in sites], np.float64)
    said = {name: _believed(sites, name, most) for name, most in _LARGEST.items()}
    crown, crown_error = _crowns(sites, said, season)
    crown_area = crown_projection(crown.values)
    roofed = kind == SiteKind.GREEN_ROOF.value
    depth = _depths(sites, said, kind, season)
    soil, soil_error, soil_origin, air = _soils(sites, said, roofed, depth.values)
    intensive = roofed & _intensive(sites, depth.values)

    area = _areas(said, kind, crown_area, season, depth.values)
    young = season <= pit.BALL_SEASONS
    crown_share = np.where(
        tree,
        np.minimum(crown_area / area.values, pit.WIDEST_CROWN),
        np.where(kind == SiteKind.GREEN_FACADE.value, _FACADE, 1.0),
    )
    sealed = _First(said["sealing"] / _HUNDRED + 1e-12)
    open_share = np.minimum(np.where(said["pit_area"] > 0, said["pit_area"], np.nan) / area.values, 1.0)
    sealed.otherwise(np.where(street & (open_share > 0), 1.0 - open_share + 1e-12, np.nan), Origin.PIT)
    sealed.otherwise(np.where(street & ~young, SEALED_STREET, 0.0), Origin.KIND)
    surface = [pit.surface_name(str(site.attributes.get("surface", ""))) for site in sites]
    shed = np.array([pit.RUNOFF_COEFFICIENT[name or pit.ASSUMED_SURFACE] for name in surface])
    drained = np.where(said["drained_area"] > 0, said["drained_area"], 0.0) / area.values

    conifer = np.array([allometry.genus(site.species) in allometry.CONIFERS for site in sites], np.bool_)
    shedding = np.array([allometry.genus(site.species) in allometry.SHEDDING_CONIFERS for site in sites], np.bool_)
    evergreen = (tree & conifer & ~shedding) | roofed | (kind == SiteKind.PARK.value)
    leaves = np.where(conifer, pit.LEAF_AREA[1], pit.LEAF_AREA[0]) * pit.STORE_OF_A_LEAF
    watered = np.array([_yes(site.attributes.get("needs_watering")) for site in sites])
    drainage = np.array([_yes(site.attributes.get("drainage")) for site in sites])
    vegetation = [vegetation_of(site, intensive=wet) for site, wet in zip(sites, intensive.tolist(), strict=True)]
    deciduous = np.where(conifer, DEPLETION_FRACTION["conifer"], DEPLETION_FRACTION["deciduous"])
    lawn = np.array([some is Vegetation.LAWN for some in vegetation], np.bool_)
    planting = np.select(
        [tree, roofed & intensive, roofed, np.isin(kind, [some.value for some in _WATERED_KINDS])],
        [Planting.TREE, Planting.INTENSIVE_ROOF, Planting.EXTENSIVE_ROOF, Planting.BED],
        Planting.NONE,
    ).astype(np.float64)
    counted = np.where(planting == Planting.NONE, np.nan, 1.0)
    deep = np.where(depth.codes == 0, 0.0, DEPTH_ERROR)
    # an established tree's root zone is taken from its crown, so the two err together
    crown_matters = np.where(tree & young, 2 * crown_error, 0.0)
    from_afar = np.where(street & ~young & (area.codes > 0), FROM_AFAR, 0.0)
    columns = {
        "capacity": 10.0 * soil * depth.values,
        "saturation": 10.0 * (soil + air) * depth.values,
        "drainage_time": np.where(drainage == 0, WITHOUT_DRAINAGE, DRAINAGE_TIME),
        "depletion_fraction": np.where(lawn, DEPLETION_FRACTION["lawn"], np.where(tree, deciduous, 0.5)),
        "cover": np.where(tree, np.minimum(crown_area / area.values, 1.0), 0.0),
        "interception_bare": np.where(evergreen, leaves, pit.STORE_OF_BRANCHES) * tree,
        "interception_leaved": leaves * tree,
        "rain_share": pit.rain_share(sealed.values, shed),
        "drained_share": drained,
        "inflow_coefficient": np.where(drained > 0, pit.RUNOFF_COEFFICIENT["asphalt"], 0.0),
        "infiltration_capacity": np.where(roofed, np.inf, INFILTRATION),
        "root_zone_area": area.values,
        "balance_depth": depth.values,
        "crown_share": crown_share,
        "plant_factor": np.where(
            kind == SiteKind.TREE_GROUP.value, CLOSED_STAND, np.array([PLANT_FACTOR[some] for some in vegetation])
        ),
        "microclimate_factor": np.array([microclimate_factor(site) for site in sites]),
        "evergreen": evergreen.astype(np.float64),
        "demand_error": np.minimum(np.sqrt(DEMAND_ERROR**2 + crown_matters**2 + from_afar**2), _LARGEST_ERROR),
        "inflow_error": np.where(street & (sealed.codes > 0), INFLOW_ERROR[1], INFLOW_ERROR[0]),
        "capacity_error": np.hypot(soil_error, deep),
        "noise": np.full(len(sites), NOISE),
        "efficiency": np.full(len(sites), EFFICIENCY),
        "pass_limit": np.where(
            street, np.where(season > _OLD_SEASON, PASS_LIMIT[1], PASS_LIMIT[0]), PASS_DEPTH * area.values
        ),
        "needs_watering": np.where(np.isnan(watered) & (kind == SiteKind.PARK.value), 0.0, watered),
    }
    return SiteParameters(
        {name: values * counted for name, values in columns.items()} | {"planting": planting},
        {
            "crown_diameter": np.where(tree, crown.codes, 0),
            "root_depth": depth.codes,
            "root_zone_area": area.codes,
            "sealing": sealed.codes,
            "soil": soil_origin,
        },
    )


def _crowns(sites: Sequence[Site], said: Mapping[str, Array], season: Array) -> tuple[_First, Array]:
    genera = [allometry.genus(site.species) for site in sites]
    conifer = np.array([genus in allometry.CONIFERS for genus in genera], np.bool_)
    girth = np.where(said["girth"] > 0, said["girth"], np.pi * said["trunk_diameter"]) / _HUNDRED
    by_genus = _known([allometry.CROWN_BY_GENUS.get(genus) for genus in genera])
    crown = _First(said["crown_diameter"])
    crown.otherwise(allometry.crown_from_girth(girth, conifer), Origin.GIRTH)
    crown.otherwise(allometry.crown_from_height(said["height"]), Origin.HEIGHT)
    crown.otherwise(allometry.crown_from_girth(allometry.girth_from_season(season), conifer), Origin.AGE)
    crown.otherwise(by_genus, Origin.SPECIES)
    crown.otherwise(allometry.TYPICAL_CROWN, Origin.KIND)
    errors = {
        Origin.GIVEN: 0.1,
        Origin.GIRTH: allometry.GIRTH_ERROR,
        Origin.HEIGHT: allometry.HEIGHT_ERROR,
        Origin.AGE: allometry.AGE_ERROR,
    }
    return crown, np.array([errors.get(origin, allometry.SPECIES_ERROR) for origin in _ORIGINS])[crown.codes]


def _depths(sites: Sequence[Site], said: Mapping[str, Array], kind: NDArray[np.object_], season: Array) -> _First:
    depth = _First(_known([site.soil.root_depth for site in sites]))
    depth.otherwise(np.where(said["pit_area"] > 0, said["pit_volume"] / said["pit_area"], np.nan), Origin.PIT)
    extensive = np.array([_named(site) != INTENSIVE_ROOF for site in sites], np.bool_)
    typical = np.where(season <= pit.BALL_SEASONS, pit.YOUNG_DEPTH, pit.DEPTH)
    for some, (metres, _) in _GROUND.items():
        typical = np.where(kind == some.value, metres, typical)
    layer = np.where(extensive, roof.EXTENSIVE_DEPTH, roof.INTENSIVE_DEPTH)
    return depth.otherwise(np.where(kind == SiteKind.GREEN_ROOF.value, layer, typical), Origin.KIND)


def _areas(
    said: Mapping[str, Array], kind: NDArray[np.object_], crown_area: Array, season: Array, depth: Array
) -> _First:
    street, group = kind == SiteKind.STREET_TREE.value, kind == SiteKind.TREE_GROUP.value
    own = np.where(said["pit_area"] > 0, said["pit_area"], said["pit_volume"] / depth)
    grown = pit.root_zone_area(own, crown_area, season)
    whole_pit = street & (own > 0) & (grown == np.where(own > 0, own, 0.0))
    area = _First(np.where(whole_pit, own, np.where(street, np.nan, said["area"])))
    area.otherwise(np.where(street & (season <= pit.BALL_SEASONS), grown, np.nan), Origin.AGE)
    area.otherwise(np.where(street, grown, np.nan), Origin.CROWN)
    area.otherwise(np.where(group, crown_area, np.nan), Origin.CROWN)
    typical = np.full(len(kind), 100.0)
    for some, (_, square_metres) in _GROUND.items():
        typical = np.where(kind == some.value, square_metres, typical)
    return area.otherwise(typical, Origin.KIND)


def _named(site: Site) -> str:
    found = texture(site.soil.texture)
    return "" if found is None else found.name


def _intensive(sites: Sequence[Site], depth: Array) -> NDArray[np.bool_]:
    named = np.array([_named(site) for site in sites], object)
    extensive = np.array([name.startswith("extensive") for name in named], np.bool_)
    found: NDArray[np.bool_] = (named == INTENSIVE_ROOF) | (~extensive & (depth >= roof.INTENSIVE_FROM))
    return found


def _soils(
    sites: Sequence[Site], said: Mapping[str, Array], roofed: NDArray[np.bool_], depth: Array
) -> tuple[Array, Array, NDArray[np.int64], Array]:
    """Return available capacity [%], its relative deviation [-], its origin and the air capacity [%]."""
    intensive = _intensive(sites, depth)
    tables = []
    for site, is_roof, is_intensive in zip(sites, roofed.tolist(), intensive.tolist(), strict=True):
        known = texture(site.soil.texture)
        assumed = (INTENSIVE_ROOF if is_intensive else EXTENSIVE_ROOF) if is_roof else TECHNOGENIC
        tables.append((known or TEXTURES[assumed], known is not None))
    given = _known([site.soil.field_capacity for site in sites]) - _known([site.soil.wilting_point for site in sites])
    fine = 1.0 - np.nan_to_num(said["stones"]) / _HUNDRED
    held = np.array([some.available_capacity for some, _ in tables], np.float64) * fine
    # FLL states what a roof holds in all, so that is what is counted there: 0 % is dry, not wilting
    full = np.array([some.field_capacity for some, _ in tables], np.float64) * fine
    table = np.where(roofed, full, held)
    own = np.where(roofed, said["maximum_water_capacity"], given)
    origin = np.where([named for _, named in tables], _ORIGINS.index(Origin.SOIL), _ORIGINS.index(Origin.KIND))
    air = np.where(roofed, 0.0, np.array([some.air_capacity for some, _ in tables], np.float64) * fine)
    return (
        np.where(own > 0, own, table),
        np.where(own > 0, 0.1, np.array([some.uncertainty for some, _ in tables], np.float64)),
        np.where(own > 0, 0, origin).astype(np.int64),
        air,
    )
