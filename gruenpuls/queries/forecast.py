"""The weather forecast that is kept, day by day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from gruenpuls.domain.errors import InputError
from gruenpuls.domain.forecast import ForecastState, ForecastStation, StationForecast
from gruenpuls.domain.local_time import calendar
from gruenpuls.domain.ports import ObservationReader
from gruenpuls.domain.reading import Times, to_stored
from gruenpuls.stores.forecasts import joined_forecast
from processors.water.forecast_arrays import QUANTITIES_NEEDED, hourly_forecast
from processors.water.weather_ahead import DemandSource, HourlyForecast, RainSource, weather_ahead

_DAYS: Final = 11


@dataclass(frozen=True, slots=True)
class ForecastDay:
    """What is forecast for a calendar day; None is not known.

    Parameters
    ----------
    day : date
    minimum, maximum : float or None
        Air temperature [°C].
    rain : float or None
        [mm]
    rain_chance : float or None
        Of more than 1 mm [%].
    evapotranspiration : float or None
        Reference evapotranspiration [mm].
    source : str or None
        Name of the `DemandSource` behind it.
    wind : float or None
        Highest hourly wind at 10 m [m/s].
    """

    day: date
    minimum: float | None
    maximum: float | None
    rain: float | None
    rain_chance: float | None
    evapotranspiration: float | None
    source: str | None
    wind: float | None


@dataclass(frozen=True, slots=True)
class ShownForecast:
    """The forecast of a station, and what it is worth.

    Parameters
    ----------
    station : ForecastStation
    issued_at : datetime
    age : timedelta
    stale : bool
        Whether it is too old to be used.
    days : tuple of ForecastDay
    """

    station: ForecastStation
    issued_at: datetime
    age: timedelta
    stale: bool
    days: tuple[ForecastDay, ...]


def shown_forecast(
    reader: ObservationReader, state: ForecastState, station: str | None, zone: ZoneInfo, now: datetime
) -> ShownForecast:
    """Return the forecast of a station, the first where none is named.

    Raises
    ------
    InputError
        If no forecast of it is kept.
    """
    one = _chosen(state, station)
    # From its own first day on: an old forecast is shown as it was.
    days, midnights = calendar(one.issued_at.astimezone(zone).date(), _DAYS, zone)
    parts = [reader.forecast(one.station.key, name, one.issued_at) for name in QUANTITIES_NEEDED]
    batch = joined_forecast([part for part in parts if len(part) and part.issued_at[0] == to_stored(one.issued_at)])
    forecast = hourly_forecast(batch, [one.station])
    return ShownForecast(
        one.station,
        one.issued_at,
        now - one.issued_at,
        state.is_stale(one.issued_at, now),
        _days(forecast, days, midnights),
    )


def _chosen(state: ForecastState, station: str | None) -> StationForecast:
    for one in state.stations:
        if station in {None, one.station.key}:
            return one
    what = f"there is no forecast for station {station!r}" if station else "there is no forecast"
    known = ", ".join(one.station.key for one in state.stations)
    remedy = (
        f"there are: {known}" if known else "set forecast.url, or take over a file with `gruenpuls forecast import`"
    )
    raise InputError(what, remedy=remedy)


def _days(forecast: HourlyForecast, days: Times, midnights: Times) -> tuple[ForecastDay, ...]:
    weather = weather_ahead(forecast, days, midnights)
    told = []
    for place, day in enumerate(days.astype(object)):
        hours = (forecast.valid_at > midnights[place]) & (forecast.valid_at <= midnights[place + 1])
        temperature, wind = forecast.air_temperature[hours, 0], forecast.wind_speed[hours, 0]
        if np.isnan(temperature).all():
            continue
        source = DemandSource(int(weather.method[place, 0] // 10))
        usual = source is DemandSource.CLIMATE
        said = ~np.isnan(weather.amount[place, 0])
        told.append(
            ForecastDay(
                day,
                float(np.nanmin(temperature)),
                float(np.nanmax(temperature)),
                float(weather.amount[place, 0]) if said else None,
                _chance(weather.chance[2, place, 0], weather.method[place, 0]),
                None if usual else float(weather.demand[place, 0]),
                None if usual else source.name.lower(),
                None if np.isnan(wind).all() else float(np.nanmax(wind)),
            )
        )
    return tuple(told)


def _chance(share: float, method: float) -> float | None:
    return float(100 * share) if method % 10 == RainSource.CHANCES else None
