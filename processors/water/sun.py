"""The sun above the horizon as FAO-56 and ASCE-EWRI reckon it: what could reach the ground without an atmosphere."""

from __future__ import annotations

from typing import Final

import numpy as np

from gruenpuls.domain.processor import Array
from gruenpuls.domain.reading import Times

SOLAR_CONSTANT: Final = 0.0820
"""[MJ m-2 min-1]"""
_DAY_MINUTES: Final = 24 * 60
_DAYS: Final = 365


def day_of_year(steps: Times) -> Array:
    """Return which day of its year each step is, 1 January being 1.

    Parameters
    ----------
    steps : datetime64[ms] (time,)
        [UTC calendar days]

    Returns
    -------
    float64 (time,)
        [-]

    Notes
    -----
    Valid for any date, 366 being the last day of a leap year.

    References
    ----------
    The calendar; FAO-56, annex 2, table 2.5 lists the same numbers.

    Examples
    --------
    >>> day_of_year(np.array(["2024-01-01", "2024-12-31"], "datetime64[ms]")).tolist()
    [1.0, 366.0]
    """
    days = steps.astype("datetime64[D]")
    first = days.astype("datetime64[Y]").astype("datetime64[D]")
    number: Array = (days - first).astype(np.float64) + 1
    return number


def inverse_relative_distance(day: Array) -> Array:
    """Return the inverse relative distance of earth and sun, squared.

    Parameters
    ----------
    day : float64 (...)
        Of the year [-].

    Returns
    -------
    float64 (...)
        [-]

    Notes
    -----
    Valid for days 1 to 366.

    References
    ----------
    Allen et al. (1998), FAO Irrigation and Drainage Paper 56, equation 23.

    Examples
    --------
    >>> inverse_relative_distance(np.array([246.0])).round(3).tolist()
    [0.985]
    """
    return 1 + 0.033 * np.cos(2 * np.pi * day / _DAYS)


def declination(day: Array) -> Array:
    """Return the sun's declination.

    Parameters
    ----------
    day : float64 (...)
        Of the year [-].

    Returns
    -------
    float64 (...)
        [rad]

    Notes
    -----
    Valid for days 1 to 366, to about half a degree.

    References
    ----------
    Allen et al. (1998), FAO Irrigation and Drainage Paper 56, equation 24.

    Examples
    --------
    >>> declination(np.array([246.0])).round(2).tolist()
    [0.12]
    """
    return 0.409 * np.sin(2 * np.pi * day / _DAYS - 1.39)


def sunset_hour_angle(latitude: Array, day: Array) -> Array:
    """Return the hour angle at which the sun sets: 0 in the polar night, pi where it never does.

    Parameters
    ----------
    latitude : float64 (...)
        [°], north positive, -90 to 90.
    day : float64 (...)
        Day of the year [-].

    Returns
    -------
    float64 (...)
        [rad]

    Notes
    -----
    Valid from pole to pole, missing beyond.

    References
    ----------
    Allen et al. (1998), FAO Irrigation and Drainage Paper 56, equation 25.

    Examples
    --------
    >>> sunset_hour_angle(np.array([-20.0, 80.0]), np.array([246.0, 172.0])).round(3).tolist()
    [1.527, 3.142]
    """
    lat = np.radians(np.where(np.abs(latitude) <= 90, latitude, np.nan))  # noqa: PLR2004 - the poles
    # A hair short of the pole the tangent is huge, the product is clipped and day or night is whole.
    with np.errstate(invalid="ignore"):
        cosine = -np.tan(lat) * np.tan(declination(day))
    angle: Array = np.arccos(np.clip(cosine, -1, 1))
    return angle


def daylight_hours(latitude: Array, day: Array) -> Array:
    """Return the longest possible sunshine of a day.

    Parameters
    ----------
    latitude : float64 (...)
        [°], north positive.
    day : float64 (...)
        Of the year [-].

    Returns
    -------
    float64 (...)
        [h]

    Notes
    -----
    Valid from pole to pole; twilight and the sun's width are left out.

    References
    ----------
    Allen et al. (1998), FAO Irrigation and Drainage Paper 56, equation 34.

    Examples
    --------
    >>> daylight_hours(np.array([-20.0]), np.array([246.0])).round(1).tolist()
    [11.7]
    """
    return 24 / np.pi * sunset_hour_angle(latitude, day)


