"""Field capacity as each probe reads it, learned from the plateaus it has shown."""

from __future__ import annotations

from typing import Final

import numpy as np

from gruenpuls.domain.processor import Array, Cadence, Fleet, Input, Output, Processor
from processors.soil.drainage_plateau import AFTER_WATERING, PLATEAU

LEARNED: Final = "learned"
"""The statistic of the learned value."""
PLATEAUS: Final = "plateaus"
"""The statistic of how many winter days it rests on; 0 is a watering only."""
REMEMBERED: Final = 400
"""So long a plateau counts: through the summer after it, and the next winter's beginning [d]."""


def _running(values: Array, days: int) -> Array:
    """Return the median of all values of the last days (day, …), this one included."""
    found = np.full(values.shape, np.nan)
    for place in zip(*np.nonzero(~np.isnan(values).all(axis=0)), strict=True):
        column = values[:, *place]
        at = np.flatnonzero(~np.isnan(column))
        # Between two plateaus coming or going nothing changes.
        edges = np.unique(np.concatenate([[0], at, at + days, [len(column)]]).clip(0, len(column)))
        for begin, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
            seen = at[(at <= begin) & (at > begin - days)]
            if len(seen):
                found[(slice(begin, end), *place)] = np.median(column[seen])
    return found


def learned_field_capacity(plateau: Array, after_watering: Array) -> tuple[Array, Array]:
    """Return the field capacity each probe has shown, and on how many winter days it rests.

    Parameters
    ----------
    plateau, after_watering : float64 (day, site, depth)
        From `processors.soil.drainage_plateau` [%]; NaN on all other days.

    Returns
    -------
    field_capacity : float64 (day, site, depth)
        Median of the winter plateaus of the last 400 days; where no winter has passed, of what was read
        after saturating waterings [%].
    plateaus : float64 (day, site, depth)
        Winter days it rests on; 0 where on waterings only [-].

    Notes
    -----
    Valid for the probe and the place it was learned at; it takes the probe's own offset in. A field
    capacity a person set stands above it.

    References
    ----------
    Our own choice. No equation.

    Examples
    --------
    >>> winter = np.array([np.nan, 27.0, 29.0, np.nan])[:, None, None]
    >>> learned, days = learned_field_capacity(winter, np.full_like(winter, np.nan))
    >>> learned.ravel().tolist(), days.ravel().tolist()
    ([nan, 27.0, 28.0, 28.0], [nan, 1.0, 2.0, 2.0])
    """
    winter, summer = _running(plateau, REMEMBERED), _running(after_watering, REMEMBERED)
    counted = np.cumsum(~np.isnan(plateau), axis=0).astype(np.float64)
    counted[REMEMBERED:] -= counted[: max(len(counted) - REMEMBERED, 0)].copy()
    learned = np.where(np.isnan(winter), summer, winter)
    return learned, np.where(np.isnan(learned), np.nan, counted)


def _compute(fleet: Fleet) -> dict[tuple[str, str], Array]:
    learned, plateaus = learned_field_capacity(
        fleet.inputs["field_capacity", PLATEAU], fleet.inputs["field_capacity", AFTER_WATERING]
    )
    return {("field_capacity", LEARNED): learned, ("field_capacity", PLATEAUS): np.minimum(plateaus, 100.0)}


FIELD_CAPACITY: Final = Processor(
    name="field_capacity",
    version="1",
    inputs=(
        Input("field_capacity", by_depth=True, of=PLATEAU),
        Input("field_capacity", by_depth=True, of=AFTER_WATERING),
    ),
    outputs=(Output("field_capacity", LEARNED, by_depth=True), Output("field_capacity", PLATEAUS, by_depth=True)),
    cadence=Cadence.DAY,
    memory=REMEMBERED,
    compute=_compute,
    source="Median of the drainage plateaus of 400 days; our own choice",
)
