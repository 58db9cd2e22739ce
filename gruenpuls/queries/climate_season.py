"""What the days and nights of a site amount to by season: climate days, heat waves, degree hours."""

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
from gruenpuls.domain.site import Site
from gruenpuls.queries.calendar_day import Days, local_days
from gruenpuls.queries.site_steps import daily, hourly, hours_between
from gruenpuls.stores.registry import Registry
from processors.climate.climate_days import ClimateDays, climate_days
from processors.climate.heat_wave import HOT_DAY, heat_threshold, heat_wave_days, hot_for_the_season
from processors.climate.season import degree_hours, season_sums
from processors.water.sun import day_of_year

FELT: Final = "universal_thermal_climate_index"
SHADE: Final = "shade"
_AIR: Final = "air_temperature"
_THRESHOLDS: Final = (26.0, 32.0, 38.0)
_REFERENCE: Final = date(1961, 1, 1), date(1991, 1, 1)
_DAY: Final = timedelta(days=1)
_AROUND: Final = 2 * _DAY
"""A heat wave of the season's edge may have begun, or become one, outside."""
_DECEMBER: Final = 12


@dataclass(frozen=True, slots=True)
class SeasonClimate:
    """What a season, or a whole year, amounts to at a site; None where nothing is known.

    Parameters
    ----------
    season : str
        ``"winter"``, ``"spring"``, ``"summer"``, ``"autumn"`` or ``"year"``.
    first, last : date
        Both inclusive; the last of a running season is yesterday.
    days, known_days, known_nights : int
        Of these days, those whose highest and whose nightly lowest temperature is known.
    summer_days, hot_days, frost_days, ice_days, tropical_nights : float or None
        [d]
    heat_wave_days : float or None
        In runs of three and more days from 30 °C [d].
    heat_wave_days_dwd : float or None
        By DWD's definition, which needs the record of 1961 to 1990 [d].
    degree_hours_26, degree_hours_32, degree_hours_38 : float or None
        By which UTCI in the shade was above [K h].
    known_hours : float
        Share of the hours whose UTCI is known [0 to 1].
    """

    season: str
    first: date
    last: date
    days: int
    known_days: int
    known_nights: int
    summer_days: float | None
    hot_days: float | None
    frost_days: float | None
    ice_days: float | None
    tropical_nights: float | None
    heat_wave_days: float | None
    heat_wave_days_dwd: float | None
    degree_hours_26: float | None
    degree_hours_32: float | None
    degree_hours_38: float | None
    known_hours: float


_NAMES: Final = {12: "winter", 3: "spring", 6: "summer", 9: "autumn"}
_COUNTED: Final = ("summer_days", "hot_days", "frost_days", "ice_days", "tropical_nights")
_WAVES: Final = ("heat_wave_days", "heat_wave_days_dwd")


def known_site(registry: Registry, key: str, where: str = "SITE") -> Site:
    """Return a site.

    Raises
    ------
    InputError
        If there is none.
    """
    site = registry.places.by_key(key)
    if site is None:
        what = f"there is no site {key!r}"
        raise InputError(what, where=where, remedy="`gruenpuls site list` shows which there are")
    return site


def season_climate(
    registry: Registry,
    readings: ObservationReader,
    key: str,
    now: datetime,
    year: int | None = None,
    record: str | None = None,
) -> Sequence[SeasonClimate]:
    """Return what the seasons of a year amount to at a site, and the whole year last.

    Parameters
    ----------
    registry : Registry
    readings : ObservationReader
    key : str
    now : datetime
        Aware UTC.
    year : int, optional
        From December of the year before to November; by default the present one.
    record : str, optional
        Station whose record of 1961 to 1990 says what is hot for the time of year; by default the site itself.

    Raises
    ------
    InputError
        If there is no such site, the year has not begun, or nobody knows the site's air temperature in it.
    """
    site = known_site(registry, key)
    zone = ZoneInfo(site.time_zone)
    today = now.astimezone(zone).date()
    year = (today + timedelta(days=31)).year if year is None and today.month == _DECEMBER else year or today.year
    if not date.min.year < year <= date.max.year or date(year - 1, _DECEMBER, 1) >= today:
        what = f"the year {year}, which begins on 1 December before, has no whole day yet"
        raise InputError(what, where="--year", remedy=f"name a year up to {today.year}")
    first, end = date(year - 1, _DECEMBER, 1), min(date(year, _DECEMBER, 1), today)
    days = np.arange(np.datetime64(first), np.datetime64(end))
    statistics = [(_AIR, name) for name in ("max_day", "min_day", "min_night")]
    around = daily(registry, readings, key, statistics, first - _AROUND, end + _AROUND, zone)
    inner = around[_AROUND.days : -_AROUND.days]
    counts = climate_days(inner[:, 0], inner[:, 1], inner[:, 2])
    threshold = _threshold(registry, readings, site if record is None else known_site(registry, record, "--record"))
    by_day = np.column_stack([_ordered(counts), _waves(around[:, :1], first - _AROUND, threshold), inner[:, [0, 2]]])
    from_at, to_at = day_start(first, zone), day_start(end, zone)
    felt = hourly(registry, readings, [key], FELT, from_at, to_at, SHADE)
    if np.isnan(by_day).all() and np.isnan(felt).all():
        what = f"nothing is known of the air temperature at {key} from {first} to {end - _DAY}"
        raise InputError(what, where="SITE", remedy="name another year, or a site that measures air temperature")
    by_hour = np.column_stack([degree_hours(felt[:, 0], limit) for limit in _THRESHOLDS])
    hours = local_days(hours_between(from_at, to_at), zone)
    return [*_seasons(days, by_day, hours, by_hour), _part("year", days, by_day, by_hour)]


