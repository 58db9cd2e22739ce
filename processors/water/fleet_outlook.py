"""The outlook of a fleet, from what is known of its sites: what scheduled work and questions both call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.distance import distance
from gruenpuls.domain.processor import Array
from processors.water.bucket import State
from processors.water.demand import leaf_cover, plant_evapotranspiration, season_factor
from processors.water.futures import rains
from processors.water.outlook import Band, Outlook, outlook
from processors.water.sun import day_of_year
from processors.water.water_balance import bucket_of
from processors.water.weather_ahead import WeatherAhead

FARTHEST: Final = 60.0
"""A station farther away than this tells nothing of a site [km]; DWD's stations stand some 20 km apart."""


def fleet_outlook(
    columns: Mapping[str, Array],
    state: State,
    weather: WeatherAhead,
    place: NDArray[np.int64],
    thresholds: Array,
) -> Outlook:
    """Return the outlook of all sites.

    Parameters
    ----------
    columns : mapping of str to float64 (site,)
        What `processors.water.site_parameters.site_parameters` says of them [in the unit of each].
    state : State
        At the end of the day before the weather's first [mm]; NaN where there is none.
    weather : WeatherAhead
        Of the places [mm/d].
    place : int64 (site,)
        Whose weather a site has, see `nearest_place` [-].
    thresholds : float64 (threshold, site)
        Such as `processors.water.irrigation_need.water_limits` gives them [%].

    Returns
    -------
    Outlook
        In [%], [d] and [mm]; missing for sites without a bucket or state.

    Notes
    -----
    Valid where the bucket is.

    References
    ----------
    `processors.water.outlook`. No equation of its own.

    Examples
    --------
    >>> from gruenpuls.domain.site import Site, SiteKind
    >>> from processors.water.site_parameters import site_parameters
    >>> from processors.water.weather_ahead import HourlyForecast, weather_ahead
    >>> tree = Site("B1", "Linde", SiteKind.STREET_TREE, attributes={"crown_diameter": 6.0})
    >>> days = np.arange("2026-07-01", "2026-07-05", dtype="datetime64[D]")
    >>> usual = weather_ahead(HourlyForecast.nothing(np.array([51.5])), days[:3], days.astype("datetime64[ms]"))
    >>> state = State(np.array([40.0]), *np.zeros((5, 1)))
    >>> ahead = fleet_outlook(site_parameters([tree], 2026).columns, state, usual, np.zeros(1, int), np.array([[30.0]]))
    >>> ahead.available_water.middle.shape, bool((ahead.available_water.low <= ahead.available_water.high).all())
    ((3, 1), True)
    """
    bucket, exists = bucket_of(dict(columns))
    known = exists & np.all([~np.isnan(getattr(state, part.name)) for part in fields(State)], axis=0)
    storage = np.where(known, state.storage, np.nan)
    rest = {part.name: np.nan_to_num(getattr(state, part.name)) for part in fields(State) if part.name != "storage"}
    sites, days = len(place), len(weather.days)
    day = day_of_year(weather.days)[:, np.newaxis]
    leaf = np.broadcast_to(leaf_cover(day, columns["evergreen"]), (days, sites))
    factor = plant_evapotranspiration(
        np.ones((days, sites)),
        columns["crown_share"] * columns["plant_factor"],
        columns["microclimate_factor"],
        season_factor(leaf),
    )
    return outlook(
        bucket,
        State(storage=storage, **rest),
        weather,
        place,
        demand_factor=np.nan_to_num(factor),
        leaf=np.nan_to_num(leaf),
        capacity_error=np.nan_to_num(columns["capacity_error"]),
        thresholds=thresholds,
    )


def nearest_place(
    latitude: Array, longitude: Array, place_latitude: Array, place_longitude: Array
) -> NDArray[np.int64]:
    """Return the place nearest to each site, -1 where none is near or nobody knows where the site is.

    Parameters
    ----------
    latitude, longitude : float64 (site,)
        [°]
    place_latitude, place_longitude : float64 (place,)
        [°]

    Returns
    -------
    int64 (site,)
        Its number among the places [-].

    Notes
    -----
    Near is within 60 km. Valid for any two places on earth.

    References
    ----------
    `gruenpuls.domain.distance`. No equation.

    Examples
    --------
    >>> essen, berlin = (51.40, 6.97), (52.5, 13.4)
    >>> places = np.array([essen, berlin]).T
    >>> nearest_place(np.array([51.5, 52.4, 48.1, np.nan]), np.array([7.2, 13.0, 11.6, 7.0]), *places).tolist()
    [0, 1, -1, -1]
    """
    if not len(place_latitude):
        return np.full(len(latitude), -1)
    nearest = np.full(len(latitude), -1)
    shortest = np.full(len(latitude), FARTHEST)
    for number, (north, east) in enumerate(zip(place_latitude, place_longitude, strict=True)):
        away = distance(latitude, longitude, np.array(north), np.array(east))
        closer = away < shortest
        nearest[closer], shortest[closer] = number, away[closer]
    return nearest


def forecast_rain(weather: WeatherAhead, days: int = 2) -> Band:
    """Return the rain above the crowns of the first days, its 10th, 50th and 90th percentile.

    Parameters
    ----------
    weather : WeatherAhead
        [mm]
    days : int
        How many are added up [d].

    Returns
    -------
    Band of float64 (place,)
        [mm]; of the median `processors.water.irrigation_need` decides what is put off.

    Notes
    -----
    Valid for whole days.

    References
    ----------
    `processors.water.futures`. No equation of its own.

    Examples
    --------
    >>> from processors.water.weather_ahead import HourlyForecast, weather_ahead
    >>> days = np.arange("2026-07-01", "2026-07-04", dtype="datetime64[D]")
    >>> usual = weather_ahead(HourlyForecast.nothing(np.array([51.5])), days[:2], days.astype("datetime64[ms]"))
    >>> rain = forecast_rain(usual)
    >>> [float(part[0].round(1)) for part in (rain.low, rain.middle, rain.high)]
    [0.0, 0.9, 18.1]
    """
    ordered = np.sort(rains(weather)[:, :days].sum(axis=1), axis=0)
    return Band.of(ordered)
