"""The registry's tables of incidents: what each is, and what became of it."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from gruenpuls.domain.incident import OPEN_STATES
from gruenpuls.stores.registry.columns import identifier, moment, real, reference, text
from gruenpuls.stores.registry.schema import metadata

incident: Final = sa.Table(
    "incident",
    metadata,
    identifier(),
    text("rule"),
    reference("site"),
    moment("began_at"),
    text("state"),
    sa.Column("severity", sa.SmallInteger, nullable=False),
    moment("fired_at", nullable=True),
    moment("resolved_at", nullable=True),
    real("peak"),
    real("last_value"),
    moment("last_at"),
    sa.Column("steps", sa.JSON, nullable=False, server_default="[]"),
    sa.Column("saw", sa.JSON, nullable=False, server_default="[]"),
    text("assignee", nullable=True),
    reference("watering", nullable=True, ondelete="SET NULL"),
    sa.Index(None, "rule", "site_id"),
    sa.Index(None, "site_id"),
    sa.Index(None, "state"),
    sqlite_autoincrement=True,  # a number people wrote down is never given to something else
)
_GOES_ON: Final = incident.c.state.in_([state.value for state in OPEN_STATES])
sa.Index(
    "uq_incident_open",
    incident.c.rule,
    incident.c.site_id,
    unique=True,
    sqlite_where=_GOES_ON,
    postgresql_where=_GOES_ON,
)

incident_history: Final = sa.Table(
    "incident_history",
    metadata,
    identifier(),
    reference("incident", ondelete="CASCADE"),
    moment("noted_at"),
    text("state"),
    sa.Column("severity", sa.SmallInteger, nullable=False),
    text("actor"),
    text("note"),
    text("revision", nullable=True),
    sa.Column("detail", sa.JSON, nullable=False, server_default="{}"),
    sa.Index(None, "incident_id"),
)
