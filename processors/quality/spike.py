"""A single value that sticks out from its neighbours."""

from __future__ import annotations

import numpy as np

from gruenpuls.domain.reading import Flag, Flags
from processors.quality.strands import Strands


def spike(strands: Strands, suspect: float | None, fail: float | None, reach: float = np.inf) -> Flags:
    """Return the flag of each reading by how far it is from the mean of the one before and the one after.

    Parameters
    ----------
    strands : Strands
        Readings; NaN is missing [unit of the quantity].
    suspect, fail : float or None
        Farther than that is suspect, or fails; None leaves the step out [unit of the quantity].
    reach : float
        Neighbours farther away in time are none [h].

    Returns
    -------
    uint8 (n,)
        Not evaluated where a neighbour is missing, so always at both ends of a series [-].

    Notes
    -----
    Valid for quantities that change little between three readings. Beside a spike its neighbours stick
    out by half as much; limits must leave room for that.

    References
    ----------
    IOOS QARTOD, Manual for Real-Time Quality Control of In-situ Temperature and Salinity Data, table of
    tests, test 6 (spike), equation of the reference as average of n-2 and n.

    Examples
    --------
    >>> at = np.arange(8).astype("datetime64[h]").astype("datetime64[ms]")
    >>> values = np.array([10, 12, 999.99, 13, 15, 40, 9, 9])
    >>> spike(Strands.of(at, values), 25.0, 50.0).tolist()
    [2, 4, 4, 4, 1, 3, 1, 2]
    """
    value = strands.value
    distance = np.full(len(value), np.nan)
    distance[1:-1] = np.abs(value[1:-1] - (value[:-2] + value[2:]) / 2)
    hours = np.nan_to_num(strands.hours, nan=np.inf)
    inner = strands.follows & strands.precedes & (hours <= reach)
    inner[:-1] &= hours[1:] <= reach
    distance[~inner] = np.nan
    flags = np.full(len(value), Flag.GOOD, np.uint8)
    if suspect is not None:
        flags[distance > suspect] = Flag.SUSPECT
    if fail is not None:
        flags[distance > fail] = Flag.FAIL
    flags[np.isnan(distance)] = Flag.NOT_EVALUATED
    flags[np.isnan(value)] = Flag.MISSING
    return flags
