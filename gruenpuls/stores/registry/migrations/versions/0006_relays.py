"""Which gateways and sources passed messages on, when, and of which devices.

Revision ID: 0006
"""

import sqlalchemy as sa
from alembic import op

from gruenpuls.stores.registry.columns import BIG, TEXT

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "relay",
        sa.Column("id", BIG, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_relay")),
        sa.UniqueConstraint("kind", "name", name=op.f("uq_relay_kind_name")),
    )
    op.create_table(
        "relay_day",
        sa.Column("relay_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hours", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["relay_id"], ["relay.id"], name=op.f("fk_relay_day_relay_id")),
        sa.PrimaryKeyConstraint("relay_id", "day", name=op.f("pk_relay_day")),
    )
    op.create_table(
        "relay_device",
        sa.Column("relay_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("device", TEXT, nullable=False),
        sa.Column("first_day", sa.Integer(), nullable=False),
        sa.Column("last_day", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["relay_id"], ["relay.id"], name=op.f("fk_relay_device_relay_id")),
        sa.PrimaryKeyConstraint("relay_id", "device", name=op.f("pk_relay_device")),
    )
    op.create_index(op.f("ix_relay_device_device"), "relay_device", ["device"])
