"""The outlook of one site: how much water it will hold, and how many days it has."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from gruenpuls.domain.errors import InputError
from gruenpuls.domain.forecast import StationForecast
from gruenpuls.domain.local_time import calendar, day_start
from gruenpuls.domain.ports import ObservationReader
from gruenpuls.domain.reading import from_stored, to_stored
from gruenpuls.domain.site import growing_season
from gruenpuls.stores.forecasts import forecast_state, kept_forecast, usable
from gruenpuls.stores.registry import Registry
from processors.soil.limits import LIMITS, LimitTable
from processors.water.bucket import State
from processors.water.fleet_outlook import fleet_outlook, nearest_place
from processors.water.forecast_arrays import QUANTITIES_NEEDED, hourly_forecast
from processors.water.irrigation_need import water_limits
from processors.water.outlook import HORIZON, Outlook
from processors.water.site_parameters import site_parameters
from processors.water.water_balance import STATE, WATER_BALANCE, known_latitude
from processors.water.weather_ahead import HourlyForecast, weather_ahead

SOON, NOW = 0, 1
"""Rows of the outlook's thresholds: below which a site needs water soon, and at once."""
_OLDEST_STATE: Final = timedelta(days=5)


@dataclass(frozen=True, slots=True)
class SiteOutlook:
    """What is to be expected of a site if nobody waters.

    Parameters
    ----------
    site : str
    from_day : date
        Whose end the outlook goes out from.
    forecast : StationForecast or None
        Behind it; None where it goes by what is usual.
    thresholds : tuple of float
        By `SOON` and `NOW` [% of the capacity]; NaN where nothing is asked of the site.
    outlook : Outlook
        Its arrays with one site, `until` by `SOON` and `NOW`.
    """

    site: str
    from_day: date
    forecast: StationForecast | None
    thresholds: tuple[float, float]
    outlook: Outlook


def site_outlook(
    registry: Registry, reader: ObservationReader, key: str, now: datetime, table: LimitTable = LIMITS
) -> SiteOutlook | None:
    """Return the outlook of a site from the last day of its balance on; None where no balance of it is known.

    Raises
    ------
    InputError
        If there is no such site.
    """
    site = registry.places.by_key(key)
    if site is None:
        what = f"there is no site {key!r}"
        raise InputError(what, remedy="`gruenpuls site list` shows which there are")
    zone = ZoneInfo(site.time_zone)
    today = now.astimezone(zone).date()
    found = _state(registry, reader, key, today, zone)
    if found is None:
        return None
    state, from_day = found
    first = from_day + timedelta(days=1)
    # Days that have passed without a balance are gone through, too.
    days, midnights = calendar(first, HORIZON + (today - from_day).days, zone)
    station, forecast = _forecast(registry, reader, (site.latitude, site.longitude), from_stored(midnights[0]), now)
    columns = site_parameters([site], first.year).columns
    planting = columns["planting"]
    limits = np.stack(water_limits(np.array([growing_season(site.planted_on, first.year)]), planting, table))
    ahead = fleet_outlook(columns, state, weather_ahead(forecast, days, midnights), np.zeros(1, np.int64), limits)
    return SiteOutlook(key, from_day, station, (float(limits[SOON, 0]), float(limits[NOW, 0])), ahead)


def _state(
    registry: Registry, reader: ObservationReader, key: str, today: date, zone: ZoneInfo
) -> tuple[State, date] | None:
    """Return the newest state that is not of a day to come, and its day."""
    rows = registry.resolution.fleet_series({quantity for quantity, _ in STATE.values()}, [key])
    mine = rows.origin == WATER_BALANCE.name
    kinds = zip(rows.quantity[mine].tolist(), rows.statistic[mine].tolist(), strict=True)
    series = dict(zip(kinds, rows.series[mine].tolist(), strict=True))
    if not set(STATE.values()) <= set(series):
        return None
    midnight = day_start(today, zone)
    latest = reader.latest([series[kind] for kind in STATE.values()], midnight)
    last = {int(number): place for place, number in enumerate(latest.series.tolist())}
    if len(last) < len(STATE) or len(set(latest.measured_at.tolist())) > 1:
        return None
    measured_at = latest.measured_at[0]
    if to_stored(midnight) - measured_at > np.timedelta64(_OLDEST_STATE):
        return None
    parts = {name: latest.value[[last[series[kind]]]] for name, kind in STATE.items()}
    return State(**parts), from_stored(measured_at).astimezone(zone).date()


def _forecast(
    registry: Registry,
    reader: ObservationReader,
    where: tuple[float | None, float | None],
    begin: datetime,
    now: datetime,
) -> tuple[StationForecast | None, HourlyForecast]:
    """Return the fresh forecast nearest to a place, and what it says."""
    state = forecast_state(registry)
    fresh = usable(state, now)
    latitude, longitude = (np.array([np.nan if degrees is None else degrees]) for degrees in where)
    chosen = int(
        nearest_place(
            latitude,
            longitude,
            np.array([one.station.latitude for one in fresh]),
            np.array([one.station.longitude for one in fresh]),
        )[0]
    )
    if chosen < 0:
        return None, HourlyForecast.nothing(known_latitude(latitude))
    one = fresh[chosen]
    batch = kept_forecast(reader, [one], QUANTITIES_NEEDED, begin=begin, oldest=state.oldest)
    return one, hourly_forecast(batch, [one.station])
