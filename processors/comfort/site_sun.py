"""The sun over a fleet's sites: where it stands in the middle of each hour, and what it sends."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from gruenpuls.domain.processor import Array, Fleet, Input
from processors.climate.diffuse_radiation import known_radiation
from processors.climate.sun_position import sun, sun_elevation

RADIATION: Final = (Input("global_radiation", weather=True), Input("illuminance", weather=True))
"""What a processor asks for that needs the sun."""
LUMINOUS_EFFICACY: Final = 115.0
"""Of daylight under most skies, to a tenth: Littlefair (1985), Light. Res. Technol. 17, 162-182 [lm/W]."""


class SiteSun(NamedTuple):
    """The sun over each site.

    Parameters
    ----------
    elevation : float64 (time, site)
        In the middle of the hour [°].
    distance : float64 (time, site)
        Of earth and sun [au].
    radiation : float64 (time, site)
        Global radiation [W/m2], measured or from illuminance; 0 after dusk.
    """

    elevation: Array
    distance: Array
    radiation: Array


def site_sun(fleet: Fleet) -> SiteSun:
    """Return the sun over a fleet's sites, hour by hour.

    Parameters
    ----------
    fleet : Fleet
        With global radiation [W/m2] and illuminance [lx], measured or missing, and latitude and longitude [°].

    Returns
    -------
    SiteSun
        Elevation [°], distance [au] and global radiation [W/m2].

    Notes
    -----
    Valid for hourly means. Where nobody measures radiation it is taken from the illuminance, 115 lx for a W/m2.

    References
    ----------
    The equations of `processors.climate.sun_position`; Littlefair (1985), Light. Res. Technol. 17, 162-182, for the
    luminous efficacy.

    Examples
    --------
    >>> noon = np.array(["2023-06-21T11"], "datetime64[ms]")
    >>> measured = {("global_radiation", "mean"): np.array([[np.nan]]), ("illuminance", "mean"): np.array([[92_000.0]])}
    >>> essen = {"latitude": np.array([51.45]), "longitude": np.array([7.0])}
    >>> told = site_sun(Fleet(noon, measured, np.empty((1, 0)), essen))
    >>> told.elevation.round().tolist(), told.radiation.tolist()
    ([[62.0]], [[800.0]])
    """
    measured = fleet.inputs["global_radiation", "mean"]
    unknown = np.full(measured.shape[1], np.nan)
    middle = fleet.steps + np.timedelta64(30, "m")
    place = fleet.attributes.get("latitude", unknown), fleet.attributes.get("longitude", unknown)
    elevation = sun_elevation(middle, *place)
    lit = fleet.inputs["illuminance", "mean"] / LUMINOUS_EFFICACY
    radiation = known_radiation(np.where(np.isnan(measured), lit, measured), elevation)
    return SiteSun(elevation, np.broadcast_to(sun(middle).distance[:, None], measured.shape), radiation)
