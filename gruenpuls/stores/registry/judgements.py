"""Later judgements on readings: by quality tests, and by people, whose word counts most."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from gruenpuls.domain.errors import InputError
from gruenpuls.domain.reading import Flag, FlagInterval
from gruenpuls.stores.registry import schema
from gruenpuls.stores.registry.audit import record
from gruenpuls.stores.registry.connection import Database, portions
from gruenpuls.stores.registry.dirty import mark_series


@dataclass(frozen=True, slots=True)
class KeptInterval:
    """A judgement with the number it is withdrawn by."""

    number: int
    interval: FlagInterval


@dataclass(frozen=True, slots=True)
class Judgements:
    """Spans of series and what was said about them (`gruenpuls.domain.ports.FlagIntervals`)."""

    database: Database

    def flag_intervals(self, series: Collection[int], from_at: datetime, to_at: datetime) -> Sequence[FlagInterval]:
        """Return the judgements that touch these series in this span, oldest word first."""
        with self.database.reading() as connection:
            return touching(connection, series, from_at, to_at)

    def of_series(self, series: int) -> Sequence[KeptInterval]:
        """Return all that was said about a series, oldest word first."""
        query = sa.select(schema.flag_interval).where(schema.flag_interval.c.series_id == series)
        with self.database.reading() as connection:
            rows = connection.execute(query.order_by(schema.flag_interval.c.id))
            return [KeptInterval(row.id, _interval(row)) for row in rows]

    def override(
        self, series: int, from_at: datetime, to_at: datetime, flag: Flag, *, actor: str, reason: str
    ) -> FlagInterval:
        """Keep a person's word on a span; what depended on it becomes dirty.

        Raises
        ------
        InputError
            If the series is unknown, the span is empty, no reason is given, or the flag says missing.
        """
        if not reason.strip():
            raise InputError(what="an override needs a reason", where=f"series {series}")
        if flag is Flag.MISSING:
            raise InputError(what="a value that is there cannot be called missing", where=f"series {series}")
        if to_at <= from_at:
            raise InputError(what="the span would end before it begins", where=f"series {series}")
        interval = FlagInterval(series, from_at, to_at, FlagInterval.OVERRIDE, flag, actor, reason.strip())
        with self.database.writing() as connection:
            known = sa.select(schema.series.c.id).where(schema.series.c.id == series)
            if connection.execute(known).scalar_one_or_none() is None:
                raise InputError(what="there is no such series", where=f"series {series}")
            connection.execute(
                sa.insert(schema.flag_interval).values(
                    series_id=series,
                    from_at=from_at,
                    to_at=to_at,
                    test=interval.test,
                    flag=int(flag),
                    author=actor,
                    reason=interval.reason,
                )
            )
            mark_series(connection, {series: from_at})
            record(connection, self.database.now(), actor, "override.add", f"series {series}", _detail(interval))
        return interval

    def withdraw(self, number: int, *, actor: str) -> None:
        """Take back a person's word; the audit keeps what it said.

        Raises
        ------
        InputError
            If there is no override of that number.
        """
        table = schema.flag_interval
        by_person = table.c.test == FlagInterval.OVERRIDE
        with self.database.writing() as connection:
            row = connection.execute(
                sa.delete(table).where(table.c.id == number, by_person).returning(table)
            ).one_or_none()
            if row is None:
                raise InputError(what="there is no such override", where=f"override {number}")
            interval = _interval(row)
            mark_series(connection, {interval.series: interval.from_at})
            subject = f"series {interval.series}"
            record(connection, self.database.now(), actor, "override.withdraw", subject, _detail(interval))


def touching(
    connection: sa.Connection, series: Collection[int], from_at: datetime, to_at: datetime
) -> list[FlagInterval]:
    """Return the judgements that touch these series in this span, in an open transaction, oldest word first."""
    table = schema.flag_interval.c
    found: list[sa.Row[*tuple[Any, ...]]] = []
    for part in portions(sorted(set(series))):
        query = sa.select(schema.flag_interval).where(
            table.series_id.in_(part), table.from_at < to_at, table.to_at > from_at
        )
        found += connection.execute(query).all()
    return [_interval(row) for row in sorted(found, key=lambda row: row.id)]


def _interval(row: sa.Row[*tuple[Any, ...]]) -> FlagInterval:
    return FlagInterval(row.series_id, row.from_at, row.to_at, row.test, Flag(row.flag), row.author, row.reason)


def _detail(interval: FlagInterval) -> dict[str, Any]:
    return {
        "from_at": interval.from_at.isoformat(),
        "to_at": interval.to_at.isoformat(),
        "flag": int(interval.flag),
        "reason": interval.reason,
    }
