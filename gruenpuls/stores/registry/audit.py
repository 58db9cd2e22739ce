"""Who changed what, when: written in the transaction of the change itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from gruenpuls.domain.errors import InputError
from gruenpuls.stores.registry import schema
from gruenpuls.stores.registry.connection import Database


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One change by a person or a command.

    Parameters
    ----------
    at : datetime
        Aware UTC.
    actor, action : str
        Who, and what was done, such as ``"site.change"``.
    subject : str
        Key of what it was done to.
    detail : dict
        What exactly; for a change ``{field: [before, after]}``.
    """

    at: datetime
    actor: str
    action: str
    subject: str
    detail: Mapping[str, Any]


def record(
    connection: sa.Connection, at: datetime, actor: str, action: str, subject: str, detail: Mapping[str, Any]
) -> None:
    """Write an entry into the open transaction.

    Raises
    ------
    InputError
        If nobody says who did it.
    """
    record_all(connection, at, actor, action, [(subject, detail)])


def record_all(
    connection: sa.Connection, at: datetime, actor: str, action: str, details: Iterable[tuple[str, Mapping[str, Any]]]
) -> None:
    """Write an entry for each pair of subject and detail into the open transaction.

    Raises
    ------
    InputError
        If nobody says who did it.
    """
    if not actor.strip():
        raise InputError(what="a change needs somebody who made it", where=action)
    rows = [
        {"at": at, "actor": actor, "action": action, "subject": subject, "detail": dict(detail)}
        for subject, detail in details
    ]
    if rows:
        connection.execute(sa.insert(schema.audit), rows)


def last_entry(connection: sa.Connection) -> int:
    """Return the number of the newest entry, 0 where there is none, in an open transaction."""
    newest = connection.execute(sa.select(sa.func.max(schema.audit.c.id))).scalar_one()
    return int(newest or 0)


@dataclass(frozen=True, slots=True)
class Audit:
    """The entries written so far."""

    database: Database

    def entries(
        self, *, subject: str | None = None, actor: str | None = None, limit: int = 100
    ) -> Sequence[AuditEntry]:
        """Return the newest entries first."""
        table = schema.audit
        query = sa.select(table).order_by(table.c.id.desc()).limit(limit)
        if subject is not None:
            query = query.where(table.c.subject == subject)
        if actor is not None:
            query = query.where(table.c.actor == actor)
        with self.database.reading() as connection:
            return [
                AuditEntry(row.at, row.actor, row.action, row.subject, row.detail) for row in connection.execute(query)
            ]
