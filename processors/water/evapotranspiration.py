"""Equations of reference evapotranspiration: by the day, by the hour, and from temperature alone."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.processor import Array
from processors.water.humidity import (
    atmospheric_pressure,
    mean_saturation_vapour_pressure,
    psychrometric_constant,
    saturation_vapour_pressure,
    slope_of_vapour_pressure,
)
from processors.water.radiation import (
    clear_sky_radiation,
    clearness,
    hourly_net_longwave,
    net_longwave,
    net_shortwave,
)
from processors.water.sun import extraterrestrial_radiation, hourly_extraterrestrial_radiation, sine_of_elevation
from processors.water.wind import LOWEST

_NIGHT_CLEARNESS: Final = 0.8
"""Relative radiation while the sun is down, in humid climates: FAO-56 p. 75 [-]."""
_LOW_SUN: Final = 0.3
"""Below this elevation the relative radiation says nothing: ASCE-EWRI (2005), p. 34 [rad]."""
_RADIATION_TOLERANCE: Final = 0.5
"""How much more than reaches the atmosphere a pyranometer may report: offset, clock, edges of clouds [MJ m-2]."""
_MOST_OF_A_DAY: Final = 20.0
"""More than any place on earth: one of the readings is wrong [mm/d]."""
_SWING: Final = 60.0
"""No day swings more: the extremes are then not of one thermometer [°C]."""


def penman_monteith(
    net_radiation: Array,
    air_temperature: Array,
    wind_speed: Array,
    deficit: Array,
    pressure: Array,
    numerator: Array | float,
    denominator: Array | float,
) -> Array:
    """Return evapotranspiration by the standardised Penman-Monteith equation, 0 where dew falls.

    Parameters
    ----------
    net_radiation : float64 (...)
        Less what the soil takes up [MJ m-2 per step].
    air_temperature : float64 (...)
        [°C]
    wind_speed : float64 (...)
        At 2 m [m/s]; still air counts as 0.5 m/s.
    deficit : float64 (...)
        Of saturation vapour pressure [kPa]; below 0 it is 0.
    pressure : float64 (...)
        Of the air [kPa].
    numerator, denominator : float or float64 (...)
        Of the surface and step [-]: 900 and 0.34 for short grass and a day.

    Returns
    -------
    float64 (...)
        [mm per step]

    Notes
    -----
    Valid for surfaces that lack no water.

    References
    ----------
    Allen et al. (1998), FAO-56, equation 6; ASCE-EWRI (2005), equation 1 and table 1.

    Examples
    --------
    >>> given = [np.array([value]) for value in (13.28, 16.9, 2.078, 0.589, 100.1)]
    >>> penman_monteith(*given, numerator=900, denominator=0.34).round(1).tolist()
    [3.9]
    """
    slope = slope_of_vapour_pressure(air_temperature)
    psychrometric = psychrometric_constant(pressure)
    wind = np.maximum(wind_speed, LOWEST)
    drying = psychrometric * numerator / (air_temperature + 273) * wind * np.maximum(deficit, 0.0)
    whole = (0.408 * slope * net_radiation + drying) / (slope + psychrometric * (1 + denominator * wind))
    return np.maximum(whole, 0.0)


def daily_evapotranspiration(
    minimum: Array,
    maximum: Array,
    *,
    vapour_pressure: Array,
    radiation: Array,
    wind_speed: Array,
    latitude: Array,
    elevation: Array,
    day: Array,
) -> Array:
    """Return a day's reference evapotranspiration of short grass.

    Parameters
    ----------
    minimum, maximum : float64 (...)
        Air temperature [°C].
    vapour_pressure : float64 (...)
        [kPa]
    radiation : float64 (...)
        Global radiation [MJ m-2 d-1].
    wind_speed : float64 (...)
        At 2 m [m/s].
    latitude : float64 (...)
        [°]
    elevation : float64 (...)
        [m above sea level]
    day : float64 (...)
        Day of the year [-].

    Returns
    -------
    float64 (...)
        [mm/d], 0 to 20; missing where an input is missing, more radiation arrived than there is above the
        atmosphere, or the result is more than any place on earth has seen.

    Notes
    -----
    Valid where FAO-56 is: short grass that lacks no water, days from -60 to 60 °C. Soil heat flux is 0 over a
    day; the relative radiation is bounded by 0.3 and 1.

    References
    ----------
    Allen et al. (1998), FAO Irrigation and Drainage Paper 56, equation 6 and chapter 4.

    Examples
    --------
    >>> daily_evapotranspiration(np.array([12.3]), np.array([21.5]), vapour_pressure=np.array([1.409]),
    ...     radiation=np.array([22.07]), wind_speed=np.array([2.078]), latitude=np.array([50.8]),
    ...     elevation=np.array([100.0]), day=np.array([187.0])).round(2).tolist()
    [3.88]
    """
    above = extraterrestrial_radiation(latitude, day)
    possible = (radiation >= 0) & (radiation <= above + _RADIATION_TOLERANCE) & _one_thermometer(minimum, maximum)
    clear = clearness(radiation, clear_sky_radiation(above, elevation))
    net = net_shortwave(radiation) - net_longwave(minimum, maximum, vapour_pressure, clear)
    deficit = mean_saturation_vapour_pressure(minimum, maximum) - vapour_pressure
    pressure = atmospheric_pressure(elevation)
    whole = penman_monteith(net, (minimum + maximum) / 2, wind_speed, deficit, pressure, 900, 0.34)
    return np.where(possible & (whole <= _MOST_OF_A_DAY), whole, np.nan)


def hourly_evapotranspiration(
    air_temperature: Array,
    *,
    vapour_pressure: Array,
    radiation: Array,
    wind_speed: Array,
    latitude: Array,
    longitude: Array,
    elevation: Array,
    day: Array,
    utc_hour: Array,
) -> Array:
    """Return an hour's reference evapotranspiration of short grass.

    Parameters
    ----------
    air_temperature : float64 (time, ...)
        [°C]
    vapour_pressure : float64 (time, ...)
        [kPa]
    radiation : float64 (time, ...)
        Global radiation [MJ m-2 h-1].
    wind_speed : float64 (time, ...)
        At 2 m [m/s].
    latitude, longitude : float64 (...)
        [°]
    elevation : float64 (...)
        [m above sea level]
    day : float64 (...)
        Day of the year in UTC [-].
    utc_hour : float64 (...)
        Middle of the hour [h UTC].

    Returns
    -------
    float64 (...)
        [mm/h], 0 or more; missing where an input is missing or impossible.

    Notes
    -----
    Valid for short grass that lacks no water. ASCE-EWRI's surface resistance is taken, 0.24 by day and 0.96 by
    night; FAO-56's own hourly equation
    (0.34 all day) gives about 4 % less at noon. While the sun is lower than 0.3 rad the sky is taken as in
    humid nights, at 0.8 of a clear sky's radiation.

    References
    ----------
    ASCE-EWRI (2005), The ASCE Standardized Reference Evapotranspiration Equation, equation 1, 42 to 66, table 1;
    relative radiation at night: Allen et al. (1998), FAO-56, p. 75.

    Examples
    --------
    >>> one = {"vapour_pressure": 1.19901, "radiation": 2.560647, "wind_speed": 1.3715, "latitude": 39.4575,
    ...     "longitude": -118.77388, "elevation": 1208.5, "day": 182.0, "utc_hour": 18.5}
    >>> hourly_evapotranspiration(np.array([33.2222]), **{k: np.array([v]) for k, v in one.items()}).round(2).tolist()
    [0.61]
    """
    above = hourly_extraterrestrial_radiation(latitude, longitude, day, utc_hour)
    possible = (radiation >= 0) & (radiation <= above + _RADIATION_TOLERANCE)
    high = sine_of_elevation(latitude, longitude, day, utc_hour) >= np.sin(_LOW_SUN)
    measured = clearness(radiation, clear_sky_radiation(above, elevation))
    clear = np.where(high, measured, np.where(np.isnan(measured), np.nan, _NIGHT_CLEARNESS))
    net = net_shortwave(radiation) - hourly_net_longwave(air_temperature, vapour_pressure, clear)
    dark = net < 0
    surface = np.where(dark, 0.96, 0.24)
    kept = net * np.where(dark, 0.5, 0.9)
    deficit = saturation_vapour_pressure(air_temperature) - vapour_pressure
    pressure = atmospheric_pressure(elevation)
    whole = penman_monteith(kept, air_temperature, wind_speed, deficit, pressure, 37, surface)
    return np.where(possible, whole, np.nan)


def hargreaves_evapotranspiration(minimum: Array, mean: Array, maximum: Array, extraterrestrial: Array) -> Array:
    """Return a day's reference evapotranspiration where only temperature was measured.

    Parameters
    ----------
    minimum, mean, maximum : float64 (...)
        Air temperature [°C].
    extraterrestrial : float64 (...)
        Radiation above the atmosphere [MJ m-2 d-1].

    Returns
    -------
    float64 (...)
        [mm/d], 0 or more; missing where an input is missing or the three contradict each other.

    Notes
    -----
    Valid where nothing but temperature is known. Made for weeks in semi-arid places: in humid summers it says
    some per cent too much, on windy dry days
    too little, and a single day is good to about a quarter.

    References
    ----------
    Hargreaves & Samani (1985), Appl. Eng. Agric. 1(2), 96-99; Allen et al. (1998), FAO-56, equation 52.

    Examples
    --------
    >>> hargreaves_evapotranspiration(*(np.array([value]) for value in (14.8, 20.7, 26.6, 40.6))).round(1).tolist()
    [5.0]
    """
    ordered = (minimum <= mean) & (mean <= maximum) & _one_thermometer(minimum, maximum)
    swing = np.sqrt(np.where(ordered, maximum - minimum, np.nan))
    return np.maximum(0.0023 * (mean + 17.8) * swing * 0.408 * extraterrestrial, 0.0)


def _one_thermometer(minimum: Array, maximum: Array) -> NDArray[np.bool_]:
    return (minimum <= maximum) & (maximum - minimum <= _SWING)
