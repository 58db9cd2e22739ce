"""Antecedent precipitation: how wet the past weeks were, recent days counting more."""

from __future__ import annotations

from typing import Final

import numpy as np

from gruenpuls.domain.processor import Array, Cadence, Fleet, Input, Output, Processor
from processors.drought.rolling import antecedent

DECAY: Final = 0.90
"""Share that is left of a day's rain the day after; published between 0.85 and 0.95 [-]."""
_MEMORY: Final = 60
_KNOWN: Final = 0.9
"""Share of the weight that must be known: yesterday and today weigh a tenth each; our choice."""
_COMPLETENESS: Final = 0.9


def antecedent_precipitation_index(precipitation: Array) -> Array:
    """Return the antecedent precipitation index.

    Parameters
    ----------
    precipitation : float64 (time, site)
        Of each day, without a gap in time [mm]; NaN is missing.

    Returns
    -------
    float64 (time, site)
        [mm]; missing where days of more than a tenth of the weight are. Others missing count as the mean
        of the known ones by weight, never as 0.

    Notes
    -----
    Valid for days without a gap in time. The sum over 60 days; what fell earlier would add less than 0.2 % of itself.

    References
    ----------
    Kohler & Linsley (1951), U.S. Weather Bureau Research Paper 34, equation of the index:
    0.9 × yesterday's + today's rain.

    Examples
    --------
    >>> rain = np.zeros((70, 1))
    >>> rain[-3:] = [[10.0], [0.0], [5.0]]
    >>> antecedent_precipitation_index(rain)[-3:].round(1).ravel().tolist()
    [10.0, 9.0, 13.1]
    """
    weights = np.power(DECAY, np.arange(_MEMORY + 1), dtype=np.float64)
    rain = np.where(precipitation >= 0, precipitation, np.nan)
    total, weight = antecedent(rain, weights)
    share = weight / weights.sum()
    enough = share >= _KNOWN
    return np.where(enough, total / np.where(enough, share, 1.0), np.nan)


def _compute(fleet: Fleet) -> dict[tuple[str, str], Array]:
    measured, daily = fleet.inputs["precipitation", "sum"], fleet.inputs["precipitation", "sum_day"]
    index = antecedent_precipitation_index(np.where(np.isnan(measured), daily, measured))
    return {("antecedent_precipitation", ""): index}


ANTECEDENT_PRECIPITATION: Final = Processor(
    name="antecedent_precipitation",
    version="1",
    inputs=(Input("precipitation", "sum", _COMPLETENESS), Input("precipitation", of="sum_day")),
    outputs=(Output("antecedent_precipitation"),),
    cadence=Cadence.DAY,
    memory=_MEMORY,
    compute=_compute,
    source="Kohler & Linsley (1951), U.S. Weather Bureau Research Paper 34, with a decay of 0.9 a day",
)
