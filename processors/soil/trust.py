"""Which soil readings nobody should act on: stuck probes, and probes in air."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.processor import Array
from processors.quality.flat_line import flat_line
from processors.quality.sensor_in_air import sensor_in_air

STUCK_AFTER: Final = 168
"""Soil under roots moves within this; a reading that does not is stuck (assumption) [h]."""
_STILL: Final = 0.01
_WETTEST_TENSION, _DRIEST_TENSION = 10.0, 200.0
_DRIEST_WATER, _WETTEST_WATER = 5.0, 95.0


def distrusted(
    tension: Array, available_water: Array, water_content: Array, soil_temperature: Array, depths: Array
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which tensions and which shares of available water are stuck or read in air.

    Parameters
    ----------
    tension : float64 (time, site, depth)
        Hourly means [kPa].
    available_water : float64 (time, site, depth)
        Hourly means [% nFK].
    water_content : float64 (time, site, depth)
        What it was made from [%]; missing where that was the tension.
    soil_temperature : float64 (time, site, depth)
        Of the same probes [°C].
    depths : float64 (site, depth)
        [cm]

    Returns
    -------
    tuple of bool (time, site, depth)
        Of tension, of available water: whether nobody should act on it [-].

    Notes
    -----
    Valid in soil with roots. Near saturation and near the wilting point soil itself stands still: below
    10 and above 200 kPa, below 5 and above 95 % nFK nothing is called stuck.

    References
    ----------
    `processors.quality.flat_line` and `processors.quality.sensor_in_air`; the span of a week and the
    range it is looked for in are our own choice. No equation.

    Examples
    --------
    >>> stuck, none = np.full((168, 1, 1), 40.0), np.full((168, 1, 1), np.nan)
    >>> [bool(mask[-1].any()) for mask in distrusted(stuck, none, none, none, np.array([[30.0]]))]
    [True, False]
    """
    stuck_tension = flat_line(tension, _STILL, STUCK_AFTER) & (tension > _WETTEST_TENSION) & (tension < _DRIEST_TENSION)
    stuck_water = flat_line(available_water, _STILL, STUCK_AFTER)
    stuck_water &= (available_water > _DRIEST_WATER) & (available_water < _WETTEST_WATER)
    nothing = np.full_like(tension, np.nan)
    no_tension = stuck_tension | sensor_in_air(nothing, tension, soil_temperature, depths)
    # Where there is no water content the available water was made from this very tension.
    from_tension = no_tension & np.isnan(water_content) & ~np.isnan(available_water)
    return no_tension, stuck_water | sensor_in_air(water_content, nothing, soil_temperature, depths) | from_tension
