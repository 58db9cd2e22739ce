"""A site's season: what its probes and its balance said day by day, what fell, what was given, what is to come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from gruenpuls.domain.errors import InputError
from gruenpuls.domain.local_time import day_start
from gruenpuls.domain.ports import ObservationReader
from gruenpuls.domain.processor import Array
from gruenpuls.domain.quantity import QUANTITIES
from gruenpuls.domain.reading import Flag, Times, to_stored
from gruenpuls.domain.series import AS_IT_CAME
from gruenpuls.domain.site import Site, growing_season
from gruenpuls.plots.season import DepthLine, Fan, Limits, Season
from gruenpuls.queries.calendar_day import by_day
from gruenpuls.queries.daily_rain import RAIN, daily_rain
from gruenpuls.queries.explanation import limits
from gruenpuls.queries.outlook import site_outlook
from gruenpuls.stores.registry import Registry
from gruenpuls.stores.registry.resolution import SiteSeries
from processors.soil.limits import LIMITS, LimitTable
from processors.water.irrigation_need import water_limits
from processors.water.site_parameters import site_parameters
from processors.water.water_balance import WATER_BALANCE

_DAY: Final = timedelta(days=1)
_INSTANT: Final = timedelta(milliseconds=1)
_OLDEST: Final = 3 * _DAY
_TENSION: Final = ("soil_tension", "from_resistance")
_WATER: Final = ("plant_available_water", "from_tension")


@dataclass(frozen=True, slots=True)
class _Days:
    """The days of a season at a site, and how to read them."""

    registry: Registry
    readings: ObservationReader
    site: Site
    first: date
    end: date
    table: LimitTable

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.site.time_zone)

    @property
    def names(self) -> Times:
        return np.arange(np.datetime64(self.first), np.datetime64(self.end))

    def bounds(self, first: date, end: date) -> tuple[datetime, datetime]:
        """Return when these days begin and end, aware UTC."""
        return day_start(first, self.zone), day_start(end, self.zone)

    def series(self, site: str) -> Sequence[SiteSeries]:
        return self.registry.resolution.site_series(site, *self.bounds(self.first, self.end))

    def values(self, chosen: Sequence[SiteSeries]) -> Array:
        """Return each day's value of series that stand for one thing; NaN where there is none."""
        found = np.full((max(len(chosen), 1), (self.end - self.first).days), np.nan)
        for place, one in enumerate(chosen):
            summed = QUANTITIES[one.quantity].aggregation
            rain = one.quantity == RAIN and not one.statistic
            # A sum is told at the end of its hour, but by processors at the beginning.
            late = _INSTANT if rain and one.origin in AS_IT_CAME else timedelta(0)
            rows = self.readings.read([one.series], one.from_at + late, one.to_at + late)
            rows = rows.where((rows.flag != Flag.FAIL) & (rows.flag != Flag.MISSING))
            if len(rows) and rain:
                ended = rows.measured_at if late else rows.measured_at + np.timedelta64(_INSTANT)
                day, value = by_day(ended, rows.value, self.zone, summed)
            elif len(rows):
                # A day's own value is told at its midnight.
                day, value = by_day(rows.measured_at, rows.value, self.zone, QUANTITIES["air_temperature"].aggregation)
            else:
                continue
            number = (day - np.datetime64(self.first)).astype(np.int64)
            inside = (number >= 0) & (number < found.shape[1])
            found[place, number[inside]] = value[inside]
        known = np.isfinite(found).sum(axis=0)
        mean: Array = np.where(known > 0, np.nansum(found, axis=0) / np.maximum(known, 1), np.nan)
        return mean


