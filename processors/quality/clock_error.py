"""Readings stamped with a time that cannot be."""

from __future__ import annotations

from typing import Final

import numpy as np

from gruenpuls.domain.reading import Flag, Flags, Times

EARLIEST: Final = np.datetime64("2000-01-01", "ms")
"""Before this no such sensor measured; a clock that was never set begins in 1970 or 1980."""


def clock_error(at: Times, now: np.datetime64, tolerance: float) -> Flags:
    """Return the flag of each reading by whether its time can be.

    Parameters
    ----------
    at : datetime64[ms] (n,)
        When it says it was measured, UTC [-].
    now : datetime64[ms]
        The present, UTC [-].
    tolerance : float
        How far ahead a clock may be [h].

    Returns
    -------
    uint8 (n,)
        Fail before 2000, suspect while it lies in the future, otherwise good [-].

    Notes
    -----
    Valid for any reading. That it lies in the future is over once that time has come.

    References
    ----------
    IOOS QARTOD, Manual for Real-Time Quality Control of In-situ Temperature and Salinity Data, table of
    tests, test 1 (timing); the year 2000 is our own choice.

    Examples
    --------
    >>> at = np.array(["1970-01-01T00:10", "2026-06-01T12:00", "2026-06-01T20:00"], "datetime64[ms]")
    >>> clock_error(at, np.datetime64("2026-06-01T12:00", "ms"), 1.0).tolist()
    [4, 1, 3]
    """
    flags = np.full(len(at), Flag.GOOD, np.uint8)
    flags[at > now + np.timedelta64(round(tolerance * 3_600_000), "ms")] = Flag.SUSPECT
    flags[at < EARLIEST] = Flag.FAIL
    return flags
