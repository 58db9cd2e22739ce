"""Volumetric water content of probes that send a permittivity and nothing more."""

from __future__ import annotations

from typing import Final

import numpy as np

from gruenpuls.domain.processor import Array, Cadence, Fleet, Input, Output, Processor
from processors.soil.nearest import previous
from processors.soil.permittivity import refractive_index_water_content, topp_water_content

FROM_PERMITTIVITY: Final = "from_permittivity"
"""The statistic of the series: it stays apart from what devices say of water content themselves."""
_TOLD_HOLDS: Final = 23


def water_content_from_permittivity(permittivity: Array, water_content: Array, intercept: Array, slope: Array) -> Array:
    """Return the water content by the site's own calibration, or else by Topp where no device says it itself.

    Parameters
    ----------
    permittivity : float64 (time, site, depth)
        Hourly means [-].
    water_content : float64 (time, site, depth)
        What devices say of the same places [%]; a place with any is theirs for a day, unless the site
        has a calibration of its own.
    intercept, slope : float64 (site,)
        Of the site's own calibration [-]; NaN where there is none.

    Returns
    -------
    float64 (time, site, depth)
        [%]

    Notes
    -----
    Valid as `topp_water_content` for mineral soil, and as the calibration for the soil it was made in.

    References
    ----------
    The equations of `processors.soil.permittivity`.

    Examples
    --------
    >>> read, none, own = np.full((1, 1, 1), 11.4244), np.full((1, 1, 1), np.nan), np.array([np.nan])
    >>> water_content_from_permittivity(read, none, own, own).round(1).tolist()
    [[[21.5]]]
    >>> water_content_from_permittivity(read, read, np.array([1.58]), np.array([9.0])).tolist()
    [[[20.0]]]
    """
    calibrated = ~np.isnan(intercept + slope)[None, :, None]
    told = ~np.isnan(previous(water_content, _TOLD_HOLDS))
    by_topp = np.where(told, np.nan, topp_water_content(permittivity))
    by_calibration = refractive_index_water_content(permittivity, intercept[None, :, None], slope[None, :, None])
    return np.where(calibrated, by_calibration, by_topp)


def _compute(fleet: Fleet) -> dict[tuple[str, str], Array]:
    return {
        ("soil_water_content", FROM_PERMITTIVITY): water_content_from_permittivity(
            fleet.inputs["soil_permittivity", "mean"],
            fleet.inputs["soil_water_content", "mean"],
            fleet.attributes["permittivity_intercept"],
            fleet.attributes["permittivity_slope"],
        )
    }


SOIL_WATER_CONTENT: Final = Processor(
    name="soil_water_content",
    version="1",
    inputs=(Input("soil_permittivity", by_depth=True), Input("soil_water_content", by_depth=True)),
    outputs=(Output("soil_water_content", FROM_PERMITTIVITY, by_depth=True),),
    cadence=Cadence.HOUR,
    memory=1,
    compute=_compute,
    source="Topp et al. (1980), equation 7; the site's own refractive-index calibration where it has one",
)
