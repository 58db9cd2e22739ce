"""A sensor that moves less than what it measures."""

from __future__ import annotations

import numpy as np

from gruenpuls.domain.processor import Array
from gruenpuls.domain.reading import Flag, Flags, Ids
from processors.quality.strands import Strands


def attenuated_signal(strands: Strands, hours: float, suspect: float, fail: float, fewest: int = 1) -> Flags:
    """Return the flag of each reading by the standard deviation of the readings up to it.

    Parameters
    ----------
    strands : Strands
        Readings; NaN is missing [unit of the quantity].
    hours : float
        How far back is looked; a reading exactly so old does not count any more [h].
    suspect, fail : float
        A smaller one is suspect, or fails [unit of the quantity].
    fewest : int
        Known readings that takes, otherwise it is not evaluated [-].

    Returns
    -------
    uint8 (n,)
        One flag for each reading [-].

    Notes
    -----
    Valid for quantities that never rest that long, such as air temperature over a day.

    References
    ----------
    IOOS QARTOD, Manual for Real-Time Quality Control of In-situ Temperature and Salinity Data, table of
    tests, test 10 (attenuated signal).

    Examples
    --------
    >>> at = np.arange(6).astype("datetime64[h]").astype("datetime64[ms]")
    >>> values = np.array([10.0, 14.0, 10.0, 10.1, 10.0, 10.1])
    >>> attenuated_signal(Strands.of(at, values), 3.0, 1.0, 0.01, fewest=3).tolist()
    [2, 2, 1, 1, 3, 3]
    """
    begin = strands.since(hours, closed=False)
    varied = np.where(strands.counted(begin) >= max(fewest, 1), _deviation(strands, begin), np.nan)
    flags = np.full(len(strands), Flag.NOT_EVALUATED, np.uint8)
    flags[varied >= suspect] = Flag.GOOD
    flags[varied < suspect] = Flag.SUSPECT
    flags[varied < fail] = Flag.FAIL
    flags[np.isnan(strands.value)] = Flag.MISSING
    return flags


def _deviation(strands: Strands, begin: Ids) -> Array:
    """Return the standard deviation of each window [unit of the quantity]."""
    lowest, highest = strands.extremes(begin)
    value = strands.value
    known = ~np.isnan(value)
    # From the middle of each series, so that sums of squares keep their digits.
    places = strands.places
    count = np.bincount(places, known)
    centre = np.bincount(places, np.where(known, value, 0.0)) / np.maximum(count, 1)
    off = np.where(known, value - centre[places], 0.0)
    number = strands.counted(begin)

    def summed(terms: Array) -> Array:
        total = np.concatenate([[0.0], np.cumsum(terms)])
        return np.asarray(total[1:] - total[begin])

    mean = summed(off) / np.maximum(number, 1)
    variance = summed(off * off) / np.maximum(number, 1) - mean * mean
    return np.where(highest == lowest, 0.0, np.sqrt(np.maximum(variance, 0.0)))
