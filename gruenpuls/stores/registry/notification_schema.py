"""The registry's tables of what is told: silences, what receivers know, and messages on their way."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from gruenpuls.stores.registry.schema import BIG, TEXT, UtcMoment, metadata

silence: Final = sa.Table(
    "silence",
    metadata,
    sa.Column("id", BIG, primary_key=True),
    sa.Column("match", sa.JSON, nullable=False),
    sa.Column("starts_at", UtcMoment, nullable=False),
    sa.Column("ends_at", UtcMoment, nullable=False),
    sa.Column("alarms", sa.Boolean, nullable=False),
    sa.Column("author", TEXT, nullable=False),
    sa.Column("reason", TEXT, nullable=False),
    sa.Index(None, "ends_at"),
)

told: Final = sa.Table(
    "told",
    metadata,
    sa.Column("receiver", TEXT, primary_key=True),
    sa.Column("rule", TEXT, primary_key=True),
    sa.Column("site_id", sa.BigInteger, sa.ForeignKey("site.id"), primary_key=True, autoincrement=False),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("began_at", UtcMoment, nullable=False),
    sa.Column("severity", sa.SmallInteger, nullable=False),
    sa.Column("first_at", UtcMoment, nullable=False),
    sa.Column("last_at", UtcMoment, nullable=False),
    sa.Column("topic", TEXT, nullable=False),
    sa.Column("count", sa.BigInteger, nullable=False),
    sa.Column("over", sa.Boolean, nullable=False),
    sa.Column("messages", sa.JSON, nullable=False),
    sa.Column("former", sa.JSON, nullable=False),
    sa.Index(None, "over"),
    sa.Index(None, "last_at"),
)

outbox: Final = sa.Table(
    "outbox",
    metadata,
    sa.Column("id", BIG, primary_key=True),
    sa.Column("key", TEXT, nullable=False),
    sa.Column("kind", TEXT, nullable=False),
    sa.Column("receiver", TEXT, nullable=False),
    sa.Column("channel", TEXT, nullable=False),
    sa.Column("body", sa.JSON, nullable=False),
    sa.Column("made_at", UtcMoment, nullable=False),
    sa.Column("state", TEXT, nullable=False),
    sa.Column("due_at", UtcMoment, nullable=False),
    sa.Column("attempts", sa.BigInteger, nullable=False),
    sa.Column("error", TEXT, nullable=True),
    sa.Column("ended_at", UtcMoment, nullable=True),
    sa.UniqueConstraint("key", "channel"),
    sa.Index(None, "state", "channel"),
)
