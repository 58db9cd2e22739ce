"""Counters that jump: a false count for one message, or more counts than there can be."""

from __future__ import annotations

import numpy as np

from gruenpuls.domain.reading import Flag, Flags
from processors.quality.strands import Strands


def counter_error(strands: Strands, most: float, reach: float = np.inf) -> Flags:
    """Return the flag of each state of a counter.

    Parameters
    ----------
    strands : Strands
        States as counted; NaN is missing [unit of the counter].
    most : float
        More than that per hour cannot be counted [unit of the counter per h].
    reach : float
        Neighbours farther away in time are none [h].

    Returns
    -------
    uint8 (n,)
        Fail for a single state that is out of line with both neighbours, which are in line with each other;
        suspect for one that grew faster than possible; a restart at a lower state is good [-].

    Notes
    -----
    Valid for counters that only grow, wrap or restart. One tip more than the rate allows is no error:
    it may have fallen just before.

    References
    ----------
    Our own rule, no published table: a device that restarts goes on counting from there, while a single
    false state returns to the old count.

    Examples
    --------
    >>> at = np.arange(6).astype("datetime64[h]").astype("datetime64[ms]")
    >>> counter_error(Strands.of(at, np.array([10.0, 11.0, 900.0, 12.0, 0.0, 1.0])), 100.0).tolist()
    [1, 1, 4, 1, 1, 1]
    """
    value = strands.value
    flags = np.full(len(value), Flag.GOOD, np.uint8)
    hours = np.nan_to_num(strands.hours, nan=np.inf)
    near = strands.follows & (hours <= reach)
    grown = np.full(len(value), np.nan)
    grown[1:] = np.diff(value)
    with np.errstate(invalid="ignore"):
        flags[near & (grown > most * np.maximum(hours, 0.25))] = Flag.SUSPECT
        inner = np.zeros(len(value), np.bool_)
        inner[1:-1] = near[1:-1] & near[2:]
        around = np.full(len(value), np.nan)
        around[1:-1] = value[2:] - value[:-2]
        span = np.full(len(value), np.inf)
        span[1:-1] = hours[1:-1] + hours[2:]
        in_line = inner & (around >= 0) & (around <= most * np.maximum(span, 0.25))
        onward = np.append(grown[1:], np.nan)
        alone = in_line & ((grown < 0) | (onward < 0))
    flags[alone] = Flag.FAIL
    # Back in line, the state after a false low one has grown by all that it lacked.
    flags[1:][alone[:-1] & (flags[1:] == Flag.SUSPECT)] = Flag.GOOD
    flags[np.isnan(value)] = Flag.MISSING
    return flags
