"""Where the sun stands, to a few arc seconds, seen from the ground.

Evapotranspiration has a sun of its own in `processors.water.sun`: its standards prescribe simpler formulas,
and published results agree only with those.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.processor import Array
from gruenpuls.domain.reading import Times

_EPOCH: Final = np.datetime64("2000-01-01T12:00", "ms")
_DAY: Final = np.timedelta64(86_400_000, "ms")
_CLOCK_BEHIND: Final = 69.2 / 86_400
"""Terrestrial time ahead of UTC around 2020 [d]; 10 s more or less move the sun by 0.0001°."""
_ARC_SECOND: Final = np.radians(1 / 3600)
_PARALLAX: Final = 8.794 * _ARC_SECOND
_ABERRATION: Final = -20.4898 * _ARC_SECOND
_HORIZON: Final = -0.8333
"""Where the sun's centre stands when its rim seems to touch the horizon [°]."""
_LONGITUDE: Final = (
    np.array([
        [3341656, 4.6692568, 6283.07585], [34894, 4.6261, 12566.1517], [3497, 2.7441, 5753.3849],
        [3418, 2.8289, 3.5231], [3136, 3.6277, 77713.7715], [2676, 4.4181, 7860.4194], [2343, 6.1352, 3930.2097],
        [1324, 0.7425, 11506.7698], [1273, 2.0371, 529.691], [1199, 1.1096, 1577.3435], [990, 5.233, 5884.927],
        [902, 2.045, 26.298], [857, 3.508, 398.149], [780, 1.179, 5223.694], [753, 2.533, 5507.553],
        [505, 4.583, 18849.228], [492, 4.205, 775.523], [357, 2.92, 0.067], [317, 5.849, 11790.629],
        [284, 1.899, 796.298], [271, 0.315, 10977.079],
    ]),
    np.array([[206059, 2.678235, 6283.07585], [4303, 2.6351, 12566.1517], [425, 1.59, 3.523]]),
    np.array([[8720, 1.0721, 6283.0758], [309, 0.867, 12566.152]]),
)  # fmt: skip
"""Largest periodic terms of the earth's heliocentric longitude by power of time: amplitude [1e-8 rad], phase, speed."""
_SECULAR: Final = (175347046.0, 628331966747.0, 52919.0)
_DISTANCE: Final = np.array([
    [1670700, 3.0984635, 6283.07585], [13956, 3.05525, 12566.1517], [3084, 5.1985, 77713.7715],
    [1628, 1.1739, 5753.3849], [1576, 2.8469, 7860.4194],
])  # fmt: skip
"""Of earth and sun [1e-8 au]."""


class Sun(NamedTuple):
    """The sun seen from the centre of the earth.

    Parameters
    ----------
    declination : float64 (time,)
        [rad]
    hour_angle : float64 (time,)
        At Greenwich, westward [rad].
    distance : float64 (time,)
        [au]
    """

    declination: Array
    hour_angle: Array
    distance: Array


def sun(moments: Times) -> Sun:
    """Return where the sun stands, seen from the centre of the earth.

    Parameters
    ----------
    moments : datetime64[ms] (...)
        UTC.

    Returns
    -------
    Sun
        Declination and hour angle at Greenwich [rad], distance [au].

    Notes
    -----
    Valid from 1950 to 2050, to 0.0005°.

    References
    ----------
    Bretagnon, P., and Francou, G. (1988), Astron. Astrophys. 202, 309-315 (VSOP87D, its largest terms);
    Meeus, J. (1998), Astronomical Algorithms, equations 12.4 (sidereal time), 22.2 and chapter 22 (obliquity,
    nutation), 13.3 and 13.4 (right ascension, declination).

    Examples
    --------
    >>> at = sun(np.array(["2023-06-21T12:00"], "datetime64[ms]"))
    >>> np.degrees(at.declination).round(2).tolist(), at.distance.round(4).tolist()
    ([23.44], [1.0162])
    """
    days = (moments.astype("datetime64[ms]") - _EPOCH) / _DAY
    century = (days + _CLOCK_BEHIND) / 36525
    tau = century / 10
    longitude = np.zeros(days.shape)
    for power, (terms, secular) in enumerate(zip(_LONGITUDE, _SECULAR, strict=True)):
        longitude = longitude + tau**power * (secular + _sum(terms, tau))
    distance = (100013989 + _sum(_DISTANCE, tau) + tau * 103019 * np.cos(1.10749 + 6283.07585 * tau)) * 1e-8
    node = np.radians(125.04452 - 1934.136261 * century)
    mean_sun, mean_moon = np.radians(280.4665 + 36000.7698 * century), np.radians(218.3165 + 481267.8813 * century)
    nutation = _ARC_SECOND * (
        -17.20 * np.sin(node) - 1.32 * np.sin(2 * mean_sun) - 0.23 * np.sin(2 * mean_moon) + 0.21 * np.sin(2 * node)
    )
    wobble = _ARC_SECOND * (
        9.20 * np.cos(node) + 0.57 * np.cos(2 * mean_sun) + 0.10 * np.cos(2 * mean_moon) - 0.09 * np.cos(2 * node)
    )
    obliquity = np.radians(23.4392911 - 0.0130042 * century) + wobble
    seen = longitude * 1e-8 + np.pi + nutation + _ABERRATION / distance
    ascension = np.arctan2(np.cos(obliquity) * np.sin(seen), np.cos(seen))
    sidereal = np.radians(280.46061837 + 360.98564736629 * days + 0.000387933 * century**2) + nutation * np.cos(
        obliquity
    )
    hour_angle = (sidereal - ascension + np.pi) % (2 * np.pi) - np.pi
    return Sun(np.arcsin(np.sin(obliquity) * np.sin(seen)), hour_angle, distance)


