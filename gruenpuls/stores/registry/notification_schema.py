"""The registry's tables of what is told: silences, what receivers know, and messages on their way."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from gruenpuls.stores.registry.columns import TEXT, identifier, moment, text, whole
from gruenpuls.stores.registry.schema import metadata

silence: Final = sa.Table(
    "silence",
    metadata,
    identifier(),
    sa.Column("match", sa.JSON, nullable=False),
    moment("starts_at"),
    moment("ends_at"),
    sa.Column("alarms", sa.Boolean, nullable=False),
    text("author"),
    text("reason"),
    sa.Index(None, "ends_at"),
)

told: Final = sa.Table(
    "told",
    metadata,
    sa.Column("receiver", TEXT, primary_key=True),
    sa.Column("rule", TEXT, primary_key=True),
    sa.Column("site_id", sa.BigInteger, sa.ForeignKey("site.id"), primary_key=True, autoincrement=False),
    whole("number"),
    moment("began_at"),
    sa.Column("severity", sa.SmallInteger, nullable=False),
    moment("first_at"),
    moment("last_at"),
    text("topic"),
    whole("count"),
    sa.Column("over", sa.Boolean, nullable=False),
    sa.Column("messages", sa.JSON, nullable=False),
    sa.Column("former", sa.JSON, nullable=False),
    sa.Index(None, "over"),
    sa.Index(None, "last_at"),
)

outbox: Final = sa.Table(
    "outbox",
    metadata,
    identifier(),
    text("key"),
    text("kind"),
    text("receiver"),
    text("channel"),
    sa.Column("body", sa.JSON, nullable=False),
    moment("made_at"),
    text("state"),
    moment("due_at"),
    whole("attempts"),
    text("error", nullable=True),
    moment("ended_at", nullable=True),
    sa.UniqueConstraint("key", "channel"),
    sa.Index(None, "state", "channel"),
)
