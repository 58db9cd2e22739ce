"""Readings after a silence."""

from __future__ import annotations

import numpy as np

from gruenpuls.domain.reading import Flag, Flags
from processors.quality.strands import Strands


def gap(strands: Strands, longest: float) -> Flags:
    """Return the flag of each reading by how long nothing came before it.

    Parameters
    ----------
    strands : Strands
        Readings of any quantity; values do not matter [unit of the quantity].
    longest : float
        A longer silence is a gap [h].

    Returns
    -------
    uint8 (n,)
        Fail for the reading after a gap, otherwise good; the first of a series as the second [-].

    Notes
    -----
    Valid for series with a regular interval. A reading after a gap is not wrong by itself: what this test
    finds is told of the device and never keeps a reading from being used.

    References
    ----------
    IOOS QARTOD, Manual for Real-Time Quality Control of In-situ Temperature and Salinity Data, table of
    tests, test 1 (timing and gap).

    Examples
    --------
    >>> at = np.array(["2026-06-01T00", "2026-06-01T01", "2026-06-01T09"], "datetime64[ms]")
    >>> gap(Strands.of(at, np.zeros(3)), 2.0).tolist()
    [1, 1, 4]
    """
    with np.errstate(invalid="ignore"):
        flags = np.where(strands.hours > longest, Flag.FAIL, Flag.GOOD).astype(np.uint8)
    alone = ~strands.follows
    second = np.flatnonzero(alone & strands.precedes) + 1
    flags[second - 1] = flags[second]
    return flags
