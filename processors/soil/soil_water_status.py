"""Soil water status: does this tree have enough water, soon too little, or too little now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.processor import Array, Cadence, Fleet, Input, Output, Processor

PASSING, SOON, NOW = 0.0, 1.0, 2.0
"""The status: passt, bald gießen, jetzt gießen [-]."""

ENOUGH_DEPTHS: Final = 2
"""Below this many judged depths the status is of low confidence."""

WINDOW: Final = 24
"""Steps whose median is judged [h]."""
HELD_FOR: Final = 168
"""How long a value inside the hysteresis band keeps the status it had [h]."""
_FEWEST: Final = 3
"""Steps with a reading the median needs; probes that report every six hours reach four."""
_FROZEN_BELOW: Final = 0.5
_TENSION_MARGIN: Final = 3.0
_TENSION_MARGIN_SHARE: Final = 0.1
_WATER_MARGIN: Final = 5.0

_GREEN_ECOLUTION: Final = "Green Ecolution, Flensburg, Watermark limits by standing year"
_OWN: Final = "our proposal"


@dataclass(frozen=True, slots=True)
class Limits:
    """From when on a depth of a tree of some age is soon, and now, in need of water.

    Parameters
    ----------
    name : str
    seasons : tuple of float or None
        First and last growing season at the site, inclusive; None is the rule for an unknown one.
    depths : tuple of float
        From, inclusive, and to, exclusive: the depths named by the source and 15 cm around them [cm].
    tension : tuple of float
        Soon, now [kPa].
    reached : tuple of bool
        Whether the tension limit itself already counts, for soon and for now.
    available_water : tuple of float
        Soon below, now below [% nFK].
    source : str
        Whose limits these are.
    """

    name: str
    seasons: tuple[float, float] | None
    depths: tuple[float, float]
    tension: tuple[float, float]
    reached: tuple[bool, bool]
    available_water: tuple[float, float]
    source: str


_EVER: Final = float("inf")

LIMITS: Final = (
    Limits(
        "young tree, season 1 to 2",
        (1, 2),
        (0, _EVER),
        (25, 33),
        (True, True),
        (60, 50),
        f"kPa: {_GREEN_ECOLUTION}; % nFK: {_OWN}",
    ),
    Limits(
        "season 3, upper root zone",
        (3, 3),
        (15, 45),
        (62, 81),
        (True, True),
        (50, 40),
        f"kPa: {_GREEN_ECOLUTION}; % nFK: {_OWN}",
    ),
    Limits(
        "season 3, lower root zone",
        (3, 3),
        (45, 105),
        (25, 33),
        (True, True),
        (50, 40),
        f"kPa: {_GREEN_ECOLUTION}; % nFK: {_OWN}",
    ),
    Limits(
        "season 4 to 10",
        (4, 10),
        (45, 105),
        (33, 81),
        (True, False),
        (50, 30),
        "kPa: Feigl and Borgmann, Stadt+Grün (2023), and QTrees; % nFK: UFZ drought monitor",
    ),
    Limits(
        "established tree, from season 11",
        (11, _EVER),
        (45, 115),
        (81, 150),
        (False, False),
        (40, 30),
        f"% nFK: Granier et al. (1999), REW 0.4, and UFZ drought monitor; kPa: {_OWN}",
    ),
    Limits(
        "unknown standing year",
        None,
        (15, 105),
        (33, 81),
        (False, False),
        (50, 30),
        "limits published without age; kPa: QTrees Baumblick; % nFK: UFZ drought monitor",
    ),
)
"""Thresholds by standing year; the first row that fits a depth applies."""


@dataclass(frozen=True, slots=True)
class SoilWaterStatus:
    """What was judged at each step and site; NaN where nothing was measured.

    Parameters
    ----------
    status : float64 (time, site)
        0 passt, 1 bald gießen, 2 jetzt gießen [-]; NaN where no depth could be judged.
    judged_depths : float64 (time, site)
        On how many depths the status rests [-]; fewer than `ENOUGH_DEPTHS` is low confidence.
    frozen_depths : float64 (time, site)
        How many depths are suspended because they are frozen [-]; NaN where no thermometer tells.
    """

    status: Array
    judged_depths: Array
    frozen_depths: Array


def _previous(values: Array, steps: int) -> Array:
    """Return the last known value at each step, at most so many steps old."""
    index = np.arange(len(values)).reshape(-1, *[1] * (values.ndim - 1))
    known_at = np.maximum.accumulate(np.where(np.isnan(values), -1, index), axis=0)
    filled = np.take_along_axis(values, np.maximum(known_at, 0), axis=0)
    return np.where((known_at >= 0) & (index - known_at <= steps), filled, np.nan)


def _moving_median(values: Array) -> Array:
    """Return the median of the last `WINDOW` steps, this one included; NaN with too few values."""
    if not len(values):
        return values.copy()
    before = np.full((WINDOW - 1, *values.shape[1:]), np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(np.concatenate([before, values]), WINDOW, axis=0)
    ordered = np.sort(windows, axis=-1)
    count = (~np.isnan(ordered)).sum(axis=-1, keepdims=True)
    low = np.take_along_axis(ordered, np.maximum(count - 1, 0) // 2, axis=-1)
    high = np.take_along_axis(ordered, count // 2 % WINDOW, axis=-1)
    return np.where(count >= _FEWEST, (low + high) / 2, np.nan)[..., 0]


def _nearest_known(temperature: Array, depths: Array) -> Array:
    """Return the temperature of each depth, or of the nearest one that has any."""
    places = depths.shape[1]
    filled = temperature.copy()
    distance = np.abs(depths[:, :, None] - depths[:, None, :])
    neighbours = np.argsort(distance, axis=2)
    for rank in range(places):
        neighbour = np.broadcast_to(neighbours[None, :, :, rank], temperature.shape)
        filled = np.where(np.isnan(filled), np.take_along_axis(temperature, neighbour, axis=2), filled)
    return filled


def _raised(values: Array, on: Array, off: Array) -> NDArray[np.bool_]:
    """Return whether a limit was reached and not left again; inside the band its last verdict holds."""
    index = np.arange(len(values)).reshape(-1, 1, 1)
    reached_at = np.maximum.accumulate(np.where(values >= on, index, -1), axis=0)
    left_at = np.maximum.accumulate(np.where(values <= off, index, -1), axis=0)
    return (reached_at > left_at) & (index - reached_at <= HELD_FOR)


def limits_at(
    growing_season: Array, depths: Array, table: Sequence[Limits] = LIMITS
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return which row of a limit table applies to each depth of each site, and whether any does.

    Parameters
    ----------
    growing_season : float64 (site,)
        The n-th growing season at the site [-]; NaN is unknown and has a row of its own.
    depths : float64 (site, depth)
        Depth of each probe [cm]; NaN where there is none.
    table : sequence of Limits
        Rows, the first that fits applies [-].

    Returns
    -------
    row : int64 (site, depth)
        Index into the table [-].
    applies : bool (site, depth)
        Whether a row fits [-]; other depths are not judged.

    Notes
    -----
    Valid for growing seasons from 1 on; a depth no source names is not judged.

    References
    ----------
    The source of each row of `LIMITS`. No equation.

    Examples
    --------
    >>> row, applies = limits_at(np.array([5.0]), np.array([[30.0, 60.0]]))
    >>> applies.tolist(), LIMITS[row[0, 1]].tension
    ([[False, True]], (33, 81))
    """
    season = growing_season[:, None]
    fits = np.stack(
        [
            (
                np.isnan(season)
                if limits.seasons is None
                else (season >= limits.seasons[0]) & (season <= limits.seasons[1])
            )
            & (depths >= limits.depths[0])
            & (depths < limits.depths[1])
            for limits in table
        ]
    )
    return fits.argmax(axis=0), np.asarray(fits.any(axis=0))


