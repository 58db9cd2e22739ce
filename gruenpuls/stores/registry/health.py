"""How each process is, as it last said itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from gruenpuls.stores.registry import schema
from gruenpuls.stores.registry.connection import Database, upsert


@dataclass(frozen=True, slots=True)
class ComponentHealth:
    """What a process said about itself, and when [aware UTC]."""

    name: str
    body: Mapping[str, Any]
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Health:
    """One row per process."""

    database: Database

    def report(self, name: str, body: Mapping[str, Any]) -> None:
        """Put this in the place of what the process said before."""
        with self.database.writing() as connection:
            insert = upsert(connection, schema.component_health).values(
                name=name, body=dict(body), updated_at=self.database.now()
            )
            changed = {"body": insert.excluded.body, "updated_at": insert.excluded.updated_at}
            connection.execute(insert.on_conflict_do_update(index_elements=["name"], set_=changed))

    def all(self) -> Sequence[ComponentHealth]:
        """Return what all processes said last, by name."""
        table = schema.component_health
        with self.database.reading() as connection:
            rows = connection.execute(sa.select(table).order_by(table.c.name))
            return [ComponentHealth(row.name, row.body, row.updated_at) for row in rows]
