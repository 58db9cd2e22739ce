"""Rain events: what belongs together until it has been dry for some hours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from gruenpuls.domain.reading import Times, Values

DRY_GAP: Final = np.timedelta64(4, "h")
"""So long without rain ends an event: DWA-A 531."""
LEAST: Final = 0.01
"""Less in a step is no rain [mm]."""


@dataclass(frozen=True, slots=True)
class RainEvents:
    """Events as columns of equal length.

    Parameters
    ----------
    begin, end : datetime64[ms] (n,)
        From the start of the first wet step to the end of the last, UTC.
    depth : float64 (n,)
        [mm]
    peak : float64 (n,)
        The most in one step [mm].
    """

    begin: Times
    end: Times
    depth: Values
    peak: Values

    def __len__(self) -> int:
        return len(self.depth)


def rain_events(begin: Times, end: Times, precipitation: Values, gap: np.timedelta64 = DRY_GAP) -> RainEvents:
    """Return the events in a record of rain.

    Parameters
    ----------
    begin, end : datetime64[ms] (n,)
        Of each step, rising [UTC].
    precipitation : float64 (n,)
        Of each step [mm]; NaN is missing and counts as not wet.
    gap : timedelta64
        From the end of a wet step to the start of the next, so long or longer, it is another event [h].

    Returns
    -------
    RainEvents
        Rising in time [mm].

    Notes
    -----
    Valid for steps shorter than the gap.

    References
    ----------
    DWA-A 531 (2012), Starkregen in Abhängigkeit von Wiederkehrzeit und Dauer: at least 4 h; 6 h elsewhere.
    No equation.

    Examples
    --------
    >>> start = np.datetime64("2026-07-01T00:00", "ms") + np.arange(8) * np.timedelta64(1, "h")
    >>> rain = np.array([1.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0, 5.0])
    >>> rain_events(start, start + np.timedelta64(1, "h"), rain).depth.tolist()
    [3.0, 5.0]
    """
    wet = np.flatnonzero(precipitation >= LEAST)
    if not len(wet):
        nothing = np.empty(0, "datetime64[ms]")
        return RainEvents(nothing, nothing, np.empty(0), np.empty(0))
    first = np.append(True, begin[wet[1:]] - end[wet[:-1]] >= gap)
    starts = np.flatnonzero(first)
    lasts = np.append(starts[1:], len(wet)) - 1
    fell = precipitation[wet]
    return RainEvents(
        begin[wet[starts]], end[wet[lasts]], np.add.reduceat(fell, starts), np.maximum.reduceat(fell, starts)
    )
