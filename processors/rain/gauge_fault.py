"""Gauge faults: a gauge that says nothing fell although it did, since it is blocked or frozen."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.processor import Array

NEIGHBOURS: Final = 2
WET: Final = 5.0
"""So much must have fallen at each of the neighbours on a day [mm]."""
DAYS: Final = 2
REMEMBERED: Final = 30
"""So many days these may lie apart, and so long after the last of them it is not believed [d]."""
FREEZING: Final = 2.0
"""Below this a gauge without heating is blind [°C]."""


def blocked_gauge(precipitation: Array, around: Array, wet: float = WET, days: int = DAYS) -> NDArray[np.bool_]:
    """Return the days on which a gauge is taken for blocked: dry while it rained all around for days.

    Parameters
    ----------
    precipitation : float64 (time,)
        Daily sum of the gauge [mm]; NaN is missing.
    around : float64 (time, gauge)
        The same of gauges near it, or of the radar's grid there [mm].
    wet : float
        So much must have fallen at each of two of them [mm].
    days : int
        On so many days [d].

    Returns
    -------
    bool (time,)
        Each of the days of such a spell [-].

    Notes
    -----
    Valid for gauges within some 10 km. On days without rain around nobody can tell; they do not end a spell
    before 30 of them have passed. A day with rain in the gauge ends it, and so does one it says nothing of. What is
    said of a day rests on the 60 before and the 30 after it.

    References
    ----------
    Our rule: 0 mm while at least 2 others have 5 mm or more, on 2 days; no equation.

    Examples
    --------
    >>> around = np.array([[8.0, 6.0], [0.0, 0.0], [9.0, 7.0], [6.0, 6.0]])
    >>> blocked_gauge(np.array([0.0, 0.0, 0.0, 1.0]), around).tolist()
    [True, True, True, False]
    """
    wet_around = np.sum(around >= wet, axis=1) >= NEIGHBOURS
    dry = precipitation == 0
    witness = wet_around & dry
    found = np.zeros(len(precipitation), np.bool_)
    ends = np.flatnonzero(~dry)
    for begin, end in zip(np.append(0, ends + 1), np.append(ends, len(dry)), strict=True):
        seen = np.flatnonzero(witness[begin:end]) + begin
        last = seen[days - 1 :]
        for since, until in zip(seen.tolist(), last.tolist(), strict=False):
            if until - since <= REMEMBERED:
                found[since : min(until + REMEMBERED + 1, end)] = True
    return found


def frozen_gauge(precipitation: Array, air_temperature: Array, freezing: float = FREEZING) -> NDArray[np.bool_]:
    """Return where a gauge without heating cannot be believed when it says that nothing fell.

    Parameters
    ----------
    precipitation : float64 (...)
        [mm]; NaN is missing.
    air_temperature : float64 (...)
        Mean of the same hour or day [°C].
    freezing : float
        Below this it is blind [°C].

    Returns
    -------
    bool (...)
        [-]; not where the temperature is unknown.

    Notes
    -----
    Valid for gauges without heating; snow melts into them later and counts then.

    References
    ----------
    Our rule: below 2 °C; no equation.

    Examples
    --------
    >>> frozen_gauge(np.array([0.0, 0.0, 0.2]), np.array([1.0, 3.0, 1.0])).tolist()
    [True, False, False]
    """
    blind: NDArray[np.bool_] = (precipitation == 0) & (air_temperature < freezing)
    return blind
