"""Waterings, and which station's weather each site was given.

Revision ID: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
MOMENT = sa.DateTime().with_variant(sa.DateTime(timezone=True), "postgresql")


def upgrade() -> None:
    """Make the two tables."""
    op.create_table(
        "watering",
        sa.Column("id", ID, nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("litres", sa.Double(), nullable=False),
        sa.Column("method", TEXT, nullable=False),
        sa.Column("source", TEXT, nullable=False),
        sa.Column("author", TEXT, nullable=False),
        sa.Column("comment", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name="fk_watering_site_id"),
        sa.PrimaryKeyConstraint("id", name="pk_watering"),
    )
    op.create_index("ix_watering_site_id_at", "watering", ["site_id", "at"])
    op.create_table(
        "weather_use",
        sa.Column("site_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("quantity", TEXT, nullable=False),
        sa.Column("statistic", TEXT, nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("to_day", sa.Date(), nullable=False),
        sa.Column("source", TEXT, nullable=False),
        sa.Column("station_id", sa.BigInteger(), nullable=True),
        sa.Column("distance", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name="fk_weather_use_site_id"),
        sa.ForeignKeyConstraint(["station_id"], ["site.id"], name="fk_weather_use_station_id"),
        sa.PrimaryKeyConstraint("site_id", "quantity", "statistic", "from_day", name="pk_weather_use"),
    )
    op.create_index("ix_weather_use_to_day", "weather_use", ["to_day"])
