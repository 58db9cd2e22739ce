"""Vapour-pressure deficit: how much more water the air would take, from leaves as from skin."""

from __future__ import annotations

from typing import Final

import numpy as np

from gruenpuls.domain.processor import Array, Cadence, Fleet, Input, Output, Processor
from processors.comfort.reason import Judgement, Reason, humid, judged, reasons
from processors.water.humidity import saturation_vapour_pressure

_COLDEST: Final = -45.0
_HOTTEST: Final = 60.0


def vapour_pressure_deficit(air_temperature: Array, relative_humidity: Array) -> Judgement:
    """Return how far the air's vapour pressure is below saturation.

    Parameters
    ----------
    air_temperature : float64 (...)
        [°C]
    relative_humidity : float64 (...)
        Over water [%].

    Returns
    -------
    Judgement
        Deficit [kPa] and reasons [-].

    Notes
    -----
    Valid for air from -45 to 60 °C and humidities above 0 and up to 100 % (100.5 %, what hygrometers report
    in fog, counts as saturated).

    References
    ----------
    Allen, R. G., et al. (1998), FAO Irrigation and Drainage Paper 56, equations 11 and 17.

    Examples
    --------
    >>> vapour_pressure_deficit(np.array([20.0, 20.0]), np.array([50.0, 0.0])).value.round(2).tolist()
    [1.17, nan]
    """
    found = reasons(
        {
            Reason.AIR_TEMPERATURE: (air_temperature >= _COLDEST) & (air_temperature <= _HOTTEST),
            Reason.HUMIDITY: humid(relative_humidity),
        },
        air_temperature,
        relative_humidity,
    )
    lack = 1 - np.minimum(relative_humidity, 100.0) / 100
    return judged(saturation_vapour_pressure(air_temperature) * lack, found)


def _compute(fleet: Fleet) -> dict[tuple[str, str], Array]:
    deficit = vapour_pressure_deficit(
        fleet.inputs["air_temperature", "mean"], fleet.inputs["relative_humidity", "mean"]
    )
    return {("vapour_pressure_deficit", ""): deficit.value}


VAPOUR_PRESSURE_DEFICIT: Final = Processor(
    name="vapour_pressure_deficit",
    version="1",
    inputs=(Input("air_temperature"), Input("relative_humidity")),
    outputs=(Output("vapour_pressure_deficit"),),
    cadence=Cadence.HOUR,
    memory=0,
    compute=_compute,
    source="Allen et al. (1998), FAO-56, equations 11 and 17",
)
