"""Radiation: what reaches the ground, and what of it a meadow keeps."""

from __future__ import annotations

from typing import Final

import numpy as np

from gruenpuls.domain.processor import Array
from processors.water.sun import daylight_hours, extraterrestrial_radiation

ALBEDO: Final = 0.23
"""Of the reference grass [-]."""
ANGSTROM_A: Final = 0.25
ANGSTROM_B: Final = 0.50
"""FAO's Ångström coefficients where none were fitted to measured radiation [-]."""
TEMPERATURE_INLAND: Final = 0.16
"""Hargreaves' adjustment away from the coast [°C^-0.5]."""
MEGAJOULES_OF_A_DAY: Final = 0.0864
"""1 W/m2 all day long [MJ m-2 d-1]."""
MEGAJOULES_OF_AN_HOUR: Final = 0.0036
"""1 W/m2 for an hour [MJ m-2 h-1]."""
_STEFAN_BOLTZMANN_DAY: Final = 4.903e-9
_STEFAN_BOLTZMANN_HOUR: Final = 2.043e-10
_KELVIN: Final = 273.16
_LEAST_CLEARNESS: Final = 0.3
"""ASCE's bound of the relative shortwave radiation: below it the sky is overcast anyway [-]."""
_SUNSHINE_TOLERANCE: Final = 0.5
"""How much more sunshine than daylight a recorder may report: refraction, slope, clock [h]."""


def radiation_from_sunshine(sunshine: Array, latitude: Array, day: Array) -> Array:
    """Return a day's global radiation from its hours of sunshine.

    Parameters
    ----------
    sunshine : float64 (...)
        [h]
    latitude : float64 (...)
        [°]
    day : float64 (...)
        Day of the year [-].

    Returns
    -------
    float64 (...)
        [MJ m-2 d-1]; missing where there was more sunshine than the day has light, by over half an hour.

    Notes
    -----
    Valid where Ångström's coefficients are not known better; in cities haze takes some per cent more.

    References
    ----------
    Allen et al. (1998), FAO Irrigation and Drainage Paper 56, equation 35 (Ångström) with a = 0.25, b = 0.50.

    Examples
    --------
    >>> radiation_from_sunshine(np.array([9.25, 25.0]), np.array([50.8]), np.array([187.0])).round(1).tolist()
    [22.1, nan]
    """
    longest = daylight_hours(latitude, day)
    possible = (sunshine >= 0) & (sunshine <= longest + _SUNSHINE_TOLERANCE)
    share = np.divide(sunshine, longest, out=np.zeros(possible.shape), where=possible & (longest > 0))
    found = (ANGSTROM_A + ANGSTROM_B * np.minimum(share, 1.0)) * extraterrestrial_radiation(latitude, day)
    return np.where(possible, found, np.nan)


def radiation_from_temperature(minimum: Array, maximum: Array, extraterrestrial: Array) -> Array:
    """Return a day's global radiation from its range of temperature: clear days swing more.

    Parameters
    ----------
    minimum, maximum : float64 (...)
        Air temperature [°C].
    extraterrestrial : float64 (...)
        Radiation above the atmosphere [MJ m-2 d-1].

    Returns
    -------
    float64 (...)
        [MJ m-2 d-1], never more than a clear sky at sea level lets through.

    Notes
    -----
    Valid inland, away from large waters, for means of weeks rather than days.

    References
    ----------
    Allen et al. (1998), FAO Irrigation and Drainage Paper 56, equation 50 with 0.16 for inland places.

    Examples
    --------
    >>> radiation_from_temperature(np.array([14.8]), np.array([26.6]), np.array([40.6])).round(1).tolist()
    [22.3]
    """
    swing = np.sqrt(np.where(maximum >= minimum, maximum - minimum, np.nan))
    return np.minimum(TEMPERATURE_INLAND * swing, ANGSTROM_A + ANGSTROM_B) * extraterrestrial


def clear_sky_radiation(extraterrestrial: Array, elevation: Array) -> Array:
    """Return what a cloudless sky lets through.

    Parameters
    ----------
    extraterrestrial : float64 (...)
        Radiation above the atmosphere [MJ m-2 d-1], or [MJ m-2 h-1].
    elevation : float64 (...)
        [m above sea level]

    Returns
    -------
    float64 (...)
        [MJ m-2 d-1], or [MJ m-2 h-1].

    Notes
    -----
    Valid below 6,000 m, for clean air.

    References
    ----------
    Allen et al. (1998), FAO Irrigation and Drainage Paper 56, equation 37.

    Examples
    --------
    >>> clear_sky_radiation(np.array([41.09]), np.array([100.0])).round(1).tolist()
    [30.9]
    """
    return (ANGSTROM_A + ANGSTROM_B + 2e-5 * elevation) * extraterrestrial


