"""Water balance: how much water every site has left today, from weather, waterings and its probes, and how surely."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.device import Placement
from gruenpuls.domain.processor import Array, Cadence, Fleet, Input, Output, Processor
from gruenpuls.domain.quantity import QUANTITIES
from processors.water.assimilation import root_zone_reading
from processors.water.balance import Balance, Weather, available_water_band, water_balance
from processors.water.bucket import Bucket, State
from processors.water.climatology import (
    EVAPOTRANSPIRATION_DEVIATION,
    expected_evapotranspiration,
    expected_precipitation,
    expected_temperature,
)
from processors.water.demand import leaf_cover, plant_evapotranspiration, season_factor
from processors.water.pit import BALL_SEASONS
from processors.water.sun import day_of_year

LATITUDE: Final = 51.5
"""Of the Ruhr, for sites without a place [°]."""
GAUGE_ERROR: Final = 0.1
"""Relative standard deviation of a day's rain at the gauge itself [-]; our assumption."""
FAR_ERROR: Final = 0.4
"""What is added to it far from the gauge [-], and what may have fallen unseen [mm]; our assumption."""
FAR: Final = 10.0
"""Distance over which summer rain changes [km]; our assumption."""
FROZEN_BELOW: Final = 0.5
"""Soil temperature below which a probe is not believed [°C]: ice reads as dry ground."""
MEASURED, RAIN_ASSUMED, DEMAND_ASSUMED = 0.0, 1.0, 2.0
"""What of a day's weather was assumed from the climate; both add up [-]."""
_HIGHEST: Final = QUANTITIES["plant_available_water"].maximum


def bucket_of(attributes: dict[str, Array]) -> tuple[Bucket, NDArray[np.bool_]]:
    """Return the buckets of sites, and which of them have one.

    Parameters
    ----------
    attributes : dict of float64 (site,)
        The columns of `processors.water.site_parameters.site_parameters` [in the unit of each].

    Returns
    -------
    bucket : Bucket
        [mm] and shares [-]; of a site without one numbers that only keep the arithmetic going.
    exists : bool (site,)
        Whether all of its parameters are known and it holds anything [-].

    Notes
    -----
    Valid for any sites; what has no capacity, such as a weather station, has no bucket.

    References
    ----------
    `processors.water.bucket`. No equation.

    Examples
    --------
    >>> from gruenpuls.domain.site import Site, SiteKind
    >>> from processors.water.site_parameters import site_parameters
    >>> sites = [Site("B1", "Linde", SiteKind.STREET_TREE), Site("W1", "Mast", SiteKind.WEATHER_STATION)]
    >>> bucket_of(dict(site_parameters(sites, 2026).columns))[1].tolist()
    [True, False]
    """
    named = {part.name: attributes["root_zone_area" if part.name == "area" else part.name] for part in fields(Bucket)}
    exists = np.all([~np.isnan(values) for values in named.values()], axis=0) & (named["capacity"] > 0)
    return Bucket(**{name: np.where(exists, values, 0.5) for name, values in named.items()}), exists


def known_latitude(latitude: Array) -> Array:
    """Return the latitude of sites, the Ruhr's where nobody said.

    Parameters
    ----------
    latitude : float64 (...)
        [°]; NaN is unknown.

    Returns
    -------
    float64 (...)
        [°]

    Notes
    -----
    Valid for the cities of the Ruhr: from April to August a day's demand differs by less than 1 % over their
    region.

    References
    ----------
    Our assumption, `LATITUDE`. No equation.

    Examples
    --------
    >>> known_latitude(np.array([48.1, np.nan])).tolist()
    [48.1, 51.5]
    """
    return np.where(np.isnan(latitude), LATITUDE, latitude)


def rain_deviation(precipitation: Array, distance: Array) -> Array:
    """Return how unsure a day's rain is some way off its gauge.

    Parameters
    ----------
    precipitation : float64 (...)
        [mm]
    distance : float64 (...)
        From the gauge [km]; missing is at the gauge.

    Returns
    -------
    float64 (...)
        Standard deviation [mm].

    Notes
    -----
    Valid for daily sums.

    References
    ----------
    Our assumption: 10 % at the gauge, half of the rain and 0.4 mm beyond some 30 km. No equation.

    Examples
    --------
    >>> rain_deviation(np.array([10.0, 0.0, 10.0]), np.array([0.0, 0.0, 100.0])).round(1).tolist()
    [1.0, 0.0, 5.4]
    """
    away = 1.0 - np.exp(-np.nan_to_num(distance) / FAR)
    deviation: Array = GAUGE_ERROR * precipitation + FAR_ERROR * away * (precipitation + 1.0)
    return deviation


