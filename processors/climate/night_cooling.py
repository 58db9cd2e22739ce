"""Night cooling: how fast places cool between sunset and sunrise, and what becomes of it along a cold-air path."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.processor import Array
from gruenpuls.domain.reading import Times
from processors.climate.sun_position import sunrise_and_sunset

_COMPLETENESS: Final = 0.75
_LEAST_HOURS: Final = 4
_LEAST_SITES: Final = 3


class NightCooling(NamedTuple):
    """How fast each site cooled in each night.

    Parameters
    ----------
    nights : datetime64[D] (night,)
        The date of its evening.
    rate : float64 (night, site)
        Slope of the air temperature, positive where it falls [K/h].
    """

    nights: NDArray[np.datetime64]
    rate: Array


def night_cooling(steps: Times, air_temperature: Array, latitude: Array, longitude: Array) -> NightCooling:
    """Return how fast places cool between sunset and sunrise.

    Parameters
    ----------
    steps : datetime64[ms] (time,)
        Start of each hour, in order, UTC [ms].
    air_temperature : float64 (time, site)
        Mean of each hour [°C].
    latitude, longitude : float64 (site,)
        WGS 84 [°].

    Returns
    -------
    NightCooling
        Rates by night and site [K/h], by least squares over the hours that lie wholly in the night; missing
        where fewer than three quarters of them, or fewer than four, have a value.

    Notes
    -----
    Valid for hourly means and nights of at least four hours. Cooling is fastest after sunset: the slope is the
    night's, not the evening's.

    References
    ----------
    Least squares; VDI 3787 part 5 (2003), local cold air, names the cooling rate without an equation.

    Examples
    --------
    >>> steps = np.datetime64("2023-08-14T12:00", "ms") + np.arange(24) * np.timedelta64(1, "h")
    >>> falling = (30 - 0.5 * np.arange(24.0))[:, None]
    >>> night_cooling(steps, falling, np.array([51.5]), np.array([7.0])).rate[0].round(2).tolist()
    [0.5]
    """
    sites = air_temperature.shape[1]
    if not len(steps):
        return NightCooling(np.empty(0, "datetime64[D]"), np.empty((0, sites)))
    first, last = steps[0].astype("datetime64[D]"), steps[-1].astype("datetime64[D]")
    evenings = np.arange(first, last + 1)
    sunset = sunrise_and_sunset(evenings, latitude, longitude)[1]
    sunrise = sunrise_and_sunset(evenings + 1, latitude, longitude)[0]
    hour = np.timedelta64(1, "h")
    rate = np.full((len(evenings), sites), np.nan)
    for night in range(len(evenings)):
        begin, end = np.searchsorted(steps, [evenings[night] + 12 * hour, evenings[night] + 36 * hour])
        at = steps[begin:end, None]
        dark = (at >= sunset[night]) & (at + hour <= sunrise[night])
        rate[night] = -_slope((at - steps[0]) / hour, air_temperature[begin:end], dark, sunrise[night] - sunset[night])
    return NightCooling(evenings, rate)


def _slope(
    hours: Array, values: Array, dark: NDArray[np.bool_], length: NDArray[np.timedelta64]
) -> NDArray[np.float64]:
    """Return the slope of each column over the hours that count; missing where too few are known."""
    known = dark & np.isfinite(values)
    count = known.sum(axis=0)
    whole = np.nan_to_num(length / np.timedelta64(1, "h")) - 1  # as many whole hours lie in it at least
    weight = known.astype(np.float64)
    middle = (hours * weight).sum(axis=0) / np.maximum(count, 1)
    away = (hours - middle) * weight
    slope = (away * np.nan_to_num(values)).sum(axis=0) / np.maximum((away**2).sum(axis=0), np.finfo(np.float64).tiny)
    enough = (count >= _LEAST_HOURS) & (count >= _COMPLETENESS * whole)
    return np.where(enough, slope, np.nan)


def along_path(rate: Array, distance: Array) -> Array:
    """Return how the cooling rate changes along a cold-air path, night by night.

    Parameters
    ----------
    rate : float64 (night, site)
        What `night_cooling` gives [K/h].
    distance : float64 (site,)
        Of each site from the head of the path, where the cold air forms [km].

    Returns
    -------
    float64 (night,)
        Change by distance [K/h/km], negative where the city cools more slowly the farther in; missing where
        fewer than three sites are known.

    Notes
    -----
    Valid for three sites and more along one path. A change near 0 says that the cold air gets through.

    References
    ----------
    Least squares, no equation of a standard; VDI 3787 part 5 (2003), local cold air.

    Examples
    --------
    >>> along_path(np.array([[1.0, 0.8, 0.6]]), np.array([0.0, 1.0, 2.0])).round(2).tolist()
    [-0.2]
    """
    known = np.isfinite(rate) & np.isfinite(distance)
    count = known.sum(axis=1, keepdims=True)
    place = np.where(known, distance, 0.0)
    away = np.where(known, place - place.sum(axis=1, keepdims=True) / np.maximum(count, 1), 0.0)
    spread = (away**2).sum(axis=1)
    slope = (away * np.where(known, rate, 0.0)).sum(axis=1) / np.maximum(spread, np.finfo(np.float64).tiny)
    return np.where((count[:, 0] >= _LEAST_SITES) & (spread > 0), slope, np.nan)
