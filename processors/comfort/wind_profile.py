"""Wind brought from the height it was measured at to the one an index is defined for."""

from __future__ import annotations

from typing import Final

import numpy as np

from gruenpuls.domain.processor import Array, Fleet
from processors.water.reference_evapotranspiration import HEIGHT_ASSUMED

REFERENCE_HEIGHT: Final = 10.0
"""What UTCI and WBGT from weather are defined for [m]."""
BODY_HEIGHT: Final = 1.1
"""Of a standing body's centre, and of a globe on its stand [m]."""
ROUGHNESS_LENGTH: Final = 0.01
"""Where no site's own is stored: the open ground in UTCI's definition [m]."""
_LOWEST_HEIGHT: Final = 0.5
_HIGHEST_HEIGHT: Final = 200.0
_ROUGHEST: Final = 3.0


def wind_at_height(
    wind_speed: Array, measured_at_height: Array, height: float, roughness_length: Array | float = ROUGHNESS_LENGTH
) -> Array:
    """Return the wind speed at another height, by the logarithmic profile.

    Parameters
    ----------
    wind_speed : float64 (...)
        As measured [m/s].
    measured_at_height : float64 (...)
        Of the anemometer above ground [m].
    height : float
        Asked for, above ground [m].
    roughness_length : float64 (...)
        Of the ground around [m].

    Returns
    -------
    float64 (...)
        Wind speed at `height` [m/s]; missing where an input is missing or outside the validity range.

    Notes
    -----
    Valid for anemometers 0.5 to 200 m above ground and higher than twice the roughness length, over level
    ground. Between houses the profile is another one: the result is what open ground of that roughness
    would have under the same wind. The result is never negative.

    References
    ----------
    Bröde, P., et al. (2012), Int. J. Biometeorol. 56, 481-494, doi:10.1007/s00484-011-0454-1, equation for
    the wind at person level (z0 = 0.01 m), solved for the height asked for.

    Examples
    --------
    >>> wind_at_height(np.array([2.0, 2.0]), np.array([2.0, 10.0]), 10.0).round(2).tolist()
    [2.61, 2.0]
    """
    roughness = np.asarray(roughness_length, np.float64)
    valid = (
        (measured_at_height >= _LOWEST_HEIGHT)
        & (measured_at_height <= _HIGHEST_HEIGHT)
        & (roughness > 0)
        & (roughness <= _ROUGHEST)
        & (measured_at_height > 2 * roughness)
    )
    ground = np.where(valid, roughness, ROUGHNESS_LENGTH)
    ratio = np.log(height / ground) / np.log(np.where(valid, measured_at_height, REFERENCE_HEIGHT) / ground)
    return np.where(valid, np.maximum(ratio, 0), np.nan) * wind_speed


def site_attribute(fleet: Fleet, name: str, assumed: float) -> Array:
    """Return an attribute of a fleet's sites, and what is assumed where nobody stored it.

    Parameters
    ----------
    fleet : Fleet
        With the air temperature of the sites [°C].
    name : str
        What the attribute is called [-].
    assumed : float
        Where a site has none [unit of the attribute].

    Returns
    -------
    float64 (site,)
        [unit of the attribute]

    Notes
    -----
    Valid for attributes that are numbers.

    References
    ----------
    No equation.

    Examples
    --------
    >>> wind = {("air_temperature", "mean"): np.full((1, 2), 20.0), ("wind_speed", "mean"): np.full((1, 2), 2.0)}
    >>> known = {"wind_height": np.array([2.0, 10.0])}
    >>> fleet = Fleet(np.array(["2023-06-21T11"], "datetime64[ms]"), wind, np.empty((2, 0)), known)
    >>> site_attribute(fleet, "wind_height", 2.0).tolist(), site_attribute(fleet, "albedo", 0.2).tolist()
    ([2.0, 10.0], [0.2, 0.2])
    """
    stored = fleet.attributes.get(name, np.full(fleet.inputs["air_temperature", "mean"].shape[1], np.nan))
    return np.where(np.isnan(stored), assumed, stored)


def site_wind(fleet: Fleet, height: float) -> Array:
    """Return a fleet's hourly wind at a height.

    Parameters
    ----------
    fleet : Fleet
        With wind speed [m/s] and how far away it was measured [km]; the attributes ``wind_height`` [m], 2 m where
        unknown, and ``roughness_length`` [m], 0.01 m where unknown.
    height : float
        Asked for, above ground [m].

    Returns
    -------
    float64 (time, site)
        [m/s]; missing as in `wind_at_height`.

    Notes
    -----
    Valid as `wind_at_height`; wind measured elsewhere counts as that of a weather service's mast, 10 m.

    References
    ----------
    The equation of `wind_at_height`.

    Examples
    --------
    >>> wind = {("air_temperature", "mean"): np.full((1, 2), 20.0), ("wind_speed", "mean"): np.full((1, 2), 2.0)}
    >>> known = {"wind_height": np.array([2.0, 10.0])}
    >>> fleet = Fleet(np.array(["2023-06-21T11"], "datetime64[ms]"), wind, np.empty((2, 0)), known)
    >>> site_wind(fleet, 10.0).round(2).tolist()
    [[2.61, 2.0]]
    """
    wind = ("wind_speed", "mean")
    measured_at_height = site_attribute(fleet, "wind_height", HEIGHT_ASSUMED)
    if wind in fleet.distances:
        measured_at_height = np.where(fleet.distances[wind] > 0, REFERENCE_HEIGHT, measured_at_height)
    roughness = site_attribute(fleet, "roughness_length", ROUGHNESS_LENGTH)
    return wind_at_height(fleet.inputs[wind], measured_at_height, height, roughness)