def _ordered(counts: ClimateDays) -> Array:
    return np.column_stack([counts.summer_day, counts.hot_day, counts.frost_day, counts.ice_day, counts.tropical_night])


def _threshold(registry: Registry, readings: ObservationReader, station: Site) -> Array:
    """Return from when on a day is hot for the time of year, by the station's record (366, 1) [°C]."""
    zone = ZoneInfo(station.time_zone)
    found = daily(registry, readings, station.key, [(_AIR, "max_day")], *_REFERENCE, zone)
    return heat_threshold(np.arange(*(np.datetime64(day) for day in _REFERENCE)), found)


def _waves(maximum: Array, first: date, threshold: Array) -> Array:
    """Return which days are part of a heat wave by either definition, without those around (day, 2)."""
    days = np.datetime64(first) + np.arange(len(maximum))
    known = np.isfinite(threshold[day_of_year(days.astype("datetime64[ms]")).astype(np.int64) - 1])
    simple = heat_wave_days(maximum, maximum >= HOT_DAY)
    seasonal = heat_wave_days(maximum, hot_for_the_season(days, maximum, threshold))
    both = np.concatenate([simple, np.where(known, seasonal, np.nan)], axis=1)
    return both[_AROUND.days : -_AROUND.days]


def _seasons(days: Days, by_day: Array, hours: Days, by_hour: Array) -> Sequence[SeasonClimate]:
    daily_sums = season_sums(days.astype("datetime64[ms]"), by_day)
    hourly_sums = season_sums(hours.astype("datetime64[ms]"), by_hour)
    month = days.astype("datetime64[M]").astype(np.int64)
    opening = month - (month + 1) % 3
    found = []
    for place, season in enumerate(daily_sums.seasons):
        mine = days[opening == season.astype(np.int64)]
        name = _NAMES[season.astype(object).month]
        found.append(
            _told(name, mine, daily_sums.total[place], daily_sums.completeness[place],
                  hourly_sums.total[place], hourly_sums.completeness[place])
        )  # fmt: skip
    return found


def _part(name: str, days: Days, by_day: Array, by_hour: Array) -> SeasonClimate:
    """Return the sums over all days."""

    def sums(values: Array) -> Array:
        return np.where(np.isfinite(values).any(axis=0), np.nansum(values, axis=0), np.nan)

    def shares(values: Array) -> Array:
        known: Array = np.isfinite(values).mean(axis=0)
        return known

    return _told(name, days, sums(by_day), shares(by_day), sums(by_hour), shares(by_hour))


def _told(name: str, days: Days, total: Array, share: Array, heat: Array, heat_share: Array) -> SeasonClimate:
    counted = dict(zip((*_COUNTED, *_WAVES), map(_known, total.tolist()), strict=False))
    heats = {
        f"degree_hours_{limit:.0f}": _known(value) for limit, value in zip(_THRESHOLDS, heat.tolist(), strict=True)
    }
    known = np.round(share[-2:] * len(days)).astype(np.int64).tolist()
    return SeasonClimate(
        season=name,
        first=days[0].astype(date),
        last=days[-1].astype(date),
        days=len(days),
        known_days=known[0],
        known_nights=known[1],
        known_hours=float(heat_share[0]),
        **counted,
        **heats,
    )


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value
