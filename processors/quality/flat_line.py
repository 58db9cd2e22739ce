"""A stuck sensor: readings that keep coming and do not move."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.processor import Array
from gruenpuls.domain.reading import Flag, Flags, Ids
from processors.quality.strands import Strands

_FEWEST: Final = 3
_COVERED: Final = 0.75


def flat_line(values: Array, tolerance: float, steps: int) -> NDArray[np.bool_]:
    """Return where a reading has not moved over the last steps, this one included.

    Parameters
    ----------
    values : float64 (time, …)
        Readings in steps of one length [unit of the quantity]; NaN is missing.
    tolerance : float
        By how much they may differ and still count as one [unit of the quantity].
    steps : int
        How many steps that must last, at least two [-].

    Returns
    -------
    bool (time, …)
        True where a reading is there, another lies in the oldest quarter of the span, and no two in the
        span differ by more than the tolerance. A step without a reading is never flat: silence is another
        fault [-].

    Notes
    -----
    Valid for any quantity that cannot stand still that long. Nothing before the span counts.

    References
    ----------
    IOOS QARTOD, Manual for Real-Time Quality Control of In-situ Temperature and Salinity Data, table of
    tests, test 8 (flat line). Ours looks at the range within the span.

    Examples
    --------
    >>> flat_line(np.array([1.0, 2.0, 2.0, 2.0, 2.1]), 0.05, 3).tolist()
    [False, False, False, True, False]
    >>> flat_line(np.array([2.0, np.nan, 2.0, 2.0]), 0.05, 3).tolist()
    [False, False, True, False]
    """
    if len(values) < steps:
        return np.zeros(values.shape, np.bool_)
    highest, lowest = _extreme(values, steps, np.fmax), _extreme(values, steps, np.fmin)
    counted = np.cumsum(~np.isnan(values), axis=0)
    counted = np.concatenate([np.zeros_like(counted[:1]), counted])
    ends, quarter = np.arange(steps, len(values) + 1), (steps - 1) // 4 + 1
    begun = np.zeros(values.shape, np.bool_)
    begun[steps - 1 :] = counted[ends - steps + quarter] > counted[ends - steps]
    return np.asarray(begun & ~np.isnan(values) & (highest - lowest <= tolerance))


def still(strands: Strands, tolerance: float, suspect: float, fail: float, *, by_count: bool = False) -> Flags:
    """Return the flag of each reading by how long nothing has moved.

    Parameters
    ----------
    strands : Strands
        Readings; NaN is missing [unit of the quantity].
    tolerance : float
        Readings that differ by less are one [unit of the quantity].
    suspect, fail : float
        How long that must last to be suspect, or to fail; infinite for never [h].
    by_count : bool
        As published: the time is turned into a number of readings by the median interval of the series, and
        that many before a reading are compared with it. Otherwise all of that time is looked at, whatever
        came in it, where a reading is known from its oldest quarter [-].

    Returns
    -------
    uint8 (n,)
        Good where the series has not lasted that long; by count fewer than three readings are good [-].

    Notes
    -----
    Valid for any quantity that cannot stand still that long. A time shorter than the interval finds nothing.

    References
    ----------
    IOOS QARTOD, Manual for Real-Time Quality Control of In-situ Temperature and Salinity Data, table of
    tests, test 8 (flat line).

    Examples
    --------
    >>> at = np.arange(6).astype("datetime64[h]").astype("datetime64[ms]")
    >>> values = np.array([1.0, 2.0, 2.01, 2.0, 2.0, 2.0])
    >>> still(Strands.of(at, values), 0.05, 2.0, 4.0).tolist()
    [1, 1, 1, 3, 3, 4]
    """
    flags = np.full(len(strands), Flag.GOOD, np.uint8)
    for hours, flag in ((suspect, Flag.SUSPECT), (fail, Flag.FAIL)):
        if not np.isfinite(hours):
            continue
        begin, begun = _by_count(strands, hours) if by_count else _by_time(strands, hours)
        lowest, highest = strands.extremes(begin)
        flags[begun & (highest - lowest < tolerance)] = flag
    flags[np.isnan(strands.value)] = Flag.MISSING
    return flags


def _by_count(strands: Strands, hours: float) -> tuple[Ids, NDArray[np.bool_]]:
    """Return where each window begins, and whether the series has one that long."""
    rows, first, places = np.arange(len(strands)), strands.first, strands.places
    seconds = strands.hours * 3600
    interval = _medians(seconds, places)
    with np.errstate(divide="ignore", invalid="ignore"):
        count = np.nan_to_num(np.floor(hours * 3600 / np.floor(interval)), nan=0.0, posinf=0.0).astype(np.int64)
    enough = np.bincount(places) >= _FEWEST
    begin = rows - count[places]
    begun = (begin >= first) & (count[places] > 0) & enough[places]
    return np.where(begun, begin, rows), begun


def _by_time(strands: Strands, hours: float) -> tuple[Ids, NDArray[np.bool_]]:
    """Return where each window begins, and whether a reading is known from its oldest quarter."""
    begin = strands.since(hours, closed=True)
    known = np.where(np.isnan(strands.value), len(strands), np.arange(len(strands)))
    following = np.minimum.accumulate(known[::-1])[::-1] if len(known) else known
    oldest = np.minimum(following[begin], np.arange(len(strands)))
    age = (strands.at - strands.at[oldest]) / np.timedelta64(1, "h")
    return begin, np.asarray(age >= hours * _COVERED)


def _medians(values: Array, places: Ids) -> Array:
    """Return the median of each series' known values; NaN without any."""
    order = np.lexsort((values, places))
    ranked = values[order]
    known = np.bincount(places, ~np.isnan(values)).astype(np.int64)
    first = np.concatenate([[0], np.cumsum(np.bincount(places))[:-1]]).astype(np.int64)
    if not len(values):
        return np.empty(0)
    low, high = first + np.maximum(known - 1, 0) // 2, first + np.maximum(known, 1) // 2
    high = np.minimum(high, len(ranked) - 1)
    return np.where(known > 0, (ranked[low] + ranked[high]) / 2, np.nan)


def _extreme(values: Array, steps: int, of: np.ufunc) -> Array:
    """Return the running extreme of the last steps, doubling the span instead of visiting every step."""
    found, covered = values.copy(), 1
    while covered < steps:
        shift = min(covered, steps - covered)
        found[shift:] = of(found[shift:], found[:-shift].copy())
        covered += shift
    return found