def extraterrestrial_radiation(latitude: Array, day: Array) -> Array:
    """Return the radiation on a horizontal plane above the atmosphere in a day.

    Parameters
    ----------
    latitude : float64 (...)
        [°], north positive, -90 to 90.
    day : float64 (...)
        Day of the year [-].

    Returns
    -------
    float64 (...)
        [MJ m-2 d-1], 0 in the polar night.

    Notes
    -----
    Valid from pole to pole.

    References
    ----------
    Allen et al. (1998), FAO Irrigation and Drainage Paper 56, equation 21.

    Examples
    --------
    >>> extraterrestrial_radiation(np.array([-20.0]), np.array([246.0])).round(1).tolist()
    [32.2]
    """
    lat, delta, omega = np.radians(latitude), declination(day), sunset_hour_angle(latitude, day)
    theta = omega * np.sin(lat) * np.sin(delta) + np.cos(lat) * np.cos(delta) * np.sin(omega)
    whole: Array = np.maximum(_DAY_MINUTES / np.pi * SOLAR_CONSTANT * inverse_relative_distance(day) * theta, 0.0)
    return whole


def hour_angle(longitude: Array, day: Array, utc_hour: Array) -> Array:
    """Return the sun's hour angle, 0 at true noon.

    Parameters
    ----------
    longitude : float64 (...)
        [°], east positive.
    day : float64 (...)
        Of the year [-].
    utc_hour : float64 (...)
        Moment within the day [h UTC].

    Returns
    -------
    float64 (...)
        [rad], -pi to pi.

    Notes
    -----
    Valid everywhere; the equation of time is good to half a minute.

    References
    ----------
    Allen et al. (1998), FAO Irrigation and Drainage Paper 56, equations 31 to 33, in UTC.

    Examples
    --------
    >>> hour_angle(np.array([7.0]), np.array([172.0]), np.array([12.0])).round(2).tolist()
    [0.12]
    """
    b = 2 * np.pi * (day - 81) / 364
    correction = 0.1645 * np.sin(2 * b) - 0.1255 * np.cos(b) - 0.025 * np.sin(b)
    angle = np.pi / 12 * (utc_hour + longitude / 15 + correction - 12)
    wrapped: Array = (angle + np.pi) % (2 * np.pi) - np.pi
    return wrapped


def sine_of_elevation(latitude: Array, longitude: Array, day: Array, utc_hour: Array) -> Array:
    """Return the sine of the sun's elevation above the horizon.

    Parameters
    ----------
    latitude, longitude : float64 (...)
        [°], north and east positive.
    day : float64 (...)
        Of the year [-].
    utc_hour : float64 (...)
        Moment within the day [h UTC].

    Returns
    -------
    float64 (...)
        [-], below 0 at night.

    Notes
    -----
    Valid everywhere, without refraction.

    References
    ----------
    ASCE-EWRI (2005), The ASCE Standardized Reference Evapotranspiration Equation, equation 62.

    Examples
    --------
    >>> essen = (np.array([51.45]), np.array([7.01]))
    >>> sine_of_elevation(*essen, np.array([172.0]), np.array([11.5])).round(2).tolist()
    [0.88]
    """
    lat, delta = np.radians(latitude), declination(day)
    omega = hour_angle(longitude, day, utc_hour)
    sine: Array = np.sin(lat) * np.sin(delta) + np.cos(lat) * np.cos(delta) * np.cos(omega)
    return sine


def hourly_extraterrestrial_radiation(latitude: Array, longitude: Array, day: Array, utc_hour: Array) -> Array:
    """Return the radiation on a horizontal plane above the atmosphere in an hour, cut at sunrise and sunset.

    Parameters
    ----------
    latitude, longitude : float64 (...)
        [°], north and east positive.
    day : float64 (...)
        Day of the year [-].
    utc_hour : float64 (...)
        Middle of the hour [h UTC].

    Returns
    -------
    float64 (...)
        [MJ m-2 h-1], 0 at night.

    Notes
    -----
    Valid from pole to pole, for whole hours.

    References
    ----------
    Allen et al. (1998), FAO Irrigation and Drainage Paper 56, equation 28 to 33; cut at sunrise and sunset as in
    ASCE-EWRI (2005), The ASCE Standardized Reference Evapotranspiration Equation, equation 56.

    Examples
    --------
    >>> noon = (np.array([16.22]), np.array([-16.25]), np.array([274.0]), np.array([15.5]))
    >>> hourly_extraterrestrial_radiation(*noon).round(2).tolist()
    [3.54]
    """
    lat, delta, omega = np.radians(latitude), declination(day), hour_angle(longitude, day, utc_hour)
    set_at = sunset_hour_angle(latitude, day)
    begin = np.clip(omega - np.pi / 24, -set_at, set_at)
    end = np.clip(omega + np.pi / 24, -set_at, set_at)
    theta = (end - begin) * np.sin(lat) * np.sin(delta) + np.cos(lat) * np.cos(delta) * (np.sin(end) - np.sin(begin))
    whole: Array = np.maximum(12 * 60 / np.pi * SOLAR_CONSTANT * inverse_relative_distance(day) * theta, 0.0)
    return whole
