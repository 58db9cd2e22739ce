"""Heavy rain: hour by hour, in the range of which level the rain of the last hours is, and how rare it is.

Examples
--------
>>> HEAVY_RAIN.memory
3
"""

from __future__ import annotations

from typing import Final

import numpy as np

from gruenpuls.domain.processor import Array, Cadence, Fleet, Input, Output, Processor
from processors.rain.counter import CounterRemark
from processors.rain.heavy_rain_index import heavy_rain_index
from processors.rain.intensity import COMPLETE, hourly_sums
from processors.rain.rain_level import HEAVY, LONG, rain_level
from processors.rain.rare_rain import HOURLY, PERIODS, column, return_period

_HOUR: Final = 60


def _judged(judgement: Array, known: Array) -> Array:
    """Return a judgement of what is known to have fallen; that it was nothing needs all of it."""
    return np.where((known >= COMPLETE) | (judgement > 0), judgement, np.nan)


def _worst(judgements: list[Array]) -> Array:
    """Return the highest of several; 0 only where each of them says so."""
    parts = np.stack(judgements)
    highest = np.where(np.isnan(parts), -1.0, parts).max(axis=0)
    return np.where((highest > 0) | ~np.isnan(parts).any(axis=0), highest, np.nan)


def _index(fleet: Fleet, depth: Array, known: Array, minutes: int) -> Array | None:
    """Return the heavy rain index by one duration; None where no site's table has it."""
    table = np.stack([fleet.attributes[column(minutes, period)] for period in PERIODS], axis=-1)
    if np.isnan(table).all():
        return None
    rare = depth >= table[:, 0]
    step, site = np.nonzero(rare)
    fell, rows = depth[step, site], table[site]
    index = np.zeros(depth.shape)
    index[step, site] = heavy_rain_index(return_period(fell, np.array(PERIODS, np.float64), rows), fell, rows[:, -1])
    return _judged(np.where(np.isnan(table).any(axis=-1), np.nan, index), known)


def _compute(fleet: Fleet) -> dict[tuple[str, str], Array]:
    rain = fleet.inputs["precipitation", "sum"]
    # Nobody knows in which hour it fell what a counter told after a gap.
    rain = np.where(fleet.inputs["precipitation_remark", "last"] == CounterRemark.GAP, np.nan, np.maximum(rain, 0.0))
    heavy, long, index = [], [], []
    for minutes in HOURLY:
        hours = minutes // _HOUR
        depth, known = hourly_sums(rain, hours)
        if hours in HEAVY:
            heavy.append(_judged(rain_level(depth, hours), known))
        if hours in LONG:
            long.append(_judged(rain_level(depth, hours), known))
        judged = _index(fleet, depth, known, minutes)
        if judged is not None:
            index.append(judged)
    return {
        ("heavy_rain_level", ""): _worst(heavy),
        ("long_rain_level", ""): _worst(long),
        ("heavy_rain_index", ""): _worst(index) if index else np.full(rain.shape, np.nan),
    }


HEAVY_RAIN: Final = Processor(
    name="heavy_rain",
    version="1",
    inputs=(Input("precipitation", "sum"), Input("precipitation_remark", "last")),
    outputs=(Output("heavy_rain_level"), Output("long_rain_level"), Output("heavy_rain_index")),
    cadence=Cadence.HOUR,
    memory=3,
    compute=_compute,
    source="DWD Warnkriterien for levels; KOSTRA-DWD-2020 and Schmitt et al. (2018) for the index",
    rare_rain=True,
)
