"""Soil water status: what a green-space department acts on, hour by hour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.processor import Array, Cadence, Fleet, Input, Output, Processor
from processors.soil.dormancy import DORMANCY, MonthDay, dormancy_told, is_dormant
from processors.soil.judgement import PASSING, Ground, Reason, SoilWaterStatus, soil_water_status
from processors.soil.limits import LIMITS, Limits, Planting
from processors.soil.retention import CURVE_ATTRIBUTES, Retention
from processors.soil.soil_tension import FROM_RESISTANCE
from processors.soil.trust import distrusted

INFORMATIONAL: Final = "informational"
"""The statistic of what was judged while nobody is asked to act on it."""
ACUTE: Final = "acute"
"""The statistic of the third level of established trees: 1 where they suffer acutely, else 0."""
JUST_WATERED_FOR: Final = 24
"""Until the median of a day has forgotten the time before a watering [h]."""

_BESIDES: Final = 9
"""Looked back beyond what the longest limit must last: a week for what is stuck, a day for the median, and one of
23 hours [d]."""


@dataclass(frozen=True, slots=True)
class Acted:
    """What people are asked to act on, and what they are only told.

    Parameters
    ----------
    status : float64 (time, site)
        0, 1 or 2 [-].
    informational : float64 (time, site)
        What was judged where the status is held back [-]; NaN elsewhere.
    reason : float64 (time, site)
        A `processors.soil.judgement.Reason` [-].
    """

    status: Array
    informational: Array
    reason: Array


def acted_on(judged: SoilWaterStatus, dormant: NDArray[np.bool_], watered: NDArray[np.bool_]) -> Acted:
    """Return what to act on: nothing in dormancy nor for a day after a watering, however dry it was judged.

    Parameters
    ----------
    judged : SoilWaterStatus
        What the soil alone says [-].
    dormant, watered : bool (time, site)
        Where the season, or a watering within `JUST_WATERED_FOR`, holds the status back [-].

    Returns
    -------
    Acted
        Status 0, with what was judged kept beside it, where it is held back; as judged elsewhere [-].

    Notes
    -----
    Valid for any status; where nothing could be judged nothing is held back.

    References
    ----------
    Our own choice: a leafless tree transpires next to nothing, and a median of 24 hours needs a day to
    see a watering. No equation.

    Examples
    --------
    >>> dry, none = np.full((24, 1, 1), 40.0), np.full((24, 1, 1), np.nan)
    >>> judged = soil_water_status(dry, none, none, Ground(np.array([[30.0]]), np.array([2.0])))
    >>> acted = acted_on(judged, np.ones((24, 1), bool), np.zeros((24, 1), bool))
    >>> acted.status[-1].tolist(), acted.informational[-1].tolist()
    ([0.0], [2.0])
    """
    known = ~np.isnan(judged.status)
    held = known & (dormant | watered)
    return Acted(
        np.where(held, PASSING, judged.status),
        np.where(held, judged.status, np.nan),
        np.where(known & watered, Reason.JUST_WATERED, np.where(held, Reason.WINTER, judged.reason)),
    )


def _watered_recently(watered: Array, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return where people watered within `JUST_WATERED_FOR` (time, site)."""
    if watered.shape != shape:
        return np.zeros(shape, np.bool_)
    index = np.arange(len(watered))[:, None]
    last = np.maximum.accumulate(np.where(watered > 0, index, -JUST_WATERED_FOR), axis=0)
    return np.asarray(index - last < JUST_WATERED_FOR)


def soil_water_status_processor(
    table: Sequence[Limits] = LIMITS, dormancy: tuple[MonthDay, MonthDay] | None = DORMANCY
) -> Processor:
    """Return the processor for a city's own limits and dormant season.

    Parameters
    ----------
    table : sequence of Limits
        Rows, the first that fits applies [kPa and % nFK].
    dormancy : tuple of tuple of int or None
        First and last month and day of the span in which a status only informs [-]; None is no such span.

    Returns
    -------
    Processor
        Its source says what the limits and the season are [-], so that a changed threshold is a different run.

    Notes
    -----
    Valid for tables `processors.soil.limits.changed_limits` gives.

    References
    ----------
    The source of each row of the table. No equation.

    Examples
    --------
    >>> soil_water_status_processor(dormancy=None).source.rpartition("; ")[2]
    'no dormant season'
    """

    def compute(fleet: Fleet) -> dict[tuple[str, str], Array]:
        told, made = fleet.inputs["soil_tension", "mean"], fleet.inputs["soil_tension", FROM_RESISTANCE]
        tension = np.where(np.isnan(told), made, told)
        water, temperature = fleet.inputs["plant_available_water", "mean"], fleet.inputs["soil_temperature", "mean"]
        content = fleet.inputs["soil_water_content", "mean"]
        season, planting = fleet.attributes["growing_season"], fleet.attributes["planting"]
        judged = soil_water_status(
            tension,
            water,
            temperature,
            Ground(
                fleet.depths,
                season,
                planting,
                fleet.placements if fleet.placements.shape == fleet.depths.shape else None,
                Retention(*(fleet.attributes[name] for name in CURVE_ATTRIBUTES)),
            ),
            table,
            distrusted(tension, water, content, temperature, fleet.depths),
        )
        sheds = ~(fleet.attributes["evergreen"] > 0) & ~(season <= 1)
        dormant = is_dormant(fleet.steps, dormancy)[:, None] & sheds
        acted = acted_on(judged, dormant, _watered_recently(fleet.watered, dormant.shape))
        grows = (planting > Planting.NONE)[None]
        return {
            ("soil_water_status", ""): np.where(grows, acted.status, np.nan),
            ("soil_water_status", INFORMATIONAL): np.where(grows, acted.informational, np.nan),
            ("soil_water_status", ACUTE): np.where(grows & ~dormant, judged.acute, np.nan),
            ("judged_soil_depths", ""): np.where(grows, judged.judged_depths, np.nan),
            ("frozen_soil_depths", ""): np.where(grows, judged.frozen_depths, np.nan),
            ("soil_status_reason", ""): np.where(grows, acted.reason, np.nan),
        }

    longest = max(max(limits.hold_for, limits.acute.hold_for if limits.acute else 0) for limits in table)
    return Processor(
        name="soil_water_status",
        version="2",
        inputs=(
            Input("soil_tension", by_depth=True),
            Input("soil_tension", by_depth=True, of=FROM_RESISTANCE),
            Input("plant_available_water", by_depth=True),
            Input("soil_water_content", by_depth=True),
            Input("soil_temperature", by_depth=True),
        ),
        outputs=(
            Output("soil_water_status"),
            Output("soil_water_status", INFORMATIONAL),
            Output("soil_water_status", ACUTE),
            Output("judged_soil_depths"),
            Output("frozen_soil_depths"),
            Output("soil_status_reason"),
        ),
        cadence=Cadence.HOUR,
        memory=ceil(longest / 24) + _BESIDES,
        compute=compute,
        source="; ".join([*(f"{limits.name}: {limits.source}" for limits in table), dormancy_told(dormancy)]),
        watered=True,
    )


SOIL_WATER_STATUS: Final = soil_water_status_processor()
