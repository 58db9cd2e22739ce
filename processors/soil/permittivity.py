"""Volumetric water content from the permittivity of soil, and from what TEROS probes count."""

from __future__ import annotations

from typing import Final

import numpy as np

from gruenpuls.domain.processor import Array

_PERCENT: Final = 100.0
_WETTEST: Final = 100.0


def _plausible(water_content: Array) -> Array:
    return np.where((water_content >= 0) & (water_content <= _WETTEST), water_content, np.nan)


def topp_water_content(permittivity: Array | float) -> Array:
    """Return the water content of mineral soil by Topp's equation.

    Parameters
    ----------
    permittivity : float64
        Relative permittivity [-].

    Returns
    -------
    float64
        Volumetric water content [%]; NaN outside the range.

    Notes
    -----
    Valid for mineral soil from 0 to 55 % and permittivities from 1 to 40.5, with some 1.3 % by volume;
    in organic and lightweight substrates it reads too dry.

    References
    ----------
    Topp, Davis and Annan (1980), Water Resources Research 16(3), 574-582, equation 7.

    Examples
    --------
    >>> topp_water_content(25.2012).round(1).item()
    40.2
    """
    eps = np.asarray(permittivity, np.float64)
    eps = np.where((eps >= 1) & (eps <= _TOPP_UP_TO), eps, np.nan)
    share = -5.3e-2 + 2.92e-2 * eps - 5.5e-4 * eps**2 + 4.3e-6 * eps**3
    # Air and oven-dry soil lie a little below the line's zero: dry, not impossible.
    return np.asarray(_plausible(_PERCENT * np.maximum(share, 0.0)))


_TOPP_UP_TO: Final = 45.0
"""Just beyond the 55 % the equation was fitted to, so that its own inverse stays inside [-]."""


def topp_permittivity(water_content: Array | float) -> Array:
    """Return the permittivity of mineral soil by Topp's inverse equation.

    Parameters
    ----------
    water_content : float64
        Volumetric water content, 0 to 55 [%].

    Returns
    -------
    float64
        Relative permittivity [-]; NaN outside the range.

    Notes
    -----
    Valid as `topp_water_content`; a separate fit, so that the way there and back differs by up to 1 %.

    References
    ----------
    Topp et al. (1980), equation 6.

    Examples
    --------
    >>> topp_permittivity(40.0).round(4).item()
    25.2012
    """
    given = np.asarray(water_content, np.float64) / _PERCENT
    share = np.where((given >= 0) & (given <= _TOPP_WETTEST), given, np.nan)
    return np.asarray(3.03 + 9.3 * share + 146 * share**2 - 76.7 * share**3)


_TOPP_WETTEST: Final = 0.55


def refractive_index_water_content(
    permittivity: Array | float, intercept: Array | float, slope: Array | float
) -> Array:
    """Return the water content by a two-point calibration of one's own soil or substrate.

    Parameters
    ----------
    permittivity : float64
        Relative permittivity [-].
    intercept : float64
        Refractive index (root of the permittivity) of the dry sample, a0 [-].
    slope : float64
        By how much it grows from dry to pure water, a1 [-].

    Returns
    -------
    float64
        Volumetric water content [%]; NaN outside 0 to 100 % or without a calibration.

    Notes
    -----
    Valid for the soil it was measured in, between the two points.

    References
    ----------
    Delta-T Devices, ThetaProbe and ML3 manuals, soil-specific calibration, by the equation root of the
    permittivity = a0 + a1 times water content.

    Examples
    --------
    >>> refractive_index_water_content(np.array([2.4964, 11.4244]), 1.58, 9.0).round(1).tolist()
    [0.0, 20.0]
    """
    eps, steepness = np.asarray(permittivity, np.float64), np.asarray(slope, np.float64)
    index = np.sqrt(np.where(eps >= 1, eps, np.nan))
    share = (index - intercept) / np.where(steepness > 0, steepness, np.nan)
    return np.asarray(_plausible((_PERCENT * share).round(9)))


def refractive_index_calibration(
    permittivities: tuple[float, float], water_contents: tuple[float, float]
) -> tuple[float, float]:
    """Return intercept and slope of a calibration from a dry and a wet sample.

    Parameters
    ----------
    permittivities : tuple of float
        Dry, wet [-].
    water_contents : tuple of float
        Of the same samples, weighed [%].

    Returns
    -------
    tuple of float
        For `refractive_index_water_content` [-].

    Raises
    ------
    ValueError
        If the wet sample is not wetter in both.

    Notes
    -----
    Valid for two samples of the soil the probe sits in, as dry and as wet as it becomes there.

    References
    ----------
    The equation of `refractive_index_water_content`, solved for its two unknowns.

    Examples
    --------
    >>> intercept, slope = refractive_index_calibration((2.4964, 11.4244), (0.0, 20.0))
    >>> round(intercept, 2), round(slope, 2)
    (1.58, 9.0)
    """
    (dry_eps, wet_eps), (dry, wet) = permittivities, water_contents
    if not (1 <= dry_eps < wet_eps and 0 <= dry < wet):
        message = (
            f"the wet sample must be wetter than the dry one: permittivity {permittivities}, content {water_contents}"
        )
        raise ValueError(message)
    slope = float(np.sqrt(wet_eps) - np.sqrt(dry_eps)) / (wet - dry) * _PERCENT
    return float(np.sqrt(dry_eps)) - slope * dry / _PERCENT, slope


def teros12_permittivity(count: Array | float) -> Array:
    """Return the permittivity a TEROS 11 or 12 counts.

    Parameters
    ----------
    count : float64
        What the probe sends as RAW, calibrated count [-].

    Returns
    -------
    float64
        Relative permittivity [-].

    Notes
    -----
    Valid from air (about 1800) to water (about 3400).

    References
    ----------
    METER Group, TEROS 11/12 manual, equation 7.

    Examples
    --------
    >>> teros12_permittivity(3400.0).round().item()
    81.0
    """
    raw = np.asarray(count, np.float64)
    return np.asarray((2.887e-9 * raw**3 - 2.080e-5 * raw**2 + 5.276e-2 * raw - 43.39) ** 2)


def teros12_water_content(count: Array | float) -> Array:
    """Return the water content of mineral soil a TEROS 11 or 12 counts.

    Parameters
    ----------
    count : float64
        RAW [-].

    Returns
    -------
    float64
        Volumetric water content [%]; NaN outside 0 to 100 %.

    Notes
    -----
    Valid for mineral soil with 3 % by volume; ends at some 70 % in water. Roof and tree substrates need
    `refractive_index_water_content` with `teros12_permittivity`.

    References
    ----------
    METER Group, TEROS 11/12 manual, equation 1 (mineral soil).

    Examples
    --------
    >>> teros12_water_content(2500.0).round(1).item()
    27.4
    """
    return np.asarray(_plausible(_PERCENT * (3.879e-4 * np.asarray(count, np.float64) - 0.6956)))
