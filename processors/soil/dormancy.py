"""The dormant season: the span of the year in which a dry soil asks nobody to act."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

MonthDay = tuple[int, int]
DORMANCY: Final[tuple[MonthDay, MonthDay]] = ((11, 1), (3, 14))
"""First and last month and day, where the city says nothing else; our own choice."""


def is_dormant(steps: NDArray[np.datetime64], dormancy: tuple[MonthDay, MonthDay] | None) -> NDArray[np.bool_]:
    """Return which steps lie within a span of the year, its first and last day included.

    Parameters
    ----------
    steps : datetime64[ms] (time,)
        In the site's local time [ms].
    dormancy : tuple of tuple of int or None
        First and last month and day [-]; the span may go over the turn of the year. None is no such span.

    Returns
    -------
    bool (time,)
        Whether the step lies in it [-].

    Notes
    -----
    Valid for any span of whole days; 29 February lies in whatever holds 28 February and 1 March.

    References
    ----------
    No equation.

    Examples
    --------
    >>> is_dormant(np.array(["2024-10-31", "2024-11-01", "2025-03-14", "2025-03-15"], "M8[ms]"), DORMANCY).tolist()
    [False, True, True, False]
    """
    if dormancy is None:
        return np.zeros(len(steps), np.bool_)
    months = steps.astype("datetime64[M]")
    day = (steps.astype("datetime64[D]") - months.astype("datetime64[D]")).astype(np.int64) + 1
    date = 100 * (months.astype(np.int64) % 12 + 1) + day
    first, last = (100 * month + of_month for month, of_month in dormancy)
    within = (date >= first, date <= last)
    return np.asarray(within[0] & within[1] if first <= last else within[0] | within[1])


def dormancy_told(dormancy: tuple[MonthDay, MonthDay] | None) -> str:
    """Return the span in words, for the source of a processor.

    Parameters
    ----------
    dormancy : tuple of tuple of int or None
        First and last month and day [-]; None is no such span.

    Returns
    -------
    str
        [-]

    Notes
    -----
    Valid for any span.

    References
    ----------
    No equation.

    Examples
    --------
    >>> dormancy_told(DORMANCY), dormancy_told(None)
    ('dormant season 11-01 to 03-14', 'no dormant season')
    """
    if dormancy is None:
        return "no dormant season"
    return "dormant season {0[0]:02}-{0[1]:02} to {1[0]:02}-{1[1]:02}".format(*dormancy)
