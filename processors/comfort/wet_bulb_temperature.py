"""Wet-bulb temperature: how cold a wet, shaded and ventilated thermometer gets."""

from __future__ import annotations

from typing import Final

import numpy as np
import thermofeel

from gruenpuls.domain.processor import Array, Cadence, Fleet, Input, Output, Processor
from processors.comfort.body import KELVIN
from processors.comfort.dew_point import dew_point
from processors.comfort.portion import in_portions
from processors.comfort.reason import Judgement, Reason, judged, reasons

_COLDEST, _HOTTEST = -20.0, 50.0
_DRIEST, _DAMPEST = 5.0, 99.0
_FOG: Final = 100.5
_ERROR: Final = 0.65
"""Of the regression, from its cold dry corner to its warm one [K]."""


def wet_bulb_temperature(air_temperature: Array, relative_humidity: Array) -> Judgement:
    """Return the wet-bulb temperature at sea level.

    Parameters
    ----------
    air_temperature : float64 (...)
        [°C]
    relative_humidity : float64 (...)
        Over water [%].

    Returns
    -------
    Judgement
        Wet-bulb temperature [°C] and reasons [-].

    Notes
    -----
    Valid for air from -20 to 50 °C and humidities from 5 to 99 %, to within -1 to +0.65 K; damper air up to
    100.5 % counts as 99 %. In cold dry air, where the regression leaves the span between dew point and air
    temperature by more than its error, there is no value. For display: at altitude, where pressure is
    low, it reads up to half a degree too high.

    References
    ----------
    Stull, R. (2011), J. Appl. Meteorol. Climatol. 50, 2267-2269, doi:10.1175/JAMC-D-11-0143.1, equation 1.

    Examples
    --------
    >>> wet_bulb_temperature(np.array([20.0, 20.0]), np.array([50.0, 4.0])).value.round(1).tolist()
    [13.7, nan]
    """
    found = reasons(
        {
            Reason.AIR_TEMPERATURE: (air_temperature >= _COLDEST) & (air_temperature <= _HOTTEST),
            Reason.HUMIDITY: (relative_humidity >= _DRIEST) & (relative_humidity <= _FOG),
        },
        air_temperature,
        relative_humidity,
    )
    wet = in_portions(_stull, found == 0, air_temperature, relative_humidity)
    dew = dew_point(air_temperature, relative_humidity).value
    beyond = (wet > air_temperature + _ERROR) | (wet < dew - _ERROR)
    return judged(
        np.minimum(wet, air_temperature), found | np.where(beyond, int(Reason.BEYOND_SCALE), 0).astype(np.uint16)
    )


def _stull(air_temperature: Array, relative_humidity: Array) -> Array:
    humidity = np.minimum(relative_humidity, _DAMPEST)
    return np.asarray(thermofeel.calculate_wbt(air_temperature + KELVIN, humidity) - KELVIN, np.float64)


def _compute(fleet: Fleet) -> dict[tuple[str, str], Array]:
    wet = wet_bulb_temperature(fleet.inputs["air_temperature", "mean"], fleet.inputs["relative_humidity", "mean"])
    return {("wet_bulb_temperature", ""): wet.value}


WET_BULB_TEMPERATURE: Final = Processor(
    name="wet_bulb_temperature",
    version="1",
    inputs=(Input("air_temperature"), Input("relative_humidity")),
    outputs=(Output("wet_bulb_temperature"),),
    cadence=Cadence.HOUR,
    memory=0,
    compute=_compute,
    source="Stull (2011), doi:10.1175/JAMC-D-11-0143.1, equation 1, by thermofeel",
)
