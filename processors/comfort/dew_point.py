"""Dew point: the temperature at which the air's water begins to condense."""

from __future__ import annotations

from typing import Final

import numpy as np

from gruenpuls.domain.processor import Array, Cadence, Fleet, Input, Output, Processor
from processors.comfort.reason import Judgement, Reason, humid, judged, reasons

_B: Final = 17.62
_C: Final = 243.12
_COLDEST: Final = -45.0
_HOTTEST: Final = 60.0
_SATURATED: Final = 100.0


def dew_point(air_temperature: Array, relative_humidity: Array) -> Judgement:
    """Return the dew point over water.

    Parameters
    ----------
    air_temperature : float64 (...)
        Air temperature [°C].
    relative_humidity : float64 (...)
        Relative humidity over water [%].

    Returns
    -------
    Judgement
        Dew point temperature [°C] and reasons [-].

    Notes
    -----
    Valid for air and dew point temperatures from -45 to 60 °C and humidities above 0 and up to 100 %. Up
    to 100.5 %, what hygrometers report in fog, counts as saturated.

    References
    ----------
    WMO, Guide to Instruments and Methods of Observation (WMO-No. 8, 2018), vol. I, annex 4.B,
    saturation vapour pressure over water, solved for temperature; coefficients of Sonntag (1990),
    Zeitschrift für Meteorologie 70, 340-344.

    Examples
    --------
    >>> dew_point(np.array([20.0, 30.0, np.nan]), np.array([50.0, 100.0, 50.0])).value.round(2).tolist()
    [9.26, 30.0, nan]
    """
    found = reasons(
        {
            Reason.AIR_TEMPERATURE: (air_temperature >= _COLDEST) & (air_temperature <= _HOTTEST),
            Reason.HUMIDITY: humid(relative_humidity),
        },
        air_temperature,
        relative_humidity,
    )
    valid = found == 0
    temperature = np.where(valid, air_temperature, 0.0)
    humidity = np.where(valid, np.minimum(relative_humidity, _SATURATED), _SATURATED)
    gamma = np.log(humidity / _SATURATED) + _B * temperature / (_C + temperature)
    result = _C * gamma / (_B - gamma)
    beyond = valid & (result < _COLDEST)
    return judged(result, found | np.where(beyond, int(Reason.BEYOND_SCALE), 0).astype(np.uint16))


def _compute(fleet: Fleet) -> dict[tuple[str, str], Array]:
    return {
        ("dew_point_temperature", ""): dew_point(
            fleet.inputs["air_temperature", "mean"], fleet.inputs["relative_humidity", "mean"]
        ).value
    }


DEW_POINT: Final = Processor(
    name="dew_point",
    version="1",
    inputs=(Input("air_temperature"), Input("relative_humidity")),
    outputs=(Output("dew_point_temperature"),),
    cadence=Cadence.HOUR,
    memory=0,
    compute=_compute,
    source="WMO-No. 8 (2018), vol. I, annex 4.B; Sonntag (1990)",
)
