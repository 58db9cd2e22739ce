"""Climatology: what weather is to be expected on a day of the year, for days nobody measured.

Monthly means of the station Köln/Bonn (DWD 02667) 1981 to 2010, evapotranspiration by FAO-56 from its
temperature, humidity, wind and sunshine; Deutscher Wetterdienst, GeoNutzV. They stand for the Ruhr and the
Rhineland: elsewhere in Germany a year's rain may be a third less or twice as much.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from gruenpuls.domain.processor import Array
from processors.water.sun import extraterrestrial_radiation

PRECIPITATION: Final = (2.0, 1.92, 2.08, 1.80, 2.33, 3.02, 2.77, 2.42, 2.50, 2.16, 2.24, 2.29)
"""January to December [mm/d]."""
PRECIPITATION_DEVIATION: Final = (3.7, 3.5, 3.5, 3.6, 5.0, 6.5, 5.5, 5.7, 4.9, 4.5, 4.1, 4.0)
"""Standard deviation of single days [mm]; sums of 14 days vary 1.3 times as much as independent days would."""
AIR_TEMPERATURE: Final = (2.5, 2.9, 6.3, 9.7, 14.0, 16.6, 18.8, 18.1, 14.5, 10.6, 6.3, 3.3)
"""[°C]"""
EVAPORATING_SHARE: Final = (0.164, 0.153, 0.170, 0.196, 0.209, 0.217, 0.241, 0.240, 0.207, 0.190, 0.168, 0.155)
"""Reference evapotranspiration as a share of what the sun above the atmosphere could evaporate [-]."""
EVAPOTRANSPIRATION_DEVIATION: Final = 0.3
"""Relative standard deviation of a day's reference evapotranspiration about its mean from May to August [-]."""
_MILLIMETRES: Final = 0.408
"""Water a megajoule evaporates [mm m2/MJ]: FAO-56 table 3."""
_MIDDLES: Final = np.array([15.5, 45, 74.5, 105, 135.5, 166, 196.5, 227.5, 258, 288.5, 319, 349.5])


def _on(day: Array, monthly: tuple[float, ...]) -> Array:
    return np.interp(day, _MIDDLES, monthly, period=365.25)


def expected_precipitation(day: Array) -> tuple[Array, Array]:
    """Return mean and standard deviation of a day's precipitation by day of the year, both [mm].

    Parameters
    ----------
    day : float64 (...)
        Day of the year [-].

    Returns
    -------
    tuple of float64 (...)
        [mm]

    Notes
    -----
    Valid for the Rhineland and the Ruhr; straight lines between the middles of months.

    References
    ----------
    DWD, Köln/Bonn 1981 to 2010, own means. No equation.

    Examples
    --------
    >>> mean, deviation = expected_precipitation(np.array([166.0]))
    >>> mean.tolist(), deviation.tolist()
    ([3.02], [6.5])
    """
    return _on(day, PRECIPITATION), _on(day, PRECIPITATION_DEVIATION)


def expected_temperature(day: Array) -> Array:
    """Return the mean air temperature of a day of the year.

    Parameters
    ----------
    day : float64 (...)
        Day of the year [-].

    Returns
    -------
    float64 (...)
        [°C]

    Notes
    -----
    Valid for the Rhineland and the Ruhr; between the middles of the months along straight lines.

    References
    ----------
    DWD, Köln/Bonn 1981 to 2010; own means. No equation.

    Examples
    --------
    >>> expected_temperature(np.array([15.5])).tolist()
    [2.5]
    """
    return _on(day, AIR_TEMPERATURE)


def expected_evapotranspiration(latitude: Array, day: Array) -> Array:
    """Return the mean reference evapotranspiration of a day of the year at a latitude.

    Parameters
    ----------
    latitude : float64 (site,)
        [°], 40 to 60 north; taken to a tenth.
    day : float64 (time, 1)
        Day of the year [-].

    Returns
    -------
    float64 (time, site)
        [mm/d]

    Notes
    -----
    Valid for 40 to 60 degrees north. A monthly share of the radiation above the atmosphere, so that it follows
    the latitude as the sun does.

    References
    ----------
    DWD, Köln/Bonn 1981 to 2010, by FAO-56 equations 6 and 21; own means.

    Examples
    --------
    >>> expected_evapotranspiration(np.array([51.5]), np.array([[15.0], [196.0]])).round(1).tolist()
    [[0.5], [3.9]]
    """
    # a tenth of a degree changes nothing, and a city then has one or two latitudes
    nearby, which = np.unique(np.round(latitude, 1), return_inverse=True)
    above = extraterrestrial_radiation(nearby, day)
    return (_MILLIMETRES * _on(day, EVAPORATING_SHARE) * above)[:, which]
