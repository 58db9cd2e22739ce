"""The registry's tables of incidents: what each is, and what became of it."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from gruenpuls.domain.incident import OPEN_STATES
from gruenpuls.stores.registry.schema import BIG, TEXT, UtcMoment, metadata

incident: Final = sa.Table(
    "incident",
    metadata,
    sa.Column("id", BIG, primary_key=True),
    sa.Column("rule", TEXT, nullable=False),
    sa.Column("site_id", sa.BigInteger, sa.ForeignKey("site.id"), nullable=False),
    sa.Column("began_at", UtcMoment, nullable=False),
    sa.Column("state", TEXT, nullable=False),
    sa.Column("severity", sa.SmallInteger, nullable=False),
    sa.Column("fired_at", UtcMoment, nullable=True),
    sa.Column("resolved_at", UtcMoment, nullable=True),
    sa.Column("peak", sa.Double, nullable=True),
    sa.Column("last_value", sa.Double, nullable=True),
    sa.Column("last_at", UtcMoment, nullable=False),
    sa.Column("steps", sa.JSON, nullable=False, server_default="[]"),
    sa.Column("saw", sa.JSON, nullable=False, server_default="[]"),
    sa.Column("assignee", TEXT, nullable=True),
    sa.Column("watering_id", sa.BigInteger, sa.ForeignKey("watering.id", ondelete="SET NULL"), nullable=True),
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
    sa.Column("id", BIG, primary_key=True),
    sa.Column("incident_id", sa.BigInteger, sa.ForeignKey("incident.id", ondelete="CASCADE"), nullable=False),
    sa.Column("noted_at", UtcMoment, nullable=False),
    sa.Column("state", TEXT, nullable=False),
    sa.Column("severity", sa.SmallInteger, nullable=False),
    sa.Column("actor", TEXT, nullable=False),
    sa.Column("note", TEXT, nullable=False),
    sa.Column("revision", TEXT, nullable=True),
    sa.Column("detail", sa.JSON, nullable=False, server_default="{}"),
    sa.Index(None, "incident_id"),
)
