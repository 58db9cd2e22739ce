"""Whether any probe of a site saw a watering that was entered: where none does, probe or pit should be looked at."""

from __future__ import annotations

from typing import Final

import numpy as np

from gruenpuls.domain.processor import Array, Cadence, Fleet, Input, Output, Processor
from processors.soil.soil_tension import FROM_RESISTANCE
from processors.soil.soil_water_content import FROM_PERMITTIVITY
from processors.water.watering import WAIT, Verdict, verdicts

_IMPRECISE: Final = 12
"""So much earlier than entered it may have been: often only the day is known [h]."""
_LISTENING: Final = 6
"""A probe that fell silent longer than this before the verdict is no witness [h]."""


def waterings_seen(water_content: Array, tension: Array, watered: Array) -> Array:
    """Return of each watering whether a probe of the site saw it, once water has had its time.

    Parameters
    ----------
    water_content : float64 (time, site, depth)
        Hourly [% by volume]; NaN where none is measured.
    tension : float64 (time, site, depth)
        Hourly [kPa]; NaN where none is measured.
    watered : float64 (time, site)
        What people gave [L].

    Returns
    -------
    float64 (time, site)
        36 hours after a watering 1 where it reached a probe, 0 where it reached none [-]; NaN elsewhere, and where
        no probe was listening. What is given within two days of another watering belongs to that.

    Notes
    -----
    Valid for hourly values from four days before the first verdict on.

    References
    ----------
    `processors.water.watering.verdicts`, our own rule. No equation.

    Examples
    --------
    >>> content, water = np.full((120, 1, 1), 12.0), np.zeros((120, 1))
    >>> water[50] = 80.0
    >>> none = np.full(content.shape, np.nan)
    >>> waterings_seen(content, none, water)[86].tolist()
    [0.0]
    >>> content[52:] = 20.0
    >>> waterings_seen(content, none, water)[86].tolist()
    [1.0]
    """
    found = np.full(water_content.shape[:2], np.nan)
    for site in np.flatnonzero((watered > 0).any(axis=0)).tolist():
        hours = np.flatnonzero(watered[:, site] > 0)
        alone = np.diff(hours, prepend=-WAIT - 1) > WAIT
        for hour in hours[alone].tolist():
            start, told_at = hour - _IMPRECISE, hour - _IMPRECISE + WAIT
            if start < 0 or told_at >= len(found):
                continue
            content, pressure = water_content[:told_at, site], tension[:told_at, site]
            listening = ~(np.isnan(content[-_LISTENING:]) & np.isnan(pressure[-_LISTENING:])).all(axis=0)
            told = verdicts(content, pressure, start)[listening]
            if (told != Verdict.NO_SENSOR).any():
                found[told_at, site] = float((told == Verdict.REACHED).any())
    return found


def _compute(fleet: Fleet) -> dict[tuple[str, str], Array]:
    content, tension = (
        np.where(np.isnan(measured := fleet.inputs[quantity, "mean"]), fleet.inputs[quantity, converted], measured)
        for quantity, converted in (("soil_water_content", FROM_PERMITTIVITY), ("soil_tension", FROM_RESISTANCE))
    )
    watered = fleet.watered if fleet.watered.size else np.zeros(content.shape[:2])
    return {("watering_seen", ""): waterings_seen(content, tension, watered)}


WATERING_SEEN: Final = Processor(
    name="watering_seen",
    version="1",
    inputs=(
        Input("soil_water_content", by_depth=True),
        Input("soil_water_content", by_depth=True, of=FROM_PERMITTIVITY),
        Input("soil_tension", by_depth=True),
        Input("soil_tension", by_depth=True, of=FROM_RESISTANCE),
    ),
    outputs=(Output("watering_seen"),),
    cadence=Cadence.HOUR,
    memory=5,
    compute=_compute,
    source="Rise by 2 % by volume, or fall of tension by a quarter and 5 kPa, within two days; our own choice",
    watered=True,
)
