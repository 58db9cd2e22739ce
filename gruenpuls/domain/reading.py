"""Readings: in bulk they are columns, never a list of objects."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

Ids = NDArray[np.int64]
Times = NDArray[np.datetime64]
"""UTC, `datetime64[ms]`, without a zone."""
Values = NDArray[np.float64]
Flags = NDArray[np.uint8]


class Flag(IntEnum):
    """QARTOD quality flags (U.S. IOOS, Manual for Real-Time Oceanographic Data Quality Control Flags, 2020)."""

    GOOD = 1
    NOT_EVALUATED = 2
    SUSPECT = 3
    FAIL = 4
    MISSING = 9


def to_stored(moment: datetime) -> np.datetime64:
    """Return an aware moment as the stored form, UTC milliseconds without a zone.

    Raises
    ------
    ValueError
        If the moment is naive: nobody could say which hour is meant.
    """
    if moment.tzinfo is None:
        message = f"a moment needs its zone: {moment!r}"
        raise ValueError(message)
    return np.datetime64(moment.astimezone(UTC).replace(tzinfo=None), "ms")


def from_stored(moment: np.datetime64) -> datetime:
    """Return a stored moment as an aware UTC datetime."""
    naive: datetime = moment.astype("datetime64[ms]").astype(datetime)
    return naive.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ReadingBatch:
    """Readings as columns of equal length.

    Parameters
    ----------
    series : int64 (n,)
        Series ids of the registry.
    measured_at : datetime64[ms] (n,)
        When it was measured, UTC.
    value : float64 (n,)
        In the unit of the series' quantity; NaN exactly where `flag` is `MISSING`.
    flag : uint8 (n,)
        What could be judged on arrival, see `Flag`.
    run : int64 (n,)
        Registry row that says what produced the value.
    """

    series: Ids
    measured_at: Times
    value: Values
    flag: Flags
    run: Ids

    def __post_init__(self) -> None:
        lengths = {len(self.series), len(self.measured_at), len(self.value), len(self.flag), len(self.run)}
        if len(lengths) != 1:
            message = f"columns of a reading batch differ in length: {sorted(lengths)}"
            raise ValueError(message)

    def __len__(self) -> int:
        return len(self.series)

    @classmethod
    def empty(cls) -> Self:
        """Return a batch of no readings."""
        return cls.of([], [], [], [], [])

    @classmethod
    def of(
        cls,
        series: Sequence[int],
        measured_at: Sequence[datetime] | Times,
        value: Sequence[float] | Values,
        flag: Sequence[int] | Flags,
        run: Sequence[int] | Ids,
    ) -> Self:
        """Return a batch from plain sequences; moments must be aware."""
        times = (
            measured_at.astype("datetime64[ms]")
            if isinstance(measured_at, np.ndarray)
            else np.array([to_stored(moment) for moment in measured_at], dtype="datetime64[ms]")
        )
        return cls(
            np.asarray(series, np.int64),
            times,
            np.asarray(value, np.float64),
            np.asarray(flag, np.uint8),
            np.asarray(run, np.int64),
        )

    @classmethod
    def joined(cls, batches: Sequence[ReadingBatch]) -> Self:
        """Return the batches one after the other as one."""
        if not batches:
            return cls.empty()
        return cls(
            np.concatenate([batch.series for batch in batches]),
            np.concatenate([batch.measured_at for batch in batches]),
            np.concatenate([batch.value for batch in batches]),
            np.concatenate([batch.flag for batch in batches]),
            np.concatenate([batch.run for batch in batches]),
        )

    def where(self, mask: NDArray[np.bool_] | NDArray[np.int64]) -> ReadingBatch:
        """Return the rows chosen by a mask or by indices."""
        return ReadingBatch(
            self.series[mask], self.measured_at[mask], self.value[mask], self.flag[mask], self.run[mask]
        )

    def ordered(self) -> ReadingBatch:
        """Return the rows sorted by series and time."""
        return self.where(key_order(self.series, self.measured_at))


def key_order(series: Ids, measured_at: Times) -> NDArray[np.int64]:
    """Return the order that sorts keys by series and time; equal ones stay as they are."""
    climbs = series[1:] > series[:-1]
    climbs |= (series[1:] == series[:-1]) & (measured_at[1:] >= measured_at[:-1])
    # What decoding commits is sorted, and seeing that takes a tenth of sorting it once more.
    return np.arange(len(series)) if climbs.all() else np.lexsort((measured_at, series))


@dataclass(frozen=True, slots=True)
class FlagInterval:
    """A later judgement on a span of a series: by a quality test, or by a person, whose word counts most.

    Parameters
    ----------
    series : int
    from_at, to_at : datetime
        Aware UTC; the end is exclusive.
    test : str
        Name of the quality test, or ``"override"`` for a person's word.
    flag : Flag
    author, reason : str
    """

    series: int
    from_at: datetime
    to_at: datetime
    test: str
    flag: Flag
    author: str
    reason: str

    OVERRIDE = "override"

    @property
    def by_person(self) -> bool:
        """Whether a person said so."""
        return self.test == self.OVERRIDE


_BADNESS = np.zeros(256, np.uint8)
_BADNESS[[Flag.NOT_EVALUATED, Flag.GOOD, Flag.SUSPECT, Flag.FAIL, Flag.MISSING]] = [0, 1, 2, 3, 4]


def effective_flags(batch: ReadingBatch, intervals: Sequence[FlagInterval]) -> Flags:
    """Return the flag that counts for each reading: a person's where there is one, otherwise the worst.

    Among several people's words on the same moment the last in `intervals` counts. A missing value
    stays missing whatever anybody says.

    Returns
    -------
    uint8 (n,)
    """
    flags = batch.flag.copy()
    if not len(batch) or not intervals:
        return flags
    order = np.lexsort((batch.measured_at, batch.series))
    series, measured_at = batch.series[order], batch.measured_at[order]
    told = np.array([interval.series for interval in intervals], np.int64)
    begins, ends = np.searchsorted(series, told, "left"), np.searchsorted(series, told, "right")
    for by_person in (False, True):
        for interval, begin, end in zip(intervals, begins.tolist(), ends.tolist(), strict=True):
            if begin == end or interval.by_person is not by_person:
                continue
            edges = to_stored(interval.from_at), to_stored(interval.to_at)
            low, high = (begin + measured_at[begin:end].searchsorted(edge) for edge in edges)
            hit = order[low:high]
            hit = hit[batch.flag[hit] != Flag.MISSING]
            if not by_person:
                hit = hit[_BADNESS[flags[hit]] < _BADNESS[interval.flag]]
            flags[hit] = interval.flag
    return flags
