"""Settings that change while it runs, such as the replay clock; the rest is in the settings file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from gruenpuls.domain.errors import InputError
from gruenpuls.stores.registry import schema
from gruenpuls.stores.registry.audit import record
from gruenpuls.stores.registry.connection import Database, upsert


@dataclass(frozen=True, slots=True)
class Settings:
    """JSON values by key."""

    database: Database

    def value(self, key: str) -> Any:  # noqa: ANN401 - any JSON value
        """Return a setting, or None where it was never set."""
        query = sa.select(schema.setting.c.value).where(schema.setting.c.key == key)
        with self.database.reading() as connection:
            return connection.execute(query).scalar_one_or_none()

    def keep(self, key: str, value: Any, *, actor: str) -> None:  # noqa: ANN401 - any JSON value
        """Set a setting; None takes it back.

        Raises
        ------
        InputError
            If the value is not JSON's.
        """
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise InputError(what=f"this is no JSON value: {error}", where=f"setting {key!r}") from error
        table, now = schema.setting, self.database.now()
        with self.database.writing() as connection:
            before = connection.execute(sa.select(table.c.value).where(table.c.key == key)).scalar_one_or_none()
            if value is None:
                connection.execute(sa.delete(table).where(table.c.key == key))
            else:
                insert = upsert(connection, table).values(key=key, value=value, updated_at=now)
                changed = {"value": insert.excluded.value, "updated_at": insert.excluded.updated_at}
                connection.execute(insert.on_conflict_do_update(index_elements=["key"], set_=changed))
            record(connection, now, actor, "setting.keep", key, {"value": [before, value]})