def net_shortwave(radiation: Array) -> Array:
    """Return what grass keeps of global radiation.

    Parameters
    ----------
    radiation : float64 (...)
        [MJ m-2 d-1], or [MJ m-2 h-1].

    Returns
    -------
    float64 (...)
        [MJ m-2 d-1], or [MJ m-2 h-1].

    Notes
    -----
    Valid for the reference grass, whose albedo is 0.23.

    References
    ----------
    Allen et al. (1998), FAO Irrigation and Drainage Paper 56, equation 38.

    Examples
    --------
    >>> net_shortwave(np.array([22.07])).round(1).tolist()
    [17.0]
    """
    return (1 - ALBEDO) * radiation


def clearness(radiation: Array, clear_sky: Array) -> Array:
    """Return global radiation relative to a cloudless sky's; 1 where the sun does not rise.

    Parameters
    ----------
    radiation, clear_sky : float64 (...)
        Both [MJ m-2 d-1], or both [MJ m-2 h-1].

    Returns
    -------
    float64 (...)
        0.3 to 1 [-]; missing where an input is.

    Notes
    -----
    Valid while the sun is up: below 0.3 the sky is overcast anyway.

    References
    ----------
    ASCE-EWRI (2005), The ASCE Standardized Reference Evapotranspiration Equation, equation 18.

    Examples
    --------
    >>> clearness(np.array([14.5, 1.0]), np.array([18.8, 18.8])).round(2).tolist()
    [0.77, 0.3]
    """
    known = ~np.isnan(radiation) & ~np.isnan(clear_sky)
    share = np.divide(radiation, clear_sky, out=np.ones(known.shape), where=known & (clear_sky > 0))
    return np.where(known, np.clip(share, _LEAST_CLEARNESS, 1.0), np.nan)


def _longwave(black_body: Array, vapour_pressure: Array, clear: Array) -> Array:
    return black_body * (0.34 - 0.14 * np.sqrt(vapour_pressure)) * (1.35 * clear - 0.35)


def net_longwave(minimum: Array, maximum: Array, vapour_pressure: Array, clear: Array) -> Array:
    """Return the heat a meadow radiates away in a day.

    Parameters
    ----------
    minimum, maximum : float64 (...)
        Air temperature [°C].
    vapour_pressure : float64 (...)
        [kPa]
    clear : float64 (...)
        What `clearness` gives [-].

    Returns
    -------
    float64 (...)
        [MJ m-2 d-1]

    Notes
    -----
    Valid for days; missing where an input is.

    References
    ----------
    Allen et al. (1998), FAO Irrigation and Drainage Paper 56, equation 39.

    Examples
    --------
    >>> given = (np.array([19.1]), np.array([25.1]), np.array([2.1]), np.array([14.5 / 18.8]))
    >>> net_longwave(*given).round(1).tolist()
    [3.5]
    """
    black_body = _STEFAN_BOLTZMANN_DAY * ((maximum + _KELVIN) ** 4 + (minimum + _KELVIN) ** 4) / 2
    return _longwave(black_body, vapour_pressure, clear)


def hourly_net_longwave(air_temperature: Array, vapour_pressure: Array, clear: Array) -> Array:
    """Return the heat a meadow radiates away in an hour.

    Parameters
    ----------
    air_temperature : float64 (...)
        [°C]
    vapour_pressure : float64 (...)
        [kPa]
    clear : float64 (...)
        What `clearness` gives [-].

    Returns
    -------
    float64 (...)
        [MJ m-2 h-1]

    Notes
    -----
    Valid for hours; the sky at night is taken as it was before sunset.

    References
    ----------
    Allen et al. (1998), FAO Irrigation and Drainage Paper 56, equation 39 with its hourly constant.

    Examples
    --------
    >>> hourly_net_longwave(np.array([28.0]), np.array([3.402]), np.array([0.8])).round(1).tolist()
    [0.1]
    """
    return _longwave(_STEFAN_BOLTZMANN_HOUR * (air_temperature + _KELVIN) ** 4, vapour_pressure, clear)


def soil_heat_flux(before: Array, after: Array, months: float) -> Array:
    """Return the heat a meadow's soil takes up, from monthly mean temperatures.

    Parameters
    ----------
    before, after : float64 (...)
        Monthly means of the air, some months apart [°C].
    months : float
        How far apart: 2 for the months before and after, 1 for a month and the one before it [-].

    Returns
    -------
    float64 (...)
        [MJ m-2 d-1]

    Notes
    -----
    Valid for months; over a single day it is 0.

    References
    ----------
    Allen et al. (1998), FAO Irrigation and Drainage Paper 56, equations 43 and 44.

    Examples
    --------
    >>> soil_heat_flux(np.array([14.1]), np.array([18.8]), months=2).round(2).tolist()
    [0.33]
    """
    return 0.14 * (after - before) / months
