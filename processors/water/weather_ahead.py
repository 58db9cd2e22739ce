"""The weather of the next days: demand and rain from a forecast, from the climate where there is none.

A forecast of rain is a chance, not a number: what the German weather service says of amounts that are exceeded
becomes a distribution for each day, and so does what is usual where it says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import IntEnum
from itertools import pairwise
from typing import Final

import numpy as np

from gruenpuls.domain.processor import Array
from gruenpuls.domain.reading import Times
from processors.water.climatology import expected_evapotranspiration, expected_temperature
from processors.water.evapotranspiration import hourly_evapotranspiration
from processors.water.humidity import saturation_vapour_pressure
from processors.water.radiation import MEGAJOULES_OF_AN_HOUR
from processors.water.rain_chance import expected_demand_spread, expected_rain_chances
from processors.water.reference_evapotranspiration import (
    DailyWeather,
    RadiationSource,
    reference_evapotranspiration,
)
from processors.water.sun import day_of_year
from processors.water.wind import wind_at_2m

AMOUNTS: Final = (0.0, 0.2, 1.0, 5.0)
"""The amounts the chances are about [mm]."""
WIND_HEIGHT: Final = 10.0
"""Of forecast wind [m]."""

_MISSING_HOURS: Final = 3
"""A day may lack so many hours, which then count like its others."""
_WHOLE_DAY: Final = 24.0
_HALF: Final = 12.0
_HOUR: Final = np.timedelta64(1, "h")
_FROM_ABSOLUTE: Final = 1.2533
"""Standard deviation of a normal distribution by its mean absolute error, the square root of pi/2 [-]."""
_OTHER_SPREAD: Final = 0.10
"""Error of demand from what a forecast states no error of: radiation, wind, humidity; our assumption [-]."""
_UNSTATED_SPREAD: Final = 0.20
"""Error of demand where not even an error of temperature is stated; our assumption [-]."""
_SHAPE: Final = 0.775
"""Where the chance of over 1 mm lies between those of over 0.2 and 5 mm, in logarithms: 0.77 to 0.78 at Köln/Bonn."""
_TRACE: Final = 1.1
"""How much more often there is any rain than over 0.2 mm: Köln/Bonn [-]."""
_RAREST: Final = 1e-6
"""What no forecast tells from never [-]."""
_LEAST_EXCESS, _MOST_EXCESS = 0.5, 4.0
"""Bounds of the mean beyond 5 mm that a forecast amount may ask for, in usual ones; our choice [-]."""


class DemandSource(IntEnum):
    """Where a day's reference evapotranspiration comes from, best first; the tens of a method."""

    HOURLY = 1
    """Every hour by ASCE's equation."""
    DAILY = 2
    """The day by FAO-56: radiation from sunshine."""
    PROVIDER = 3
    """The provider's own potential evapotranspiration."""
    TEMPERATURE = 4
    """Hargreaves' equation, or radiation from the range of temperature."""
    CLIMATE = 5
    """No forecast: what is usual at that latitude and time of the year."""


class RainSource(IntEnum):
    """Where a day's rain comes from, best first; the units of a method."""

    CHANCES = 1
    """Amounts that are exceeded with stated chances."""
    SCENARIOS = 2
    """One amount, taken half, once and one and a half times."""
    CLIMATE = 3
    """No forecast: what is usual at that time of the year."""


