"""What alert rules must remember of each site."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from gruenpuls.stores.registry import schema
from gruenpuls.stores.registry.connection import Database, among, upsert
from gruenpuls.stores.registry.keys import site_ids


@dataclass(frozen=True, slots=True)
class RuleStates:
    """What a rule remembers of each site from one look to the next."""

    database: Database

    def load(self, rule: str, sites: Collection[str]) -> dict[str, Any]:
        """Return the JSON states of a rule at the known ones among these sites, by site key."""
        table = schema.rule_state.c
        query = (
            sa.select(schema.site.c.key, table.state)
            .join_from(schema.rule_state, schema.site)
            .where(table.rule == rule)
        )
        with self.database.reading() as connection:
            mine = among(connection, schema.site.c.key, sorted(sites))
            return {row.key: row.state for row in connection.execute(query.where(mine))}

    def save(self, rule: str, states: Mapping[str, Any]) -> None:
        """Keep the JSON states of a rule for these sites; other sites' states stay.

        Raises
        ------
        InputError
            If a site is not registered.
        """
        if not states:
            return
        with self.database.writing() as connection:
            ids = site_ids(connection, states)
            insert = upsert(connection, schema.rule_state)
            connection.execute(
                insert.on_conflict_do_update(index_elements=["rule", "site_id"], set_={"state": insert.excluded.state}),
                [{"rule": rule, "site_id": ids[key], "state": states[key]} for key in sorted(states)],
            )
