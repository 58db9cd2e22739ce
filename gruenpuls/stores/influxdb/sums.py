"""Summing readings up here, where later judgements change what counts."""

from __future__ import annotations

import numpy as np

from gruenpuls.domain.ports import Aggregates
from gruenpuls.domain.reading import Flag, Ids, ReadingBatch


def summed(readings: ReadingBatch, start: np.datetime64, step: int) -> Aggregates:
    """Return readings summed up in steps; failed and missing ones do not count.

    Parameters
    ----------
    readings : ReadingBatch
        Sorted by series and time, none before `start`.
    start : datetime64[ms]
    step : int
        [ms]
    """
    rows = readings.where((readings.flag != Flag.FAIL) & (readings.flag != Flag.MISSING))
    if not len(rows):
        return joined([])
    elapsed = (rows.measured_at - start).astype(np.int64)
    place = elapsed // step
    first = np.ones(len(rows), np.bool_)
    first[1:] = (np.diff(rows.series) != 0) | (np.diff(place) != 0)
    at: Ids = np.flatnonzero(first)
    count = np.diff(np.append(at, len(rows)))
    total = np.add.reduceat(rows.value, at)
    return Aggregates(
        rows.series[at],
        start + (place[at] * step).astype("timedelta64[ms]"),
        count,
        total / count,
        np.minimum.reduceat(rows.value, at),
        np.maximum.reduceat(rows.value, at),
        total,
        rows.value[at + count - 1],
    )


def joined(parts: list[Aggregates]) -> Aggregates:
    """Return sums one after the other, sorted by series and step."""
    if not parts:
        none = np.empty(0)
        ids = np.empty(0, np.int64)
        return Aggregates(ids, np.empty(0, "datetime64[ms]"), ids, none, none, none, none, none)
    series = np.concatenate([part.series for part in parts])
    step = np.concatenate([part.step for part in parts])
    order = np.lexsort((step, series))
    return Aggregates(
        series[order],
        step[order],
        np.concatenate([part.count for part in parts])[order],
        np.concatenate([part.mean for part in parts])[order],
        np.concatenate([part.minimum for part in parts])[order],
        np.concatenate([part.maximum for part in parts])[order],
        np.concatenate([part.total for part in parts])[order],
        np.concatenate([part.last for part in parts])[order],
    )
