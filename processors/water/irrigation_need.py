"""Irrigation need: the litres each site is to get today, by when at the latest, and before which others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.processor import Array, Cadence, Fleet, Input, Output, Processor
from processors.soil.dormancy import DORMANCY, MonthDay, dormancy_told, is_dormant
from processors.soil.limits import LIMITS, Limits, Planting, limits_at
from processors.water.balance import TENTH
from processors.water.climatology import expected_evapotranspiration
from processors.water.demand import leaf_cover, plant_evapotranspiration, season_factor
from processors.water.irrigation import (
    CAREFUL_SEASONS,
    COVERED,
    LONGEST,
    TARGET,
    days_until,
    irrigation_litres,
    postponements,
    rain_reaching_roots,
    watering_priority,
)
from processors.water.sun import day_of_year
from processors.water.water_balance import known_latitude

JUDGED_AT: Final = 60.0
"""Depth whose limits stand for a whole root zone [cm]: every row of trees and roofs names it."""
JUDGED_IN_BEDS: Final = 30.0
ESTABLISHED: Final = 10.0
"""Growing season after which a tree is watered only below the limit for now [-]."""
FORECAST: Final = ("precipitation", "forecast_2d")
"""Median of the rain forecast that evening for the two days that follow [mm]."""


def water_limits(growing_season: Array, planting: Array, table: Sequence[Limits] = LIMITS) -> tuple[Array, Array]:
    """Return below which available water a site's root zone needs water soon, and now.

    Parameters
    ----------
    growing_season : float64 (site,)
        The n-th at the site [-]; NaN is unknown.
    planting : float64 (site,)
        A `Planting` [-].
    table : sequence of Limits
        [% nFK], or of what a roof holds.

    Returns
    -------
    tuple of float64 (site,)
        Soon and now [%]; where a table has no limit for now, soon's. Missing where nothing grows.

    Notes
    -----
    Valid for the rows of `LIMITS`; the whole root zone is judged as its depth of 60 cm, of beds 30 cm.

    References
    ----------
    The source of each row of `LIMITS`. No equation.

    Examples
    --------
    >>> soon, now = water_limits(np.array([1.0, 20.0]), np.array([1.0, 1.0]))
    >>> soon.tolist(), now.tolist()
    ([60.0, 40.0], [50.0, 30.0])
    """
    depth = np.where(planting == Planting.BED, JUDGED_IN_BEDS, JUDGED_AT)[:, None]
    row, applies = limits_at(growing_season, depth, table, planting)
    limits = np.array([some.available_water for some in table], np.float64)[row[:, 0]]
    soon = np.where(applies[:, 0], limits[:, 0], np.nan)
    return soon, np.where(np.isnan(limits[:, 1]), soon, np.where(applies[:, 0], limits[:, 1], np.nan))


def _wanted(fleet: Fleet, season: Array, planting: Array) -> NDArray[np.bool_]:
    """Return which sites are watered at all: an old extensive roof is not, unless its site says so."""
    said = fleet.attributes["needs_watering"]
    dry_loving = (planting == Planting.EXTENSIVE_ROOF) & ~(season <= 1)
    return np.asarray(np.where(np.isnan(said), ~dry_loving, said == 1), np.bool_)


def irrigation_need_processor(
    table: Sequence[Limits] = LIMITS, dormancy: tuple[MonthDay, MonthDay] | None = DORMANCY
) -> Processor:
    """Return the processor for a city's own limits and dormant season.

    Parameters
    ----------
    table : sequence of Limits
        Whose % nFK limits say who is due [% nFK].
    dormancy : tuple of tuple of int or None
        First and last month and day of the span in which only evergreens and first-season plants are watered [-];
        None is no such span.

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
    >>> irrigation_need_processor(dormancy=None).source.rpartition("; ")[2]
    'no dormant season'
    """

    def compute(fleet: Fleet) -> dict[tuple[str, str], Array]:
        low, middle, high = (fleet.inputs["plant_available_water", name] for name in ("p10", "p50", "p90"))
        at = {name: values[None, :] for name, values in fleet.attributes.items()}
        season, planting = fleet.attributes["growing_season"], fleet.attributes["planting"]
        soon, now = water_limits(season, planting, table)
        day = day_of_year(fleet.steps)[:, None]
        leaf = leaf_cover(day, at["evergreen"])

        wanted = _wanted(fleet, season, planting)
        always = (fleet.attributes["evergreen"] == 1) | (season <= 1)
        growing = always | ~is_dormant(fleet.steps, dormancy)[:, None]
        unwatered = ~(fleet.watered > 0) if fleet.watered.size else np.ones(middle.shape, np.bool_)
        # an established tree drinks from afar: it is helped only when it suffers
        begins = np.where((planting == Planting.TREE) & (season > ESTABLISHED), now, soon)
        due = (middle < begins) & wanted & growing & unwatered
        full = irrigation_litres(middle, np.array(TARGET), at["capacity"], at["root_zone_area"], at["efficiency"])
        litres = np.minimum(full, at["pass_limit"])

        deficit = np.maximum(100.0 - middle, 0.0) / 100.0 * at["capacity"]
        forecast = fleet.inputs[FORECAST]
        store = at["interception_bare"] + leaf * (at["interception_leaved"] - at["interception_bare"])
        reaching = rain_reaching_roots(
            forecast, at["cover"], store, at["rain_share"], at["drained_share"] * at["inflow_coefficient"]
        )
        # twice in a row only for trees known to be past their first seasons
        longest = np.where(season > CAREFUL_SEASONS, 2 * LONGEST, LONGEST)
        before = np.nan_to_num(fleet.carried.get(("watering_postponed", ""), np.zeros(len(season))))
        waited = postponements(due, reaching >= COVERED * deficit, longest, before)
        put_off = np.diff(waited, axis=0, prepend=before[None, :]) > 0

        demand = at["crown_share"] * plant_evapotranspiration(
            expected_evapotranspiration(known_latitude(fleet.attributes["latitude"]), day),
            at["plant_factor"],
            at["microclimate_factor"],
            season_factor(leaf),
        )
        deviation = np.maximum(high - low, 0.0) / (2 * TENTH)
        # Frozen ground takes no water: nothing is said of it rather than that nothing is needed.
        known = ~np.isnan(middle) & ~np.isnan(soon) & ~(fleet.inputs["air_temperature", "mean"] < 0)
        results = {
            ("irrigation_need", ""): np.where(due & ~put_off, litres, 0.0),
            ("days_until_watering", ""): np.where(
                wanted & growing,
                days_until(middle, now, at["capacity"], at["depletion_fraction"], demand),
                np.nan,
            ),
            ("watering_priority", ""): np.where(
                wanted & growing, watering_priority(middle, deviation, now, season), 0.0
            ),
            ("watering_postponed", ""): waited,
        }
        return {key: np.where(known, values, np.nan) for key, values in results.items()}

    return Processor(
        name="irrigation_need",
        version="1",
        inputs=(
            Input("plant_available_water", "last", of="p10"),
            Input("plant_available_water", "last", of="p50"),
            Input("plant_available_water", "last", of="p90"),
            Input("precipitation", "last", of="forecast_2d", weather=True),
            Input("air_temperature", "mean", 0.75, weather=True),
        ),
        outputs=(
            Output("irrigation_need"),
            Output("days_until_watering"),
            Output("watering_priority"),
            Output("watering_postponed"),
        ),
        cadence=Cadence.DAY,
        memory=0,
        compute=compute,
        source="; ".join([*dict.fromkeys(limits.source for limits in table), dormancy_told(dormancy)]),
        carries=(Output("watering_postponed"),),
        watered=True,
        every_site=True,
    )


IRRIGATION_NEED: Final = irrigation_need_processor()
