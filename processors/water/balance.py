"""The balance of a fleet over time: each day the bucket, then a look at the probes where there are any."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from gruenpuls.domain.processor import Array
from processors.water.assimilation import Seen, assimilate
from processors.water.bucket import Bucket, Day, State, daily_step

TENTH: Final = 1.2815515655446004
"""The 10th percentile of a normal distribution lies this many standard deviations below its mean [-]."""
_AT_ONCE: Final = 4096
"""Sites stepped together: what they need then stays in the processor's cache."""


@dataclass(frozen=True, slots=True)
class Weather:
    """What the days bring: the parts of `Day`, each float64 (time, site)."""

    precipitation: Array
    precipitation_deviation: Array
    air_temperature: Array
    demand: Array
    demand_deviation: Array
    leaf: Array
    watering: Array

    def on(self, step: int, places: slice) -> Day:
        """Return one day of some sites."""
        return Day(
            self.precipitation[step, places],
            self.precipitation_deviation[step, places],
            self.air_temperature[step, places],
            self.demand[step, places],
            self.demand_deviation[step, places],
            self.leaf[step, places],
            self.watering[step, places],
        )


@dataclass(frozen=True, slots=True)
class Balance:
    """The balance of each day, all float64 (time, site).

    Parameters
    ----------
    storage, deviation, snow, offset, offset_deviation, correlation
        The state at the end of each day, after the look at the probes; as in `State`.
    interception, evapotranspiration, runoff, percolation
        As in `Fluxes` [mm].
    innovation : float64 (time, site)
        Measured minus expected [% of the capacity]; NaN without a reading.
    gain : float64 (time, site)
        Share of it the storage followed [-].
    """

    storage: Array
    deviation: Array
    snow: Array
    offset: Array
    offset_deviation: Array
    correlation: Array
    interception: Array
    evapotranspiration: Array
    runoff: Array
    percolation: Array
    innovation: Array
    gain: Array

    def state(self, step: int = -1) -> State:
        """Return the state at the end of a day."""
        return State(
            self.storage[step],
            self.deviation[step],
            self.snow[step],
            self.offset[step],
            self.offset_deviation[step],
            self.correlation[step],
        )


def water_balance(bucket: Bucket, state: State, weather: Weather, seen: Seen | None = None) -> Balance:
    """Return the balance of all sites day by day.

    Parameters
    ----------
    bucket : Bucket
        Of each site [mm].
    state : State
        Before the first day [mm].
    weather : Weather
        Without gaps [mm].
    seen : Seen, optional
        What the probes say each day, its arrays (time, site) [%]; without it nothing was measured.

    Returns
    -------
    Balance
        Of each day [mm].

    Notes
    -----
    Valid wherever `daily_step` is. Sites do not know of each other, and a day knows only the state before it:
    sites in batches give the same as all at once, and from any day's state on the balance continues as if it
    had never stopped.

    References
    ----------
    As `daily_step` (FAO-56, equations 84 and 85) and `assimilate`.

    Examples
    --------
    >>> one = np.ones(1)
    >>> nothing = 0 * one
    >>> pit = Bucket(100 * one, 150 * one, one, 0.5 * one, *[nothing] * 3, one, *[nothing] * 2, 60 * one, one,
    ...     *[nothing] * 3)
    >>> sunny = Weather(*(np.full((3, 1), value) for value in (0.0, 0.0, 20.0, 5.0, 0.0, 1.0, 0.0)))
    >>> water_balance(pit, State(90 * one, *[nothing] * 5), sunny).storage[:, 0].tolist()
    [85.0, 80.0, 75.0]
    """
    steps, sites = weather.demand.shape
    found = Balance(*(np.empty((steps, sites)) for _ in range(12)))
    for start in range(0, sites, _AT_ONCE):
        places = slice(start, start + _AT_ONCE)
        some, now = bucket.at(places), state.at(places)
        for step in range(steps):
            now, gone = daily_step(some, now, weather.on(step, places))
            if seen is not None:
                look = Seen(seen.available_water[step, places], seen.noise[step, places], seen.offset[step, places])
                now, found.innovation[step, places], found.gain[step, places] = assimilate(some, now, look)
            found.storage[step, places] = now.storage
            found.deviation[step, places] = now.deviation
            found.snow[step, places] = now.snow
            found.offset[step, places] = now.offset
            found.offset_deviation[step, places] = now.offset_deviation
            found.correlation[step, places] = now.correlation
            found.interception[step, places] = gone.interception
            found.evapotranspiration[step, places] = gone.evapotranspiration
            found.runoff[step, places] = gone.runoff
            found.percolation[step, places] = gone.percolation
    if seen is None:
        found.innovation[:] = np.nan
        found.gain[:] = 0.0
    return found


def available_water_band(
    bucket: Bucket, storage: Array, deviation: Array, capacity_error: Array
) -> tuple[Array, Array, Array]:
    """Return the plant-available water as 10th, 50th and 90th percentile.

    Parameters
    ----------
    bucket : Bucket
        Of each site [mm].
    storage, deviation : float64 (time, site)
        [mm].
    capacity_error : float64 (site,)
        Relative standard deviation of the capacity [-].

    Returns
    -------
    tuple of float64 (time, site)
        Share of the capacity [%], from 0 to what saturation holds.

    Notes
    -----
    Valid between wilting point and saturation; normally distributed and cut off there. What is missing from a
    full store is known in mm, so an error of the capacity counts in proportion to it; below the depletion
    fraction a larger store is also drawn from faster, and nearly empty any store is nearly empty.

    References
    ----------
    KA5 (2005), table 70, for the share; first-order propagation of errors through FAO-56, eq. 84, over one
    spell of drying.

    Examples
    --------
    >>> one = np.ones(1)
    >>> pit = Bucket(100 * one, 150 * one, one, 0.5 * one, *[one] * 11)
    >>> low, middle, high = available_water_band(pit, 50 * one, 10 * one, 0 * one)
    >>> low.round(1).tolist(), middle.tolist(), high.round(1).tolist()
    ([37.2], [50.0], [62.8])
    """
    share = 100.0 / bucket.capacity
    middle = share * storage
    unstressed = 100.0 * (1.0 - bucket.depletion_fraction)
    drier = np.minimum(middle, unstressed)
    rest = 100.0 / unstressed - 1.0 - np.log(np.maximum(drier, 1e-9) / unstressed)
    of_capacity = np.where(middle < unstressed, drier * rest, np.maximum(100.0 - middle, 0.0))
    spread = TENTH * np.sqrt((share * deviation) ** 2 + (of_capacity * capacity_error) ** 2)
    top = share * bucket.saturation
    low, high = np.maximum(middle - spread, 0.0), np.minimum(middle + spread, top)
    return np.minimum(low, top), np.clip(middle, 0.0, top), np.maximum(high, 0.0)
