"""The bucket: one day of water in the root zone of a tree pit, a bed, a park or the layer of a green roof.

All water is in mm over the *root-zone area* of a site, 1 mm being one litre on each of its square metres.
A tree transpires over its crown and drinks from its root zone: its demand is brought to the root-zone area
before it comes here (`processors.water.site_parameters`). Storage counts from the wilting point.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final, Self

import numpy as np

from gruenpuls.domain.processor import Array

SNOW_BELOW: Final = 0.5
"""Daily mean air temperature up to which precipitation lies as snow [°C]; our assumption."""
MELT: Final = 3.0
"""Degree-day factor of melting snow [mm/K/d]; 2 to 5 in the literature, our choice."""
WET_EVAPORATION: Final = 0.1
"""Share of the rain beyond the interception store that evaporates while it rains [-]."""
_WIDEST: Final = 0.35
"""Largest standard deviation as a share of the capacity [-]: even less is known of a uniform distribution, 0.29."""


class Columns:
    """Arrays of one length, one place per site."""

    __slots__ = ()

    def at(self, places: slice) -> Self:
        """Return some of the sites."""
        return type(self)(*(getattr(self, part.name)[places] for part in fields(self)))  # type: ignore[arg-type]  # every subclass is a dataclass


@dataclass(frozen=True, slots=True)
class Bucket(Columns):
    """What a site holds and what reaches it.

    Parameters
    ----------
    capacity : float64 (site,)
        Water between wilting point and field capacity, or what a roof holds [mm]; above 0.
    saturation : float64 (site,)
        The most it can hold for a while, from the wilting point on [mm]; at least the capacity.
    drainage_time : float64 (site,)
        Time constant of what drains above field capacity [d].
    depletion_fraction : float64 (site,)
        Share of the capacity that is used without stress, p of FAO-56 [-]; 0 to below 1.
    cover : float64 (site,)
        Share of the root-zone area under the crown [-].
    interception_bare, interception_leaved : float64 (site,)
        What the crown holds back of a day's rain without and with leaves [mm over the crown].
    rain_share : float64 (site,)
        Share of the rain on the root-zone area that enters the ground [-].
    drained_share : float64 (site,)
        Sealed area that drains into the pit, per root-zone area [-].
    inflow_coefficient : float64 (site,)
        Share of the rain on it that arrives, the runoff coefficient of DWA-M 153 [-].
    infiltration_capacity : float64 (site,)
        The most that enters the ground in a day [mm].
    area : float64 (site,)
        Root-zone area [m²].
    demand_error, inflow_error : float64 (site,)
        Relative standard deviation of the site's demand and of the water that reaches it, which lasts as long
        as the site is described as it is [-].
    noise : float64 (site,)
        Standard deviation of what the bucket does not describe, each day anew, per capacity [-].
    """

    capacity: Array
    saturation: Array
    drainage_time: Array
    depletion_fraction: Array
    cover: Array
    interception_bare: Array
    interception_leaved: Array
    rain_share: Array
    drained_share: Array
    inflow_coefficient: Array
    infiltration_capacity: Array
    area: Array
    demand_error: Array
    inflow_error: Array
    noise: Array


@dataclass(frozen=True, slots=True)
class State(Columns):
    """All that one day hands on to the next.

    Parameters
    ----------
    storage : float64 (site,)
        Expected water in the root zone, from the wilting point on [mm].
    deviation : float64 (site,)
        Its standard deviation [mm].
    snow : float64 (site,)
        Water lying as snow [mm].
    offset : float64 (site,)
        By how much the site's probes read more than its whole root zone holds [mm].
    offset_deviation : float64 (site,)
        Its standard deviation [mm].
    correlation : float64 (site,)
        Between the errors of storage and offset [-].
    """

    storage: Array
    deviation: Array
    snow: Array
    offset: Array
    offset_deviation: Array
    correlation: Array

    @classmethod
    def unknown(cls, bucket: Bucket) -> State:
        """Return what is assumed of a site nobody knows anything of: half full, give or take all of it."""
        nothing = np.zeros_like(bucket.capacity)
        return cls(0.5 * bucket.capacity, _WIDEST * bucket.capacity, nothing, nothing, nothing, nothing)


@dataclass(frozen=True, slots=True)
class Day(Columns):
    """What a day brings.

    Parameters
    ----------
    precipitation : float64 (site,)
        Rain and snow above the crowns [mm].
    precipitation_deviation : float64 (site,)
        Its standard deviation [mm].
    air_temperature : float64 (site,)
        Daily mean [°C].
    demand : float64 (site,)
        What plants and soil would evaporate without want [mm over the root-zone area].
    demand_deviation : float64 (site,)
        The day's own part of its standard deviation [mm over the root-zone area].
    leaf : float64 (site,)
        0 bare to 1 in full leaf [-].
    watering : float64 (site,)
        Water people gave that reached the root zone [L].
    """

    precipitation: Array
    precipitation_deviation: Array
    air_temperature: Array
    demand: Array
    demand_deviation: Array
    leaf: Array
    watering: Array


@dataclass(frozen=True, slots=True)
class Fluxes(Columns):
    """Where the water of a day went, all (site,) [mm over the root-zone area].

    ``precipitation * (1 + drained_share) + watering / area`` equals `interception` + `evapotranspiration` +
    `runoff` + `percolation` and the change of storage and, times ``1 + drained_share``, of snow.

    Parameters
    ----------
    interception, evapotranspiration, runoff, percolation : float64 (site,)
        Runoff is what did not enter the ground, from the root-zone area and the area drained into it.
    """

    interception: Array
    evapotranspiration: Array
    runoff: Array
    percolation: Array


def daily_step(bucket: Bucket, state: State, day: Day) -> tuple[State, Fluxes]:
    """Return the state at the end of a day and where its water went.

    Parameters
    ----------
    bucket : Bucket
        Of each site [mm].
    state : State
        At the end of the day before [mm].
    day : Day
        Without gaps [mm]; who has a gap says what is expected and how surely.

    Returns
    -------
    State
        At the end of the day [mm].
    Fluxes
        Of the day [mm].

    Notes
    -----
    In this order: snow falls or melts; the crown holds back what it can and loses it the same day, which
    spends as much of the demand; rain and watering enter the ground, what finds no room runs off; plants take
    the demand in full down to the depletion fraction and below in proportion to what is left, integrated over
    the day, so that no storage falls below zero however large the demand; what is above field capacity drains.
    Storage rises with rain, watering and earlier storage and falls with demand, always.

    The deviation grows by lasting errors of demand and inflow, which add up day by day, and by errors of the
    day's weather and noise, which average out; where the soil is full or nearly dry, water that leaves or stays
    takes its uncertainty along.

    Valid for any capacity above zero and any non-negative rain and demand.

    References
    ----------
    Allen et al. (1998), FAO Irrigation and Drainage Paper 56, equations 84 (Ks) and 85 (balance), here
    solved exactly within the day; interception as in i-Tree Hydro (0.2 mm per unit of leaf area); runoff
    coefficients DWA-M 153. Propagation of errors to first order.

    Examples
    --------
    >>> one = np.ones(1)
    >>> nothing = 0 * one
    >>> pit = Bucket(100 * one, 150 * one, one, 0.5 * one, *[nothing] * 3, one, *[nothing] * 2, 60 * one, one,
    ...     *[nothing] * 3)
    >>> half = State(60 * one, *[nothing] * 5)
    >>> after, gone = daily_step(pit, half, Day(10 * one, nothing, 15 * one, 4 * one, nothing, one, nothing))
    >>> after.storage.tolist(), gone.evapotranspiration.tolist()
    ([66.0], [4.0])
    """
    snowfall = np.where(day.air_temperature <= SNOW_BELOW, day.precipitation, 0.0)
    lying = state.snow + snowfall
    melt = np.minimum(lying, MELT * np.maximum(day.air_temperature, 0.0))
    rain = day.precipitation - snowfall

    store = bucket.interception_bare + day.leaf * (bucket.interception_leaved - bucket.interception_bare)
    held = np.minimum(rain, store)
    interception = bucket.cover * (held + WET_EVAPORATION * np.where(store > 0, rain - held, 0.0))
    ground = rain - interception + melt
    drained = bucket.drained_share * (rain + melt)
    soak = np.minimum(bucket.rain_share * ground + bucket.inflow_coefficient * drained, bucket.infiltration_capacity)

    filled = state.storage + soak + day.watering / bucket.area
    wet = np.minimum(filled, bucket.saturation)
    demand = np.maximum(day.demand - interception, 0.0)
    unstressed = (1.0 - bucket.depletion_fraction) * bucket.capacity
    easy = np.maximum(wet - unstressed, 0.0)
    hard = wet - easy
    spared = np.exp(-np.maximum(demand - easy, 0.0) / unstressed)
    evapotranspiration = np.minimum(demand, easy) + hard * (1.0 - spared)
    dried = wet - evapotranspiration
    excess = np.maximum(dried - bucket.capacity, 0.0)
    kept = np.exp(-1.0 / bucket.drainage_time)
    percolation = excess * (1.0 - kept)

    slope = spared * np.where(excess > 0, kept, 1.0) * (filled <= bucket.saturation)
    entered = bucket.rain_share + bucket.inflow_coefficient * bucket.drained_share
    new = (entered * day.precipitation_deviation) ** 2 + day.demand_deviation**2
    carried = slope * np.sqrt(state.deviation**2 + new)
    lasting = np.sqrt((bucket.demand_error * demand) ** 2 + (bucket.inflow_error * soak) ** 2)
    deviation = np.sqrt((carried + lasting) ** 2 + (bucket.noise * bucket.capacity) ** 2)
    deviation = np.minimum(deviation, _WIDEST * bucket.capacity)
    together = slope * state.deviation * state.correlation
    correlation = np.divide(together, deviation, out=np.zeros_like(deviation), where=deviation > 0)
    return (
        State(
            storage=dried - percolation,
            deviation=deviation,
            snow=lying - melt,
            offset=state.offset,
            offset_deviation=state.offset_deviation,
            correlation=np.clip(correlation, -1.0, 1.0),
        ),
        Fluxes(
            interception=interception,
            evapotranspiration=evapotranspiration,
            # rounding must not make a runoff of less than nothing
            runoff=np.maximum(ground + drained - soak, 0.0) + (filled - wet),
            percolation=percolation,
        ),
    )
