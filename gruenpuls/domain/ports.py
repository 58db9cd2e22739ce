"""What the rooms ask of stores, as protocols; any class that fits may stand behind them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from gruenpuls.domain.device import Device
from gruenpuls.domain.forecast import ForecastBatch
from gruenpuls.domain.reading import FlagInterval, Ids, ReadingBatch, Times, Values
from gruenpuls.domain.rollup import Rollup, Stretch
from gruenpuls.domain.series import SeriesKey
from gruenpuls.domain.uplink import DeadLetter, DeadLetterReason


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of journalled messages; the three add up to the messages taken from the journal."""

    decoded: int = 0
    dead_lettered: int = 0
    duplicates: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.decoded + other.decoded,
            self.dead_lettered + other.dead_lettered,
            self.duplicates + other.duplicates,
        )

    @property
    def total(self) -> int:
        """How many messages that is."""
        return self.decoded + self.dead_lettered + self.duplicates


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the journal has been turned into readings.

    Parameters
    ----------
    offset : int
        The first journal offset not yet worked off.
    tally : Tally
        Totals of everything before it.
    """

    offset: int = 0
    tally: Tally = Tally()


@dataclass(frozen=True, slots=True)
class Commit:
    """One transaction of the observation store.

    Parameters
    ----------
    readings : ReadingBatch
        A row whose (series, measured_at) is there already replaces it.
    retracted_series, retracted_at : int64 (n,), datetime64[ms] (n,)
        Rows to take away first: an earlier copy of an uplink moves its readings.
    progress : Progress or None
        Committed with the rows; None where nothing was read from the journal.
    """

    readings: ReadingBatch
    retracted_series: Ids = field(default_factory=lambda: np.empty(0, np.int64))
    retracted_at: Times = field(default_factory=lambda: np.empty(0, "datetime64[ms]"))
    progress: Progress | None = None


@dataclass(frozen=True, slots=True)
class Aggregates:
    """Readings summed up by series and step, as columns of equal length; steps without readings are absent.

    Parameters
    ----------
    series : int64 (n,)
    step : datetime64[ms] (n,)
        Start of the step, UTC.
    count : int64 (n,)
    mean, minimum, maximum, total, last : float64 (n,)
        In the unit of the series' quantity.
    """

    series: Ids
    step: Times
    count: Ids
    mean: Values
    minimum: Values
    maximum: Values
    total: Values
    last: Values

    def __len__(self) -> int:
        return len(self.series)


class FlagIntervals(Protocol):
    """Where later judgements on readings come from."""

    def flag_intervals(self, series: Collection[int], from_at: datetime, to_at: datetime) -> Sequence[FlagInterval]:
        """Return the judgements that touch these series in this span, oldest word first."""
        ...


class ObservationReader(Protocol):
    """Read access to readings; any number of processes at once.

    Every method gives effective flags (`gruenpuls.domain.reading.effective_flags`).
    """

    def progress(self) -> Progress:
        """Return how far the journal has been worked off."""
        ...

    def read(self, series: Collection[int], from_at: datetime, to_at: datetime) -> ReadingBatch:
        """Return the readings of a span, its end exclusive, sorted by series and time."""
        ...

    def latest(self, series: Collection[int], not_after: datetime) -> ReadingBatch:
        """Return each series' last reading that is not missing, at or before a moment."""
        ...

    def aggregate(self, series: Collection[int], from_at: datetime, to_at: datetime, step: timedelta) -> Aggregates:
        """Return readings summed up in steps counted from `from_at`; failed and missing ones do not count."""
        ...

    def hourly(self, stretches: Sequence[Stretch]) -> Rollup:
        """Return the readings of some stretches summed up by UTC hour; of an hour, what lies within its stretch."""
        ...

    def daily(self, stretches: Sequence[Stretch], zone: ZoneInfo) -> Rollup:
        """Return the readings of some stretches summed up by the calendar days of a zone."""
        ...

    def forecast(self, station: str, quantity: str, issued_not_after: datetime) -> ForecastBatch:
        """Return the newest forecast issued by a moment."""
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...


