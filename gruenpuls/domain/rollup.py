"""Readings summed up by hour and by day, and how complete that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.reading import Flag, Ids, ReadingBatch, Times, Values, from_stored, to_stored

HOUR: Final = np.timedelta64(3_600_000, "ms")
INSTANT: Final = np.timedelta64(1, "ms")


@dataclass(frozen=True, slots=True)
class Stretch:
    """A span of a series.

    Parameters
    ----------
    series : int
    from_at, to_at : datetime
        Aware UTC; the end is exclusive.
    ends : bool
        Whether a reading tells of the interval that ends with it, as sums do that came so: that of a full
        hour then belongs to the hour before.
    """

    series: int
    from_at: datetime
    to_at: datetime
    ends: bool = False


@dataclass(frozen=True, slots=True)
class Rollup:
    """Readings summed up by series and step, as columns of equal length, sorted by both.

    A step with no reading, or only missing ones, is absent; one with only failed ones has a count of 0.

    Parameters
    ----------
    series : int64 (n,)
    step : datetime64[ms] (n,)
        When the hour or day begins, UTC.
    count : int64 (n,)
        Readings that count: neither failed nor missing.
    failed : int64 (n,)
        Readings flagged fail, which nothing else here counts.
    total, minimum, maximum, last : float64 (n,)
        [unit of the quantity]; NaN where the count is 0.
    minimum_at, maximum_at : datetime64[ms] (n,)
        When the extremes were measured first, UTC; NaT where the count is 0.
    """

    series: Ids
    step: Times
    count: Ids
    failed: Ids
    total: Values
    minimum: Values
    maximum: Values
    last: Values
    minimum_at: Times
    maximum_at: Times

    def __len__(self) -> int:
        return len(self.series)

    @property
    def mean(self) -> Values:
        """Mean of what counts [unit of the quantity]; NaN where nothing does."""
        mean: Values = self.total / np.where(self.count > 0, self.count, 1)
        return mean

    @classmethod
    def joined(cls, parts: Sequence[Rollup]) -> Self:
        """Return several as one, sorted by series and step."""
        if not parts:
            parts = [rolled_up(ReadingBatch.empty(), np.empty(0, np.bool_))]
        columns = [np.concatenate([getattr(part, it.name) for part in parts]) for it in fields(cls)]
        order = np.lexsort((columns[1], columns[0]))
        return cls(*(column[order] for column in columns))

    def where(self, mask: NDArray[np.bool_] | NDArray[np.int64]) -> Rollup:
        """Return the rows chosen by a mask or by indices."""
        return Rollup(*(getattr(self, it.name)[mask] for it in fields(self)))

    def by(self, step: Times) -> Rollup:
        """Return it summed up further: rows of one series that are given the same step become one.

        Parameters
        ----------
        step : datetime64[ms] (n,)
            Ascending within a series.
        """
        if not len(self):
            return self
        starts = _starts(self.series, step)
        group = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(self))))
        known = self.count > 0
        low, low_at = _extreme(self.minimum, self.minimum_at, known, group, starts, np.fmin)
        high, high_at = _extreme(self.maximum, self.maximum_at, known, group, starts, np.fmax)
        return Rollup(
            self.series[starts],
            step[starts],
            np.add.reduceat(self.count, starts),
            np.add.reduceat(self.failed, starts),
            _total(self.total, known, starts),
            low,
            high,
            _last(self.last, known, group, len(starts)),
            low_at,
            high_at,
        )

    def by_day(self, zone: tzinfo) -> Rollup:
        """Return hours summed up by the calendar days in which they begin."""
        if not len(self):
            return self
        edges = day_edges(self.step.min(), self.step.max(), zone)
        return self.by(edges[np.searchsorted(edges, self.step, "right") - 1])


def rolled_up_within(readings: ReadingBatch, stretches: Sequence[Stretch]) -> Rollup:
    """Return what lies within some stretches summed up by UTC hour.

    Parameters
    ----------
    readings : ReadingBatch
        With effective flags, sorted by series and time.
    stretches : sequence of Stretch
        No two of one series overlap.
    """
    places: list[Ids] = [np.empty(0, np.int64)]
    late: list[NDArray[np.bool_]] = [np.empty(0, np.bool_)]
    for it in sorted(stretches, key=lambda it: (it.series, it.from_at)):
        first, last = np.searchsorted(readings.series, [it.series, it.series + 1])
        span = np.array([to_stored(it.from_at), to_stored(it.to_at)])
        begin, end = first + np.searchsorted(readings.measured_at[first:last], span)
        places.append(np.arange(begin, end))
        late.append(np.full(max(end - begin, 0), it.ends))
    return rolled_up(readings.where(np.concatenate(places)), np.concatenate(late))


def rolled_up(readings: ReadingBatch, ends: NDArray[np.bool_]) -> Rollup:
    """Return readings summed up by UTC hour.

    Parameters
    ----------
    readings : ReadingBatch
        With effective flags, sorted by series and time.
    ends : bool (n,)
        Which of them belong to the interval that ends with them.
    """
    present = readings.flag != Flag.MISSING
    rows, late = readings.where(present), ends[present]
    hour = (rows.measured_at - late * INSTANT).astype("datetime64[h]").astype("datetime64[ms]")
    counts = rows.flag != Flag.FAIL
    value = np.where(counts, rows.value, np.nan)
    every = Rollup(
        rows.series,
        hour,
        counts.astype(np.int64),
        (~counts).astype(np.int64),
        value,
        value,
        value,
        value,
        rows.measured_at,
        rows.measured_at,
    )
    return every.by(hour)


def day_edges(first: np.datetime64, last: np.datetime64, zone: tzinfo) -> Times:
    """Return when the days of a zone begin, from that of `first` to the one after that of `last`.

    A day is made of the UTC hours that begin in it: in zones that are not whole hours off UTC it begins with
    the first of them.
    """
    begin, end = (from_stored(moment).astimezone(zone).date() for moment in (first, last + HOUR))
    days = [begin + timedelta(days=number) for number in range(-1, (end - begin).days + 2)]
    midnights = np.array(
        [datetime.combine(day, time(), zone).astimezone(UTC).replace(tzinfo=None) for day in days], "datetime64[ms]"
    )
    edges = (-(-midnights.astype(np.int64) // 3_600_000) * 3_600_000).astype("datetime64[ms]")
    return edges[int(np.searchsorted(edges, first, "right")) - 1 : int(np.searchsorted(edges, last, "right")) + 1]


def completeness(rollup: Rollup, lasts: NDArray[np.timedelta64], interval: timedelta | None) -> Values | None:
    """Return which share of the readings expected of each step there is.

    Parameters
    ----------
    rollup : Rollup
    lasts : timedelta64 (n,)
        How long each step lasts.
    interval : timedelta or None
        How often the series is expected to have a reading.

    Returns
    -------
    float64 (n,) or None
        [0 to 1]; None where nobody knows how much to expect.
    """
    if interval is None:
        return None
    expected = lasts.astype("timedelta64[ms]").astype(np.float64) / (interval / timedelta(milliseconds=1))
    share: Values = np.minimum(rollup.count / np.maximum(expected, 1.0), 1.0)
    return share


def _starts(series: Ids, step: Times) -> Ids:
    """Return where each group of rows of one series and step begins."""
    first = np.ones(len(series), np.bool_)
    first[1:] = (series[1:] != series[:-1]) | (step[1:] != step[:-1])
    return np.flatnonzero(first)


def _total(total: Values, known: NDArray[np.bool_], starts: Ids) -> Values:
    summed = np.add.reduceat(np.where(known, total, 0.0), starts)
    any_known = np.add.reduceat(known.astype(np.int64), starts) > 0
    return np.where(any_known, summed, np.nan)


def _extreme(
    value: Values, at: Times, known: NDArray[np.bool_], group: Ids, starts: Ids, extreme: np.ufunc
) -> tuple[Values, Times]:
    """Return each group's extreme, and when it was reached first."""
    found: Values = extreme.reduceat(value, starts)
    place = np.flatnonzero(known & (value == found[group]))
    reached, first = np.unique(group[place], return_index=True)
    reached_at = np.full(len(starts), np.datetime64("NaT"), "datetime64[ms]")
    reached_at[reached] = at[place[first]]
    return found, reached_at


def _last(value: Values, known: NDArray[np.bool_], group: Ids, groups: int) -> Values:
    last = np.full(groups, np.nan)
    # Of several values for one place the last one stays.
    last[group[known]] = value[known]
    return last
