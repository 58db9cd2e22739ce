"""Who needs water: what the balance and the sensors say of every site, worst first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from gruenpuls.domain.reading import Flag, from_stored
from gruenpuls.domain.site import Site, growing_season
from gruenpuls.queries.overview import Standing, overview
from gruenpuls.queries.present import Present
from gruenpuls.queries.status import SiteStatus
from gruenpuls.stores.registry import Registry
from gruenpuls.stores.registry.overview import LastValue, SiteGlance
from gruenpuls.stores.registry.places import SiteFilter
from processors.soil.limits import LIMITS, LimitTable
from processors.water.irrigation_need import IRRIGATION_NEED, water_limits
from processors.water.outlook import HORIZON
from processors.water.site_parameters import site_parameters
from processors.water.water_balance import WATER_BALANCE

JUDGED: Final = (SiteStatus.WATER_NOW, SiteStatus.WATER_SOON, SiteStatus.FINE)
_OLDEST: Final = timedelta(days=3)
"""An older balance says nothing of today."""
_DAY: Final = timedelta(days=1)
_BALANCE: Final = "plant_available_water"
OUTLOOK: Final = "outlook"
"""Origin of what the forecast means for a site."""
_DAYS: Final = "days_until_watering"
_NEED: Final = ("irrigation_need", _DAYS, "watering_priority", "watering_postponed")
_ASSUMED: Final = "assumed_weather"


@dataclass(frozen=True, slots=True)
class SiteWater:
    """How much water a site has, and how much it needs.

    Parameters
    ----------
    site : Site
    status : SiteStatus
        As the sensors say; where none does, as the balance does.
    by_sensor : bool
        Whether sensors said so.
    standing : Standing
        What the sensors say.
    day : date or None
        The last day the balance knows; None where it knows nothing of today.
    low, middle, high : float or None
        Plant-available water on that day, as 10th, 50th and 90th percentile [%].
    soon, now : float or None
        Below which it needs water [%].
    litres : float or None
        To be given today [L]; 0 where nothing is needed, None where nobody knows.
    days_left : float or None
        Until it needs water at the latest [d]: by the outlook, else by the climate's usual demand.
    days_early, days_late : float or None
        The same in the early and the late case of the outlook, 10th and 90th percentile [d]; more than its
        horizon means beyond it.
    priority : float
        Before which others [%].
    postponed : float
        For how many days it has been put off for rain [d].
    assumed_weather : bool
        Whether the day's rain or demand is that of the climate, for want of a station.
    pass_limit : float or None
        The most it takes at once [L].
    assumed : dict of str
        Which of its parameters were estimated, and from what.
    """

    site: Site
    status: SiteStatus
    by_sensor: bool
    standing: Standing
    day: date | None
    low: float | None
    middle: float | None
    high: float | None
    soon: float | None
    now: float | None
    litres: float | None
    days_left: float | None
    days_early: float | None
    days_late: float | None
    priority: float
    postponed: float
    assumed_weather: bool
    pass_limit: float | None
    assumed: Mapping[str, str]

    @property
    def lasts(self) -> bool:
        """Whether it needs no water as far as the outlook reaches, even in the early case."""
        return self.days_early is not None and self.days_early > HORIZON

    @property
    def may_last(self) -> bool:
        """Whether it needs none that far in the late case."""
        return self.days_late is not None and self.days_late > HORIZON


def site_waters(
    registry: Registry,
    present: Present,
    *,
    silent_after: timedelta,
    wanted: SiteFilter | None = None,
    table: LimitTable = LIMITS,
) -> Sequence[SiteWater]:
    """Return how sites that grow something stand, worst first.

    Parameters
    ----------
    registry : Registry
    present : Present
    silent_after : timedelta
        As in `gruenpuls.queries.overview.overview`.
    wanted : SiteFilter, optional
    table : LimitTable
        The city's.
    """
    seen = overview(registry, present, silent_after=silent_after, table=table)
    standings = {it.site.key: it for it in seen.sites}
    quantities = {_BALANCE, _ASSUMED, *_NEED}
    glances = {it.key: it for it in registry.overview.glances(quantities)}
    sites = [site for site in registry.places.list(wanted) if site.key in standings]
    parameters = site_parameters(sites, present.now.year)
    seasons = np.array([growing_season(site.planted_on, present.now.year) for site in sites], np.float64)
    soon, now = water_limits(seasons, parameters.columns["planting"], table)
    found = []
    for place, site in enumerate(sites):
        if not parameters.columns["planting"][place]:
            continue
        limits = (_known(soon[place]), _known(now[place]))
        found.append(
            _site_water(
                site,
                standings[site.key],
                glances[site.key],
                limits,
                _known(parameters.columns["pass_limit"][place]),
                {name: origin.value for name, origin in parameters.assumed(place).items()},
            )
        )
    return sorted(found, key=_rank)


def site_water(registry: Registry, standing: Standing, table: LimitTable = LIMITS) -> SiteWater | None:
    """Return how one site stands; None where nothing grows."""
    site, year = standing.site, standing.now.year
    parameters = site_parameters([site], year)
    if not parameters.columns["planting"][0]:
        return None
    series = {
        one.series: one
        for one in registry.resolution.site_series(site.key, standing.now - _OLDEST, standing.now + _DAY)
        if one.origin in {WATER_BALANCE.name, IRRIGATION_NEED.name, OUTLOOK}
    }
    latest = registry.latest.of(series)
    values: dict[str, list[LastValue]] = {}
    for number, at, value, flag in zip(
        latest.series.tolist(), latest.measured_at, latest.value.tolist(), latest.flag.tolist(), strict=True
    ):
        one = series[number]
        last = LastValue(number, value, from_stored(at), Flag(flag), one.depth, one.statistic, one.origin)
        values.setdefault(one.quantity, []).append(last)
    glance = SiteGlance(
        site.key, site.name, site.kind.value, site.district, site.latitude, site.longitude, standing.last_at, values
    )
    assumed = {name: origin.value for name, origin in parameters.assumed(0).items()}
    return _site_water(
        site, standing, glance, limits_of(site, year, table), _known(parameters.columns["pass_limit"][0]), assumed
    )


def limits_of(site: Site, year: int, table: LimitTable = LIMITS) -> tuple[float | None, float | None]:
    """Return below which available water a site needs water soon, and now [%]; None where nothing grows."""
    planting = site_parameters([site], year).columns["planting"]
    soon, now = water_limits(np.array([growing_season(site.planted_on, year)]), planting, table)
    return _known(soon[0]), _known(now[0])


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _rank(water: SiteWater) -> tuple[int, float, float, str]:
    middle = 1000.0 if water.middle is None else water.middle
    return (water.status.rank, -water.priority, middle, water.site.key)


def _site_water(
    site: Site,
    standing: Standing,
    glance: SiteGlance,
    limits: tuple[float | None, float | None],
    pass_limit: float | None,
    assumed: Mapping[str, str],
) -> SiteWater:
    today = standing.now.astimezone(ZoneInfo(site.time_zone)).date()
    band = {name: _last(glance, _BALANCE, name, WATER_BALANCE.name, standing.now) for name in ("p10", "p50", "p90")}
    need = {name: _last(glance, name, "", IRRIGATION_NEED.name, standing.now) for name in _NEED}
    weather = _last(glance, _ASSUMED, "", WATER_BALANCE.name, standing.now)
    middle = band["p50"]
    day = None if middle is None else middle.measured_at.astimezone(ZoneInfo(site.time_zone)).date()
    by_sensor = standing.status in JUDGED
    status = standing.status
    if not by_sensor and middle is not None and limits[0] is not None and limits[1] is not None:
        below_now, below_soon = middle.value < limits[1], middle.value < limits[0]
        status = SiteStatus.WATER_NOW if below_now else SiteStatus.WATER_SOON if below_soon else SiteStatus.FINE
    ahead = {name: _value(_last(glance, _DAYS, name, OUTLOOK, standing.now)) for name in ("p10", "p50", "p90")}
    usual = _value(need[_DAYS])

    def from_today(days: float | None) -> float | None:
        # Counted from the evening of the day it was reckoned for; beyond the horizon stays beyond it.
        if days is not None and days > HORIZON:
            return days
        return None if days is None or day is None else max(days - ((today - day).days - 1), 0.0)

    return SiteWater(
        site=site,
        status=status,
        by_sensor=by_sensor,
        standing=standing,
        day=day,
        low=_value(band["p10"]),
        middle=_value(middle),
        high=_value(band["p90"]),
        soon=limits[0],
        now=limits[1],
        litres=_value(need["irrigation_need"]),
        days_left=from_today(usual if ahead["p50"] is None else ahead["p50"]),
        days_early=from_today(ahead["p10"]),
        days_late=from_today(ahead["p90"]),
        priority=_value(need["watering_priority"]) or 0.0,
        postponed=_value(need["watering_postponed"]) or 0.0,
        assumed_weather=bool(_value(weather)),
        pass_limit=pass_limit,
        assumed=assumed,
    )


def _value(last: LastValue | None) -> float | None:
    return None if last is None else last.value


def _last(glance: SiteGlance, quantity: str, statistic: str, origin: str, now: datetime) -> LastValue | None:
    """Return the last value a processor gave, unless it is of another time."""
    for last in glance.values.get(quantity, []):
        same = last.statistic == statistic and last.origin == origin and last.depth is None
        fresh = -_DAY <= now - last.measured_at <= _OLDEST + _DAY
        if same and fresh and last.flag is not Flag.FAIL:
            return last
    return None
