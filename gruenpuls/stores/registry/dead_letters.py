"""The dead-letter index: which messages became no reading, and why; the messages stay in the journal."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from gruenpuls.domain.uplink import DeadLetter, DeadLetterReason
from gruenpuls.stores.registry import schema
from gruenpuls.stores.registry.connection import Database, among
from gruenpuls.stores.registry.keys import device_key


@dataclass(frozen=True, slots=True)
class DeadLetterFilter:
    """Which dead letters; what is None does not restrict.

    Parameters
    ----------
    reason : DeadLetterReason or None
    device : str or None
        However its DevEUI is written.
    source : str or None
    """

    reason: DeadLetterReason | None = None
    device: str | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """What decoding could not read."""

    database: Database

    def list(
        self, wanted: DeadLetterFilter | None = None, *, limit: int = 50, before: int | None = None
    ) -> Sequence[DeadLetter]:
        """Return the newest first; for the next page pass the last offset as `before`."""
        table = schema.dead_letter
        query = _matching(sa.select(table), wanted).order_by(table.c.offset.desc()).limit(limit)
        if before is not None:
            query = query.where(table.c.offset < before)
        with self.database.reading() as connection:
            return [_letter(row) for row in connection.execute(query)]

    def by_offset(self, offset: int) -> DeadLetter | None:
        """Return one, or None where that message is no dead letter."""
        query = sa.select(schema.dead_letter).where(schema.dead_letter.c.offset == offset)
        with self.database.reading() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else _letter(row)

    def counts(self) -> dict[DeadLetterReason, int]:
        """Return how many there are of each reason."""
        reason = schema.dead_letter.c.reason
        query = sa.select(reason, sa.func.count()).group_by(reason).order_by(reason)
        with self.database.reading() as connection:
            return {DeadLetterReason(name): count for name, count in connection.execute(query)}

    def of_reason(
        self, reason: DeadLetterReason, devices: Collection[str], from_at: datetime, to_at: datetime
    ) -> Sequence[tuple[str, datetime]]:
        """Return of which of these devices one came for a reason, and when, in a span, its end exclusive."""
        table = schema.dead_letter.c
        query = sa.select(table.device, table.received_at).where(
            table.reason == reason.value, table.received_at >= from_at, table.received_at < to_at
        )
        with self.database.reading() as connection:
            rows = connection.execute(query.where(among(connection, table.device, devices)).order_by(table.received_at))
            return [(device, moment) for device, moment in rows]

    def offsets(self, wanted: DeadLetterFilter | None = None) -> Sequence[int]:
        """Return the journal offsets of all that match, in order: what a replay needs."""
        offset = schema.dead_letter.c.offset
        query = _matching(sa.select(offset), wanted).order_by(offset)
        with self.database.reading() as connection:
            return list(connection.execute(query).scalars())


def _matching(query: sa.Select[*tuple[Any, ...]], wanted: DeadLetterFilter | None) -> sa.Select[*tuple[Any, ...]]:
    table = schema.dead_letter.c
    if wanted is None:
        return query
    if wanted.reason is not None:
        query = query.where(table.reason == wanted.reason.value)
    if wanted.device is not None:
        query = query.where(table.device == device_key(wanted.device))
    if wanted.source is not None:
        query = query.where(table.source == wanted.source)
    return query


def _letter(row: sa.Row[*tuple[Any, ...]]) -> DeadLetter:
    return DeadLetter(
        row.offset, DeadLetterReason(row.reason), row.detail, row.source, row.topic, row.device, row.received_at
    )
