"""Weather where nobody measured it: each step of each site from the nearest place that has it."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.distance import distance
from gruenpuls.domain.ports import DirtySpan, ObservationReader
from gruenpuls.domain.processor import Array, Cadence, Input, Processor
from gruenpuls.domain.reading import Ids
from gruenpuls.domain.site import Site
from gruenpuls.jobs.ownership import at_sites
from gruenpuls.jobs.steps import Steps, Summed, summed, values
from gruenpuls.stores.registry import Registry
from gruenpuls.stores.registry.resolution import FleetSeries
from gruenpuls.stores.registry.weather_use import WeatherSpan

RAIN: Final = "precipitation"
GRID: Final = "radolan"
"""Origin of what a radar grid says of a site itself."""
GAUGE_WITHIN: Final = 3.0
"""A rain gauge so near goes before the radar grid [km]."""
RAIN_WITHIN: Final = 25.0
"""A station's rain tells nothing of a place farther away [km]; summer showers are smaller still."""
WITHIN: Final = 100.0
"""The same for temperature, radiation and evapotranspiration, which vary little over such a distance [km]."""
_CANDIDATES: Final = 12

HERE, GRID_HERE, NOWHERE = -1, -2, -3
"""In place of a station's number: measured at the site, read from the grid there, not known at all."""
_SOURCES: Final = {HERE: "own", GRID_HERE: "grid", NOWHERE: ""}
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Used:
    """Where the values of a weather input are from.

    Parameters
    ----------
    station : int64 (time, site)
        Number among `stations`, or `HERE`, `GRID_HERE`, `NOWHERE`.
    distance : float64 (time, site)
        [km]; NaN where nothing is known.
    stations : tuple of str
        Keys of the sites that were considered.
    """

    station: Ids
    distance: Array
    stations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Weather:
    """A weather input, completed from the surroundings."""

    values: Array
    used: Used


