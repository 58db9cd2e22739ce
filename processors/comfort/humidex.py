"""Humidex: how hot humid air feels, by the Canadian weather service."""

from __future__ import annotations

from typing import Final

import numpy as np

from gruenpuls.domain.processor import Array, Cadence, Fleet, Input, Output, Processor
from processors.comfort.body import KELVIN
from processors.comfort.dew_point import dew_point
from processors.comfort.reason import Judgement, Reason, judged, reasons

_COOLEST, _HOTTEST = 20.0, 55.0
_TRIPLE_POINT: Final = 273.16
"""The formula counts from here, thermofeel from 273.15: a hundredth of a degree [K]."""
_DRIEST_DEW: Final = -30.0
_DAMPEST_DEW: Final = 35.0


def humidex(air_temperature: Array, dew_point_temperature: Array) -> Judgement:
    """Return the humidex.

    Parameters
    ----------
    air_temperature : float64 (...)
        [°C]
    dew_point_temperature : float64 (...)
        [°C]

    Returns
    -------
    Judgement
        Humidex [°C] and reasons [-].

    Notes
    -----
    Valid for air from 20 to 55 °C, below which the Canadian service gives none, and dew points from -30 to
    35 °C and not above the air's temperature by more than 0.1 K. The unit is a degree of feeling, not of a
    thermometer. In dry air the humidex is below the air temperature.

    References
    ----------
    Masterton, J. M., and Richardson, F. A. (1979), Humidex, Environment Canada CLI 1-79; Environment
    Canada, glossary, "Humidex": equation without number.

    Examples
    --------
    >>> humidex(np.array([28.0, 15.0]), np.array([20.0, 10.0])).value.round(1).tolist()
    [35.6, nan]
    """
    found = reasons(
        {
            Reason.AIR_TEMPERATURE: (air_temperature >= _COOLEST) & (air_temperature <= _HOTTEST),
            Reason.HUMIDITY: (dew_point_temperature >= _DRIEST_DEW)
            & (dew_point_temperature <= np.minimum(air_temperature + 0.1, _DAMPEST_DEW)),
        },
        air_temperature,
        dew_point_temperature,
    )
    vapour = 6.11 * np.exp(
        5417.7530 * (1 / _TRIPLE_POINT - 1 / (np.where(found > 0, 0.0, dew_point_temperature) + KELVIN))
    )
    return judged(air_temperature + 0.5555 * (vapour - 10), found)


def _compute(fleet: Fleet) -> dict[tuple[str, str], Array]:
    air = fleet.inputs["air_temperature", "mean"]
    dew = dew_point(air, fleet.inputs["relative_humidity", "mean"]).value
    return {("humidex", ""): humidex(air, dew).value}


HUMIDEX: Final = Processor(
    name="humidex",
    version="1",
    inputs=(Input("air_temperature"), Input("relative_humidity")),
    outputs=(Output("humidex"),),
    cadence=Cadence.HOUR,
    memory=0,
    compute=_compute,
    source="Masterton and Richardson (1979), Environment Canada CLI 1-79",
)
