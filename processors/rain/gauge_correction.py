"""Gauge correction: what wind, wetting and snow keep out of a gauge."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import numpy as np

from gruenpuls.domain.processor import Array
from gruenpuls.domain.reading import Times


class Exposure(StrEnum):
    """How far the gauge is sheltered from wind."""

    FREE = "free"
    LIGHT = "light"
    MODERATE = "moderate"
    STRONG = "strong"


_SHELTER: Final = tuple(Exposure)
RAIN_FROM: Final = 3.0
"""Daily mean air temperature from which all is rain [°C]."""
SNOW_BELOW: Final = 0.7
"""Below which all is snow [°C]."""
_SUMMER: Final = (5, 10)
"""May to October."""
EXPONENT: Final = {"summer": 0.38, "winter": 0.46, "sleet": 0.55, "snow": 0.82}
FACTOR: Final = {
    "summer": (0.345, 0.31, 0.28, 0.245),
    "winter": (0.34, 0.28, 0.24, 0.19),
    "sleet": (0.535, 0.39, 0.305, 0.185),
    "snow": (0.72, 0.51, 0.33, 0.21),
}
"""By kind of precipitation, in the order of `Exposure`."""


def corrected_precipitation(precipitation: Array, factor: Array, exponent: Array) -> Array:
    """Return the precipitation of days with what the gauge did not catch.

    Parameters
    ----------
    precipitation : float64 (...)
        Of a day [mm].
    factor : float64 (...)
        b, by kind of precipitation and shelter [-].
    exponent : float64 (...)
        ε, by kind of precipitation [-].

    Returns
    -------
    float64 (...)
        [mm]; missing below 0.

    Notes
    -----
    Valid for daily sums of Hellmann gauges at 1 m in Germany; for tipping buckets of the same opening nearly so.

    References
    ----------
    Richter (1995), Berichte des Deutschen Wetterdienstes 194, equation P + b P^ε.

    Examples
    --------
    >>> corrected_precipitation(np.array([10.0, 0.0]), np.array(0.28), np.array(0.38)).round(4).tolist()
    [10.6717, 0.0]
    """
    amount = np.where(precipitation >= 0, precipitation, np.nan)
    corrected: Array = amount + factor * amount**exponent
    return corrected


def gauge_correction(days: Times, precipitation: Array, air_temperature: Array, exposure: Exposure) -> Array:
    """Return the precipitation of days corrected by its kind, which the temperature tells.

    Parameters
    ----------
    days : datetime64 (time,)
        Calendar days [-].
    precipitation : float64 (time, site)
        Daily sum [mm].
    air_temperature : float64 (time, site)
        Daily mean [°C].
    exposure : Exposure
        Of the gauge [-].

    Returns
    -------
    float64 (time, site)
        [mm]; missing where temperature or precipitation is.

    Notes
    -----
    Valid for daily sums in Germany: rain from 3 °C, snow below 0.7 °C, sleet between; summer is May to October.

    References
    ----------
    Richter (1995), Berichte des Deutschen Wetterdienstes 194, table of coefficients b and ε.

    Examples
    --------
    >>> winter = np.array(["2026-01-10"], "datetime64[ms]")
    >>> gauge_correction(winter, np.array([[5.0]]), np.array([[-2.0]]), Exposure.MODERATE).round(3).tolist()
    [[6.235]]
    """
    months = (days.astype("datetime64[M]").astype(np.int64) % 12 + 1)[:, None]
    warm = (months >= _SUMMER[0]) & (months <= _SUMMER[1])
    kind = [air_temperature < SNOW_BELOW, air_temperature < RAIN_FROM, np.broadcast_to(warm, air_temperature.shape)]
    place = _SHELTER.index(exposure)
    names = ("snow", "sleet", "summer")
    factor = np.select(kind, [np.float64(FACTOR[name][place]) for name in names], FACTOR["winter"][place])
    exponent = np.select(kind, [np.float64(EXPONENT[name]) for name in names], EXPONENT["winter"])
    known = np.where(np.isnan(air_temperature), np.nan, precipitation)
    return corrected_precipitation(known, factor, exponent)
