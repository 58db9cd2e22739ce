"""The last value of each series, kept so that nobody has to look through the store for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
import sqlalchemy as sa

from gruenpuls.domain.incident import Modelled
from gruenpuls.domain.reading import Flag, ReadingBatch, effective_flags, from_stored
from gruenpuls.stores.registry import schema
from gruenpuls.stores.registry.connection import Database, among, execute_many, upsert
from gruenpuls.stores.registry.judgements import touching

_ROWS_AT_ONCE: Final = 5120
_INSTANT = timedelta(milliseconds=1)
_PERCENTILES: Final = ("p10", "p50", "p90")
_MIDDLE: Final = "p50"
_COLUMNS = ("series_id", "measured_at", "value", "flag", "run_id")


@dataclass(frozen=True, slots=True)
class Latest:
    """The last value of each series that is not missing; last is measured last, not arrived last."""

    database: Database

    def of(self, series: Collection[int]) -> ReadingBatch:
        """Return the last values of these series with their effective flags, sorted by series."""
        table = schema.latest.c
        columns = (table.series_id, table.measured_at, table.value, table.flag, table.run_id)
        with self.database.reading() as connection:
            mine = among(connection, table.series_id, sorted(set(series)))
            found = connection.execute(sa.select(*columns).where(mine).order_by(table.series_id))
            parts = [ReadingBatch.of(*zip(*rows, strict=True)) for rows in found.partitions(_ROWS_AT_ONCE)]
            if not parts:
                return ReadingBatch.empty()
            batch = ReadingBatch.joined(parts)
            span = from_stored(batch.measured_at.min()), from_stored(batch.measured_at.max()) + _INSTANT
            intervals = touching(connection, batch.series.tolist(), *span)
        flags = effective_flags(batch, intervals)
        return ReadingBatch(batch.series, batch.measured_at, batch.value, flags, batch.run)

    def water_balance(self, sites: Collection[str]) -> Mapping[str, Modelled]:
        """Return what the water balance said last of these sites, by key; those it says nothing of are left out."""
        series, table, site = schema.series.c, schema.latest.c, schema.site.c
        query = (
            sa.select(site.key, series.statistic, table.measured_at, table.value)
            .select_from(schema.latest.join(schema.series).join(schema.site, series.site_id == site.id))
            .where(series.quantity == "plant_available_water", series.statistic.in_(_PERCENTILES))
        )
        found: dict[str, dict[str, tuple[datetime, float]]] = {}
        with self.database.reading() as connection:
            for row in connection.execute(query.where(among(connection, site.key, sorted(set(sites))))):
                found.setdefault(row.key, {})[row.statistic] = row.measured_at, row.value
        return {
            key: Modelled(told[_MIDDLE][0], *(told[name][1] for name in _PERCENTILES))
            for key, told in found.items()
            if len({told[name][0] for name in _PERCENTILES if name in told}) == 1 and len(told) == len(_PERCENTILES)
        }

    def keep(self, readings: ReadingBatch) -> None:
        """Keep what is newer than, or as new as, what is kept."""
        with self.database.writing() as connection:
            keep_latest(connection, readings)

    def replace(self, series: Collection[int], readings: ReadingBatch) -> None:
        """Forget what is kept of these series and keep these readings: after re-decoding or recomputing."""
        with self.database.writing() as connection:
            replace_kept(connection, series, readings)


def replace_kept(connection: sa.Connection, series: Collection[int], readings: ReadingBatch) -> None:
    """Forget what is kept of these series and keep these readings, in an open transaction."""
    forgotten = among(connection, schema.latest.c.series_id, sorted(set(series)))
    connection.execute(sa.delete(schema.latest).where(forgotten))
    keep_latest(connection, readings)


def keep_latest(connection: sa.Connection, readings: ReadingBatch) -> None:
    """Keep each series' newest value that is not missing, in an open transaction."""
    present = readings.where(readings.flag != Flag.MISSING).ordered()
    if not len(present):
        return
    newest = present.where(np.append(present.series[1:] != present.series[:-1], [True]))
    table = schema.latest
    insert = upsert(connection, table)
    statement = insert.on_conflict_do_update(
        index_elements=["series_id"],
        set_={name: insert.excluded[name] for name in _COLUMNS if name != "series_id"},
        where=table.c.measured_at <= insert.excluded.measured_at,
    )
    for start in range(0, len(newest), _ROWS_AT_ONCE):
        some = newest.where(np.arange(start, min(start + _ROWS_AT_ONCE, len(newest))))
        execute_many(connection, statement, _COLUMNS, _rows(connection, some))


def _rows(connection: sa.Connection, readings: ReadingBatch) -> list[tuple[Any, ...]]:
    # All series of a device have one moment, and writing one takes longer than finding out.
    distinct, places = np.unique(readings.measured_at.astype("datetime64[us]"), return_inverse=True)
    if connection.dialect.name == "sqlite":
        moments = np.char.replace(np.datetime_as_string(distinct), "T", " ").astype(object)
    else:
        moments = np.array([moment.replace(tzinfo=UTC) for moment in distinct.tolist()], object)
    columns = (readings.value.tolist(), readings.flag.tolist(), readings.run.tolist())
    return list(zip(readings.series.tolist(), moments[places].tolist(), *columns, strict=True))