def _sum(terms: Array, tau: Array) -> Array:
    total = np.zeros(tau.shape)
    for amplitude, phase, speed in terms:
        total = total + amplitude * np.cos(phase + speed * tau)
    return total


def sun_elevation(moments: Times, latitude: Array, longitude: Array) -> Array:
    """Return how high the sun's centre stands above the horizon, without the air's refraction.

    Parameters
    ----------
    moments : datetime64[ms] (time,)
        UTC.
    latitude, longitude : float64 (site,)
        WGS 84, north and east positive [°].

    Returns
    -------
    float64 (time, site)
        Elevation [°], negative below the horizon; missing where the place is.

    Notes
    -----
    Valid from 1950 to 2050 anywhere on earth, to 0.001°.

    References
    ----------
    Meeus, J. (1998), Astronomical Algorithms, equation 13.6 and chapter 40 (parallax).

    Examples
    --------
    >>> noon = np.array(["2023-06-21T11:32"], "datetime64[ms]")
    >>> sun_elevation(noon, np.array([51.45]), np.array([7.0])).round(1).tolist()
    [[62.0]]
    """
    at = sun(moments)
    lat = np.radians(latitude)
    turn = at.hour_angle[:, None] + np.radians(longitude)
    sine = np.sin(lat) * np.sin(at.declination)[:, None] + np.cos(lat) * np.cos(at.declination)[:, None] * np.cos(turn)
    height = np.arcsin(np.clip(sine, -1, 1))
    seen: Array = np.degrees(height - _PARALLAX / at.distance[:, None] * np.cos(height))
    return seen


def refraction(elevation: Array, pressure: Array, air_temperature: Array) -> Array:
    """Return by how much the air lifts the sun.

    Parameters
    ----------
    elevation : float64 (...)
        Of the sun, without refraction [°].
    pressure : float64 (...)
        Of the air [hPa].
    air_temperature : float64 (...)
        [°C]

    Returns
    -------
    float64 (...)
        [°]; 0 where the sun is well below the horizon.

    Notes
    -----
    Valid for the sun from 1° below the horizon upward; 0 below.

    References
    ----------
    Meeus, J. (1998), Astronomical Algorithms, equation 16.4 (Sæmundsson), scaled by pressure and temperature.

    Examples
    --------
    >>> refraction(np.array([0.0, 45.0, -5.0]), np.array([1010.0]), np.array([10.0])).round(3).tolist()
    [0.483, 0.017, 0.0]
    """
    hidden = elevation < -1
    visible = np.where(hidden, 0.0, elevation)
    lift = 1.02 / 60 / np.tan(np.radians(visible + 10.3 / (visible + 5.11)))
    return np.where(hidden, 0.0, lift * pressure / 1010 * 283 / (273 + air_temperature))


def sunrise_and_sunset(days: NDArray[np.datetime64], latitude: Array, longitude: Array) -> tuple[Times, Times]:
    """Return when the sun rises and sets.

    Parameters
    ----------
    days : datetime64[D] (day,)
        Calendar days at the place [-].
    latitude, longitude : float64 (site,)
        WGS 84, north and east positive [°].

    Returns
    -------
    sunrise, sunset : datetime64[ms] (day, site)
        UTC [ms]; not a time in the polar day and night.

    Notes
    -----
    Valid from 1950 to 2050, to 2 s for a level horizon and standard refraction; the sun counts as up from
    the moment its upper rim shows, its centre 0.8333° below the horizon.

    References
    ----------
    Meeus, J. (1998), Astronomical Algorithms, chapter 15, equations 15.1 and 15.2, repeated until they stand.

    Examples
    --------
    >>> rises, sets = sunrise_and_sunset(np.array(["2023-06-21"], "datetime64[D]"), np.array([51.45]), np.array([7.0]))
    >>> rises.astype("datetime64[m]").item().strftime("%H:%M"), sets.astype("datetime64[m]").item().strftime("%H:%M")
    ('03:14', '19:52')
    """
    lat, east = np.broadcast_arrays(np.radians(latitude), np.radians(longitude))
    noon = (
        days.astype("datetime64[ms]")[:, None]
        + (_DAY // 2)
        - (east / (2 * np.pi) * (_DAY / np.timedelta64(1, "ms"))).astype("timedelta64[ms]")
    )
    return _passage(noon, lat, east, -1.0), _passage(noon, lat, east, 1.0)


def _passage(noon: Times, latitude: Array, longitude: Array, side: float) -> Times:
    """Return when the sun passes the horizon before (-1) or after (1) noon."""
    moment = noon
    horizon = np.sin(np.radians(_HORIZON))
    for _ in range(5):
        at = sun(moment)
        cosine = (horizon - np.sin(latitude) * np.sin(at.declination)) / (np.cos(latitude) * np.cos(at.declination))
        passes = np.abs(cosine) <= 1
        wanted = side * np.arccos(np.where(passes, cosine, 0.0))
        off = (wanted - at.hour_angle - longitude + np.pi) % (2 * np.pi) - np.pi
        moment = moment + np.nan_to_num(off / (2 * np.pi) * 86_400_000).round().astype("timedelta64[ms]")
    return np.where(passes & np.isfinite(longitude), moment, np.datetime64("NaT"))
