"""Counters: what fell between two counts of a gauge that counts on and on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.reading import Ids, Times, Values

MOST_AT_ONCE: Final = 20.0
"""More than this in `AT_ONCE` is no rain but water poured in, a knock or a wrong count [mm]; our choice."""
AT_ONCE: Final = np.timedelta64(5, "m")
MOST: Final = 200.0
"""More than this between two counts is not believed however long it took [mm]; the range of the quantity."""
GAP: Final = np.timedelta64(1, "h")
"""After a longer silence it is not known in which hour it fell."""
LONGEST_GAP: Final = np.timedelta64(7, "D")
"""After a longer silence nobody knows how often the counter began again."""
_TIPS: Final = (0.1, 0.2, 0.25, 0.254, 0.2794, 0.3, 0.5, 1.0)
"""What a tip of usual gauges is worth [mm]."""
WRAPS: Final = {
    "pulse_total": (2.0**16, 2.0**32),
    "precipitation_total": tuple(sorted({2.0**16 * tip for tip in _TIPS} | {2.0**32 * tip for tip in (0.001, *_TIPS)})),
}
"""Where counters of 16 and 32 bits begin again, by quantity, in its unit."""


class CounterRemark(IntEnum):
    """What is to be said of the rain of a step; the highest of several counts."""

    NONE = 0
    GAP = 1
    """It fell at some time since the last count, more than an hour before; counted in the step of the new one."""
    WRAPPED = 2
    """The counter reached its end and began again; nothing is lost."""
    RESET = 3
    """The counter began again from 0; what fell between its last count and that is lost."""
    LONE_TIP = 4
    """One tip alone is no rain; it waits for a second one within `processors.rain.rain_event.DRY_GAP`."""
    IMPLAUSIBLE = 5
    """More than can fall: missing."""
    SILENT = 6
    """No count for more than a week: missing."""


@dataclass(frozen=True, slots=True)
class Increments:
    """What fell up to each count since the one before.

    Parameters
    ----------
    amount : float64 (n,)
        [mm]; NaN for the first count, and where nobody can say.
    remark : int64 (n,)
        A `CounterRemark`.
    """

    amount: Values
    remark: Ids


def increments(
    series: Ids, measured_at: Times, count: Values, factor: Values, wraps: tuple[float, ...] = ()
) -> Increments:
    """Return what fell between each count and the one before of the same counter.

    Parameters
    ----------
    series : int64 (n,)
        Which counter at which place it is; sorted [-].
    measured_at : datetime64[ms] (n,)
        Rising within a series [UTC].
    count : float64 (n,)
        Without missing ones [mm or tips].
    factor : float64 (n,)
        What a unit of the count is worth [mm].
    wraps : tuple of float
        Where such counters begin again [mm or tips].

    Returns
    -------
    Increments
        Never negative [mm].

    Notes
    -----
    Valid for counters that only rise. A count below the one before is one that came to its end, where that
    leaves at most `MOST_AT_ONCE` between the two, else one that was set to 0 and has counted since. More than
    `MOST_AT_ONCE` in each 5 minutes since the last count, or `MOST` in all, is missing. So the increments up to
    a count add up to its difference to the first one, plus the last count before each reset, plus the wraps, less
    what is missing.

    References
    ----------
    WMO-No. 8 (2018), volume I, chapter 6, on tipping buckets; limits: our choice. No equation.

    Examples
    --------
    >>> at = np.datetime64("2026-07-01T12:00", "ms") + np.arange(5) * np.timedelta64(10, "m")
    >>> same, worth = np.zeros(5, np.int64), np.full(5, 0.2)
    >>> found = increments(same, at, np.array([65530.0, 65535.0, 2.0, 0.0, 900.0]), worth, (65536.0,))
    >>> found.amount.round(1).tolist(), found.remark.tolist()
    ([nan, 1.0, 0.6, 0.0, nan], [0, 0, 2, 3, 5])
    """
    amount, remark = np.full(len(count), np.nan), np.zeros(len(count), np.int64)
    if len(count) < 2:  # noqa: PLR2004 - one count tells of no rain
        return Increments(amount, remark)
    worth = factor[1:]
    before, now = count[:-1], count[1:]
    since = np.diff(measured_at)
    fell = (now - before) * worth
    said = np.where(since > GAP, CounterRemark.GAP, CounterRemark.NONE)
    dropped = now < before
    onwards = np.full(len(now), np.inf)
    for end in wraps:
        over = (end - before + now) * worth
        onwards = np.where((before < end) & (over < onwards), over, onwards)
    wrapped = dropped & (onwards <= MOST_AT_ONCE)
    fell = np.where(wrapped, onwards, np.where(dropped, now * worth, fell))
    said = np.where(wrapped, CounterRemark.WRAPPED, np.where(dropped, CounterRemark.RESET, said))
    # A rounding error of a difference must not make rain of less than nothing.
    possible = np.minimum(MOST_AT_ONCE * np.maximum(since / AT_ONCE, 1.0), MOST) + 1e-6
    believed = (fell >= 0) & (fell <= possible) & (since <= LONGEST_GAP)
    said = np.where(believed, said, np.where(since > LONGEST_GAP, CounterRemark.SILENT, CounterRemark.IMPLAUSIBLE))
    same: NDArray[np.bool_] = series[1:] == series[:-1]
    amount[1:] = np.where(same & believed, fell, np.nan)
    remark[1:] = np.where(same, said, CounterRemark.NONE)
    return Increments(amount, remark)


def without_lone_tips(amount: Values, tip: Values, dry_steps: int) -> tuple[Values, NDArray[np.bool_]]:
    """Return rain without tips that stay alone: dew, a bird, a gust.

    A first tip is held back and counted together with the second, in the step of that, where it comes before
    `dry_steps` steps have passed without one; else it is left out. So what is said of a step never depends
    on what comes later.

    Parameters
    ----------
    amount : float64 (time, site)
        Of each step [mm]; NaN is missing.
    tip : float64 (site,)
        What one tip is worth [mm].
    dry_steps : int
        [steps]

    Returns
    -------
    amount : float64 (time, site)
        [mm]
    held : bool (time, site)
        Where a tip was held back [-].

    Notes
    -----
    Valid for gauges with a tip of up to 1 mm, and for those without: what stays below one and a half tips in all
    is no rain.

    References
    ----------
    Our choice, after the usual cleaning of tipping-bucket records; DWA-A 531 (2012) for the gap. No equation.

    Examples
    --------
    >>> tips = np.array([[0.2], [0.0], [0.2], [0.2], [0.0], [0.0], [0.0], [0.2]])
    >>> rain, held = without_lone_tips(tips, np.array([0.2]), 3)
    >>> rain.ravel().tolist(), np.flatnonzero(held[:, 0]).tolist()
    ([0.0, 0.0, 0.4, 0.2, 0.0, 0.0, 0.0, 0.0], [0, 7])
    """
    sites = amount.shape[1]
    waiting, confirmed = np.zeros(sites), np.zeros(sites, np.bool_)
    dry = np.full(sites, dry_steps)
    rain, held = amount.copy(), np.zeros(amount.shape, np.bool_)
    for step, fell in enumerate(amount):
        wet = fell > 0
        new = wet & (dry >= dry_steps)
        waiting, confirmed = np.where(new, 0.0, waiting), confirmed & ~new
        total = waiting + np.where(wet, fell, 0.0)
        enough = wet & (confirmed | (total >= 1.5 * tip))
        held[step] = wet & ~enough
        rain[step] = np.where(enough, total, np.where(wet, 0.0, fell))
        waiting = np.where(enough, 0.0, total)
        confirmed |= enough
        dry = np.where(wet, 0, dry + 1)
    return rain, held
