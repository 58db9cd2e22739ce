"""Assemble what processors are given: the fleet's readings as arrays of time, site and depth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, tzinfo
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.ports import ObservationReader
from gruenpuls.domain.processor import Array, Fleet, Input, Processor
from gruenpuls.domain.site import Site, SiteKind, growing_season
from gruenpuls.jobs.counters import COUNTED, counted
from gruenpuls.jobs.rare_rain import kept_table
from gruenpuls.jobs.steps import Steps, Summed, summed, values
from gruenpuls.jobs.weather import GRID, Surroundings, Used
from gruenpuls.stores.registry.resolution import FleetSeries
from processors.rain.rare_rain import rare_rain_of
from processors.soil.site_soil import soil_attributes
from processors.water.site_parameters import site_parameters

_TREES: Final = frozenset({SiteKind.STREET_TREE, SiteKind.TREE_GROUP})
_STATED: Final = (
    "albedo",
    "elevation",
    "globe_diameter",
    "globe_emissivity",
    "rain_per_pulse",
    "rain_per_tip",
    "roughness_length",
    "sky_view_factor",
)
"""Attributes that processors take as a city states them."""
_YEARS_KEPT: Final = 8
"""So many years of attributes are kept while a long history is computed, a few megabytes each."""


def _numbers(known: Sequence[float | None]) -> Array:
    return np.array([np.nan if value is None else value for value in known], np.float64)


class Described:
    """What is known of sites themselves, as numbers, worked out once for all processors.

    Parameters
    ----------
    sites : mapping of str to Site
        By key.
    """

    def __init__(self, sites: Mapping[str, Site]) -> None:
        self.sites = sites
        self._place = {key: place for place, key in enumerate(sites)}
        self._year: dict[int, dict[str, Array]] = {}

    def columns(self, keys: Sequence[str], year: int) -> dict[str, Array]:
        """Return the attributes that hold in a year of some of the sites, by name."""
        if year not in self._year:
            while len(self._year) >= _YEARS_KEPT:
                del self._year[next(iter(self._year))]
            self._year[year] = _columns(list(self.sites.values()), year)
        places = np.array([self._place[key] for key in keys], np.int64)
        return {name: column[places] for name, column in self._year[year].items()}


def _columns(sites: Sequence[Site], year: int) -> dict[str, Array]:
    return {
        "root_depth": _numbers([site.soil.root_depth for site in sites]),
        "tree": _numbers([float(site.kind in _TREES) for site in sites]),
        "growing_season": _numbers([growing_season(site.planted_on, year) for site in sites]),
        "latitude": _numbers([site.latitude for site in sites]),
        "longitude": _numbers([site.longitude for site in sites]),
        **{name: _numbers([stated(site, name) for site in sites]) for name in (*_STATED, "wind_height")},
        **soil_attributes(sites),
        **site_parameters(sites, year).columns,
    }


@dataclass(frozen=True, slots=True)
class Plots:
    """Sites with what is known of them and the places their probes sit at.

    Parameters
    ----------
    described : Described
        At least these sites, in one time zone.
    zone : tzinfo
    rows : FleetSeries
        Their series of the inputs; its sites are in the same order.
    depths : float64 (site, depth)
        [cm], rising; NaN where a site has fewer.
    placements : str (site, depth)
        What the probe at each depth sits in; empty where nobody knows.
    """

    described: Described
    zone: tzinfo
    rows: FleetSeries
    depths: Array
    placements: NDArray[np.str_]

    @property
    def sites(self) -> list[Site]:
        """They, in order."""
        return [self.described.sites[key] for key in self.rows.sites]

    @classmethod
    def of(cls, described: Described, zone: tzinfo, processor: Processor, rows: FleetSeries) -> Plots:
        """Return the sites of these rows with the places a processor's inputs are measured at."""
        by_depth = [needed.quantity for needed in processor.inputs if needed.by_depth]
        probes = rows.where(rows.quantity.among(by_depth) & ~np.isnan(rows.depth))
        places = np.unique(np.stack([probes.site.astype(np.float64), probes.depth]), axis=1)
        site, first, count = np.unique(places[0].astype(np.int64), return_index=True, return_counts=True)
        depths = np.full((len(rows.sites), int(count.max(initial=0))), np.nan)
        depths[np.repeat(site, count), np.arange(places.shape[1]) - np.repeat(first, count)] = places[1]
        placements = np.full(depths.shape, "", np.dtype("U20"))
        told = probes.where(probes.placement != "")
        layer = (depths[told.site] == told.depth[:, None]).argmax(axis=1) if len(told) else told.site
        placements[told.site, layer] = told.placement.tolist()
        return cls(described, zone, rows, depths, placements)

    def attributes(self, year: int) -> dict[str, Array]:
        """Return the site attributes that hold in a year, as numbers."""
        columns = self.described.columns(self.rows.sites, year)
        return columns | {"wind_height": self._wind_height(columns["wind_height"])}

    def said(self, name: str) -> Array:
        """Return an attribute that cities give themselves, as they gave it; NaN where they did not."""
        return _numbers([stated(site, name) for site in self.sites])

    def _wind_height(self, said: Array) -> Array:
        """Return how high the wind is measured [m]: as said of the site, else where its anemometer is mounted."""
        rows = self.rows.where((self.rows.quantity == "wind_speed") & ~np.isnan(self.rows.height))
        mounted = np.full(len(self.sites), np.nan)
        mounted[rows.site] = rows.height
        return np.where(np.isnan(said), mounted, said)


