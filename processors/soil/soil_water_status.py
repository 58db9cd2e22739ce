"""Soil water status: what a green-space department acts on, hour by hour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.processor import Array, Cadence, Fleet, Input, Output, Processor
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

MonthDay = tuple[int, int]
DORMANCY: Final[tuple[MonthDay, MonthDay]] = ((11, 1), (3, 14))
"""First and last month and day of the span in which a status only informs; our own choice."""
_DAYS_LOOKED_BACK: Final = 23
"""Two weeks an extensive roof must be dry for, a week for what is stuck, and a day for the median [d]."""


def is_dormant(steps: NDArray[np.datetime64], dormancy: tuple[MonthDay, MonthDay] | None) -> NDArray[np.bool_]:
    """Return which steps lie within a span of the year, its first and last day included.

    Parameters
    ----------
    steps : datetime64[ms] (time,)
        In the site's local time [ms].
    dormancy : tuple of tuple of int or None
        First and last month and day [-]; the span may go over the turn of the year. None is no such span.

    Returns
    -------
    bool (time,)
        Whether the step lies in it [-].

    Notes
    -----
    Valid for any span of whole days; 29 February lies in whatever holds 28 February and 1 March.

    References
    ----------
    No equation.

    Examples
    --------
    >>> is_dormant(np.array(["2024-10-31", "2024-11-01", "2025-03-14", "2025-03-15"], "M8[ms]"), DORMANCY).tolist()
    [False, True, True, False]
    """
    if dormancy is None:
        return np.zeros(len(steps), np.bool_)
    months = steps.astype("datetime64[M]")
    day = (steps.astype("datetime64[D]") - months.astype("datetime64[D]")).astype(np.int64) + 1
    date = 100 * (months.astype(np.int64) % 12 + 1) + day
    first, last = (100 * month + of_month for month, of_month in dormancy)
    within = (date >= first, date <= last)
    return np.asarray(within[0] & within[1] if first <= last else within[0] | within[1])


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

    season = "no dormant season"
    if dormancy is not None:
        season = "informational from {0[0]:02}-{0[1]:02} to {1[0]:02}-{1[1]:02}".format(*dormancy)
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
        memory=_DAYS_LOOKED_BACK,
        compute=compute,
        source="; ".join([*(f"{limits.name}: {limits.source}" for limits in table), season]),
        watered=True,
    )


SOIL_WATER_STATUS: Final = soil_water_status_processor()
