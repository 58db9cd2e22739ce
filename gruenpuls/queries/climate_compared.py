"""Places compared: city and country, green and sealed, before and after, along a cold-air path."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.distance import distance
from gruenpuls.domain.errors import InputError
from gruenpuls.domain.local_time import day_start
from gruenpuls.domain.ports import ObservationReader
from gruenpuls.domain.processor import Array
from gruenpuls.domain.reading import Times, to_stored
from gruenpuls.domain.site import Site
from gruenpuls.queries.calendar_day import local_days
from gruenpuls.queries.climate_season import FELT, SHADE, known_site
from gruenpuls.queries.daily_rain import RAIN
from gruenpuls.queries.site_steps import hourly, hours_between, local_hours
from gruenpuls.stores.registry import Registry
from processors.climate.cooling_effect import Effect, before_and_after, cooling_effect
from processors.climate.heat_island import heat_island
from processors.climate.night_cooling import along_path, night_cooling

SEED: Final = 1
"""The days are drawn alike each time, so that the same question has the same answer."""
_AIR: Final = "air_temperature"
_DAY: Final = timedelta(days=1)
_BEFORE: Final = timedelta(hours=16)
"""Rain so long before a night's beginning counts."""


@dataclass(frozen=True, slots=True)
class Span:
    """Days, and hours of them, that places are compared in.

    Parameters
    ----------
    first, end : date
        The end is exclusive.
    hours : (int, int) or None
        First hour and the one after the last, local; may go over midnight. None: the whole day.
    """

    first: date
    end: date
    hours: tuple[int, int] | None = None

    def steps(self, zone: ZoneInfo) -> Times:
        """Return the hours from the first day to the last [UTC]."""
        return hours_between(day_start(self.first, zone), day_start(self.end, zone))

    def within(self, steps: Times, zone: ZoneInfo) -> NDArray[np.bool_]:
        """Return which of these hours count."""
        if self.hours is None:
            return np.ones(len(steps), np.bool_)
        first, end = self.hours
        hour = local_hours(steps, zone)
        return (hour >= first) & (hour < end) if first < end else (hour >= first) | (hour < end)


@dataclass(frozen=True, slots=True)
class IslandNight:
    """A clear, calm, dry night.

    Parameters
    ----------
    night : date
        Of its evening.
    mean, largest : float
        How much warmer the site was than the country [K].
    """

    night: date
    mean: float
    largest: float


