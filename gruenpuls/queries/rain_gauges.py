"""Rain gauges in doubt: dry while it rained all around, or too cold to tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from gruenpuls.domain.distance import distance
from gruenpuls.domain.local_time import day_start
from gruenpuls.domain.ports import ObservationReader
from gruenpuls.domain.processor import Array
from gruenpuls.domain.site import Site
from gruenpuls.queries.daily_rain import GRID, RAIN, rain_of_place
from gruenpuls.stores.registry import Registry
from processors.rain.gauge_correction import Exposure, gauge_correction
from processors.rain.gauge_fault import blocked_gauge, frozen_gauge

NEAR: Final = 10.0
"""Gauges so near are witnesses [km]."""
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class RainGauge:
    """A place that measures rain, over some days.

    Parameters
    ----------
    key, name : str
    days : int
        Days with enough hours.
    rain : float
        On these [mm].
    witnesses : int
        Other gauges within `NEAR`, and the radar's grid where there is one.
    blocked : tuple of date
        Days on which it was dry although it rained around for days.
    frozen : tuple of date
        Days on which it was dry and too cold for a gauge without heating.
    caught_less : float or None
        What wind, wetting and snow kept out of it, by Richter (1995) [mm]; None where nobody asked.
    uncorrected : int
        Wet days of which the temperature, and so the kind of precipitation, is not known; they count as caught.
    """

    key: str
    name: str
    days: int
    rain: float
    witnesses: int
    blocked: tuple[date, ...]
    frozen: tuple[date, ...]
    caught_less: float | None = None
    uncorrected: int = 0


def rain_gauges(
    registry: Registry, readings: ObservationReader, first: date, end: date, exposure: Exposure | None = None
) -> Sequence[RainGauge]:
    """Return the places that measure rain, those in doubt first.

    Parameters
    ----------
    registry : Registry
    readings : ObservationReader
    first, end : date
        The end is exclusive.
    exposure : Exposure or None
        How the gauges stand, where what they did not catch is asked for.
    """
    rows = registry.resolution.fleet_series([RAIN])
    told = (rows.statistic == "") & np.isnan(rows.depth)
    keys = [rows.sites[place] for place in np.unique(rows.site[told & (rows.origin != GRID)])]
    radar = {rows.sites[place] for place in np.unique(rows.site[told & (rows.origin == GRID)])}
    sites = [registry.places.by_keys(keys)[key] for key in keys]
    zones = [ZoneInfo(site.time_zone) for site in sites]

    def rain(key: str, zone: ZoneInfo, *, grid: bool) -> Array:
        return rain_of_place(readings, rows, (key, "", grid), first, end, zone)

    own = [rain(key, zone, grid=False) for key, zone in zip(keys, zones, strict=True)]
    found = []
    for place, (site, away) in enumerate(zip(sites, _distances(sites), strict=True)):
        around = [own[other] for other in np.flatnonzero(away <= NEAR).tolist() if other != place]
        if site.key in radar:
            around.append(rain(site.key, zones[place], grid=True))
        beside = np.stack(around, axis=1) if around else np.empty((len(own[place]), 0))
        cold = _temperature(registry, readings, site, first, end)
        less, unknown = (None, 0) if exposure is None else _caught_less(own[place], cold, first, exposure)
        found.append(
            RainGauge(
                site.key,
                site.name,
                int(np.isfinite(own[place]).sum()),
                float(np.nansum(own[place])),
                len(around),
                _days(blocked_gauge(own[place], beside), first),
                _days(frozen_gauge(own[place], cold), first),
                less,
                unknown,
            )
        )
    return sorted(found, key=lambda it: (-len(it.blocked), -len(it.frozen), it.key))


def _caught_less(rain: Array, temperature: Array, first: date, exposure: Exposure) -> tuple[float, int]:
    """Return what a gauge did not catch [mm], and of how many wet days nobody can say."""
    days = np.datetime64(first) + np.arange(len(rain))
    whole = gauge_correction(days.astype("datetime64[ms]"), rain[:, None], temperature[:, None], exposure)[:, 0]
    return float(np.nansum(whole - rain)), int(((rain > 0) & np.isnan(whole)).sum())


def _distances(sites: Sequence[Site]) -> Array:
    """Return how far the places are from each other [km]; NaN where nobody knows."""
    latitude, longitude = (
        np.array([np.nan if value is None else value for value in values], np.float64)
        for values in ([site.latitude for site in sites], [site.longitude for site in sites])
    )
    return distance(latitude[:, None], longitude[:, None], latitude[None], longitude[None])


def _temperature(registry: Registry, readings: ObservationReader, site: Site, first: date, end: date) -> Array:
    """Return the mean air temperature of each day at a site [°C]; NaN where it does not measure it."""
    zone = ZoneInfo(site.time_zone)
    from_at, to_at = day_start(first, zone), day_start(end, zone)
    series = [
        it
        for it in registry.resolution.site_series(site.key, from_at, to_at)
        if it.quantity == "air_temperature" and not it.statistic
    ]
    found = np.full((end - first).days, np.nan)
    for one in series[:1]:
        for day in range(len(found)):
            begin, stop = day_start(first + day * _DAY, zone), day_start(first + (day + 1) * _DAY, zone)
            begin, stop = max(begin, one.from_at), min(stop, one.to_at)
            if begin < stop:
                parts = readings.aggregate([one.series], begin, stop, stop - begin)
                found[day] = parts.mean[0] if len(parts) else np.nan
    return found


def _days(doubted: np.ndarray, first: date) -> tuple[date, ...]:
    return tuple(first + int(day) * _DAY for day in np.flatnonzero(doubted))
