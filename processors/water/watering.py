"""Waterings as the soil tells them: a wetting front without rain, and which probes it reached."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.processor import Array

RISE: Final = 2.0
"""Rise of water content that is no noise [% by volume]: a probe's noise is a few tenths."""
FALL: Final = 0.25
"""Fall of tension that is no noise, as a share of what it was [-] ..."""
LEAST_FALL: Final = 5.0
"""... and at least [kPa]."""
QUICK: Final = 4
"""Within so many hours water from a hose or a tank passes a probe [h]."""
SLOW: Final = (5, 12)
"""A watering bag empties over so many hours, and the probe rises as long [h]."""
WAIT: Final = 48
"""How long after a watering a front may still arrive at a deep probe [h]."""
DRY: Final = 1.0
"""More rain than this around a rise explains it [mm]."""
RAIN_BEFORE: Final = 24
"""Rain so long before may still be on its way down [h]."""
MISSES: Final = 3
"""After so many waterings in a row that a probe did not see, probe or pit should be looked at [-]."""
_MOST: Final = 0.8


class Verdict(IntEnum):
    """What a probe says of a watering."""

    NO_SENSOR = 0
    NOT_SEEN = 1
    REACHED = 2


class Pace(IntEnum):
    """How the water came."""

    UNKNOWN = 0
    QUICK = 1
    BAG = 2


@dataclass(frozen=True, slots=True)
class Front:
    """A wetting front in a site's soil that no rain explains.

    Parameters
    ----------
    start : int
        Step at which the first probe began to rise [h].
    depth : int
        Place of that probe.
    pace : Pace
        A slow, even rise is a watering bag's.
    """

    start: int
    depth: int
    pace: Pace


def _wetter(water_content: Array, tension: Array, steps: int) -> NDArray[np.bool_]:
    """Return whether each value is that much wetter than so many steps before."""
    found = np.zeros(water_content.shape, np.bool_)
    if len(found) <= steps:
        return found
    rise = water_content[steps:] - water_content[:-steps]
    fall = tension[:-steps] - tension[steps:]
    found[steps:] = (rise >= RISE) | (fall >= np.maximum(FALL * tension[:-steps], LEAST_FALL))
    return found


def _rain_near(rain: Array) -> NDArray[np.bool_]:
    """Return whether rain in the day before each step, or during the rise after it, may explain it.

    Unknown rain explains nothing away and proves nothing: such a step counts as rained on.
    """
    guarded = np.where(np.isnan(rain), DRY + 1.0, rain)
    total = np.concatenate([[0.0], np.cumsum(guarded)])
    step = np.arange(len(rain))
    first, last = np.maximum(step - RAIN_BEFORE, 0), np.minimum(step + 1, len(rain))
    return np.asarray(total[last] - total[first] > DRY)


def fronts(water_content: Array, tension: Array, rain: Array) -> list[Front]:
    """Return the wetting fronts in one site's soil that rain does not explain, oldest first.

    Parameters
    ----------
    water_content : float64 (time, depth)
        Hourly [% by volume]; NaN where none is measured.
    tension : float64 (time, depth)
        Hourly [kPa]; NaN where none is measured.
    rain : float64 (time,)
        Hourly [mm]; where it is missing nothing is detected.

    Returns
    -------
    list of Front
        Steps in [h]; fronts within two days of each other at several depths are one.

    Notes
    -----
    Valid for hourly values of thawed soil. A rise counts from 2 % by volume, or a fall of tension by a
    quarter and at least 5 kPa: within four hours it is a quick watering; a rise that takes five to twelve
    hours, and whose fastest hour brings no more than half of it, is a watering bag emptying.

    References
    ----------
    Our own rule, its limits assumptions; Watermark probes lag by hours and see slow fronts best. No equation.

    Examples
    --------
    >>> content = np.full((60, 1), 12.0)
    >>> content[30:] = 20.0
    >>> fronts(content, np.full((60, 1), np.nan), np.zeros(60))
    [Front(start=30, depth=0, pace=<Pace.QUICK: 1>)]
    """
    if not len(rain):
        return []
    rained = _rain_near(rain)
    rising = _wetter(water_content, tension, QUICK) | _wetter(water_content, tension, SLOW[1])
    found: list[Front] = []
    quiet_until = -1
    for step in range(len(rain)):
        if step <= quiet_until or not rising[step].any():
            continue
        depth = int(rising[step].argmax())
        start, pace = _shape(water_content[:, depth], tension[:, depth], step)
        quiet_until = step + WAIT
        if not rained[step] and not rained[start]:
            found.append(Front(start, depth, pace))
    return found