def _classes(values: Array, on: Array, off: Array) -> Array:
    """Return 0, 1 or 2 for each value from two limits with hysteresis (limit on the last axis)."""
    return sum(
        (_raised(values, on[..., limit], off[..., limit]).astype(np.float64) for limit in range(2)),
        np.zeros_like(values),
    )


def soil_water_status(
    tension: Array,
    available_water: Array,
    soil_temperature: Array,
    depths: Array,
    growing_season: Array,
    table: Sequence[Limits] = LIMITS,
) -> SoilWaterStatus:
    """Return the soil water status of trees: the worst valid depth wins, and tension leads.

    Parameters
    ----------
    tension : float64 (time, site, depth)
        Soil water tension in hourly means [kPa].
    available_water : float64 (time, site, depth)
        Plant-available water in hourly means [% nFK]; judged only where a site has no valid tension.
    soil_temperature : float64 (time, site, depth)
        Soil temperature in hourly means [°C]; a depth without one takes the nearest that has.
    depths : float64 (site, depth)
        Depth behind each place [cm].
    growing_season : float64 (site,)
        The n-th growing season at the site [-]; NaN is unknown and judged by limits published without age.
    table : sequence of Limits
        The thresholds with their sources [kPa and % nFK].

    Returns
    -------
    SoilWaterStatus
        Status 0, 1 or 2 and on how many depths it rests [-].

    Notes
    -----
    Valid for trees and for probes at the depths the table names; others give NaN. Judged is the median
    of 24 hours, from at least three of them. A limit once reached is left again only at max(3 kPa, 10 %
    of it) below, or 5 % nFK above, or after seven days inside that band. A depth below 0.5 °C, where
    probes misread, is suspended. A step in which nothing was measured has no status.

    References
    ----------
    The source of each row of `LIMITS`. Window, hysteresis and their spans are our own choice; no equation.

    Examples
    --------
    >>> dry, none = np.full((24, 1, 2), 40.0), np.full((24, 1, 2), np.nan)
    >>> result = soil_water_status(dry, none, none, np.array([[30.0, 60.0]]), np.array([1.0]))
    >>> result.status[-1].tolist(), result.judged_depths[-1].tolist()
    ([2.0], [2.0])
    """
    row, applies = limits_at(growing_season, depths, table)
    temperature = _nearest_known(_previous(soil_temperature, WINDOW - 1), depths)
    probed = ~np.isnan(_previous(tension, WINDOW - 1)) | ~np.isnan(_previous(available_water, WINDOW - 1))
    frozen = temperature < _FROZEN_BELOW

    limit = np.array([limits.tension for limits in table], np.float64)
    on = np.where([limits.reached for limits in table], limit, np.nextafter(limit, np.inf))
    off = limit - np.maximum(_TENSION_MARGIN, _TENSION_MARGIN_SHARE * limit)
    suction = _moving_median(np.where(frozen | ~(tension >= 0), np.nan, tension))
    by_tension = _classes(suction, on[row], off[row])

    limit = np.array([limits.available_water for limits in table], np.float64)
    water = _moving_median(np.where(frozen, np.nan, available_water))
    by_water = _classes(-water, -np.nextafter(limit, -np.inf)[row], -(limit + _WATER_MARGIN)[row])

    usable = applies[None] & ~frozen
    tension_judged = usable & ~np.isnan(suction)
    tension_leads = tension_judged.any(axis=2, keepdims=True)
    judged = np.where(tension_leads, tension_judged, usable & ~np.isnan(water))
    worst = np.where(judged, np.where(tension_leads, by_tension, by_water), -1.0).max(axis=2, initial=-1.0)

    measured = ~(np.isnan(tension) & np.isnan(available_water) & np.isnan(soil_temperature)).all(axis=2)
    seen = measured & probed.any(axis=2)
    felt = probed & ~np.isnan(temperature)
    return SoilWaterStatus(
        status=np.where(seen & judged.any(axis=2), worst, np.nan),
        judged_depths=np.where(seen, judged.sum(axis=2), np.nan),
        frozen_depths=np.where(seen & felt.any(axis=2), (frozen & probed).sum(axis=2), np.nan),
    )


def _compute(fleet: Fleet) -> dict[tuple[str, str], Array]:
    judged = soil_water_status(
        fleet.inputs["soil_tension", "mean"],
        fleet.inputs["plant_available_water", "mean"],
        fleet.inputs["soil_temperature", "mean"],
        fleet.depths,
        fleet.attributes["growing_season"],
    )
    tree = fleet.attributes["tree"] == 1
    return {
        ("soil_water_status", ""): np.where(tree, judged.status, np.nan),
        ("judged_soil_depths", ""): np.where(tree, judged.judged_depths, np.nan),
        ("frozen_soil_depths", ""): np.where(tree, judged.frozen_depths, np.nan),
    }


SOIL_WATER_STATUS: Final = Processor(
    name="soil_water_status",
    version="1",
    inputs=(
        Input("soil_tension", by_depth=True),
        Input("plant_available_water", by_depth=True),
        Input("soil_temperature", by_depth=True),
    ),
    outputs=(Output("soil_water_status"), Output("judged_soil_depths"), Output("frozen_soil_depths")),
    cadence=Cadence.HOUR,
    memory=9,
    compute=_compute,
    source="; ".join(f"{limits.name}: {limits.source}" for limits in LIMITS),
)
