"""Why an index has no value, or on what assumption it has one: a code beside every number."""

from __future__ import annotations

from enum import IntFlag
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.processor import Array

Reasons = NDArray[np.uint16]
HIGHEST_HUMIDITY: Final = 100.5
"""Hygrometers in fog report up to this [%]; it counts as saturated."""


class Reason(IntFlag):
    """What was wrong; several may be. `CALM` alone is an assumption, the value stands."""

    MISSING = 1
    """An input is missing."""
    AIR_TEMPERATURE = 2
    """Outside the range the index is published for."""
    HUMIDITY = 4
    """0 or less, or above saturation: no hygrometer in order says so."""
    WIND = 8
    """0 or less (a stuck anemometer), or stronger than the index knows."""
    RADIANT_TEMPERATURE = 16
    """Too far from the air temperature for the index."""
    PRESSURE = 32
    """Not the air pressure of any place in Europe."""
    RADIATION = 64
    """Negative, or more than the sun can send at that hour."""
    GLOBE = 128
    """Colder than the air while the sun shines on it, or beyond what a globe can show."""
    UNSOLVED = 256
    """The model's equations have no solution there."""
    BEYOND_SCALE = 512
    """The result lies outside what the index was ever published for."""
    CALM = 1024
    """Less wind than the index knows: taken as its least."""


class Judgement(NamedTuple):
    """Values with a reason beside each.

    Parameters
    ----------
    value : float64 (...)
        Missing wherever a reason but `Reason.CALM` stands.
    reason : uint16 (...)
        `Reason` codes; 0 where all is well.
    """

    value: Array
    reason: Reasons


def judged(value: Array, reason: Reasons) -> Judgement:
    """Return values with their reasons: none where a reason forbids it, and a reason wherever there is none.

    Parameters
    ----------
    value : float64 (...)
        [any unit]
    reason : uint16 (...)
        `Reason` codes found so far [-].

    Returns
    -------
    Judgement
        The values [same unit] and their reasons [-].

    Notes
    -----
    Valid for any values. `Reason.CALM` alone only tells and forbids nothing; where no check failed and there is no
    number, the reason is `Reason.UNSOLVED`.

    References
    ----------
    No equation.

    Examples
    --------
    >>> told = judged(np.array([21.0, 22.0, np.nan]), np.array([0, Reason.WIND, 0], np.uint16))
    >>> told.value.tolist(), [named(code) for code in told.reason.tolist()]
    ([21.0, nan, nan], [(), ('WIND',), ('UNSOLVED',)])
    """
    reason = reason | np.where(np.isfinite(value) | (reason > 0), 0, int(Reason.UNSOLVED)).astype(np.uint16)
    forbidden = (reason & ~np.uint16(Reason.CALM)) > 0
    return Judgement(np.where(forbidden, np.nan, value), reason)


def reasons(checks: dict[Reason, NDArray[np.bool_]], *inputs: Array) -> Reasons:
    """Return which checks failed, and `Reason.MISSING` where an input is not a finite number.

    Parameters
    ----------
    checks : dict of bool (...)
        By what is wrong: whether it is right. A missing input fails no check, it is missing [-].
    *inputs : float64 (...)
        What the index cannot do without [any unit].

    Returns
    -------
    uint16 (...)
        `Reason` codes [-].

    Notes
    -----
    Valid for inputs of one shape, or shapes that broadcast to one.

    References
    ----------
    No equation.

    Examples
    --------
    >>> wind = np.array([3.0, 300.0, np.nan])
    >>> [named(code) for code in reasons({Reason.WIND: wind <= 30}, wind).tolist()]
    [(), ('WIND',), ('MISSING',)]
    """
    missing = ~np.isfinite(inputs[0])
    for values in inputs[1:]:
        missing = missing | ~np.isfinite(values)
    found = np.where(missing, int(Reason.MISSING), 0).astype(np.uint16)
    for reason, right in checks.items():
        found |= np.where(right | missing, 0, int(reason)).astype(np.uint16)
    return found


def humid(relative_humidity: Array) -> NDArray[np.bool_]:
    """Return whether a hygrometer in order can have said so.

    Parameters
    ----------
    relative_humidity : float64 (...)
        [%]

    Returns
    -------
    bool (...)
        Whether it can [-]; NaN cannot.

    Notes
    -----
    Valid for air outdoors: above 0 %, and up to `HIGHEST_HUMIDITY`, which sensors in order show in fog.

    References
    ----------
    Our own choice. No equation.

    Examples
    --------
    >>> humid(np.array([0.0, 55.0, 130.0])).tolist()
    [False, True, False]
    """
    return (relative_humidity > 0) & (relative_humidity <= HIGHEST_HUMIDITY)


def above(values: Array, others: Array) -> Array:
    """Return how far values are above others; broken sensors send numbers whose difference is none.

    Parameters
    ----------
    values, others : float64 (...)
        [any one unit]

    Returns
    -------
    float64 (...)
        Values minus others [same unit]; infinite or NaN, without a warning, where there is no such number.

    Notes
    -----
    Valid for any numbers, also those no sensor in order can send.

    References
    ----------
    No equation beyond the difference.

    Examples
    --------
    >>> above(np.array([21.0, np.inf]), np.array([15.0, np.inf])).tolist()
    [6.0, nan]
    """
    with np.errstate(over="ignore", invalid="ignore"):
        difference: Array = values - others
    return difference


def named(reason: int) -> tuple[str, ...]:
    """Return the names behind a code, for texts and logs.

    Parameters
    ----------
    reason : int
        `Reason` code [-].

    Returns
    -------
    tuple of str
        Names of `Reason` [-]; empty for 0.

    Notes
    -----
    Valid for any combination of reasons.

    References
    ----------
    No equation.

    Examples
    --------
    >>> named(Reason.MISSING | Reason.WIND)
    ('MISSING', 'WIND')
    """
    return tuple(known.name for known in Reason if known & reason and known.name)