class ObservationStore(ObservationReader, Protocol):
    """Readings, unique by (series, measured_at); one writer."""

    def write(self, commit: Commit) -> None:
        """Commit rows and progress in one transaction; nothing of it stays if it fails.

        Raises
        ------
        StorageError
            If it could not be written; the same commit may be tried again.
        """
        ...

    def replace(self, series: Collection[int], from_at: datetime, to_at: datetime, readings: ReadingBatch) -> None:
        """Put `readings` in the place of everything these series hold in the span, in one transaction."""
        ...

    def write_forecast(self, batch: ForecastBatch) -> None:
        """Keep a forecast beside the readings; issued twice it is kept once."""
        ...

    def roll_up(self, until: datetime, zone: ZoneInfo, ends: Collection[int]) -> bool:
        """Keep hours and days that are over by a moment summed up; return whether there may be more to do.

        Whatever is kept, `hourly`, `daily` and `aggregate` tell what the readings tell.

        Parameters
        ----------
        until : datetime
        zone : ZoneInfo
            Whose days are kept.
        ends : collection of int
            Series whose readings tell of the interval that ends with them.
        """
        ...

    def compact(self) -> None:
        """Merge small files and drop what no reader needs any more."""
        ...


@dataclass(frozen=True, slots=True)
class Run:
    """What produced values: a profile or a processor, exactly which.

    Parameters
    ----------
    kind : str
        ``"profile"``, ``"processor"`` or ``"import"``.
    name, version : str
    digest : str
        SHA-256 of the profile file, or of the processor's settings.
    """

    kind: str
    name: str
    version: str
    digest: str


class DeviceTally(msgspec.Struct, frozen=True, gc=False):
    """What arrived of one device in a batch.

    Parameters
    ----------
    device, source : str
    tally : Tally
    last_uplink_at : datetime or None
        Aware UTC.
    heard : collection of (str, int)
        Gateways that heard it, an empty name for the source itself, and in which hours since 1970 UTC; each once.
    """

    device: str
    source: str
    tally: Tally
    last_uplink_at: datetime | None
    heard: Collection[tuple[str, int]] = ()


class IngestRegistry(Protocol):
    """What decoding asks of the registry; everything it writes may be written twice without harm."""

    def devices(self, keys: Collection[str]) -> Mapping[str, Device]:
        """Return the registered ones among these devices."""
        ...

    def series_ids(self, keys: Sequence[SeriesKey]) -> list[int]:
        """Return the id of each series, new ones made on the way."""
        ...

    def run_id(self, run: Run) -> int:
        """Return the id of a run, a new one made if need be."""
        ...

    def keep_dead_letters(self, letters: Sequence[DeadLetter]) -> None:
        """Keep these in the dead-letter index; a letter already there is replaced."""
        ...

    def drop_dead_letters(self, offsets: Collection[int]) -> None:
        """Take these out of the dead-letter index."""
        ...

    def dead_letters(self, offsets: Collection[int]) -> Mapping[int, DeadLetterReason]:
        """Return which of these messages are dead letters, and why."""
        ...

    def mark_dirty(self, earliest: Mapping[int, datetime]) -> None:
        """Mark what depends on these series for recomputation, each from its earliest touched moment."""
        ...

    def unsettled(self) -> AbstractContextManager[object]:
        """Return what is held from marking to writing: until then nobody takes what is dirty, and finds nothing new."""
        ...

    def noted(self) -> Progress:
        """Return up to where latest values and counters are kept."""
        ...

    def note(self, readings: ReadingBatch, tallies: Sequence[DeviceTally], progress: Progress) -> None:
        """Keep latest values and counters up to `progress`; what was noted before is skipped.

        The offset noted last with other totals is news: dead letters were decoded again. Tallies may be
        negative, where a dead letter became a reading.
        """
        ...

    def latest_moments(self, series: Collection[int]) -> Mapping[int, datetime]:
        """Return when the latest value kept of each series was measured; nothing for those without one."""
        ...

    def replace_latest(self, series: Collection[int], readings: ReadingBatch) -> None:
        """Forget the latest values of these series, and keep these readings where nothing newer is kept."""
        ...


@dataclass(frozen=True, slots=True)
class DirtySpan:
    """A site whose past changed from a day on; `version` tells whether it changed again meanwhile."""

    site: str
    from_day: date
    version: int
