"""Moving history from one observation store to another, month by month, compared and read back.

What is done already is seen by comparing both stores, so a copy that was cut short goes on where it was,
and one of a store that has changed since takes over what changed. Forecasts are not copied: they are
fetched anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Protocol

import numpy as np

from gruenpuls.domain.errors import InputError, StorageError
from gruenpuls.domain.ports import Commit, ObservationReader, ObservationStore, Progress
from gruenpuls.domain.reading import FlagInterval, ReadingBatch

TOGETHER: Final = 100
"""So many series are compared at once."""
_NAMED: Final = 5


class HistoryReader(ObservationReader, Protocol):
    """A store that also tells what it holds."""

    def series(self) -> list[int]:
        """Return the series that hold readings, in order."""
        ...

    def extent(self) -> tuple[datetime, datetime] | None:
        """Return the moments of the first and the last reading; None where there is none."""
        ...


class Unjudged:
    """No judgements: readings come with the flags of their arrival, which is what a copy must take."""

    def flag_intervals(self, series: Collection[int], from_at: datetime, to_at: datetime) -> Sequence[FlagInterval]:
        """Return nothing, whatever is asked."""
        del series, from_at, to_at
        return ()


@dataclass(slots=True)
class CopySummary:
    """What a copy found and did; a part is one month of one series.

    Parameters
    ----------
    series : int
    parts, rows : int
        What the source holds.
    copied_parts, copied_rows : int
        What the target did not hold in the same way; in a dry run, what would be copied.
    checksum : str
        Of everything in the source, and where the copy ended well, in the target (SHA-256).
    progress : Progress
        How far the source has worked the journal off.
    """

    series: int = 0
    parts: int = 0
    rows: int = 0
    copied_parts: int = 0
    copied_rows: int = 0
    checksum: str = ""
    progress: Progress = field(default_factory=Progress)


def copy_history(
    source: HistoryReader,
    target: ObservationStore,
    *,
    dry_run: bool,
    watch: Callable[[int, int], None] = lambda _done, _total: None,
    together: int = TOGETHER,
) -> CopySummary:
    """Make the target hold what the source holds of every series, then its progress.

    Parameters
    ----------
    source : HistoryReader
        Must not change meanwhile.
    target : ObservationStore
        Series the source does not have, and months before and after its readings, are left alone.
    dry_run : bool
        Compare, and write nothing.
    watch : callable
        Told how many of how many portions are done.
    together : int
        So many series are compared at once.

    Raises
    ------
    InputError
        If the target has worked off more of the journal than the source.
    StorageError
        If something could not be read or written, or reads back otherwise than it was written.
    """
    summary = CopySummary(progress=source.progress())
    ahead = target.progress().offset - summary.progress.offset
    if ahead > 0:
        what = f"the target is ahead of the source by {ahead} messages of the journal"
        raise InputError(what, remedy="copy the other way round, or into an empty store")
    series = source.series()
    months = list(_months(source.extent()))
    groups = [series[start : start + together] for start in range(0, len(series), together)]
    summary.series = len(series)
    checksum = hashlib.sha256()
    for number, (month, group) in enumerate((month, group) for month in months for group in groups):
        for digest in _copied(source, target, group, month, summary, dry_run=dry_run):
            checksum.update(digest)
        watch(number + 1, len(months) * len(groups))
    summary.checksum = checksum.hexdigest()
    if not dry_run and target.progress() != summary.progress:
        target.write(Commit(ReadingBatch.empty(), progress=summary.progress))
    return summary


def _copied(
    source: HistoryReader,
    target: ObservationStore,
    group: Sequence[int],
    month: tuple[datetime, datetime],
    summary: CopySummary,
    *,
    dry_run: bool,
) -> list[bytes]:
    """Copy a month of some series where it differs; return the checksums of what there is."""
    readings = source.read(group, *month)
    wanted, held = _parts(readings), _parts(target.read(group, *month))
    differing = sorted(series for series in wanted.keys() | held.keys() if wanted.get(series) != held.get(series))
    chosen = readings.where(np.isin(readings.series, differing))
    summary.parts += len(wanted)
    summary.rows += len(readings)
    summary.copied_parts += len(differing)
    summary.copied_rows += len(chosen)
    if differing and not dry_run:
        target.replace(differing, *month, chosen)
        back = _parts(target.read(differing, *month))
        wrong = [series for series in differing if back.get(series) != wanted.get(series)]
        if wrong:
            named = ", ".join(
                f"{series} ({wanted.get(series, _NOTHING)[0]} written, {back.get(series, _NOTHING)[0]} read)"
                for series in wrong[:_NAMED]
            )
            what = f"{month[0]:%Y-%m} of {len(wrong)} series reads back otherwise than it was written: {named}"
            remedy = "see the log for readings the target does not take; the same copy may be started again"
            raise StorageError(what, where="target", remedy=remedy)
    return [digest for _, (_, digest) in sorted(wanted.items())]


_NOTHING: Final = (0, b"")


def _parts(readings: ReadingBatch) -> dict[int, tuple[int, bytes]]:
    """Return each series' number of rows, and a checksum over them."""
    found: dict[int, tuple[int, bytes]] = {}
    edges = np.flatnonzero(np.diff(readings.series)) + 1
    for rows in np.split(np.arange(len(readings)), edges):
        if not len(rows):
            continue
        part = readings.where(rows)
        # Adding 0 makes one zero of two; NaN is NaN exactly where the flag says so.
        value = np.where(np.isnan(part.value), np.nan, part.value + 0.0)
        columns = (part.series, part.measured_at, value, part.flag, part.run)
        digest = hashlib.sha256(b"".join(np.ascontiguousarray(column).tobytes() for column in columns)).digest()
        found[int(part.series[0])] = len(part), digest
    return found


def _months(extent: tuple[datetime, datetime] | None) -> Iterator[tuple[datetime, datetime]]:
    """Yield the months (UTC) a span touches, from beginning to beginning."""
    if extent is None:
        return
    first, last = extent
    start = datetime(first.year, first.month, 1, tzinfo=UTC)
    while start <= last:
        following = datetime(start.year + start.month // 12, start.month % 12 + 1, 1, tzinfo=UTC)
        yield start, following
        start = following
