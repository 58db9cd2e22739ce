"""Water vapour in the air: how much there could be, how much there is, and which reading says so."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import numpy as np

from gruenpuls.domain.processor import Array

_COLDEST: Final = -60.0
_HOTTEST: Final = 60.0
_HIGHEST_HUMIDITY: Final = 100.5
"""Hygrometers in fog report a little above saturation [%]."""
PSYCHROMETER_ASPIRATED: Final = 0.000662
"""Coefficient of an aspirated psychrometer, FAO-56 p. 38 [1/°C]."""


class HumiditySource(IntEnum):
    """Which reading a vapour pressure comes from, best first."""

    VAPOUR_PRESSURE = 1
    DEW_POINT = 2
    HUMIDITY_EXTREMES = 3
    MEAN_HUMIDITY = 4
    NIGHT_MINIMUM = 5
    """Nothing was measured: the air is taken to be saturated at the night's lowest temperature."""


def saturation_vapour_pressure(air_temperature: Array) -> Array:
    """Return the vapour pressure of saturated air over water.

    Parameters
    ----------
    air_temperature : float64 (...)
        [°C]

    Returns
    -------
    float64 (...)
        [kPa]; missing outside -60 to 60 °C.

    Notes
    -----
    Valid over water, from -60 to 60 °C.

    References
    ----------
    Allen et al. (1998), FAO Irrigation and Drainage Paper 56, equation 11.

    Examples
    --------
    >>> saturation_vapour_pressure(np.array([20.0, 99.0])).round(3).tolist()
    [2.338, nan]
    """
    t = np.where((air_temperature >= _COLDEST) & (air_temperature <= _HOTTEST), air_temperature, np.nan)
    return 0.6108 * np.exp(17.27 * t / (t + 237.3))


def slope_of_vapour_pressure(air_temperature: Array) -> Array:
    """Return how steeply saturation vapour pressure rises with temperature.

    Parameters
    ----------
    air_temperature : float64 (...)
        [°C]

    Returns
    -------
    float64 (...)
        [kPa/°C]

    Notes
    -----
    Valid from -60 to 60 °C, missing elsewhere.

    References
    ----------
    Allen et al. (1998), FAO Irrigation and Drainage Paper 56, equation 13.

    Examples
    --------
    >>> slope_of_vapour_pressure(np.array([25.0])).round(3).tolist()
    [0.189]
    """
    return 4098 * saturation_vapour_pressure(air_temperature) / (air_temperature + 237.3) ** 2


def atmospheric_pressure(elevation: Array) -> Array:
    """Return the mean air pressure at an elevation.

    Parameters
    ----------
    elevation : float64 (...)
        [m above sea level]

    Returns
    -------
    float64 (...)
        [kPa]

    Notes
    -----
    Valid from 430 m below to 9,000 m above sea level, missing elsewhere.

    References
    ----------
    Allen et al. (1998), FAO Irrigation and Drainage Paper 56, equation 7.

    Examples
    --------
    >>> atmospheric_pressure(np.array([1200.0])).round(1).tolist()
    [87.9]
    """
    z = np.where((elevation >= -430) & (elevation <= 9000), elevation, np.nan)  # noqa: PLR2004 - dry land
    return 101.3 * ((293 - 0.0065 * z) / 293) ** 5.26


def psychrometric_constant(pressure: Array) -> Array:
    """Return the psychrometric constant.

    Parameters
    ----------
    pressure : float64 (...)
        Of the air [kPa].

    Returns
    -------
    float64 (...)
        [kPa/°C]

    Notes
    -----
    Valid for the pressures of the inhabited world.

    References
    ----------
    Allen et al. (1998), FAO Irrigation and Drainage Paper 56, equation 8.

    Examples
    --------
    >>> psychrometric_constant(np.array([81.8])).round(3).tolist()
    [0.054]
    """
    return 0.000665 * pressure


def mean_saturation_vapour_pressure(minimum: Array, maximum: Array) -> Array:
    """Return a day's mean saturation vapour pressure.

    Parameters
    ----------
    minimum, maximum : float64 (...)
        Air temperature [°C].

    Returns
    -------
    float64 (...)
        [kPa]

    Notes
    -----
    Valid from -60 to 60 °C, missing elsewhere.

    References
    ----------
    Allen et al. (1998), FAO Irrigation and Drainage Paper 56, equation 12.

    Examples
    --------
    >>> mean_saturation_vapour_pressure(np.array([12.3]), np.array([21.5])).round(3).tolist()
    [1.997]
    """
    return (saturation_vapour_pressure(minimum) + saturation_vapour_pressure(maximum)) / 2


def vapour_pressure_from_psychrometer(
    dry_bulb: Array, wet_bulb: Array, elevation: Array, coefficient: float = PSYCHROMETER_ASPIRATED
) -> Array:
    """Return the actual vapour pressure from a dry and a wet thermometer.

    Parameters
    ----------
    dry_bulb, wet_bulb : float64 (...)
        [°C]
    elevation : float64 (...)
        [m above sea level]
    coefficient : float
        Of the instrument [1/°C].

    Returns
    -------
    float64 (...)
        [kPa]

    Notes
    -----
    Valid where the wet bulb is the colder one and not frozen.

    References
    ----------
    Allen et al. (1998), FAO Irrigation and Drainage Paper 56, equation 15 and 16.

    Examples
    --------
    >>> vapour_pressure_from_psychrometer(np.array([25.6]), np.array([19.5]), np.array([1200.0])).round(2).tolist()
    [1.91]
    """
    depression = np.where(wet_bulb <= dry_bulb, dry_bulb - wet_bulb, np.nan)
    found = saturation_vapour_pressure(wet_bulb) - coefficient * atmospheric_pressure(elevation) * depression
    return np.where(found > 0, found, np.nan)


