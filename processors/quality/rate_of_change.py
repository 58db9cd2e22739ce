"""Changes faster than the thing measured can change."""

from __future__ import annotations

import numpy as np

from gruenpuls.domain.reading import Flag, Flags
from processors.quality.strands import Strands


def rate_of_change(strands: Strands, suspect: float, fail: float | None = None, reach: float = np.inf) -> Flags:
    """Return the flag of each reading by how fast it came from the one before.

    Parameters
    ----------
    strands : Strands
        Readings; NaN is missing [unit of the quantity].
    suspect, fail : float or None
        Faster than that is suspect, or fails [unit of the quantity per h].
    reach : float
        A reading farther away in time is none before [h].

    Returns
    -------
    uint8 (n,)
        Good where there is nothing before to compare with [-].

    Notes
    -----
    Valid for continuous quantities. Time counts to the millisecond; two values at one moment differ
    infinitely fast.

    References
    ----------
    IOOS QARTOD, Manual for Real-Time Quality Control of In-situ Temperature and Salinity Data, table of
    tests, test 7 (rate of change).

    Examples
    --------
    >>> at = np.arange(4).astype("datetime64[h]").astype("datetime64[ms]")
    >>> rate_of_change(Strands.of(at, np.array([20.0, 21.0, 35.0, 35.0])), 8.0).tolist()
    [1, 1, 3, 1]
    """
    hours = strands.hours
    rate = np.full(len(strands), np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate[1:] = np.abs(np.diff(strands.value)) / hours[1:]
        rate[~(hours <= reach)] = np.nan
        flags = np.where(rate > suspect, Flag.SUSPECT, Flag.GOOD).astype(np.uint8)
        if fail is not None:
            flags[rate > fail] = Flag.FAIL
    flags[np.isnan(strands.value)] = Flag.MISSING
    return flags