@dataclass(frozen=True, slots=True)
class HourlyForecast:
    """A forecast hour by hour; NaN is missing.

    Parameters
    ----------
    valid_at : datetime64[ms] (time,)
        UTC, one hour apart; sums and means are of the hour that ends then.
    latitude, longitude, elevation : float64 (place,)
        [°], [m above sea level]
    air_temperature, dew_point, temperature_error : float64 (time, place)
        [°C], the mean absolute error of the first [K].
    wind_speed : float64 (time, place)
        At 10 m [m/s].
    radiation : float64 (time, place)
        [W/m2]
    sunshine : float64 (time, place)
        [h]
    precipitation, precipitation_3h, precipitation_24h : float64 (time, place)
        Of the hour, the 3 and the 24 hours before [mm].
    potential : float64 (time, place)
        Potential evapotranspiration of the 24 hours before [mm].
    chance : float64 (amount, time, place)
        Of more than `AMOUNTS` in the 24 hours before [-].
    """

    valid_at: Times
    latitude: Array
    longitude: Array
    elevation: Array
    air_temperature: Array
    dew_point: Array
    temperature_error: Array
    wind_speed: Array
    radiation: Array
    sunshine: Array
    precipitation: Array
    precipitation_3h: Array
    precipitation_24h: Array
    potential: Array
    chance: Array

    @classmethod
    def nothing(cls, latitude: Array) -> HourlyForecast:
        """Return no forecast at all for some places."""
        unknown, empty = np.full(len(latitude), np.nan), np.empty((0, len(latitude)))
        said = {part.name: empty for part in fields(cls)}
        place = {"latitude": latitude, "longitude": unknown, "elevation": unknown}
        chance = np.empty((len(AMOUNTS), 0, len(latitude)))
        return cls(**{**said, **place, "chance": chance, "valid_at": np.empty(0, "datetime64[ms]")})

    def and_nothing_at(self, latitude: Array) -> HourlyForecast:
        """Return the same with more places after its own, for which nothing is forecast."""
        hours, more = len(self.valid_at), len(latitude)
        unknown = np.full(more, np.nan)
        place = {"latitude": latitude, "longitude": unknown, "elevation": unknown}
        said = {
            part.name: np.concatenate(
                [getattr(self, part.name), place.get(part.name, np.full((hours, more), np.nan))], -1
            )
            for part in fields(self)
            if part.name not in {"chance", "valid_at"}
        }
        chance = np.concatenate([self.chance, np.full((len(AMOUNTS), hours, more), np.nan)], -1)
        return HourlyForecast(**said, chance=chance, valid_at=self.valid_at)


@dataclass(frozen=True, slots=True)
class WeatherAhead:
    """What the next days may bring, all without gaps.

    Parameters
    ----------
    days : datetime64[D] (day,)
        Calendar days of the places.
    demand : float64 (day, place)
        Reference evapotranspiration [mm/d].
    demand_spread : float64 (day, place)
        Its relative standard deviation [-].
    chance : float64 (amount, day, place)
        Of more rain than `AMOUNTS` [-]; NaN where only one amount is known.
    excess : float64 (day, place)
        Mean beyond 5 mm on days with more [mm].
    amount : float64 (day, place)
        Rain as forecast, one amount [mm]; NaN without a forecast.
    air_temperature : float64 (day, place)
        Daily mean [°C].
    method : float64 (day, place)
        Tens `DemandSource`, units `RainSource` [-].
    """

    days: Times
    demand: Array
    demand_spread: Array
    chance: Array
    excess: Array
    amount: Array
    air_temperature: Array
    method: Array


def weather_ahead(forecast: HourlyForecast, days: Times, midnights: Times) -> WeatherAhead:
    """Return the weather of some days: what is forecast, and what is usual on days that are not.

    Parameters
    ----------
    forecast : HourlyForecast
        Of each place [°C, m/s, W/m2, mm]; one too old to be believed must not be given.
    days : datetime64[D] (day,)
        Calendar days, one after the other.
    midnights : datetime64[ms] (day + 1,)
        When each begins, and the last ends, UTC.

    Returns
    -------
    WeatherAhead
        For each place of the forecast [mm/d].

    Notes
    -----
    A day is forecast where at most three of its hours are missing. Chances are about 24 hours that end at 6 UTC:
    a calendar day takes the mean of those it shares hours with, weighted by them. The error of temperature is
    carried through the equation; 10 % are added for all else.

    Valid where its parts are: the climate for western and central Europe.

    References
    ----------
    ASCE-EWRI (2005), equation 1 (of the hour); Allen et al. (1998), FAO-56, equation 6; DWD, MOSMIX.

    Examples
    --------
    >>> days = np.arange("2026-07-01", "2026-07-04", dtype="datetime64[D]")
    >>> usual = weather_ahead(HourlyForecast.nothing(np.array([51.5])), days[:2], days.astype("datetime64[ms]"))
    >>> usual.demand.round(1).ravel().tolist(), usual.method.ravel().tolist()
    ([3.9, 3.9], [53.0, 53.0])
    """
    hours, windows = _hours_of_days(forecast.valid_at, midnights), _overlaps(forecast.valid_at, midnights, 24)
    demand, spread, source = _demand(forecast, days, hours, windows)
    day = day_of_year(days)
    usual = expected_evapotranspiration(forecast.latitude, day[:, np.newaxis])
    usual_spread = expected_demand_spread(day)[:, np.newaxis]
    unknown = np.isnan(demand)
    amount = _amount(forecast, midnights, hours, windows)
    chance, excess, rain_source = _rain(_averaged(windows, forecast.chance), amount, *expected_rain_chances(day))
    temperature = _mean(hours, forecast.air_temperature)
    return WeatherAhead(
        days=days,
        demand=np.where(unknown, usual, demand),
        demand_spread=np.where(unknown, usual_spread, spread),
        chance=chance,
        excess=excess,
        amount=amount,
        air_temperature=np.where(np.isnan(temperature), expected_temperature(day)[:, np.newaxis], temperature),
        method=10.0 * np.where(unknown, float(DemandSource.CLIMATE), source) + rain_source,
    )


