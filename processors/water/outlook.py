"""The outlook: how much water a site will hold in the next days, and when it will need some."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.processor import Array
from gruenpuls.domain.reading import Times
from processors.water.bucket import Bucket, Day, State, daily_step
from processors.water.futures import COUNT, demands, luck, rains
from processors.water.weather_ahead import WeatherAhead

Sites = TypeVar("Sites", Bucket, State)

HORIZON: Final = 10
"""How far the outlook goes [d]: as far as MOSMIX does."""
BEYOND: Final = np.inf
"""In the place of a number of days that is more than the horizon: nobody knows how many."""

_LOW, _MIDDLE, _HIGH = 4, 20, 36
"""Places of the 10th, 50th and 90th percentile among the sorted futures."""
_TWO_DAYS: Final = 2
_AT_ONCE: Final = 512
"""Sites judged together: what their futures need then stays in the processor's cache."""


@dataclass(frozen=True, slots=True)
class Band:
    """The 10th, 50th and 90th percentile of something, arrays of one shape."""

    low: Array
    middle: Array
    high: Array

    @classmethod
    def of(cls, ordered: Array) -> Self:
        """Return the band of values that are sorted along their first axis, one for each future."""
        return cls(ordered[_LOW], ordered[_MIDDLE], ordered[_HIGH])


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is to be expected if nobody waters.

    Parameters
    ----------
    days : datetime64[D] (day,)
        What holds does so at the end of each.
    available_water : Band of float64 (day, site)
        Plant-available water [% of the capacity].
    until : Band of float64 (threshold, site)
        Days until the water falls below a threshold: 0 where it is below already, `BEYOND` where it does
        not happen within the horizon. `low` is the early, `high` the late case [d].
    rain_reaching : Band of float64 (site,)
        Rain of the first two days that gets into the root zone [mm over the root-zone area].
    method : float64 (day, site)
        Where the weather comes from: tens `DemandSource`, units `RainSource` [-].
    """

    days: Times
    available_water: Band
    until: Band
    rain_reaching: Band
    method: Array


def outlook(
    bucket: Bucket,
    state: State,
    weather: WeatherAhead,
    place: NDArray[np.int64],
    *,
    demand_factor: Array,
    leaf: Array,
    capacity_error: Array,
    thresholds: Array,
) -> Outlook:
    """Return how much water each site will hold, and when it falls below its thresholds.

    Parameters
    ----------
    bucket : Bucket
        Of each site [mm].
    state : State
        At the end of the day before the weather's first [mm].
    weather : WeatherAhead
        Of each place a forecast is made for [mm/d].
    place : int64 (site,)
        Whose weather a site has [-].
    demand_factor : float64 (day, site)
        Demand without want per reference evapotranspiration: plant, microclimate and season factor, crown over
        root-zone area [-].
    leaf : float64 (day, site)
        0 bare to 1 in full leaf [-].
    capacity_error : float64 (site,)
        Relative standard deviation of the capacity [-].
    thresholds : float64 (threshold, site)
        Plant-available water [% of the capacity]; NaN where a site has none, and then no number of days either.

    Returns
    -------
    Outlook
        In [%], [d] and [mm]; missing where the state or the factor is.

    Notes
    -----
    The bucket is run for 41 equally likely futures of weather (`processors.water.futures`); the error of the state
    and of the site's description is carried along by the bucket itself, each future standing at another place of
    it. Snow and probes count as in the balance. Nobody waters. Sites do not know of each other.

    Valid where the bucket is, for up to 18 days.

    References
    ----------
    Bucket: `processors.water.bucket`; chances of rain and errors of temperature: DWD, MOSMIX. No equation.

    Examples
    --------
    >>> from processors.water.weather_ahead import HourlyForecast, weather_ahead
    >>> one, nothing = np.ones(1), np.zeros(1)
    >>> pit = Bucket(100 * one, 150 * one, one, 0.5 * one, *[nothing] * 3, one, *[nothing] * 2, 60 * one, 6 * one,
    ...     *[nothing] * 3)
    >>> half = State(60 * one, *[nothing] * 5)
    >>> days = np.arange("2026-07-01", "2026-07-12", dtype="datetime64[D]")
    >>> usual = weather_ahead(HourlyForecast.nothing(np.array([51.5])), days[:-1], days.astype("datetime64[ms]"))
    >>> each = np.ones((10, 1))
    >>> ahead = outlook(
    ...     pit,
    ...     half,
    ...     usual,
    ...     np.zeros(1, np.int64),
    ...     demand_factor=each,
    ...     leaf=each,
    ...     capacity_error=nothing,
    ...     thresholds=np.array([[50.0]]),
    ... )
    >>> ahead.until.low.tolist(), ahead.until.high.tolist()
    ([[3.0]], [[inf]])
    """
    days, sites = demand_factor.shape
    site_luck, _, _ = luck(days)
    ahead, rain = demands(weather), rains(weather)
    fan = Band(*(np.empty((days, sites)) for _ in range(3)))
    until = Band(*(np.empty((len(thresholds), sites)) for _ in range(3)))
    reaching = Band(*(np.empty(sites) for _ in range(3)))
    for start in range(0, sites, _AT_ONCE):
        some = slice(start, start + _AT_ONCE)
        group = _Group(bucket.at(some), state.at(some), site_luck, capacity_error[some], thresholds[:, some])
        for day in range(days):
            here = place[some]
            group.live(
                rain[:, day, here],
                ahead[:, day, here] * demand_factor[day, some],
                weather.air_temperature[day, here],
                leaf[day, some],
            )
            _write(fan, (day, some), group.water)
            if day + 1 == min(_TWO_DAYS, days):
                _write(reaching, (some,), group.entered)
        for number, crossed in enumerate(group.crossed):
            _write(until, (number, some), crossed)
    return Outlook(weather.days, fan, until, reaching, weather.method[:, place])


class _Group:
    """Some sites in all their futures: arrays are (future, site), and for the bucket one behind the other."""

    def __init__(
        self, bucket: Bucket, state: State, site_luck: Array, capacity_error: Array, thresholds: Array
    ) -> None:
        self._bucket = _in_each_future(bucket)
        self._state = _in_each_future(state)
        self._luck = site_luck[:, np.newaxis]
        self._error = capacity_error
        self._thresholds = thresholds
        self._shape = COUNT, len(capacity_error)
        self._capacity = bucket.capacity
        self._top = 100.0 * bucket.saturation / bucket.capacity
        self._day = 0
        self.entered = np.zeros(self._shape)
        self.water = self._seen()
        unknown = np.isnan(thresholds[:, np.newaxis, :]) | np.isnan(self.water)
        below = self.water < thresholds[:, np.newaxis, :]
        self.crossed = np.where(unknown, np.nan, np.where(below, 0.0, BEYOND))

    def live(self, rain: Array, demand: Array, air_temperature: Array, leaf: Array) -> None:
        """Let a day pass."""
        nothing = np.zeros(rain.size)
        before = self._state
        self._state, gone = daily_step(
            self._bucket,
            before,
            Day(
                rain.ravel(),
                nothing,
                np.broadcast_to(air_temperature, self._shape).ravel(),
                demand.ravel(),
                nothing,
                np.broadcast_to(leaf, self._shape).ravel(),
                nothing,
            ),
        )
        entered = self._state.storage - before.storage + gone.evapotranspiration + gone.percolation
        self.entered = self.entered + entered.reshape(self._shape)
        self._day += 1
        self.water = self._seen()
        crossing = (self.crossed == BEYOND) & (self.water < self._thresholds[:, np.newaxis, :])
        self.crossed = np.where(crossing, float(self._day), self.crossed)

    def _seen(self) -> Array:
        """Return the plant-available water of each future [%]."""
        storage, deviation = (part.reshape(self._shape) for part in (self._state.storage, self._state.deviation))
        middle = 100.0 * storage / self._capacity
        spread = np.sqrt(
            (100.0 * deviation / self._capacity) ** 2 + (np.maximum(100.0 - middle, 0.0) * self._error) ** 2
        )
        water: Array = np.clip(middle + self._luck * spread, 0.0, self._top)
        return water


def _in_each_future(columns: Sites) -> Sites:
    """Return the sites once for each future, one set behind the other."""
    return type(columns)(*(np.tile(getattr(columns, part.name), COUNT) for part in fields(columns)))


def _write(band: Band, place: tuple[int | slice, ...], values: Array) -> None:
    """Put percentiles over the futures into their place."""
    found = Band.of(np.sort(values, axis=0))
    band.low[place], band.middle[place], band.high[place] = found.low, found.middle, found.high
