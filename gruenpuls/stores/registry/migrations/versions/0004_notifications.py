"""Silences, what receivers know, messages on their way, and who an incident is given to.

Revision ID: 0004
"""

import sqlalchemy as sa
from alembic import op

from gruenpuls.stores.registry.columns import BIG, TEXT, UtcMoment

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the tables and the column."""
    with op.batch_alter_table("incident") as table:
        table.add_column(sa.Column("assignee", TEXT, nullable=True))
    op.create_table(
        "silence",
        sa.Column("id", BIG, nullable=False),
        sa.Column("match", sa.JSON(), nullable=False),
        sa.Column("starts_at", UtcMoment(), nullable=False),
        sa.Column("ends_at", UtcMoment(), nullable=False),
        sa.Column("alarms", sa.Boolean(), nullable=False),
        sa.Column("author", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_silence")),
    )
    op.create_index(op.f("ix_silence_ends_at"), "silence", ["ends_at"])
    op.create_table(
        "told",
        sa.Column("receiver", TEXT, nullable=False),
        sa.Column("rule", TEXT, nullable=False),
        sa.Column("site_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("began_at", UtcMoment(), nullable=False),
        sa.Column("severity", sa.SmallInteger(), nullable=False),
        sa.Column("first_at", UtcMoment(), nullable=False),
        sa.Column("last_at", UtcMoment(), nullable=False),
        sa.Column("topic", TEXT, nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("over", sa.Boolean(), nullable=False),
        sa.Column("messages", sa.JSON(), nullable=False),
        sa.Column("former", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_told_site_id")),
        sa.PrimaryKeyConstraint("receiver", "rule", "site_id", name=op.f("pk_told")),
    )
    op.create_index(op.f("ix_told_over"), "told", ["over"])
    op.create_index(op.f("ix_told_last_at"), "told", ["last_at"])
    op.create_table(
        "outbox",
        sa.Column("id", BIG, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("receiver", TEXT, nullable=False),
        sa.Column("channel", TEXT, nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("made_at", UtcMoment(), nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("due_at", UtcMoment(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("error", TEXT, nullable=True),
        sa.Column("ended_at", UtcMoment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("key", "channel", name=op.f("uq_outbox_key_channel")),
    )
    op.create_index(op.f("ix_outbox_state_channel"), "outbox", ["state", "channel"])
