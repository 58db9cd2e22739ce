"""Precipitation of an hour from a gauge's counter, where no device says it itself."""

from __future__ import annotations

from typing import Final

import numpy as np

from gruenpuls.domain.processor import Array, Cadence, Fleet, Input, Output, Processor
from processors.rain.counter import LONGEST_GAP, CounterRemark, without_lone_tips
from processors.rain.rain_event import DRY_GAP

TIP: Final = 0.2
"""What a tip is worth where nobody said [mm]."""
_DRY_STEPS: Final = int(DRY_GAP / np.timedelta64(1, "h"))
_DECIMALS: Final = 6
_MEMORY: Final = int(LONGEST_GAP / np.timedelta64(1, "D")) + 1
OUTPUTS: Final = (Output("precipitation"), Output("precipitation_remark"))
SOURCE: Final = "Differences of counts, WMO-No. 8 (2018) I 6; lone tips, limits and gaps: our own choice"


def rain_of_counter(fell: Array, remark: Array, tip: Array, measured: Array) -> dict[tuple[str, str], Array]:
    """Return the rain of each hour and what is to be said of it.

    Parameters
    ----------
    fell : float64 (time, site)
        By the counter [mm]; NaN is missing.
    remark : float64 (time, site)
        A `CounterRemark` [-].
    tip : float64 (site,)
        What one tip is worth [mm].
    measured : float64 (time, site)
        What a device itself says fell [mm]; there nothing is said, so that no rain counts twice.

    Returns
    -------
    dict of float64 (time, site)
        Precipitation [mm] and the remark [-]; both missing where a device says it itself.

    Notes
    -----
    Valid for hours without a gap in time.

    References
    ----------
    As `processors.rain.counter`; no equation.

    Examples
    --------
    >>> hours = rain_of_counter(np.array([[0.0], [0.2], [1.4]]), np.zeros((3, 1)), np.array([0.2]),
    ...     np.full((3, 1), np.nan))
    >>> hours["precipitation", ""].ravel().tolist(), hours["precipitation_remark", ""].ravel().tolist()
    ([0.0, 0.0, 1.6], [0.0, 4.0, 0.0])
    """
    rain, held = without_lone_tips(np.where(fell >= 0, fell, np.nan), np.where(tip > 0, tip, TIP), _DRY_STEPS)
    said = np.clip(remark, CounterRemark.NONE, CounterRemark.SILENT)
    said = np.where(held, np.fmax(said, CounterRemark.LONE_TIP), np.where(np.isnan(rain) & (said == 0), np.nan, said))
    own = ~np.isnan(measured)
    return {
        ("precipitation", ""): np.where(own, np.nan, rain.round(_DECIMALS)),
        ("precipitation_remark", ""): np.where(own, np.nan, said),
    }


def _compute(fleet: Fleet) -> dict[tuple[str, str], Array]:
    return rain_of_counter(
        fleet.inputs["precipitation_total", "increase"],
        fleet.inputs["precipitation_total", "remark"],
        fleet.attributes["rain_per_tip"],
        fleet.inputs["precipitation", "sum"],
    )


PRECIPITATION: Final = Processor(
    name="precipitation",
    version="1",
    inputs=(
        Input("precipitation_total", "increase"),
        Input("precipitation_total", "remark"),
        Input("precipitation", "sum", measured=True),
    ),
    outputs=OUTPUTS,
    cadence=Cadence.HOUR,
    memory=_MEMORY,
    compute=_compute,
    source=SOURCE,
)
