"""Days of drought stress: how many days of the season a plant should have been watered and was not."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.processor import Array, Cadence, Fleet, Input, Output, Processor
from processors.soil.judgement import NOW

JUDGED_DAYS: Final = "judged_days"
"""The statistic of how many days the count rests on."""


def drought_stress_days(
    days: NDArray[np.datetime64], status: Array, before: Array, judged_before: Array
) -> tuple[Array, Array]:
    """Return the days of stress of the calendar year so far, and how many days were judged.

    Parameters
    ----------
    days : datetime64 (day,)
        Calendar dates, one after the other [d].
    status : float64 (day, site)
        Highest soil water status of each day [-]; NaN where none was judged.
    before, judged_before : float64 (site,)
        Both counts on the day before the first [d]; NaN where nothing was judged yet.

    Returns
    -------
    stress, judged : float64 (day, site)
        [d]; NaN until the first judged day. A day without a status is neither.

    Notes
    -----
    Valid for one status a day. Both begin anew on 1 January; in the dormant season the status is held
    back, so that the year is the growing season.

    References
    ----------
    A day counts when the status reached "water now"; our own choice. No equation.

    Examples
    --------
    >>> days = np.array(["2025-07-01", "2025-07-02", "2025-07-03"], "M8[ms]")
    >>> status, none = np.array([[2.0], [np.nan], [2.0]]), np.array([np.nan])
    >>> [count.ravel().tolist() for count in drought_stress_days(days, status, none, none)]
    [[1.0, 1.0, 2.0], [1.0, 1.0, 2.0]]
    """
    stress, judged = np.empty(status.shape), np.empty(status.shape)
    for row, starts in enumerate((days.astype("datetime64[D]") == days.astype("datetime64[Y]")).tolist()):
        if starts:
            before, judged_before = 0.0 * before, 0.0 * judged_before
        known = ~np.isnan(status[row])
        before = np.where(known, np.nan_to_num(before) + (status[row] >= NOW), before)
        judged_before = np.where(known, np.nan_to_num(judged_before) + 1.0, judged_before)
        stress[row], judged[row] = before, judged_before
    return stress, judged


def _compute(fleet: Fleet) -> dict[tuple[str, str], Array]:
    status = fleet.inputs["soil_water_status", "max"]
    nothing = np.full(status.shape[1], np.nan)
    stress, judged = drought_stress_days(
        fleet.steps,
        status,
        fleet.carried.get(("drought_stress_days", ""), nothing),
        fleet.carried.get(("drought_stress_days", JUDGED_DAYS), nothing),
    )
    return {("drought_stress_days", ""): stress, ("drought_stress_days", JUDGED_DAYS): judged}


_OUTPUTS: Final = (Output("drought_stress_days"), Output("drought_stress_days", JUDGED_DAYS))

DROUGHT_STRESS_DAYS: Final = Processor(
    name="drought_stress_days",
    version="1",
    inputs=(Input("soil_water_status", "max"),),
    outputs=_OUTPUTS,
    cadence=Cadence.DAY,
    memory=0,
    compute=_compute,
    source="Days on which the soil water status reached “water now”; our own choice",
    carries=_OUTPUTS,
)
