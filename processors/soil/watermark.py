"""Watermark 200SS: soil water tension from the resistance of a granular matrix probe."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.processor import Array

FALLBACK_TEMPERATURE: Final = 15.0
"""Taken where no thermometer is near: soil of the Ruhr at 30 to 60 cm in the growing season (assumption) [°C]."""
DRIEST: Final = 239.0
"""The end of the probe's range [kPa]."""
SHORTED_BELOW, OPEN_FROM = 0.3, 35.0
"""Resistances no soil has [kOhm]."""
_SATURATED_UP_TO, _WET_UP_TO, _SHOCK_UP_TO = 0.55, 1.0, 8.0
_REFERENCE_TEMPERATURE: Final = 24.0
_PER_KELVIN: Final = 0.018


class Fault(IntEnum):
    """Why a resistance is no tension, or not quite one."""

    NONE = 0
    MISSING = 1
    SHORTED = 2
    OPEN = 3
    BEYOND_RANGE = 4
    """At least this dry; the end of the range is given."""
    ASSUMED_TEMPERATURE = 5
    """Converted with `FALLBACK_TEMPERATURE`; some 2 % per kelvin off."""


@dataclass(frozen=True, slots=True)
class Converted:
    """Tensions and what is to be known about each.

    Parameters
    ----------
    tension : float64
        [kPa]; NaN where the resistance tells nothing.
    fault : int64
        A `Fault` for each [-].
    """

    tension: Array
    fault: NDArray[np.int64]


def shock_tension(resistance: Array | float, soil_temperature: Array | float) -> Array:
    """Return the tension after Shock et al.

    Parameters
    ----------
    resistance : float64
        From 1 to 8 [kOhm].
    soil_temperature : float64
        [°C]

    Returns
    -------
    float64
        [kPa]

    Notes
    -----
    Valid for 1 to 8 kOhm; the range is not checked here.

    References
    ----------
    Shock, Barnum and Seddigh (1998), Calibration of Watermark soil moisture sensors for irrigation
    management, Irrigation Association, the only equation.

    Examples
    --------
    >>> shock_tension(8.0, 24.0).round(2).item()
    47.08
    """
    wet = 1 - 0.009733 * np.asarray(resistance, np.float64) - 0.01205 * np.asarray(soil_temperature, np.float64)
    return np.asarray((4.093 + 3.213 * np.asarray(resistance)) / wet)


def watermark_tension(resistance: Array, soil_temperature: Array, curve_factor: Array | float = 1.0) -> Converted:
    """Return the soil water tension a Watermark 200SS feels, and why where it feels none.

    Parameters
    ----------
    resistance : float64
        [kOhm]
    soil_temperature : float64
        At the probe [°C]; NaN takes `FALLBACK_TEMPERATURE`.
    curve_factor : float64
        By which the device's maker stretches the curve above 1 kOhm [-]: 1.0 reproduces the printed
        chart, 1.1 IRROMETER's own devices.

    Returns
    -------
    Converted
        Tension [kPa] from 0 to `DRIEST` and a `Fault` for each.

    Notes
    -----
    Valid from 0.3 to 35 kOhm; below the probe is shorted, above it is open. Unreliable below 10 kPa,
    slow to follow rain, and a false drought where the soil is frozen.

    References
    ----------
    IRROMETER, published code for the 200SS: its equations below 1 and above 8 kOhm. In between `shock_tension`.

    Examples
    --------
    >>> told = watermark_tension(np.array([0.2, 0.5, 6.0, 40.0]), np.array([24.0] * 4))
    >>> told.tension.round(1).tolist(), [Fault(code).name for code in told.fault]
    ([nan, 0.0, 35.8, nan], ['SHORTED', 'NONE', 'NONE', 'OPEN'])
    """
    ohms = np.asarray(resistance, np.float64)
    factor = np.asarray(curve_factor, np.float64)
    assumed = np.isnan(np.asarray(soil_temperature, np.float64))
    temperature = np.where(assumed, FALLBACK_TEMPERATURE, soil_temperature)
    warmth = 1 + _PER_KELVIN * (temperature - _REFERENCE_TEMPERATURE)
    known = (ohms >= SHORTED_BELOW) & (ohms < OPEN_FROM)
    usable = np.where(known, ohms, np.nan)
    felt = np.select(
        [usable <= _SATURATED_UP_TO, usable <= _WET_UP_TO, usable <= _SHOCK_UP_TO],
        [
            np.where(known, 0.0, np.nan),
            (23.156 * usable - 12.736) * warmth,
            shock_tension(usable, temperature) * factor,
        ],
        (2.246 + 5.239 * usable * warmth + 0.06756 * usable**2 * warmth**2) * factor,
    )
    fault = np.select(
        [np.isnan(ohms), ohms < SHORTED_BELOW, ohms >= OPEN_FROM, felt > DRIEST, np.broadcast_to(assumed, ohms.shape)],
        [Fault.MISSING, Fault.SHORTED, Fault.OPEN, Fault.BEYOND_RANGE, Fault.ASSUMED_TEMPERATURE],
        Fault.NONE,
    )
    return Converted(np.clip(felt, 0.0, DRIEST), fault.astype(np.int64))