def _hours_of_days(valid_at: Times, midnights: Times) -> Array:
    """Return 1 where the hour that ends at a moment belongs to a day (day, time)."""
    begin, end = midnights[:-1, np.newaxis], midnights[1:, np.newaxis]
    return ((valid_at > begin) & (valid_at <= end)).astype(np.float64)


def _overlaps(valid_at: Times, midnights: Times, length: int) -> Array:
    """Return how many of the hours of a span that ends at a moment belong to a day (day, time) [h]."""
    begin, end = midnights[:-1, np.newaxis], midnights[1:, np.newaxis]
    shared = np.minimum(valid_at, end) - np.maximum(valid_at - length * _HOUR, begin)
    result: Array = np.maximum(shared / _HOUR, 0.0)
    return result


def _mean(hours: Array, values: Array) -> Array:
    """Return the mean of each day's hours, missing where more than three of them are."""
    known = hours @ ~np.isnan(values)
    total = hours @ np.nan_to_num(values)
    enough = known >= _WHOLE_DAY - _MISSING_HOURS
    result: Array = np.divide(total, known, out=np.full(total.shape, np.nan), where=enough)
    return result


def _summed(hours: Array, values: Array) -> Array:
    """Return the sum of each day's hours, the missing ones as the others."""
    return _mean(hours, values) * _WHOLE_DAY


def _averaged(windows: Array, values: Array) -> Array:
    """Return the mean over the windows that share hours with a day, missing where none shares half of it."""
    known = ~np.isnan(values)
    weight = windows @ known
    total = windows @ np.nan_to_num(values)
    enough = (windows * (windows >= _HALF)) @ known > 0
    result: Array = np.divide(total, weight, out=np.full(total.shape, np.nan), where=enough & (weight > 0))
    return result


def _amount(forecast: HourlyForecast, midnights: Times, hours: Array, windows: Array) -> Array:
    """Return each day's rain as one amount: of 24 hours, else the greater of the sums of three hours and of one.

    The longer the time, the more rain is told: an hour has an amount only where rain is likely in that very hour.
    """
    thirds = _overlaps(forecast.valid_at, midnights, 3) / 3
    known = ~np.isnan(forecast.precipitation_3h)
    enough = thirds @ known >= (_WHOLE_DAY - _MISSING_HOURS) / 3
    by_three = np.where(enough, thirds @ np.nan_to_num(forecast.precipitation_3h), np.nan)
    day = _averaged(windows, forecast.precipitation_24h)
    return np.where(np.isnan(day), np.fmax(by_three, _summed(hours, forecast.precipitation)), day)


def _demand(forecast: HourlyForecast, days: Times, hours: Array, windows: Array) -> tuple[Array, Array, Array]:
    """Return the demand of each day by the best way there is, its spread, and which way that was."""
    hourly = _summed(hours, _hourly(forecast, 0.0))
    warmer = _summed(hours, _hourly(forecast, _FROM_ABSOLUTE))
    by_warmth = np.abs(warmer - hourly) / np.maximum(hourly, 0.1)
    stated = np.hypot(by_warmth, _OTHER_SPREAD)
    daily, way = _daily(forecast, days, hours)
    sunny = ~np.isnan(way) & (way < DemandSource.TEMPERATURE)
    candidates = (
        (DemandSource.HOURLY, hourly),
        (DemandSource.DAILY, np.where(sunny, daily, np.nan)),
        (DemandSource.PROVIDER, _averaged(windows, forecast.potential)),
        (DemandSource.TEMPERATURE, daily),
    )
    demand, source = np.full(hourly.shape, np.nan), np.full(hourly.shape, np.nan)
    for name, said in candidates:
        taken = np.isnan(demand) & ~np.isnan(said)
        demand, source = np.where(taken, said, demand), np.where(taken, float(name), source)
    spread = np.where((source == DemandSource.HOURLY) & ~np.isnan(stated), stated, _UNSTATED_SPREAD)
    return demand, spread, source


