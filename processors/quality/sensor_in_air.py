"""A soil sensor in air: dry beyond any soil while its temperature follows the day."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.processor import Array

DAY: Final = 24
"""Steps whose temperature range is looked at [h]."""
DRIEST_WATER_CONTENT: Final = 2.0
"""Less than this no soil holds in place (assumption) [%]."""
DRIEST_TENSION: Final = 239.0
"""The end of a Watermark; beyond, its circuit may be open [kPa]."""
_SHALLOWEST: Final = 10.0
_SURFACE_RANGE: Final = 30.0
_DAMPING_DEPTH: Final = 12.0
_LEAST_RANGE: Final = 4.0
_FEWEST: Final = 4


def greatest_daily_range(depths: Array) -> Array:
    """Return the widest daily range of soil temperature a depth can have.

    Parameters
    ----------
    depths : float64
        [cm]

    Returns
    -------
    float64
        [K]; infinite above 10 cm, where soil swings as air does, and never less than 4 K.

    Notes
    -----
    Valid for moist to dry mineral soil; the damping depth of the daily wave is 12 cm.

    References
    ----------
    Hillel (1998), Environmental Soil Physics, chapter on soil temperature, equation of the daily wave: it
    falls with depth as exp(-z/d), d about 8 to 14 cm. A range of 30 K at the surface and the least of 4 K
    are our own choice.

    Examples
    --------
    >>> greatest_daily_range(np.array([5.0, 20.0, 60.0])).round(1).tolist()
    [inf, 5.7, 4.0]
    """
    deep = np.asarray(depths, np.float64)
    damped = np.maximum(_SURFACE_RANGE * np.exp(-deep / _DAMPING_DEPTH), _LEAST_RANGE)
    return np.where(deep < _SHALLOWEST, np.inf, damped)


def sensor_in_air(water_content: Array, tension: Array, soil_temperature: Array, depths: Array) -> NDArray[np.bool_]:
    """Return where a probe reads as in air: too dry for soil, and as warm and cold as the day.

    Parameters
    ----------
    water_content : float64 (time, site, depth)
        Hourly means [%].
    tension : float64 (time, site, depth)
        Hourly means [kPa].
    soil_temperature : float64 (time, site, depth)
        Of the same probe, hourly means [°C]; without it nothing is said.
    depths : float64 (site, depth)
        [cm]

    Returns
    -------
    bool (time, site, depth)
        True where the reading is below 2 % or from 239 kPa on and the temperature of the last 24 hours,
        from at least four of them, swung more than soil at this depth can [-].

    Notes
    -----
    Valid from 10 cm down. Dry soil alone, or a warm day alone, is no fault: both must be there.

    References
    ----------
    `greatest_daily_range`; the limits of water content and tension are our own choice, no published table.

    Examples
    --------
    >>> day = 20 + 8 * np.sin(np.arange(24) / 24 * 2 * np.pi)[:, None, None]
    >>> none, dry = np.full_like(day, np.nan), np.full_like(day, 0.4)
    >>> sensor_in_air(dry, none, day, np.array([[30.0]]))[-1].tolist()
    [[True]]
    """
    too_dry = (water_content < DRIEST_WATER_CONTENT) | (tension >= DRIEST_TENSION)
    if not len(too_dry):
        return np.zeros(too_dry.shape, np.bool_)
    before = np.full((DAY - 1, *soil_temperature.shape[1:]), np.nan)
    window = np.lib.stride_tricks.sliding_window_view(np.concatenate([before, soil_temperature]), DAY, axis=0)
    known = (~np.isnan(window)).sum(axis=-1)
    swing = np.fmax.reduce(window, axis=-1) - np.fmin.reduce(window, axis=-1)
    wide = (known >= _FEWEST) & (swing > greatest_daily_range(depths)[None])
    return np.asarray(too_dry & wide)
