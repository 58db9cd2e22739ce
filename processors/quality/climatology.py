"""Values this month never had here."""

from __future__ import annotations

import numpy as np

from gruenpuls.domain.processor import Array
from gruenpuls.domain.reading import Flag, Flags, Times


def climatology(at: Times, values: Array, months: Array) -> Flags:
    """Return the flag of each value by what its calendar month has seen.

    Parameters
    ----------
    at : datetime64[ms] (n,)
        When it was measured, UTC [-].
    values : float64 (n,)
        Readings; NaN is missing [unit of the quantity].
    months : float64 (12, 2)
        Lowest and highest of January to December; NaN where nobody knows [unit of the quantity].

    Returns
    -------
    uint8 (n,)
        Suspect outside of it, not evaluated in a month without limits [-].

    Notes
    -----
    Valid for the region and the years the limits are from; a record is suspect, never a failure.

    References
    ----------
    IOOS QARTOD, Manual for Real-Time Quality Control of In-situ Temperature and Salinity Data, table of
    tests, test 5 (climatology).

    Examples
    --------
    >>> months = np.full((12, 2), np.nan)
    >>> months[0] = -25.0, 18.0
    >>> at = np.array(["2026-01-10", "2026-01-11", "2026-02-01"], "datetime64[ms]")
    >>> climatology(at, np.array([4.0, 25.0, 25.0]), months).tolist()
    [1, 3, 2]
    """
    month = at.astype("datetime64[M]").astype(np.int64) % 12
    low, high = months[month, 0], months[month, 1]
    flags = np.where((values < low) | (values > high), Flag.SUSPECT, Flag.GOOD).astype(np.uint8)
    flags[np.isnan(low) | np.isnan(high)] = Flag.NOT_EVALUATED
    flags[np.isnan(values)] = Flag.MISSING
    return flags
