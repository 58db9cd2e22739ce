"""Writing an InfluxDB: rows first, then how far they go."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.errors import StorageError
from gruenpuls.domain.forecast import ForecastBatch
from gruenpuls.domain.ports import Commit, FlagIntervals
from gruenpuls.domain.reading import ReadingBatch, to_stored
from gruenpuls.stores.influxdb.capabilities import Capabilities
from gruenpuls.stores.influxdb.connection import SHOW_DATABASES, AbsentError, Connection, LinesRefusedError
from gruenpuls.stores.influxdb.lines import (
    checked,
    forecast_lines,
    gone_lines,
    milliseconds,
    progress_line,
    reading_lines,
    refused_lines,
    retracted,
)
from gruenpuls.stores.influxdb.parts import parts
from gruenpuls.stores.influxdb.reader import InfluxReader
from gruenpuls.stores.influxdb.refusal import refusals

_LINES: Final = 5_000
"""So many points go in one request."""
_STATEMENTS: Final = 200
"""So many deletions go in one request."""
_FIELDS: Final = {"value": "float", "flag": "integer", "run": "integer"}

_log = logging.getLogger(__name__)

Span = tuple[int, int, int]
"""A series, and the first and the last moment of what is taken away [ms]."""


class InfluxStore(InfluxReader):
    """Reads and writes readings in an InfluxDB; one writer. Safe to share between threads.

    Parameters
    ----------
    connection : Connection
    flag_intervals : FlagIntervals
    capabilities : Capabilities or None
        What may be asked of the server; None goes by its version.
    when_closed : callable or None
        Called once the store is closed; lets the next writer in.
    """

    def __init__(
        self,
        connection: Connection,
        flag_intervals: FlagIntervals,
        capabilities: Capabilities | None = None,
        when_closed: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(connection, flag_intervals, capabilities)
        self._when_closed = when_closed
        self._turn = threading.Lock()
        self._prepared = False

    def close(self) -> None:
        """Let go of connections, and let the next writer in."""
        super().close()
        if self._when_closed is not None:
            self._when_closed()

    def prepare(self) -> None:
        """Make the database if need be, and look at what it holds.

        Raises
        ------
        UnavailableError
            If the server does not answer or let us in.
        StorageError
            If the database cannot be made, or holds something else under our names.
        """
        with self._turn:
            self._prepare()

    def write(self, commit: Commit) -> None:
        """Write rows, then progress. If it fails some rows may stay, progress does not.

        Rows the server does not take, for a foreign value's type or an infinite one, are kept in ``refused``.

        Raises
        ------
        ValueError
            If a flag is none of QARTOD's.
        UnavailableError, StorageError
            If it could not be written; the same commit may be tried again.
        """
        readings = checked(commit.readings)
        series, at = retracted(commit)
        spans = [(one, moment, moment) for one, moment in zip(series.tolist(), milliseconds(at), strict=True)]
        with self._turn:
            self._prepare()
            self._take_away(spans, partial(gone_lines, series, at))
            self._put(readings)
            if commit.progress is not None:
                self._write_all([progress_line(commit.progress)])

    def replace(self, series: Collection[int], from_at: datetime, to_at: datetime, readings: ReadingBatch) -> None:
        """Put `readings` in the place of everything these series hold in the span.

        What is the same already is not written again. If it fails, some of it may have been replaced.

        Raises
        ------
        ValueError
            If a reading lies outside the series or the span, or a flag is none of QARTOD's.
        UnavailableError, StorageError
            If it could not be written; the same may be tried again.
        """
        start, end = to_stored(from_at), to_stored(to_at)
        outside = ~np.isin(readings.series, np.fromiter(series, np.int64, len(series)))
        outside |= (readings.measured_at < start) | (readings.measured_at >= end)
        if outside.any():
            message = f"{outside.sum()} of {len(readings)} readings lie outside what they replace"
            raise ValueError(message)
        fresh = checked(readings)
        with self._turn:
            self._prepare()
            held = self._stored(series, int(start.astype(np.int64)), int(end.astype(np.int64)))
            gone = held.where(~np.isin(_keys(held), _keys(fresh)))
            self._put(fresh.where(~np.isin(_contents(fresh), _contents(held))))
            self._take_away(_spans(gone, fresh), partial(gone_lines, gone.series, gone.measured_at))

    def write_forecast(self, batch: ForecastBatch) -> None:
        """Keep a forecast beside the readings; issued twice it is kept once.

        Raises
        ------
        UnavailableError, StorageError
            If it could not be written.
        """
        with self._turn:
            self._prepare()
            self._write_all(forecast_lines(batch))

    def roll_up(self, until: datetime, zone: ZoneInfo, ends: Collection[int]) -> bool:
        """Keep nothing: readings are summed up when they are asked for; there is never more to do."""
        del until, zone, ends
        return False

    def compact(self) -> None:
        """Do nothing: the server merges its files by itself."""

    def _prepare(self) -> None:
        if self._prepared:
            return
        database = self._connection.address.database
        if self.capabilities.needs_create_db:
            known = {row[0] for table in self._connection.asked(SHOW_DATABASES) for row in table.values}
            if database not in known:
                escaped = database.replace("\\", "\\\\").replace('"', '\\"')
                self._connection.asked(f'CREATE DATABASE "{escaped}"')
        fields: dict[str, set[str]] = {}
        for table in self._connection.asked("SHOW FIELD KEYS FROM reading"):
            for name, kind in table.values:
                fields.setdefault(name, set()).add(kind)
        foreign = [name for name, kind in _FIELDS.items() if fields.get(name, {kind}).isdisjoint({kind})]
        if foreign:
            what = f"it holds measurements `reading` of another kind: {', '.join(foreign)}"
            raise StorageError(what, where=self._connection.place, remedy="choose a database of its own")
        self._prepared = True

    def _put(self, readings: ReadingBatch) -> None:
        """Write readings, and keep aside those the server does not take."""
        for place, lines in enumerate(parts(reading_lines(readings), _LINES)):
            refused = refusals(lines, self._written)
            if not refused:
                continue
            rows = readings.where(place * _LINES + np.array(list(refused), np.int64))
            self._write_all(refused_lines(rows, list(refused.values())))
            for series, at, reason in zip(rows.series.tolist(), rows.measured_at, refused.values(), strict=True):
                _log.warning("InfluxDB does not take the reading of series %d at %sZ: %s", series, at, reason)

    def _take_away(self, spans: Sequence[Span], marks: Callable[[], list[str]]) -> None:
        """Delete what lies in these spans, or mark it as gone where the server cannot delete."""
        if not spans:
            return
        if not self.capabilities.can_delete:
            self._write_all(marks())
            return
        for part in parts(spans, _STATEMENTS):
            self._connection.asked(
                ";".join(
                    f"DELETE FROM reading WHERE series_id = '{series}' AND time >= {first}ms AND time <= {last}ms"  # noqa: S608 - integers
                    for series, first, last in part
                )
            )

    def _write_all(self, lines: Sequence[str]) -> None:
        """Write lines of which none may be refused."""
        for part in parts(lines, _LINES):
            try:
                self._written(part)
            except LinesRefusedError as error:
                what = f"InfluxDB does not take what must be kept: {error}"
                raise StorageError(what, where=self._connection.place, remedy="choose a database of its own") from error

    def _written(self, lines: Sequence[str]) -> None:
        try:
            self._connection.write(lines)
        except AbsentError:
            self._prepared = False
            raise


def _keys(readings: ReadingBatch) -> NDArray[Any]:
    return np.rec.fromarrays([readings.series, readings.measured_at.astype(np.int64)])


def _contents(readings: ReadingBatch) -> NDArray[Any]:
    value = readings.value.view(np.int64)
    return np.rec.fromarrays(
        [readings.series, readings.measured_at.astype(np.int64), value, readings.flag, readings.run]
    )


def _spans(gone: ReadingBatch, kept: ReadingBatch) -> list[Span]:
    """Return spans that hold all of what is gone and nothing of what is kept."""
    return list(_merged(gone, kept))


def _merged(gone: ReadingBatch, kept: ReadingBatch) -> Iterator[Span]:
    together = ReadingBatch.joined([gone, kept])
    order = np.lexsort((together.measured_at, together.series))
    is_gone = (np.arange(len(together)) < len(gone))[order]
    open_span: Span | None = None
    for series, at, leaves in zip(
        together.series[order].tolist(), milliseconds(together.measured_at[order]), is_gone.tolist(), strict=True
    ):
        if open_span and (not leaves or open_span[0] != series):
            yield open_span
            open_span = None
        if leaves:
            open_span = (series, open_span[1] if open_span else at, at)
    if open_span:
        yield open_span