@dataclass(frozen=True, slots=True)
class _Stations:
    """The places that measure a quantity, with their positions [°] and series."""

    keys: tuple[str, ...]
    latitude: Array
    longitude: Array
    rows: FleetSeries


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Everything measured in the city that may stand in for what a site did not measure.

    What is read once is kept for all sites that are computed together.

    Parameters
    ----------
    registry : Registry
    reader : ObservationReader
    """

    registry: Registry
    reader: ObservationReader
    _stations: dict[tuple[str, str], _Stations] = field(default_factory=dict)
    _values: dict[tuple[Input, bytes, int], Array] = field(default_factory=dict)

    def weather(self, needed: Input, steps: Steps, sites: Sequence[Site], rows: FleetSeries, own: Summed) -> Weather:
        """Return an input for each step and site: what the site measured, else what the nearest place did.

        For rain the order is the site's own gauge, gauges within `GAUGE_WITHIN`, the radar grid at the site,
        stations within `RAIN_WITHIN`.

        Parameters
        ----------
        needed : Input
        steps : Steps
        sites : sequence of Site
        rows : FleetSeries
            The sites' own series of it.
        own : Summed
            What those hold.
        """
        nothing = np.empty((len(sites), 0))
        grid = rows.origin == GRID
        found = values(needed, steps, rows.where(~grid), nothing, own)
        station = np.where(np.isnan(found), NOWHERE, HERE)
        way = np.where(np.isnan(found), np.nan, 0.0)
        stations = self._measuring(needed)
        around = self._values_at(needed, steps, stations)
        away = _distances(sites, stations)
        radar = values(needed, steps, rows.where(grid), nothing, own) if grid.any() else None
        limits = [GAUGE_WITHIN, RAIN_WITHIN] if needed.quantity == RAIN else [WITHIN]
        for limit in limits:
            _complete(found, station, way, around, np.where(away <= limit, away, np.inf))
            if radar is not None and limit == limits[0]:
                _take(found, station, way, radar, GRID_HERE)
        return Weather(found, Used(station, way, stations.keys))

    def forget(self, quantities: Collection[str]) -> None:
        """Read these quantities anew: they were just computed."""
        for key in [key for key in self._stations if key[0] in quantities]:
            del self._stations[key]
        for kept in [kept for kept in self._values if kept[0].quantity in quantities]:
            del self._values[kept]

    def _measuring(self, needed: Input) -> _Stations:
        """Return who measures a quantity; a place nobody knows the position of cannot be near."""
        key = (needed.quantity, needed.of)
        if key not in self._stations:
            rows = self.registry.resolution.fleet_series([needed.quantity])
            rows = rows.where((rows.statistic == needed.of) & (rows.origin != GRID) & np.isnan(rows.depth))
            places = np.unique(rows.site)
            sites = self.registry.places.by_keys([rows.sites[place] for place in places])
            known = np.array([sites[rows.sites[place]].latitude is not None for place in places], np.bool_)
            rows = at_sites(rows, places[known])
            self._stations[key] = _Stations(rows.sites, *_positions([sites[name] for name in rows.sites]), rows)
        return self._stations[key]

    def _values_at(self, needed: Input, steps: Steps, stations: _Stations) -> Array:
        key = (needed, steps.hours[[0, -1]].tobytes(), len(steps.days))
        if key not in self._values:
            held = summed(self.reader, stations.rows, *steps.span)
            self._values[key] = values(needed, steps, stations.rows, np.empty((len(stations.keys), 0)), held)
        return self._values[key]


def _positions(sites: Sequence[Site]) -> tuple[Array, Array]:
    def column(values: Sequence[float | None]) -> Array:
        return np.array([np.nan if value is None else value for value in values], np.float64)

    return column([site.latitude for site in sites]), column([site.longitude for site in sites])


def _distances(sites: Sequence[Site], stations: _Stations) -> Array:
    """Return how far each site is from each station [km]; infinite where nobody knows, or it is the station."""
    latitude, longitude = _positions(sites)
    away = distance(latitude[:, None], longitude[:, None], stations.latitude[None], stations.longitude[None])
    same = np.array([site.key for site in sites])[:, None] == np.array(stations.keys, np.str_)[None]
    return np.where(np.isnan(away) | same, np.inf, away)


def _complete(found: Array, station: Ids, way: Array, around: Array, away: Array) -> None:
    """Fill what is missing from the stations, the nearest first; those infinitely far away are left out."""
    ranks = min(_CANDIDATES, away.shape[1])
    order = np.argsort(away, axis=1, kind="stable")[:, :ranks]
    place = np.arange(len(away))
    for rank in range(ranks):
        candidate = order[:, rank]
        near = away[place, candidate]
        # Sites far from all that is left, and those that lack nothing, are most of a city.
        asking = np.flatnonzero(np.isfinite(near) & np.isnan(found).any(axis=0))
        if not len(asking):
            continue
        offered = around[:, candidate[asking]]
        hit: NDArray[np.bool_] = np.isnan(found[:, asking]) & ~np.isnan(offered)
        found[:, asking] = np.where(hit, offered, found[:, asking])
        station[:, asking] = np.where(hit, candidate[asking][None], station[:, asking])
        way[:, asking] = np.where(hit, near[asking][None], way[:, asking])


def _take(found: Array, station: Ids, way: Array, offered: Array, name: int) -> None:
    hit = np.isnan(found) & ~np.isnan(offered)
    found[hit], station[hit], way[hit] = offered[hit], name, 0.0


def weather_spans(
    sites: Sequence[str], steps: Steps, used: Mapping[tuple[str, str], Used], first: date
) -> list[WeatherSpan]:
    """Return which weather sites were given from a day on, in spans of days without a change.

    Of the hours of a day the one counts whose weather came from farthest away.
    """
    found: list[WeatherSpan] = []
    skipped = max((first - steps.days[0]).days, 0)
    if skipped >= len(steps.days):
        return found
    for (quantity, statistic), it in used.items():
        station, way = it.station, it.distance
        if steps.cadence is Cadence.HOUR:
            farthest = np.stack(
                [begin + np.where(np.isnan(part), np.inf, part).argmax(axis=0)
                 for begin, part in zip(steps.first_hours, np.split(way, steps.first_hours[1:]), strict=True)]
            )  # fmt: skip
            station = np.take_along_axis(station, farthest, axis=0)
            way = np.take_along_axis(way, farthest, axis=0)
        station, way = station[skipped:].T, way[skipped:].T
        new = np.ones(station.shape, np.bool_)
        new[:, 1:] = station[:, 1:] != station[:, :-1]
        place, begin = np.nonzero(new)
        end = np.append(begin[1:], 0)
        end[end == 0] = station.shape[1]
        for site, low, high in zip(place.tolist(), begin.tolist(), end.tolist(), strict=True):
            number = int(station[site, low])
            source = _SOURCES.get(number, "station")
            found.append(
                WeatherSpan(
                    sites[site],
                    quantity,
                    statistic,
                    steps.days[skipped + low],
                    steps.days[skipped + high - 1] + _DAY,
                    source,
                    it.stations[number] if number >= 0 else sites[site] if source else None,
                    round(float(way[site, low]), 3) if source else None,
                )
            )
    return found


def touched(registry: Registry, spans: Sequence[DirtySpan], processors: Sequence[Processor]) -> dict[str, date]:
    """Return which sites were, or would now be, given the weather of these, each from its first such day on.

    Parameters
    ----------
    registry : Registry
    spans : sequence of DirtySpan
        Whose measurements changed from a day on.
    processors : sequence of Processor
    """
    made_of = _made_of(processors)
    rows = _offered(registry, [span.site for span in spans], processors)
    changed = {rows.sites[place] for place in np.unique(rows.site)}
    since = {span.site: span.from_day for span in spans if span.site in changed}
    if not since:
        return {}
    place_of: dict[str, int] = {}
    number_of: dict[str, int] = {RAIN: 0}  # of stations and quantities
    columns, ways = array("q"), array("d")
    for span in registry.weather_use.since(min(since.values())):
        columns.append(place_of.setdefault(span.site, len(place_of)))
        columns.append(number_of.setdefault(span.station or "", len(number_of)))
        columns.append(number_of.setdefault(span.quantity, len(number_of)))
        columns.extend((span.from_day.toordinal(), span.to_day.toordinal()))
        ways.append(np.inf if span.distance is None else span.distance)
    place, station, quantity, from_day, to_day = np.array(columns, np.int64).reshape(-1, 5).T
    way = np.array(ways, np.float64)
    sites = registry.places.by_keys([*place_of, *since])
    latitude, longitude = _positions([sites[key] for key in place_of])
    limit = np.where(quantity == number_of[RAIN], RAIN_WITHIN, WITHIN)
    first = np.full(len(place_of), date.max.toordinal())
    for key, day in since.items():
        measured = rows.quantity[rows.site == rows.sites.index(key)].distinct()
        measured += [made for name in measured for made in made_of.get(name, ())]
        here = _positions([sites[key]])
        away = distance(latitude, longitude, here[0], here[1])[place]
        hit = (station == number_of.get(key, -1)) | ((away < way) & (away <= limit))
        hit &= np.isin(quantity, [number_of[name] for name in measured if name in number_of])
        hit &= to_day > day.toordinal()
        np.minimum.at(first, place[hit], np.maximum(from_day[hit], day.toordinal()))
    found = {key: date.fromordinal(int(first[at])) for key, at in place_of.items()}
    return {key: found[key] for key in sorted(found) if found[key] < date.max}


def stations(registry: Registry, sites: Collection[str], processors: Sequence[Processor]) -> set[str]:
    """Return which of these sites measure what others may be given as their weather, or what that is made of."""
    rows = _offered(registry, sites, processors)
    return {rows.sites[place] for place in np.unique(rows.site)}


def _offered(registry: Registry, sites: Collection[str], processors: Sequence[Processor]) -> FleetSeries:
    """Return what these sites know themselves of what others ask for as weather."""
    rows = registry.resolution.fleet_series({*_asked(processors), *_made_of(processors)}, sites)
    return rows.where(rows.origin != GRID)


def _asked(processors: Sequence[Processor]) -> set[str]:
    return {needed.quantity for made in processors for needed in made.inputs if needed.weather}


def _made_of(processors: Sequence[Processor]) -> dict[str, list[str]]:
    """Return what processors make of measurements that others ask for as weather, by the measured quantity."""
    wanted = _asked(processors)
    found: dict[str, list[str]] = {}
    for made in processors:
        if made.attribute:  # few sites say what a pulse is worth; they are known once they have a result
            continue
        outputs = {output.quantity for output in made.outputs if not output.statistic} & wanted
        for needed in made.inputs if outputs else ():
            if not needed.measured:
                found.setdefault(needed.quantity, []).extend(sorted(outputs))
    return found