def _weather_of(fleet: Fleet) -> tuple[Weather, Array]:
    """Return the weather of a fleet without gaps, and what of it was assumed.

    Parameters
    ----------
    fleet : Fleet
        With rain, reference evapotranspiration [mm] and temperature [°C], measured or missing.

    Returns
    -------
    Weather
        [mm over the root-zone area]
    float64 (time, site)
        Sum of `RAIN_ASSUMED` and `DEMAND_ASSUMED` [-].

    Notes
    -----
    Valid for the Rhineland and the Ruhr where something is missing: their climate stands for it.
    """
    # sites without a balance are masked at the end; until then their numbers only must be numbers
    at = {name: np.nan_to_num(values)[None, :] for name, values in fleet.attributes.items() if name in _NEEDED}
    day = day_of_year(fleet.steps)[:, None]
    reference = fleet.inputs["reference_evapotranspiration", "last"]
    unknown = np.isnan(reference)
    if unknown.any():
        expected = expected_evapotranspiration(known_latitude(fleet.attributes["latitude"]), day)
        reference = np.where(unknown, expected, reference)
    rain, distance = _either(fleet, "precipitation", "sum", "sum_day")
    dry = np.isnan(rain)
    mean_rain, its_deviation = expected_precipitation(day)
    temperature, _ = _either(fleet, "air_temperature", "mean", "mean_day")
    leaf = np.broadcast_to(leaf_cover(day, at["evergreen"]), reference.shape)
    demand = plant_evapotranspiration(
        np.maximum(reference, 0.0),
        at["crown_share"] * at["plant_factor"],
        at["microclimate_factor"],
        season_factor(leaf),
    )
    watered = np.nan_to_num(fleet.watered) if fleet.watered.size else np.zeros((1, 1))
    return (
        Weather(
            precipitation=np.where(dry, mean_rain, np.maximum(rain, 0.0)),
            precipitation_deviation=np.where(dry, its_deviation, rain_deviation(rain, distance)),
            air_temperature=np.where(np.isnan(temperature), expected_temperature(day), temperature),
            demand=demand,
            demand_deviation=np.where(unknown, EVAPOTRANSPIRATION_DEVIATION * demand, 0.0),
            leaf=leaf,
            watering=np.broadcast_to(watered * at["efficiency"], reference.shape),
        ),
        np.where(dry, RAIN_ASSUMED, MEASURED) + np.where(unknown, DEMAND_ASSUMED, MEASURED),
    )


_NEEDED: Final = frozenset({"evergreen", "crown_share", "plant_factor", "microclimate_factor", "efficiency"})


def _either(fleet: Fleet, quantity: str, measured: str, daily: str) -> tuple[Array, Array]:
    """Return what was summed up from readings, else a station's own daily value, and from how far."""
    first, second = fleet.inputs[quantity, measured], fleet.inputs[quantity, daily]
    own, station = (fleet.distances.get((quantity, name), np.zeros((1, 1))) for name in (measured, daily))
    missing = np.isnan(first)
    distance = np.where(missing, station, own) if fleet.distances else own
    return np.where(missing, second, first), distance


STATE: Final = {
    "storage": ("soil_water_storage", ""),
    "deviation": ("soil_water_storage", "deviation"),
    "snow": ("snow_water", ""),
    "offset": ("sensor_offset", ""),
    "offset_deviation": ("sensor_offset", "deviation"),
    "correlation": ("sensor_offset_correlation", ""),
}
"""Under what each part of the state is kept."""
_FLUXES: Final = {
    "interception": "interception",
    "evapotranspiration": "actual_evapotranspiration",
    "runoff": "runoff",
    "percolation": "percolation",
}


def _state(fleet: Fleet, bucket: Bucket) -> tuple[State, NDArray[np.bool_]]:
    fresh = State.unknown(bucket)
    kept = {name: fleet.carried.get(key) for name, key in STATE.items()}
    known = np.ones(bucket.capacity.shape, np.bool_)
    for values in kept.values():
        known &= np.zeros_like(known) if values is None else ~np.isnan(values)
    parts = {}
    for name, values in kept.items():
        start = getattr(fresh, name)
        parts[name] = start if values is None else np.where(known, values, start)
    state = State(**parts)
    return State(np.clip(state.storage, 0.0, bucket.saturation), *(getattr(state, n) for n in list(STATE)[1:])), known