def _relative(humidity: Array) -> Array:
    """Return relative humidity as a share; missing where no hygrometer can have said so."""
    plausible = (humidity > 0) & (humidity <= _HIGHEST_HUMIDITY)
    return np.where(plausible, np.minimum(humidity, 100.0) / 100, np.nan)


def vapour_pressure_from_extremes(
    minimum: Array, maximum: Array, lowest_humidity: Array, highest_humidity: Array
) -> Array:
    """Return a day's actual vapour pressure from the extremes of temperature and humidity.

    Parameters
    ----------
    minimum, maximum : float64 (...)
        Air temperature [°C].
    lowest_humidity, highest_humidity : float64 (...)
        Relative humidity, above 0 and up to 100 % (100.5 % in fog) [%].

    Returns
    -------
    float64 (...)
        [kPa]

    Notes
    -----
    Valid for humidities above 0 and up to 100 % (100.5 % in fog), the lower one first.

    References
    ----------
    Allen et al. (1998), FAO Irrigation and Drainage Paper 56, equation 17.

    Examples
    --------
    >>> given = (np.array([18.0]), np.array([25.0]), np.array([54.0]), np.array([82.0]))
    >>> vapour_pressure_from_extremes(*given).round(2).tolist()
    [1.7]
    """
    ordered = lowest_humidity <= highest_humidity
    dawn = saturation_vapour_pressure(minimum) * _relative(highest_humidity)
    noon = saturation_vapour_pressure(maximum) * _relative(lowest_humidity)
    return np.where(ordered, (dawn + noon) / 2, np.nan)


def vapour_pressure_from_mean_humidity(minimum: Array, maximum: Array, humidity: Array) -> Array:
    """Return a day's actual vapour pressure from its mean humidity.

    Parameters
    ----------
    minimum, maximum : float64 (...)
        Air temperature [°C].
    humidity : float64 (...)
        Mean relative humidity [%].

    Returns
    -------
    float64 (...)
        [kPa]

    Notes
    -----
    Valid for humidities above 0 and up to 100 % (100.5 % in fog).

    References
    ----------
    Allen et al. (1998), FAO Irrigation and Drainage Paper 56, equation 19.

    Examples
    --------
    >>> vapour_pressure_from_mean_humidity(np.array([18.0]), np.array([25.0]), np.array([68.0])).round(2).tolist()
    [1.78]
    """
    return _relative(humidity) * mean_saturation_vapour_pressure(minimum, maximum)


def vapour_pressure(
    minimum: Array,
    maximum: Array,
    *,
    measured: Array,
    dew_point: Array,
    lowest_humidity: Array,
    highest_humidity: Array,
    mean_humidity: Array,
) -> tuple[Array, Array]:
    """Return a day's actual vapour pressure from the best reading there is, and which one that was.

    Parameters
    ----------
    minimum, maximum : float64 (...)
        Air temperature [°C].
    measured : float64 (...)
        Vapour pressure [kPa].
    dew_point : float64 (...)
        [°C]
    lowest_humidity, highest_humidity, mean_humidity : float64 (...)
        Relative humidity [%].

    Returns
    -------
    pressure : float64 (...)
        [kPa]; missing only where the temperatures are.
    source : float64 (...)
        A `HumiditySource` [-].

    Notes
    -----
    Valid from -60 to 60 °C. A reading of humidity beyond saturation at the day's highest temperature is no
    reading: the next
    one in the chain is taken.

    References
    ----------
    Allen et al. (1998), FAO Irrigation and Drainage Paper 56, equation 14, 17, 19 and 48: the order is FAO's;
    a station's own vapour pressure stands before them.

    Examples
    --------
    >>> none = np.array([np.nan])
    >>> pressure, source = vapour_pressure(np.array([12.3]), np.array([21.5]), measured=none, dew_point=none,
    ...     lowest_humidity=np.array([63.0]), highest_humidity=np.array([84.0]), mean_humidity=none)
    >>> pressure.round(3).tolist(), HumiditySource(int(source[0])).name
    ([1.409], 'HUMIDITY_EXTREMES')
    """
    most = saturation_vapour_pressure(maximum) * _HIGHEST_HUMIDITY / 100
    chain = {
        HumiditySource.VAPOUR_PRESSURE: measured,
        HumiditySource.DEW_POINT: saturation_vapour_pressure(dew_point),
        HumiditySource.HUMIDITY_EXTREMES: vapour_pressure_from_extremes(
            minimum, maximum, lowest_humidity, highest_humidity
        ),
        HumiditySource.MEAN_HUMIDITY: vapour_pressure_from_mean_humidity(minimum, maximum, mean_humidity),
        HumiditySource.NIGHT_MINIMUM: saturation_vapour_pressure(np.where(minimum <= maximum, minimum, np.nan)),
    }
    pressure = np.full(np.broadcast(minimum, maximum).shape, np.nan)
    source = pressure.copy()
    for name, candidate in chain.items():
        taken = np.isnan(pressure) & (candidate > 0) & (candidate <= most)
        pressure = np.where(taken, candidate, pressure)
        source = np.where(taken, float(name), source)
    return pressure, source