def _shape(water_content: Array, tension: Array, step: int) -> tuple[int, Pace]:
    """Return where a rise seen at a step began, and how it went."""
    wetness = water_content if not np.isnan(water_content[step]) else -np.log(np.maximum(tension, 0.1))
    first, last = max(step - SLOW[1], 0), min(step + SLOW[1], len(wetness) - 1)
    window = wetness[first : last + 1]
    gains = np.nan_to_num(np.diff(window))
    top = int(np.nanargmax(window))
    total = window[top] - np.nanmin(window[: top + 1])
    risen = np.cumsum(gains[:top])
    reached = risen - risen.min(initial=0.0)
    begun = int(np.flatnonzero(reached <= (1 - _MOST) / 2 * total).max(initial=-1)) + 1 if len(reached) else 0
    nearly = int(np.flatnonzero(reached >= _MOST * total).min(initial=len(reached))) if len(reached) else 0
    lasted = nearly - begun + 1
    fastest = gains[:top].max(initial=0.0)
    if lasted < SLOW[0]:
        return first + begun + 1, Pace.QUICK
    even = fastest <= total / 2 and lasted <= SLOW[1]
    return first + begun + 1, Pace.BAG if even else Pace.UNKNOWN


def verdicts(water_content: Array, tension: Array, start: int) -> NDArray[np.int64]:
    """Return for each probe of a site whether a watering reached it.

    Parameters
    ----------
    water_content : float64 (time, depth)
        Hourly [% by volume].
    tension : float64 (time, depth)
        Hourly [kPa].
    start : int
        Step of the watering [h].

    Returns
    -------
    int64 (depth,)
        A `Verdict` [-].

    Notes
    -----
    Valid within two days of the watering, in which no rain may have fallen. *Not seen by this sensor* is
    no verdict on the watering: water passes beside a probe, and 75 L need not reach 90 cm. A probe without
    a value before or after the watering is *no sensor*.

    References
    ----------
    Our own rule. No equation.

    Examples
    --------
    >>> content = np.column_stack([np.r_[np.full(10, 12.0), np.full(50, 20.0)], np.full(60, 15.0), np.full(60, np.nan)])
    >>> verdicts(content, np.full(content.shape, np.nan), 10).tolist()
    [2, 1, 0]
    """
    before, after = slice(max(start - RAIN_BEFORE, 0), start), slice(start, start + WAIT)
    found = np.full(water_content.shape[1], Verdict.NO_SENSOR, np.int64)
    for depth in range(water_content.shape[1]):
        for values, sign in ((water_content[:, depth], 1.0), (tension[:, depth], -1.0)):
            earlier, later = values[before], values[after]
            earlier, later = earlier[~np.isnan(earlier)], later[~np.isnan(later)]
            if not len(earlier) or not len(later):
                continue
            enough = RISE if sign > 0 else max(FALL * earlier[-1], LEAST_FALL)
            wetted = (sign * later).max() - sign * earlier[-1] >= enough
            found[depth] = max(found[depth], Verdict.REACHED if wetted else Verdict.NOT_SEEN)
    return found


def unreached(history: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which probes should be looked at, or their pit: they missed several waterings in a row.

    Parameters
    ----------
    history : int64 (watering, depth)
        A `Verdict` for each watering of a site, oldest first [-].

    Returns
    -------
    bool (depth,)
        Whether the last three waterings that a probe could have seen passed it by [-].

    Notes
    -----
    Valid for any number of waterings; one that a probe had no value for does not count.

    References
    ----------
    Our own rule. No equation.

    Examples
    --------
    >>> unreached(np.array([[1, 2], [1, 1], [0, 1], [1, 1]])).tolist()
    [True, True]
    """
    found = np.zeros(history.shape[1], np.bool_)
    for depth in range(history.shape[1]):
        seen = history[:, depth]
        last = seen[seen != Verdict.NO_SENSOR][-MISSES:]
        found[depth] = len(last) == MISSES and bool((last == Verdict.NOT_SEEN).all())
    return found