def _trusted(fleet: Fleet, air_temperature: Array) -> NDArray[np.bool_]:
    """Return which readings count: of unfrozen ground, by its own thermometer or a day's air, with roots in it."""
    soil = fleet.inputs["soil_temperature", "mean"]
    thawed = np.where(np.isnan(soil), (air_temperature >= 0)[:, :, None], soil >= FROZEN_BELOW)
    if fleet.placements.shape != fleet.depths.shape:
        return np.asarray(thawed, np.bool_)
    young = fleet.attributes["growing_season"] <= BALL_SEASONS
    beside = young[:, None] & (fleet.placements == Placement.NATIVE_SOIL)
    return np.asarray(thawed & ~beside, np.bool_)


def _compute(fleet: Fleet) -> dict[tuple[str, str], Array]:
    bucket, exists = bucket_of(dict(fleet.attributes))
    weather, assumed = _weather_of(fleet)
    state, carried = _state(fleet, bucket)
    seen = root_zone_reading(
        fleet.inputs["plant_available_water", "mean"],
        fleet.depths,
        fleet.attributes["balance_depth"],
        _trusted(fleet, weather.air_temperature),
    )
    # A site of which nothing was ever known has no balance yet; until then its store stands still.
    told = (assumed < RAIN_ASSUMED + DEMAND_ASSUMED) | ~np.isnan(seen.available_water)
    begun = exists & (carried | np.logical_or.accumulate(told, axis=0))
    if not begun.all():
        still = ("precipitation", "precipitation_deviation", "demand", "demand_deviation", "watering")
        weather = replace(weather, **{name: np.where(begun, getattr(weather, name), 0.0) for name in still})
    found = water_balance(bucket, state, weather, seen)
    return _results(fleet, bucket, found, begun, assumed)


def _results(
    fleet: Fleet, bucket: Bucket, found: Balance, begun: NDArray[np.bool_], assumed: Array
) -> dict[tuple[str, str], Array]:
    low, middle, high = available_water_band(
        bucket, found.storage, found.deviation, np.nan_to_num(fleet.attributes["capacity_error"])
    )
    innovation = QUANTITIES["soil_water_innovation"]
    results = {
        ("plant_available_water", "p10"): np.minimum(low, _HIGHEST),
        ("plant_available_water", "p50"): np.minimum(middle, _HIGHEST),
        ("plant_available_water", "p90"): np.minimum(high, _HIGHEST),
        ("soil_water_innovation", ""): np.clip(found.innovation, innovation.minimum, innovation.maximum),
        ("soil_water_deficit", ""): np.maximum(bucket.capacity - found.storage, 0.0),
        ("free_storage", ""): np.maximum(bucket.saturation - found.storage, 0.0),
        ("assumed_weather", ""): assumed,
    }
    results |= {key: getattr(found, name) for name, key in STATE.items()}
    results |= {(name, ""): getattr(found, part) for part, name in _FLUXES.items()}
    if begun.all():
        return results
    return {key: np.where(begun, values, np.nan) for key, values in results.items()}


WATER_BALANCE: Final = Processor(
    name="water_balance",
    version="1",
    inputs=(
        Input("reference_evapotranspiration", "last", weather=True),
        Input("precipitation", "sum", 0.9, weather=True),
        Input("precipitation", of="sum_day", weather=True),
        Input("air_temperature", "mean", 0.75, weather=True),
        Input("air_temperature", of="mean_day", weather=True),
        Input("plant_available_water", by_depth=True),
        Input("soil_temperature", by_depth=True),
    ),
    outputs=(
        Output("plant_available_water", "p10"),
        Output("plant_available_water", "p50"),
        Output("plant_available_water", "p90"),
        Output("soil_water_innovation"),
        Output("soil_water_deficit"),
        Output("free_storage"),
        Output("assumed_weather"),
        *(Output(*key) for key in STATE.values()),
        *(Output(name) for name in _FLUXES.values()),
    ),
    cadence=Cadence.DAY,
    memory=0,
    compute=_compute,
    source="FAO-56 eq. 84 and 85 for the bucket, DWA-M 153 for inflow, Kalman (1960) for the look at the probes",
    carries=tuple(Output(*key) for key in STATE.values()),
    spin_up=365,
    watered=True,
    every_site=True,
)
