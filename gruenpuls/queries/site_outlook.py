"""The next ten days of a site, if nobody waters: from the balance's state and what weather is to be expected."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from gruenpuls.domain.distance import distance
from gruenpuls.domain.ports import ObservationReader
from gruenpuls.domain.processor import Array
from gruenpuls.domain.reading import Times
from gruenpuls.domain.site import Site, growing_season
from gruenpuls.queries.forecast import calendar
from gruenpuls.stores.forecasts import forecast_state, kept_forecast, usable
from gruenpuls.stores.registry import Registry
from processors.soil.limits import LIMITS, LimitTable
from processors.water.bucket import State
from processors.water.demand import leaf_cover, plant_evapotranspiration, season_factor
from processors.water.forecast_arrays import QUANTITIES_NEEDED, hourly_forecast
from processors.water.irrigation_need import water_limits
from processors.water.outlook import HORIZON, Band, outlook
from processors.water.site_parameters import site_parameters
from processors.water.sun import day_of_year
from processors.water.water_balance import LATITUDE, STATE, WATER_BALANCE, bucket_of
from processors.water.weather_ahead import HourlyForecast, weather_ahead

_DAY: Final = timedelta(days=1)
_FORECAST_WITHIN: Final = 100.0
"""A forecast made for a place farther away is not this site's [km]."""


@dataclass(frozen=True, slots=True)
class SiteOutlook:
    """What is to be expected at a site if nobody waters.

    Parameters
    ----------
    days : datetime64[D] (day,)
        What holds does so at the end of each.
    low, middle, high : float64 (day,)
        Plant-available water, 10th, 50th and 90th percentile [%].
    soon, now : Band
        Days until it falls below the two limits, one value each; infinite is beyond the horizon [d].
    station : str or None
        Whose forecast it is; None where the climate's usual weather stands for it.
    issued_at : datetime or None
        When that was issued; aware UTC.
    """

    days: Times
    low: Array
    middle: Array
    high: Array
    soon: Band
    now: Band
    station: str | None
    issued_at: datetime | None


def site_outlook(
    registry: Registry,
    readings: ObservationReader,
    site: Site,
    day: date,
    now: datetime,
    table: LimitTable = LIMITS,
) -> SiteOutlook | None:
    """Return the outlook from the end of a day of the balance on; None where the balance knows nothing of it."""
    zone = ZoneInfo(site.time_zone)
    days, midnights = calendar(day + _DAY, HORIZON, zone)
    columns = site_parameters([site], day.year).columns
    bucket, exists = bucket_of({name: np.asarray(values) for name, values in columns.items()})
    state = _state(registry, readings, site, day)
    if state is None or not exists.all():
        return None
    forecast, station, issued_at = _forecast(registry, readings, site, now, zone)
    weather = weather_ahead(forecast, days, midnights)
    year_day = day_of_year(days)[:, None]
    leaf = leaf_cover(year_day, columns["evergreen"][None, :])
    factor = columns["crown_share"] * plant_evapotranspiration(
        np.ones(leaf.shape), columns["plant_factor"], columns["microclimate_factor"], season_factor(leaf)
    )
    limits = water_limits(np.array([growing_season(site.planted_on, day.year)]), columns["planting"], table)
    found = outlook(
        bucket,
        state,
        weather,
        np.zeros(1, np.int64),
        demand_factor=factor,
        leaf=leaf,
        capacity_error=np.nan_to_num(columns["capacity_error"]),
        thresholds=np.stack(limits),
    )
    water, until = found.available_water, found.until
    soon, now_band = (Band(until.low[place], until.middle[place], until.high[place]) for place in (0, 1))
    return SiteOutlook(days, water.low[:, 0], water.middle[:, 0], water.high[:, 0], soon, now_band, station, issued_at)


def _state(registry: Registry, readings: ObservationReader, site: Site, day: date) -> State | None:
    """Return the balance's state at the end of a day."""
    zone = ZoneInfo(site.time_zone)
    from_at, to_at = (datetime(it.year, it.month, it.day, tzinfo=zone) for it in (day, day + _DAY))
    number_of = {
        (one.quantity, one.statistic): one.series
        for one in registry.resolution.site_series(site.key, from_at, to_at)
        if one.origin == WATER_BALANCE.name
    }
    if not set(STATE.values()) <= number_of.keys():
        return None
    batch = readings.read(number_of.values(), from_at, to_at)
    value_of = dict(zip(batch.series.tolist(), batch.value.tolist(), strict=True))
    parts = {name: value_of.get(number_of[key]) for name, key in STATE.items()}
    if any(value is None for value in parts.values()):
        return None
    return State(**{name: np.array([value], np.float64) for name, value in parts.items()})


def _forecast(
    registry: Registry, readings: ObservationReader, site: Site, now: datetime, zone: ZoneInfo
) -> tuple[HourlyForecast, str | None, datetime | None]:
    """Return the forecast of the nearest station, its name and age; or nothing, and then the climate counts."""
    state = forecast_state(registry)
    near = []
    if site.latitude is not None and site.longitude is not None:
        here = np.array(site.latitude), np.array(site.longitude)
        near = [
            (float(distance(*here, np.array(one.station.latitude), np.array(one.station.longitude))), one)
            for one in usable(state, now)
        ]
    reach, nearest = min(near, key=lambda it: it[0], default=(np.inf, None))
    if nearest is None or reach > _FORECAST_WITHIN:
        latitude = np.array([LATITUDE if site.latitude is None else site.latitude])
        return HourlyForecast.nothing(latitude), None, None
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    batch = kept_forecast(readings, [nearest], QUANTITIES_NEEDED, begin=midnight, oldest=state.oldest)
    return hourly_forecast(batch, [nearest.station]), nearest.station.name, nearest.issued_at
