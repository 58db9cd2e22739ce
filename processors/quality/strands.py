"""Readings of many series as columns, and the windows before each of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.processor import Array
from gruenpuls.domain.reading import Ids, Times


@dataclass(frozen=True, slots=True)
class Strands:
    """Readings of many series, one after the other.

    Parameters
    ----------
    series : int64 (n,)
        Rising.
    at : datetime64[ms] (n,)
        UTC, rising within a series.
    value : float64 (n,)
        NaN is missing.
    """

    series: Ids
    at: Times
    value: Array

    def __len__(self) -> int:
        return len(self.series)

    @classmethod
    def of(cls, at: Times, value: Array) -> Strands:
        """Return a single series."""
        return cls(np.zeros(len(at), np.int64), at, value)

    def where(self, mask: NDArray[np.bool_]) -> Strands:
        """Return some of the readings."""
        return Strands(self.series[mask], self.at[mask], self.value[mask])

    def with_value(self, value: Array) -> Strands:
        """Return the same moments with other values."""
        return Strands(self.series, self.at, value)

    @property
    def places(self) -> Ids:
        """Which of the series each reading belongs to, counted from 0."""
        return np.cumsum(self.follows == False, dtype=np.int64) - 1  # noqa: E712 - of an array

    @property
    def follows(self) -> NDArray[np.bool_]:
        """Whether the reading before is of the same series."""
        follows = np.zeros(len(self), np.bool_)
        follows[1:] = self.series[1:] == self.series[:-1]
        return follows

    @property
    def precedes(self) -> NDArray[np.bool_]:
        """Whether the reading after is of the same series."""
        precedes = np.zeros(len(self), np.bool_)
        precedes[:-1] = self.series[1:] == self.series[:-1]
        return precedes

    @property
    def first(self) -> Ids:
        """Where the series of each reading begins."""
        begins = np.flatnonzero(~self.follows)
        return begins[self.places] if len(self) else begins

    @property
    def hours(self) -> Array:
        """How long after the one before each reading was measured [h]; NaN for the first of a series."""
        hours = np.full(len(self), np.nan)
        hours[1:] = np.diff(self.at) / np.timedelta64(1, "h")
        hours[~self.follows] = np.nan
        return hours

    def since(self, hours: float, *, closed: bool) -> Ids:
        """Return the first reading of each one's window.

        Parameters
        ----------
        hours : float
            How far the window reaches back [h].
        closed : bool
            Whether a reading exactly so long before is within.
        """
        if not len(self):
            return np.empty(0, np.int64)
        span = round(hours * 3_600_000)
        moment = (self.at - self.at.min()).astype("timedelta64[ms]").astype(np.int64)
        # One rising number for series and moment, so that all windows are found by one search.
        width = int(moment.max()) + 1
        key = self.places * width + moment
        wanted = self.places * width + np.maximum(moment - span, 0)
        found = np.searchsorted(key, wanted, "left")
        if not closed:
            exact = (self.at[found] == self.at - np.timedelta64(span, "ms")) & (moment >= span)
            found = found + exact
        return np.asarray(found, np.int64)

    def extremes(self, begin: Ids) -> tuple[Array, Array]:
        """Return the lowest and the highest known value from `begin` up to each reading; NaN where none is known.

        Parameters
        ----------
        begin : int64 (n,)
            First reading of each window; none is after its own reading.
        """
        rows = np.arange(len(self))
        level = np.frexp((rows - begin + 1).astype(np.float64))[1] - 1
        lowest, highest = self.value.copy(), self.value.copy()
        low, high = self.value.copy(), self.value.copy()
        for power in range(int(level.max(initial=-1)) + 1):
            here = np.flatnonzero(level == power)
            other = rows[here] - (1 << power) + 1
            lowest[here] = np.fmin(low[begin[here]], low[other])
            highest[here] = np.fmax(high[begin[here]], high[other])
            # Each entry now covers twice as many readings, from itself on.
            step = 1 << power
            low[:-step] = np.fmin(low[:-step], low[step:])
            high[:-step] = np.fmax(high[:-step], high[step:])
        return lowest, highest

    def beside(self, other: Strands, partner: Ids, hours: float) -> Array:
        """Return the last known value of another series beside each reading; NaN where there is none so recent.

        Parameters
        ----------
        other : Strands
        partner : int64 (n,)
            Which of its series belongs to each reading, -1 for none.
        hours : float
            How old it may be [h].
        """
        known = other.where(~np.isnan(other.value))
        found = np.full(len(self), np.nan)
        if not len(known) or not len(self):
            return found
        begin = min(known.at.min(), self.at.min())
        width = int((max(known.at.max(), self.at.max()) - begin).astype(np.int64)) + 1
        key = known.series * width + (known.at - begin).astype(np.int64)
        place = np.searchsorted(key, partner * width + (self.at - begin).astype(np.int64), "right") - 1
        hit = place >= 0
        place = np.maximum(place, 0)
        age = (self.at - known.at[place]) / np.timedelta64(1, "h")
        hit &= (known.series[place] == partner) & (age <= hours)
        found[hit] = known.value[place[hit]]
        return found

    def counted(self, begin: Ids) -> Ids:
        """Return how many known values lie from `begin` up to each reading."""
        total = np.concatenate([[0], np.cumsum(~np.isnan(self.value))])
        return np.asarray(total[1:] - total[begin], np.int64)


@dataclass(frozen=True, slots=True)
class Runs:
    """Stretches of neighbouring readings that were flagged alike.

    Parameters
    ----------
    begin, end : int64 (n,)
        First and last reading of each.
    """

    begin: Ids
    end: Ids

    @classmethod
    def of(cls, strands: Strands, code: Ids, longest_break: float) -> Runs:
        """Return the stretches of one code other than 0, none across a break longer than so many hours [h]."""
        flagged = code != 0
        joined = flagged.copy()
        joined[1:] &= code[1:] == code[:-1]
        joined &= strands.follows & (np.nan_to_num(strands.hours, nan=np.inf) <= longest_break)
        begin = np.flatnonzero(flagged & ~joined)
        last = np.ones(len(code), np.bool_)
        last[:-1] = ~joined[1:]
        return cls(begin, np.flatnonzero(flagged & last))
