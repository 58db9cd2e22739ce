"""Dry spell: for how many days it has not rained."""

from __future__ import annotations

from typing import Final

import numpy as np

from gruenpuls.domain.processor import Array, Cadence, Fleet, Input, Output, Processor

WET_DAY: Final = 1.0
"""From this on a day is wet: WMO/CLIVAR ETCCDI, index CDD [mm]."""
ANY_RAIN: Final = 0.1
"""The least a gauge of the weather services tells [mm]."""
_COMPLETENESS: Final = 0.9


def days_since_rain(precipitation: Array, wet: float, before: Array) -> Array:
    """Return how many days in a row it has rained less than a limit, each day included.

    Parameters
    ----------
    precipitation : float64 (time, site)
        Of each day, without a gap in time [mm]; NaN is missing.
    wet : float
        From this on a day is wet [mm].
    before : float64 (site,)
        The same of the day before the first; NaN is unknown [d].

    Returns
    -------
    float64 (time, site)
        [d]; 0 on a wet day; missing from a missing day on, until it rains: it may have rained then.

    Notes
    -----
    Valid for days without a gap in time.

    References
    ----------
    WMO/CLIVAR/JCOMM Expert Team on Climate Change Detection and Indices, table of indices: CDD (1 mm).

    Examples
    --------
    >>> rain = np.array([[0.0], [5.0], [0.4], [0.0], [np.nan], [0.0], [2.0]])
    >>> days_since_rain(rain, 1.0, np.array([np.nan])).ravel().tolist()
    [nan, 0.0, 1.0, 2.0, nan, nan, 0.0]
    """
    found = np.empty(precipitation.shape)
    spell = before
    for day, amount in enumerate(precipitation):
        plausible = amount >= 0
        spell = np.where(plausible, np.where(amount >= wet, 0.0, spell + 1), np.nan)
        found[day] = spell
    return found


def _compute(fleet: Fleet) -> dict[tuple[str, str], Array]:
    measured, daily = fleet.inputs["precipitation", "sum"], fleet.inputs["precipitation", "sum_day"]
    rain = np.where(np.isnan(measured), daily, measured)
    unknown = np.full(rain.shape[1], np.nan)
    return {
        (name, ""): days_since_rain(rain, limit, fleet.carried.get((name, ""), unknown))
        for name, limit in (("dry_spell", WET_DAY), ("rainless_spell", ANY_RAIN))
    }


_OUTPUTS: Final = (Output("dry_spell"), Output("rainless_spell"))

DRY_SPELL: Final = Processor(
    name="dry_spell",
    version="1",
    inputs=(Input("precipitation", "sum", _COMPLETENESS), Input("precipitation", of="sum_day")),
    outputs=_OUTPUTS,
    cadence=Cadence.DAY,
    memory=0,
    compute=_compute,
    source="WMO/CLIVAR ETCCDI, CDD (1 mm); 0.1 mm: the least DWD's gauges tell; completeness: our own choice",
    carries=_OUTPUTS,
)
