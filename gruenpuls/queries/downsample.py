"""Fewer points for a picture, without losing the extremes people look for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.reading import Times, Values


def extremes_kept(measured_at: Times, value: Values, points: int) -> NDArray[np.int64]:
    """Return which rows to draw so that at most so many remain and every bucket keeps its extremes.

    Rows are cut into buckets of equal time; of each the lowest and the highest value stay, in their order.

    Parameters
    ----------
    measured_at : datetime64[ms] (n,)
        Ascending.
    value : float64 (n,)
        Without NaN.
    points : int
        At least 2.

    Returns
    -------
    int64 (m,)
        Ascending indices, m <= points.
    """
    if len(value) <= points:
        return np.arange(len(value))
    instants = measured_at.astype(np.int64)
    buckets = points // 2
    width = (instants[-1] - instants[0]) / buckets
    bucket = np.minimum((instants - instants[0]) / width, buckets - 1).astype(np.int64)
    ordered = np.lexsort((value, bucket))
    starts = np.flatnonzero(np.append([True], bucket[1:] != bucket[:-1]))
    ends = np.append(starts[1:], len(value)) - 1
    # Sorted by bucket first, the rows of a bucket stand at the same places as before.
    return np.unique(np.concatenate([ordered[starts], ordered[ends]]))


def gaps(measured_at: Times, longest: np.timedelta64) -> NDArray[np.int64]:
    """Return the rows before which a line must break because nothing was measured for longer than that.

    Twice the usual distance of readings (their median) is always allowed.
    """
    if len(measured_at) < 3:  # noqa: PLR2004 - two points have one distance, which is no habit yet
        return np.empty(0, np.int64)
    distance = np.diff(measured_at)
    allowed = max(longest, 2 * np.median(distance.astype(np.int64)).astype("timedelta64[ms]"))
    return np.flatnonzero(distance > allowed) + 1
