"""Values no sensor, or no place here, can have."""

from __future__ import annotations

import numpy as np

from gruenpuls.domain.processor import Array
from gruenpuls.domain.reading import Flag, Flags

Span = tuple[float, float]


def gross_range(values: Array, fail: Span, suspect: Span | None = None) -> Flags:
    """Return the flag of each value by the range it lies in.

    Parameters
    ----------
    values : float64 (n,)
        Readings; NaN is missing [unit of the quantity].
    fail : tuple of float
        Outside of it a value fails [unit of the quantity].
    suspect : tuple of float or None
        Outside of it a value is suspect [unit of the quantity].

    Returns
    -------
    uint8 (n,)
        Missing where there is no value [-].

    Notes
    -----
    Valid for any quantity; both ends of a range are within. An infinite value fails.

    References
    ----------
    IOOS QARTOD, Manual for Real-Time Quality Control of In-situ Temperature and Salinity Data, table of
    tests, test 4 (gross range).

    Examples
    --------
    >>> gross_range(np.array([-1.0, 0.0, 55.0, 70.0, np.nan]), (0.0, 100.0), (0.0, 60.0)).tolist()
    [4, 1, 1, 3, 9]
    """
    flags = np.full(values.shape, Flag.GOOD, np.uint8)
    if suspect is not None:
        flags[(values < suspect[0]) | (values > suspect[1])] = Flag.SUSPECT
    flags[(values < fail[0]) | (values > fail[1])] = Flag.FAIL
    flags[np.isnan(values)] = Flag.MISSING
    return flags