def stated(site: Site, name: str) -> float | None:
    """Return an attribute of a site as a number; None where it is not stated or is none."""
    value = site.attributes.get(name)
    try:
        return None if value is None else float(str(value).replace(",", "."))
    except ValueError:
        return None


def wanted_rows(rows: FleetSeries, processor: Processor) -> FleetSeries:
    """Return the rows a processor reads: of the statistic it asks for, with a depth exactly where it asks for one."""
    mask = np.zeros(len(rows), np.bool_)
    for needed in processor.inputs:
        mask |= _serves(rows, needed)
    return rows.where(mask & (rows.origin != processor.name))


def judged_places(rows: FleetSeries, processor: Processor, sites: Mapping[str, Site]) -> NDArray[np.int64]:
    """Return which of the sites a processor has something to say of, as indices."""
    mask = np.zeros(len(rows), np.bool_)
    for needed in processor.inputs:
        if not needed.measured:  # it only tells where there is nothing to be said
            mask |= _serves(rows, needed)
    places = np.unique(rows.site[mask & (rows.origin != processor.name)])
    if not processor.attribute:
        return places
    known = [stated(sites[rows.sites[place]], processor.attribute) is not None for place in places.tolist()]
    return places[np.array(known, np.bool_)]


def _serves(rows: FleetSeries, needed: Input) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = (
        (rows.quantity == needed.quantity) & (rows.statistic == needed.of) & (np.isnan(rows.depth) != needed.by_depth)
    )
    return found & (rows.origin == "measured") if needed.measured else found


@dataclass(frozen=True, slots=True)
class Given:
    """What a processor is given for a span, and where the weather in it is from.

    Parameters
    ----------
    fleet : Fleet
        Without what is carried and watered.
    steps : Steps
    used : dict of Used
        By `Input.key`.
    known : bool (site,)
        Whether anything was measured at the site or near it.
    """

    fleet: Fleet
    steps: Steps
    used: Mapping[tuple[str, str], Used]
    known: NDArray[np.bool_]


def given(
    reader: ObservationReader, plots: Plots, processor: Processor, begin: date, end: date, around: Surroundings
) -> Given:
    """Return what a processor needs to judge the days from `begin` to `end`, exclusive.

    Raises
    ------
    ValueError
        If an input asks for a statistic the store cannot give.
    """
    steps = Steps.of(processor.cadence, begin, end, plots.zone)
    counters = {needed.quantity for needed in processor.inputs if needed.statistic in COUNTED}
    own = summed(reader, plots.rows.where(~plots.rows.quantity.among(counters)), *steps.span)
    worth = plots.said(processor.attribute) if processor.attribute else np.ones(len(plots.sites))
    counts = {
        name: counted(reader, name, steps, plots.rows.where(plots.rows.quantity == name), worth) for name in counters
    }
    inputs: dict[tuple[str, str], Array] = {}
    used: dict[tuple[str, str], Used] = {}
    for needed in processor.inputs:
        rows = plots.rows.where(_serves(plots.rows, needed))
        if needed.statistic in COUNTED:
            inputs[needed.key] = counts[needed.quantity][needed.statistic]
        elif needed.weather:
            found = around.weather(needed, steps, plots.sites, rows, own)
            inputs[needed.key], used[needed.key] = found.values, found.used
        else:
            inputs[needed.key] = _here(needed, steps, rows, plots.depths, own)
    attributes = plots.attributes(steps.days[-1].year)
    if processor.rare_rain:
        table = kept_table(around.registry)
        attributes |= rare_rain_of(table, attributes["latitude"], attributes["longitude"])
    fleet = Fleet(
        steps.names,
        inputs,
        plots.depths,
        attributes,
        {key: it.distance for key, it in used.items()},
        placements=plots.placements,
    )
    known = np.zeros(len(plots.sites), np.bool_)
    for found_values in inputs.values():
        known |= np.isfinite(found_values).any(axis=tuple(axis for axis in range(found_values.ndim) if axis != 1))
    return Given(fleet, steps, used, known)


def _here(needed: Input, steps: Steps, rows: FleetSeries, depths: Array, own: Summed) -> Array:
    """Return what was measured at the sites themselves, else what the radar's grid says of them."""
    grid = rows.origin == GRID
    found = values(needed, steps, rows.where(~grid), depths, own)
    if not grid.any():
        return found
    return np.where(np.isnan(found), values(needed, steps, rows.where(grid), depths, own), found)
