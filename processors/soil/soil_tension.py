"""Soil water tension of probes that send a resistance and nothing more."""

from __future__ import annotations

from typing import Final

import numpy as np

from gruenpuls.domain.processor import Array, Cadence, Fleet, Input, Output, Processor
from processors.soil.nearest import nearest_known, previous
from processors.soil.watermark import watermark_tension

FROM_RESISTANCE: Final = "from_resistance"
"""The statistic of the series: it stays apart from what devices say of tension themselves."""
_TEMPERATURE_HOLDS: Final = 23


def tension_from_resistance(
    resistance: Array, tension: Array, soil_temperature: Array, depths: Array, curve_factor: Array
) -> Array:
    """Return the tension of Watermark probes wherever the device does not say it itself.

    Parameters
    ----------
    resistance : float64 (time, site, depth)
        Hourly means [kOhm].
    tension : float64 (time, site, depth)
        What devices say of the same places [kPa]; a place with any is theirs for a day.
    soil_temperature : float64 (time, site, depth)
        [°C]; a depth without one takes the nearest depth's, up to a day old, or else
        `processors.soil.watermark.FALLBACK_TEMPERATURE`.
    depths : float64 (site, depth)
        [cm]
    curve_factor : float64 (site,)
        Of the site's device [-]; NaN is 1.

    Returns
    -------
    float64 (time, site, depth)
        [kPa]; NaN where the device tells itself, and where the probe is shorted or open.

    Notes
    -----
    Valid for Watermark 200SS probes, as `processors.soil.watermark.watermark_tension`.

    References
    ----------
    The equations of `processors.soil.watermark.watermark_tension`.

    Examples
    --------
    >>> wet, none = np.full((1, 1, 1), 6.0), np.full((1, 1, 1), np.nan)
    >>> tension_from_resistance(wet, none, wet + 18, np.array([[30.0]]), np.array([1.0])).round(1).tolist()
    [[[35.8]]]
    """
    temperature = nearest_known(previous(soil_temperature, _TEMPERATURE_HOLDS), depths)
    factor = np.where(np.isnan(curve_factor), 1.0, curve_factor)[None, :, None]
    told = ~np.isnan(previous(tension, _TEMPERATURE_HOLDS))
    return np.where(told, np.nan, watermark_tension(resistance, temperature, factor).tension)


def _compute(fleet: Fleet) -> dict[tuple[str, str], Array]:
    return {
        ("soil_tension", FROM_RESISTANCE): tension_from_resistance(
            fleet.inputs["soil_resistance", "mean"],
            fleet.inputs["soil_tension", "mean"],
            fleet.inputs["soil_temperature", "mean"],
            fleet.depths,
            fleet.attributes["watermark_curve_factor"],
        )
    }


SOIL_TENSION: Final = Processor(
    name="soil_tension",
    version="1",
    inputs=(
        Input("soil_resistance", by_depth=True),
        Input("soil_tension", by_depth=True),
        Input("soil_temperature", by_depth=True),
    ),
    outputs=(Output("soil_tension", FROM_RESISTANCE, by_depth=True),),
    cadence=Cadence.HOUR,
    memory=1,
    compute=_compute,
    source="Shock et al. (1998) from 1 to 8 kOhm, IRROMETER's published code for the 200SS below and above",
)