@dataclass(frozen=True, slots=True)
class Island:
    """How much warmer a site stays than the country.

    Parameters
    ----------
    site, reference : str
        Keys.
    nights : int
        Looked at.
    fit : int
        Of these, the clear, calm and dry ones.
    clouds_known : bool
        Else calm and dry had to do.
    mean : float or None
        Over the nights told [K].
    largest : float or None
        Of all hours [K].
    told : tuple of IslandNight
        The fit ones in which both places were measured.
    """

    site: str
    reference: str
    nights: int
    fit: int
    clouds_known: bool
    mean: float | None
    largest: float | None
    told: tuple[IslandNight, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A difference of two places, or how it changed, with its 95 % interval.

    Parameters
    ----------
    difference : float or None
        First place minus second, or how that changed [K].
    low, high : float or None
        [K]; None with fewer than ten days.
    days, pairs : int
        Compared; before and after: those of the shorter time.
    months : tuple of int
        Calendar months that count.
    """

    difference: float | None
    low: float | None
    high: float | None
    days: int
    pairs: int
    months: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PathPlace:
    """A place along a cold-air path.

    Parameters
    ----------
    key, name : str
    distance : float
        Along the path from where the cold air forms [km].
    rate : float or None
        Mean over the nights known [K/h], positive where it cools.
    nights : int
    """

    key: str
    name: str
    distance: float
    rate: float | None
    nights: int


@dataclass(frozen=True, slots=True)
class Path:
    """How cooling changes along a cold-air path.

    Parameters
    ----------
    places : tuple of PathPlace
    change : float or None
        Mean over nights with three places and more [K/h/km]; negative where it gets less on the way.
    nights : int
        Of these.
    """

    places: tuple[PathPlace, ...]
    change: float | None
    nights: int


def island(registry: Registry, readings: ObservationReader, key: str, reference: str, span: Span) -> Island:
    """Return how much warmer a site stays than a place in the country on clear, calm nights.

    Raises
    ------
    InputError
        If one of the two does not exist, or is never measured in this time, wind and rain of the country among it.
    """
    site, country = known_site(registry, key), known_site(registry, reference, "--reference")
    zone = ZoneInfo(site.time_zone)
    # Nights begin in the evening of their date: the last one ends, and rain before the first fell, outside.
    from_at, to_at = day_start(span.first, zone) - _BEFORE, day_start(span.end + _DAY, zone)
    steps = hours_between(from_at, to_at)

    def measured(place: Site, quantity: str, where: str) -> Array:
        found = hourly(registry, readings, [place.key], quantity, from_at, to_at)
        if where and np.isnan(found).all():
            what = f"{place.key} has no hourly {quantity} from {span.first} to {span.end - _DAY}"
            raise InputError(what, where=where, remedy="name another place or time")
        return found

    urban = measured(site, _AIR, "SITE")
    rural, wind, rain = (measured(country, name, "--reference")[:, 0] for name in (_AIR, "wind_speed", RAIN))
    clouds = measured(country, "cloud_cover", "")[:, 0]
    watched = bool(np.isfinite(clouds).any())
    found = heat_island(steps, urban, rural, wind, rain, clouds if watched else None)
    inside = (found.nights >= np.datetime64(span.first)) & (found.nights < np.datetime64(span.end))
    told = tuple(
        IslandNight(found.nights[row].astype(date), float(found.mean[row, 0]), float(found.largest[row, 0]))
        for row in np.flatnonzero(inside & np.isfinite(found.mean[:, 0])).tolist()
    )
    return Island(
        site=key,
        reference=reference,
        nights=int(inside.sum()),
        fit=int((inside & found.fit).sum()),
        clouds_known=watched,
        mean=sum(it.mean for it in told) / len(told) if told else None,
        largest=max((it.largest for it in told), default=None),
        told=told,
    )


def cooling(
    registry: Registry, readings: ObservationReader, green: str, sealed: str, span: Span, *, felt: bool = False
) -> Comparison:
    """Return how much cooler a green place is than its sealed neighbour, by air temperature or as it feels.

    Raises
    ------
    InputError
        If a site does not exist, or both are never measured at once.
    """
    pair = known_site(registry, green, "GREEN"), known_site(registry, sealed, "SEALED")
    steps, values, zone = _pair(registry, readings, pair, span, felt=felt)
    found = cooling_effect(steps, values[:, 0], values[:, 1], np.random.default_rng(SEED))
    months = _months(steps[np.isfinite(values).all(axis=1)], zone)
    return _comparison(found, months)


def change(
    registry: Registry,
    readings: ObservationReader,
    places: tuple[str, str],
    changed_on: date,
    span: Span,
    *,
    felt: bool = False,
) -> Comparison:
    """Return what became of a place against one where nothing happened, by the months known before and after.

    Parameters
    ----------
    registry : Registry
    readings : ObservationReader
    places : (str, str)
        The changed one and the control.
    changed_on : date
        The first day on which it was another place.
    span : Span
    felt : bool
        By UTCI in the shade, not by air temperature.

    Raises
    ------
    InputError
        If a site does not exist, or the two have no month in common before and after.
    """
    pair = known_site(registry, places[0]), known_site(registry, places[1], "--control")
    steps, values, zone = _pair(registry, readings, pair, span, felt=felt)
    at = to_stored(day_start(changed_on, zone))
    known = np.isfinite(values).all(axis=1)
    both = set(_months(steps[known & (steps < at)], zone)) & set(_months(steps[known & (steps >= at)], zone))
    if not both:
        what = f"{places[0]} and {places[1]} have no calendar month in common before and after {changed_on}"
        raise InputError(what, where="--at", remedy="compare the same months: widen --from and --to")
    same = np.isin(_month(steps, zone), sorted(both))
    found = before_and_after(steps[same], values[same, 0], values[same, 1], at, np.random.default_rng(SEED))
    return _comparison(found, tuple(sorted(both)))


def path(registry: Registry, readings: ObservationReader, keys: Sequence[str], span: Span) -> Path:
    """Return how fast places cool at night along a cold-air path, the first where the cold air forms.

    Raises
    ------
    InputError
        If there are fewer than two sites, one does not exist, or nobody knows where it is.
    """
    sites = [known_site(registry, key) for key in keys]
    lost = [site.key for site in sites if site.latitude is None or site.longitude is None]
    if lost or len(set(keys)) < max(len(keys), 2):
        what = f"nobody knows where {lost[0]} is" if lost else "a path has two different places and more"
        raise InputError(what, where="SITE", remedy="name the sites from where the cold air forms into the city")
    zone = ZoneInfo(sites[0].time_zone)
    latitude, longitude = (np.array([getattr(site, name) for site in sites]) for name in ("latitude", "longitude"))
    legs = distance(latitude[:-1], longitude[:-1], latitude[1:], longitude[1:])
    along = np.concatenate([[0.0], np.cumsum(legs)])
    from_at, to_at = day_start(span.first, zone), day_start(span.end + _DAY, zone)
    values = hourly(registry, readings, keys, _AIR, from_at, to_at)
    found = night_cooling(hours_between(from_at, to_at), values, latitude, longitude)
    inside = (found.nights >= np.datetime64(span.first)) & (found.nights < np.datetime64(span.end))
    rate = found.rate[inside]
    changes = along_path(rate, along)
    changes = changes[np.isfinite(changes)]
    nights = np.isfinite(rate).sum(axis=0).tolist()
    means = (np.nansum(rate, axis=0) / np.maximum(nights, 1)).tolist()
    return Path(
        places=tuple(
            PathPlace(site.key, site.name, float(along[place]), means[place] if nights[place] else None, nights[place])
            for place, site in enumerate(sites)
        ),
        change=float(changes.mean()) if len(changes) else None,
        nights=len(changes),
    )


def _pair(
    registry: Registry, readings: ObservationReader, pair: tuple[Site, Site], span: Span, *, felt: bool
) -> tuple[Times, Array, ZoneInfo]:
    """Return the hours that count and the values of both places in them (hour, 2)."""
    zone = ZoneInfo(pair[0].time_zone)
    steps = span.steps(zone)
    name, statistic = (FELT, SHADE) if felt else (_AIR, "")
    bounds = day_start(span.first, zone), day_start(span.end, zone)
    values = hourly(registry, readings, [site.key for site in pair], name, *bounds, statistic)
    counts = span.within(steps, zone)
    if pair[0].key == pair[1].key or not np.isfinite(values[counts]).all(axis=1).any():
        what = f"{pair[0].key} and {pair[1].key} are never both measured from {span.first} to {span.end - _DAY}"
        raise InputError(what, where=name, remedy="name two places and a time in which both have it")
    return steps[counts], values[counts], zone


def _month(steps: Times, zone: ZoneInfo) -> NDArray[np.int64]:
    return local_days(steps, zone).astype("datetime64[M]").astype(np.int64) % 12 + 1


def _months(steps: Times, zone: ZoneInfo) -> tuple[int, ...]:
    return tuple(np.unique(_month(steps, zone)).tolist())


def _comparison(found: Effect, months: tuple[int, ...]) -> Comparison:
    difference, low, high = (None if np.isnan(value) else value for value in (found.difference, found.low, found.high))
    return Comparison(difference, low, high, found.days, found.pairs, months)
