"""Heat index: how hot humid air feels in the shade, by the algorithm of the U.S. National Weather Service."""

from __future__ import annotations

from typing import Final

import numpy as np

from gruenpuls.domain.processor import Array, Cadence, Fleet, Input, Output, Processor
from processors.comfort.reason import Judgement, Reason, humid, judged, reasons

_COOLEST_C: Final = 20.0
_HOTTEST_F: Final = 112.0
_HIGHEST_INDEX_F: Final = 137.0
_REGRESSION_FROM_F: Final = 80.0
_HUMID_UP_TO_F: Final = 87.0
_DRY_BELOW: Final = 13.0
_HUMID_ABOVE: Final = 85.0
_SATURATED: Final = 100.0


def _regression(t: Array, rh: Array) -> Array:
    """Return Rothfusz's fit to Steadman's table [°F], from temperature [°F] and humidity [%]."""
    fit = (
        -42.379
        + 2.04901523 * t
        + 10.14333127 * rh
        - 0.22475541 * t * rh
        - 6.83783e-3 * t**2
        - 5.481717e-2 * rh**2
        + 1.22874e-3 * t**2 * rh
        + 8.5282e-4 * t * rh**2
        - 1.99e-6 * t**2 * rh**2
    )
    dry = (rh < _DRY_BELOW) & (t >= _REGRESSION_FROM_F) & (t <= _HOTTEST_F)
    humid = (rh > _HUMID_ABOVE) & (t >= _REGRESSION_FROM_F) & (t <= _HUMID_UP_TO_F)
    fit = fit - np.where(dry, (13 - rh) / 4 * np.sqrt(np.maximum(17 - np.abs(t - 95), 0) / 17), 0.0)
    return fit + np.where(humid, (rh - 85) / 10 * (87 - t) / 5, 0.0)


def heat_index(air_temperature: Array, relative_humidity: Array) -> Judgement:
    """Return the heat index: the simple formula below 80 °F, Rothfusz's regression with adjustments above.

    Parameters
    ----------
    air_temperature : float64 (...)
        Air temperature in the shade [°C].
    relative_humidity : float64 (...)
        Relative humidity [%].

    Returns
    -------
    Judgement
        Heat index [°C] and reasons [-].

    Notes
    -----
    Valid from 20 °C, where Steadman's table begins, to 44.4 °C (112 °F), the last temperature the
    algorithm names, and for humidities above 0 and up to 100 % (100.5 %, what hygrometers report in
    fog, counts as saturated). The regression runs away in hot and very humid air, where Steadman's
    model has no solution: above 58.3 °C (137 °F), the highest value the Weather Service prints, the
    index is missing.

    References
    ----------
    Rothfusz, L. P. (1990), The heat index equation, NWS Technical Attachment SR 90-23; adjustments and
    simple formula: NOAA Weather Prediction Center, The Heat Index Equation (2014), equations 1 to 4;
    Steadman, R. G. (1979), J. Appl. Meteorol. 18, 861-873.

    Examples
    --------
    >>> heat_index(np.array([32.2, 25.0, 15.0]), np.array([40.0, 50.0, 50.0])).value.round(1).tolist()
    [32.6, 24.9, nan]
    """
    found = reasons(
        {
            Reason.AIR_TEMPERATURE: (air_temperature >= _COOLEST_C) & (air_temperature <= (_HOTTEST_F - 32) / 1.8),
            Reason.HUMIDITY: humid(relative_humidity),
        },
        air_temperature,
        relative_humidity,
    )
    valid = found == 0
    t = np.where(valid, air_temperature, np.nan) * 1.8 + 32
    rh = np.where(valid, np.minimum(relative_humidity, _SATURATED), np.nan)
    simple = 0.5 * (t + 61 + (t - 68) * 1.2 + rh * 0.094)
    index = np.where(simple < _REGRESSION_FROM_F, simple, _regression(t, rh))
    beyond = index > _HIGHEST_INDEX_F
    return judged((index - 32) / 1.8, found | np.where(beyond, int(Reason.BEYOND_SCALE), 0).astype(np.uint16))


def _compute(fleet: Fleet) -> dict[tuple[str, str], Array]:
    return {
        ("heat_index", ""): heat_index(
            fleet.inputs["air_temperature", "mean"], fleet.inputs["relative_humidity", "mean"]
        ).value
    }


HEAT_INDEX: Final = Processor(
    name="heat_index",
    version="1",
    inputs=(Input("air_temperature"), Input("relative_humidity")),
    outputs=(Output("heat_index"),),
    cadence=Cadence.HOUR,
    memory=0,
    compute=_compute,
    source="Rothfusz (1990), NWS SR 90-23, with the adjustments of the NOAA Weather Prediction Center (2014)",
)
