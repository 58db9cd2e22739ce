"""The registry's tables of who passed messages on: by gateway or source, the hours in which it did, and for whom."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from gruenpuls.stores.registry.columns import TEXT, identifier, text
from gruenpuls.stores.registry.schema import metadata

relay: Final = sa.Table(
    "relay",
    metadata,
    identifier(),
    text("kind"),
    text("name"),
    sa.UniqueConstraint("kind", "name"),
)

relay_day: Final = sa.Table(
    "relay_day",
    metadata,
    sa.Column("relay_id", sa.BigInteger, sa.ForeignKey("relay.id"), primary_key=True, autoincrement=False),
    sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),  # days since 1970, UTC
    sa.Column("hours", sa.Integer, nullable=False),  # one bit for each hour in which it passed something on
)

relay_device: Final = sa.Table(
    "relay_device",
    metadata,
    sa.Column("relay_id", sa.BigInteger, sa.ForeignKey("relay.id"), primary_key=True, autoincrement=False),
    sa.Column("device", TEXT, primary_key=True),  # a key, not a reference: unknown devices are heard, too
    sa.Column("first_day", sa.Integer, nullable=False),
    sa.Column("last_day", sa.Integer, nullable=False),
    sa.Index(None, "device"),
)
