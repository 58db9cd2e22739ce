"""Water account: where the rain of some days went that reached a roof or a pit, from the balance of each day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.processor import Array
from processors.drought.dry_spell import WET_DAY
from processors.water.roof import retention


@dataclass(frozen=True, slots=True)
class WaterAccount:
    """Sums over the days of which everything is known, all float64 (site,).

    Parameters
    ----------
    days : float64 (site,)
        How many those are [d].
    rain : float64 (site,)
        As a gauge has it [mm].
    received : float64 (site,)
        With that on the area drained into the site [mm over the site's area].
    ran_off, seeped, evaporated : float64 (site,)
        Into the sewer, below the root zone, into the air [mm over the site's area]. All missing where no day is known.
    retention : float64 (site,)
        Share of what was received that did not run off [%]; NaN without rain.
    """

    days: Array
    rain: Array
    received: Array
    ran_off: Array
    seeped: Array
    evaporated: Array
    retention: Array

    @property
    def held_back(self) -> Array:
        """What did not run off [mm over the site's area]."""
        return np.maximum(self.received - self.ran_off, 0.0)


def water_account(
    rain: Array, runoff: Array, percolation: Array, evaporated: Array, drained_share: Array
) -> WaterAccount:
    """Return where the rain of some days went.

    Parameters
    ----------
    rain : float64 (time, site)
        Of each day [mm]; NaN is missing, and so is the day.
    runoff, percolation, evaporated : float64 (time, site)
        Of each day's balance [mm over the site's area].
    drained_share : float64 (site,) or (time, site)
        Area drained into the site per its own area [-].

    Returns
    -------
    WaterAccount
        [mm]

    Notes
    -----
    Valid over days enough for what is stored at their beginning and end not to matter: what runs off or
    evaporates may have fallen before. Snow counts when it falls and runs off when it melts.

    References
    ----------
    FLL, Dachbegrünungsrichtlinien (2018), retention: 1 - runoff / rain. Without an equation number.

    Examples
    --------
    >>> column = lambda *values: np.array(values)[:, None]
    >>> found = water_account(column(10.0, np.nan, 20.0), column(0.0, 5.0, 6.0), column(0.0, 0.0, 0.0),
    ...     column(2.0, 2.0, 3.0), np.array([0.0]))
    >>> found.days.tolist(), found.held_back.tolist(), found.retention.tolist()
    ([2.0], [24.0], [80.0])
    """
    known = ~np.isnan(np.stack([rain, runoff, percolation, evaporated])).any(axis=0)
    received = np.where(known, rain * (1.0 + drained_share), np.nan)

    def total(amount: Array) -> Array:
        summed: Array = np.where(known, amount, 0.0).sum(axis=0)
        return np.where(known.any(axis=0), summed, np.nan)

    return WaterAccount(
        known.sum(axis=0).astype(np.float64),
        total(rain),
        total(received),
        total(runoff),
        total(percolation),
        total(evaporated),
        np.maximum(retention(received, np.where(known, runoff, np.nan)), 0.0),
    )


def wet_spells(rain: Array) -> NDArray[np.int64]:
    """Return the runs of wet days at one site.

    Parameters
    ----------
    rain : float64 (time,)
        Of each day [mm]; NaN is missing and not wet.

    Returns
    -------
    int64 (spell, 2)
        First day, and the day after the last [index].

    Notes
    -----
    Valid for days without a gap in time. The balance is kept by the day, so its events are, too: days with at
    least 1 mm that follow each other.

    References
    ----------
    WMO/CLIVAR ETCCDI, table of indices: a wet day has 1 mm.

    Examples
    --------
    >>> wet_spells(np.array([0.0, 2.0, 5.0, 0.3, 1.0])).tolist()
    [[1, 3], [4, 5]]
    """
    wet = np.concatenate([[False], rain >= WET_DAY, [False]]).astype(np.int8)
    change = np.diff(wet)
    return np.stack([np.flatnonzero(change == 1), np.flatnonzero(change == -1)], axis=1)


LEAST_STEP: Final = 0.01
"""Smaller changes of a level are waves and noise [m]; our choice."""


def drawn_and_filled(level: Array, least: float = LEAST_STEP) -> tuple[float, float]:
    """Return by how much the water of a cistern was drawn down and rose again.

    Parameters
    ----------
    level : float64 (time,)
        In the order of time [m]; NaN is missing.
    least : float
        Up to which a change is noise [m].

    Returns
    -------
    drawn, filled : float
        Sums of all falls and rises [m]; missing where no level is known.

    Notes
    -----
    Valid for cisterns with upright walls that are not drawn from and filled at once between two readings: then
    only the difference is seen. What overflows is not seen at all.

    References
    ----------
    Sums of differences between turning points, without an equation.

    Examples
    --------
    >>> drawn, filled = drawn_and_filled(np.array([1.0, 1.004, 0.6, 0.596, 0.9]))
    >>> round(drawn, 3), round(filled, 3)
    (0.4, 0.3)
    """
    known = level[~np.isnan(level)]
    if not len(known):
        return np.nan, np.nan
    drawn = filled = 0.0
    kept = float(known[0])
    for now in known.tolist():
        change = now - kept
        if abs(change) >= least:
            drawn, filled = drawn + max(-change, 0.0), filled + max(change, 0.0)
            kept = now
    return drawn, filled
