"""Irrigation: how many litres a site needs, by when, before which other, and whether rain will spare them."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.processor import Array
from processors import normal_distribution

TARGET: Final = 90.0
"""How full a watering is to leave the root zone [% nFK]: a little room stays for rain."""
COVERED: Final = 0.5
"""Share of the deficit the median of forecast rain must cover for a watering to be put off [-]."""
LONGEST: Final = 2.0
"""How long a watering is put off for rain that is forecast [d]."""
CAREFUL_SEASONS: Final = 3.0
"""Up to this growing season a watering is never put off twice running [-]."""
_FURTHEST: Final = 60.0
"""No next watering is foretold beyond [d]."""
_BABY, _JUNIOR = 5.0, 10.0
_HALF: Final = 50.0


def irrigation_litres(available_water: Array, target: Array, capacity: Array, area: Array, efficiency: Array) -> Array:
    """Return the water that fills a root zone up to a target.

    Parameters
    ----------
    available_water, target : float64 (...)
        Now and wanted [% nFK]; a target above 100 counts as 100.
    capacity : float64 (...)
        Plant-available capacity of the root zone [mm].
    area : float64 (...)
        Of the root zone [m²].
    efficiency : float64 (...)
        Share of the water given that reaches the roots, above 0 [-].

    Returns
    -------
    float64 (...)
        [L]; 0 where the target is reached, missing where an input is missing.

    Notes
    -----
    Valid for efficiencies above 0 up to 1.

    References
    ----------
    Definition: (target - now) / 100 * nFK / 100 * depth * area * 1000 / efficiency; no equation number.

    Examples
    --------
    >>> mm = np.array([10 * 13 * 0.8])
    >>> irrigation_litres(np.array([30.0]), np.array([90.0]), mm, np.array([1.5]), np.array([0.9])).round(2).tolist()
    [104.0]
    """
    missing = np.maximum(np.minimum(target, 100.0) - available_water, 0.0)
    litres: Array = missing / 100.0 * capacity * area / efficiency
    return litres


def citizens_litres(age: Array, precipitation: Array, watered: Array) -> Array:
    """Return what citizens' watering initiatives would still give a tree after its last 30 days.

    Parameters
    ----------
    age : float64 (...)
        [a]
    precipitation : float64 (...)
        Of those days [mm], taken as litres.
    watered : float64 (...)
        In those days [L].

    Returns
    -------
    float64 (...)
        [L]; missing where an input is missing.

    Notes
    -----
    To compare with. Valid for street trees of any age; one millimetre counts as one litre there.

    References
    ----------
    Gieß den Kiez (CityLAB Berlin): 100 L up to 5 years, 200 L up to 10, 300 L beyond; no equation.

    Examples
    --------
    >>> citizens_litres(np.array([4.0, 8.0, 50.0]), np.array([30.0]), np.array([0.0])).tolist()
    [70.0, 170.0, 270.0]
    """
    reference = np.where(age <= _BABY, 100.0, np.where(age <= _JUNIOR, 200.0, 300.0))
    return np.where(np.isnan(age), np.nan, np.maximum(reference - precipitation - watered, 0.0))


def rain_reaching_roots(
    precipitation: Array, cover: Array, interception: Array, rain_share: Array, inflow: Array
) -> Array:
    """Return how much of some rain gets into the root zone.

    Parameters
    ----------
    precipitation : float64 (...)
        [mm]
    cover : float64 (...)
        Share of the root-zone area under the crown [-].
    interception : float64 (...)
        What the crown holds back [mm].
    rain_share : float64 (...)
        Share of the rain on the ground that enters it [-].
    inflow : float64 (...)
        Drained area times its runoff coefficient, per root-zone area [-].

    Returns
    -------
    float64 (...)
        [mm over the root-zone area]

    Notes
    -----
    Valid for rain from 0 on; the crown's store counts as empty, once.

    References
    ----------
    As `processors.water.bucket.daily_step`: i-Tree Hydro, DWA-M 153. No equation of its own.

    Examples
    --------
    >>> one = np.ones(1)
    >>> rain_reaching_roots(11 * one, one, one, 0.5 * one, 0 * one).tolist()
    [4.5]
    """
    held = np.minimum(precipitation, interception)
    held = held + 0.1 * np.where(interception > 0, precipitation - held, 0.0)
    reaching: Array = rain_share * (precipitation - cover * held) + inflow * precipitation
    return reaching


def days_until(available_water: Array, limit: Array, capacity: Array, fraction: Array, demand: Array) -> Array:
    """Return in how many days a root zone dries down to a limit if it does not rain.

    Parameters
    ----------
    available_water, limit : float64 (...)
        Now and then [% nFK]; below 0 the limit counts as 0.
    capacity : float64 (...)
        [mm]
    fraction : float64 (...)
        Share used without stress, p of FAO-56 [-].
    demand : float64 (...)
        [mm/d]

    Returns
    -------
    float64 (...)
        [d]; 0 where it is there already, at most 60.

    Notes
    -----
    Valid for a demand that stays as it is. Down to the depletion fraction it is met in full, below in
    proportion to what is left.

    References
    ----------
    Allen et al. (1998), FAO-56, equation 84, solved for time.

    Examples
    --------
    >>> one = np.ones(1)
    >>> days_until(100 * one, 50 * one, 80 * one, 0.5 * one, 4 * one).tolist()
    [10.0]
    """
    unstressed = (1.0 - fraction) * capacity
    now = np.minimum(available_water, 100.0) / 100.0 * capacity
    then = np.maximum(limit, 0.0) / 100.0 * capacity
    easy = np.maximum(now - np.maximum(then, unstressed), 0.0)
    upper, lower = np.minimum(now, unstressed), np.minimum(then, unstressed)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        hard = np.where(upper > lower, unstressed * np.log(upper / lower), 0.0)
        days = np.where(now > then, (easy + hard) / demand, 0.0)
    return np.where(np.isnan(days) & ~np.isnan(now), _FURTHEST, np.clip(days, 0.0, _FURTHEST))


def watering_priority(available_water: Array, deviation: Array, limit: Array, growing_season: Array) -> Array:
    """Return before which others a site should be watered.

    Parameters
    ----------
    available_water, deviation : float64 (...)
        Expected, and its standard deviation [% nFK].
    limit : float64 (...)
        Below which it needs water now [% nFK].
    growing_season : float64 (...)
        The n-th at the site [-]; NaN is unknown.

    Returns
    -------
    float64 (...)
        [%]: half of it how likely the site is below its limit, half how far; times 1 in the first three
        growing seasons, 0.8 up to the tenth or where unknown, 0.6 beyond.

    Notes
    -----
    Valid for limits above 0. Young trees come first since they have no deep roots to fall back on.

    References
    ----------
    Our own rule. No equation.

    Examples
    --------
    >>> watering_priority(np.array([0.0, 50.0]), np.array([5.0]), np.array([50.0]), np.array([1.0])).tolist()
    [100.0, 25.0]
    """
    likely = normal_distribution.probability((limit - available_water) / np.maximum(deviation, 1e-9))
    far = np.clip((limit - available_water) / limit, 0.0, 1.0)
    young, grown = growing_season <= CAREFUL_SEASONS, growing_season > _JUNIOR
    weight = np.where(young, 1.0, np.where(grown, 0.6, 0.8))
    priority: Array = weight * _HALF * (likely + far)
    return priority


def postponements(due: NDArray[np.bool_], rain_covers: NDArray[np.bool_], longest: Array, before: Array) -> Array:
    """Return for how many days, this one included, each due watering has been put off for rain.

    Parameters
    ----------
    due : bool (time, site)
        Whether a watering is due and none was given that day [-].
    rain_covers : bool (time, site)
        Whether forecast rain covers enough of the deficit [-].
    longest : float64 (site,)
        How many days a site may wait in all while its watering is due [d].
    before : float64 (site,)
        The days on the day before the first [d].

    Returns
    -------
    float64 (time, site)
        [d]; where it has risen from the day before, the watering is put off that day.

    Notes
    -----
    Valid for daily steps. The count starts again only when the watering is no longer due: rain that was
    forecast and did not come puts it off once, not for ever.

    References
    ----------
    Our own rule. No equation.

    Examples
    --------
    >>> due, rain = np.full((4, 1), 1 > 0), np.full((4, 1), 1 > 0)
    >>> postponements(due, rain, np.array([2.0]), np.zeros(1))[:, 0].tolist()
    [1.0, 2.0, 2.0, 2.0]
    """
    count, found = before, np.empty(due.shape)
    for step in range(len(due)):
        wait = due[step] & rain_covers[step] & (count < longest)
        count = np.where(due[step], count + wait, 0.0)
        found[step] = count
    return found