def _between(values: Array) -> Array:
    """Return the mean of an hour from what holds at both its ends."""
    before = np.concatenate([values[:1], values[:-1]])
    return np.where(np.isnan(before), values, (before + values) / 2)


def _hourly(forecast: HourlyForecast, errors: float) -> Array:
    """Return each hour's reference evapotranspiration, by so many errors warmer than forecast [mm]."""
    middle = forecast.valid_at - _HOUR // 2
    since_midnight = (middle - middle.astype("datetime64[D]")) / _HOUR
    warmth = forecast.air_temperature + (errors * forecast.temperature_error if errors else 0.0)
    return hourly_evapotranspiration(
        _between(warmth),
        vapour_pressure=saturation_vapour_pressure(_between(forecast.dew_point)),
        radiation=forecast.radiation * MEGAJOULES_OF_AN_HOUR,
        wind_speed=wind_at_2m(_between(forecast.wind_speed), np.array(WIND_HEIGHT)),
        latitude=forecast.latitude,
        longitude=forecast.longitude,
        elevation=forecast.elevation,
        day=day_of_year(middle)[:, np.newaxis],
        utc_hour=since_midnight[:, np.newaxis],
    )


def _daily(forecast: HourlyForecast, days: Times, hours: Array) -> tuple[Array, Array]:
    """Return each day's reference evapotranspiration from daily values, and whether the sun is behind it."""
    temperature = forecast.air_temperature
    mean = _mean(hours, temperature)
    there = (hours[:, :, np.newaxis] > 0) & ~np.isnan(temperature)
    lowest = np.where(there, temperature, np.inf).min(axis=1, initial=np.inf)
    highest = np.where(there, temperature, -np.inf).max(axis=1, initial=-np.inf)
    unknown = np.full(mean.shape, np.nan)
    found, method = reference_evapotranspiration(
        DailyWeather(
            minimum=np.where(np.isnan(mean), np.nan, lowest),
            mean=mean,
            maximum=np.where(np.isnan(mean), np.nan, highest),
            vapour_pressure=unknown,
            dew_point=_mean(hours, forecast.dew_point),
            lowest_humidity=unknown,
            mean_humidity=unknown,
            highest_humidity=unknown,
            wind_speed=_mean(hours, forecast.wind_speed),
            radiation=_mean(hours, forecast.radiation),
            sunshine=_summed(hours, forecast.sunshine),
        ),
        latitude=forecast.latitude,
        elevation=forecast.elevation,
        wind_height=np.full(len(forecast.latitude), WIND_HEIGHT),
        day=day_of_year(days)[:, np.newaxis],
    )
    from_range = method >= 100 * RadiationSource.TEMPERATURE
    way = np.where(from_range, float(DemandSource.TEMPERATURE), float(DemandSource.DAILY))
    return found, np.where(np.isnan(found), np.nan, way)


def _rain(said: Array, amount: Array, usual: Array, usual_excess: Array) -> tuple[Array, Array, Array]:
    """Return chances, the mean beyond 5 mm, and where they come from.

    What is said of some amounts is completed for the others; one amount alone leaves the chances missing.
    """
    some, most = said[1], said[3]
    known = ~np.isnan(some) & ~np.isnan(most)
    between = np.maximum(some, _RAREST) ** _SHAPE * np.maximum(most, _RAREST) ** (1 - _SHAPE)
    trace = np.minimum(_TRACE * some, 1.0)
    chances = np.stack(
        [np.where(np.isnan(said[0]), trace, said[0]), some, np.where(np.isnan(said[2]), between, said[2]), most]
    )
    chances = np.clip(np.minimum.accumulate(chances, axis=0), 0.0, 1.0)
    climate = np.broadcast_to(usual[:, :, np.newaxis], said.shape)
    single = ~known & ~np.isnan(amount)
    chances = np.where(known, chances, np.where(single, np.nan, climate))
    expected = sum(
        (high - low) * (chances[place] + chances[place + 1]) / 2 for place, (low, high) in enumerate(pairwise(AMOUNTS))
    )
    excess = np.broadcast_to(usual_excess[:, np.newaxis], amount.shape)
    asked = np.divide(amount - expected, chances[3], out=np.full(amount.shape, np.nan), where=chances[3] > 0)
    wanted = np.clip(asked / excess, _LEAST_EXCESS, _MOST_EXCESS) * excess
    source = np.where(known, float(RainSource.CHANCES), np.where(single, RainSource.SCENARIOS, RainSource.CLIMATE))
    return chances, np.where(known & ~np.isnan(wanted), wanted, excess), source.astype(np.float64)