def site_season(
    registry: Registry,
    readings: ObservationReader,
    key: str,
    now: datetime,
    year: int | None = None,
    table: LimitTable = LIMITS,
) -> Season:
    """Return what a picture of a site's season needs.

    Parameters
    ----------
    registry : Registry
    readings : ObservationReader
    key : str
    now : datetime
    year : int, optional
        By default the present one.
    table : LimitTable
        The city's.

    Raises
    ------
    InputError
        If there is no such site, or the season has not begun.
    """
    site = registry.places.by_key(key)
    if site is None:
        what = f"there is no site {key!r}"
        raise InputError(what, where="SITE", remedy="`gruenpuls site list` shows which there are")
    today = now.astimezone(ZoneInfo(site.time_zone)).date()
    year = year or today.year
    first = date(year, 1, 1)
    if first > today:
        what = f"the season {year} has not begun"
        raise InputError(what, where="--season", remedy=f"name a year up to {today.year}")
    days = _Days(registry, readings, site, first, min(date(year + 1, 1, 1), today + _DAY), table)
    series = days.series(key)
    tension, water = _by_depth(days, series, _TENSION), _by_depth(days, series, _WATER)
    band = [_band(days, series, statistic) for statistic in ("p10", "p50", "p90")]
    season = growing_season(site.planted_on, year)
    soon, limit = water_limits(np.array([season]), site_parameters([site], year).columns["planting"], table)
    given = [it.watering for it in registry.waterings.of_sites([key], *days.bounds(days.first, days.end))]
    return Season(
        key=site.key,
        name=site.name,
        days=days.names,
        tension=tension,
        tension_limits=_tension_limits(tension, season, table),
        water=water,
        water_limits=None if np.isnan(soon[0]) else Limits(float(soon[0]), float(limit[0])),
        band=Fan(days.names, *band) if np.isfinite(band[1]).any() else None,
        ahead=_ahead(days, band[1], now),
        rain=_rain(days),
        watered_on=np.array([to_stored(it.at) for it in given], "datetime64[ms]").astype("datetime64[D]"),
        litres=np.array([it.litres for it in given], np.float64),
        today=np.datetime64(today),
    )


def _by_depth(days: _Days, series: Sequence[SiteSeries], wanted: tuple[str, str]) -> tuple[DepthLine, ...]:
    """Return each depth's values, as measured where they are, else as converted."""
    quantity, converted = wanted
    found = []
    for depth in sorted({one.depth for one in series if one.quantity == quantity and one.depth is not None}):
        here = [one for one in series if one.quantity == quantity and one.depth == depth]
        measured, made = (
            days.values([one for one in here if one.statistic == statistic]) for statistic in ("", converted)
        )
        values = np.where(np.isnan(measured), made, measured)
        if np.isfinite(values).any():
            found.append(DepthLine(depth, values))
    return tuple(found)


def _band(days: _Days, series: Sequence[SiteSeries], statistic: str) -> Array:
    name = (_WATER[0], statistic, WATER_BALANCE.name)
    return days.values([one for one in series if (one.quantity, one.statistic, one.origin) == name])


def _tension_limits(tension: Sequence[DepthLine], season: float, table: LimitTable) -> Limits | None:
    """Return the limits of the depths that are drawn, where they are the same for all."""
    found = {limits("soil_tension", line.depth, season, table=table) for line in tension} - {None}
    pair = found.pop() if len(found) == 1 else None
    return None if pair is None else Limits(*pair)


def _ahead(days: _Days, middle: Array, now: datetime) -> Fan | None:
    known = np.flatnonzero(np.isfinite(middle))
    if not len(known):
        return None
    last = days.first + int(known[-1]) * _DAY
    if now.astimezone(days.zone).date() - last > _OLDEST:
        return None
    found = site_outlook(days.registry, days.readings, days.site.key, now, days.table)
    if found is None:
        return None
    water = found.outlook.available_water
    return Fan(found.outlook.days, water.low[:, 0], water.middle[:, 0], water.high[:, 0])


def _rain(days: _Days) -> Array:
    """Return each day's rain, from where the balance took it; where there is none, the site's own."""
    used = days.registry.weather_use.of_site(days.site.key, days.first, days.end)
    if any(span.quantity == RAIN for span in used):
        found = daily_rain(days.registry, days.readings, [days.site.key], days.first, days.end, days.zone)
        return found[:, 0]
    return days.values([one for one in days.series(days.site.key) if one.quantity == RAIN and not one.statistic])
