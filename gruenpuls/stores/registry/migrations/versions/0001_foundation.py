"""The foundation: places, devices, series, work to do, alerts, arrivals, audit.

Revision ID: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
MOMENT = sa.DateTime().with_variant(sa.DateTime(timezone=True), "postgresql")


def upgrade() -> None:
    """Make all tables."""
    op.create_table(
        "audit",
        sa.Column("id", ID, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("actor", TEXT, nullable=False),
        sa.Column("action", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_at", "audit", ["at"])
    op.create_index("ix_audit_subject", "audit", ["subject"])
    op.create_table(
        "component_health",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_component_health"),
    )
    op.create_table(
        "dead_letter",
        sa.Column("offset", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("detail", TEXT, nullable=False),
        sa.Column("source", TEXT, nullable=False),
        sa.Column("topic", TEXT, nullable=False),
        sa.Column("device", TEXT, nullable=True),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("offset", name="pk_dead_letter"),
    )
    op.create_index("ix_dead_letter_device", "dead_letter", ["device"])
    op.create_index("ix_dead_letter_reason", "dead_letter", ["reason"])
    op.create_table(
        "device",
        sa.Column("id", ID, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("profile", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_device"),
        sa.UniqueConstraint("key", name="uq_device_key"),
    )
    op.create_table(
        "import",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("source", TEXT, nullable=False),
        sa.Column("actor", TEXT, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("added", sa.BigInteger(), nullable=False),
        sa.Column("changed", sa.BigInteger(), nullable=False),
        sa.Column("unchanged", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_import"),
    )
    op.create_table(
        "job_run",
        sa.Column("id", ID, nullable=False),
        sa.Column("job", TEXT, nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("owner", TEXT, nullable=False),
        sa.Column("attempt", sa.BigInteger(), nullable=False),
        sa.Column("leased_until", MOMENT, nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.Column("error", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_job_run"),
        sa.UniqueConstraint("job", "due_at", name="uq_job_run_job_due_at"),
    )
    op.create_table(
        "municipality",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_municipality"),
        sa.UniqueConstraint("name", name="uq_municipality_name"),
    )
    op.create_table(
        "progress",
        sa.Column("cache", TEXT, nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("decoded", sa.BigInteger(), nullable=False),
        sa.Column("dead_lettered", sa.BigInteger(), nullable=False),
        sa.Column("duplicates", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("cache", name="pk_progress"),
    )
    op.create_table(
        "request",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("arguments", sa.JSON(), nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("actor", TEXT, nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("taken_at", MOMENT, nullable=True),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.Column("result", sa.JSON(), nullable=True),
        sa.Column("error", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_request"),
    )
    op.create_index("ix_request_state", "request", ["state"])
    op.create_table(
        "run",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("version", TEXT, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("first_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_run"),
        sa.UniqueConstraint("kind", "name", "version", "digest", name="uq_run_kind_name_version_digest"),
    )
    op.create_table(
        "setting",
        sa.Column("key", TEXT, nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_setting"),
    )
    op.create_table(
        "tally",
        sa.Column("device", TEXT, nullable=False),
        sa.Column("source", TEXT, nullable=False),
        sa.Column("decoded", sa.BigInteger(), nullable=False),
        sa.Column("dead_lettered", sa.BigInteger(), nullable=False),
        sa.Column("duplicates", sa.BigInteger(), nullable=False),
        sa.Column("last_uplink_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("device", "source", name="pk_tally"),
    )
    op.create_table(
        "channel",
        sa.Column("id", ID, nullable=False),
        sa.Column("device_id", sa.BigInteger(), nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("quantity", TEXT, nullable=False),
        sa.Column("depth", sa.Double(), nullable=True),
        sa.Column("height", sa.Double(), nullable=True),
        sa.Column("placement", TEXT, nullable=True),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name="fk_channel_device_id"),
        sa.PrimaryKeyConstraint("id", name="pk_channel"),
        sa.UniqueConstraint("device_id", "name", name="uq_channel_device_id_name"),
    )
    op.create_table(
        "district",
        sa.Column("id", ID, nullable=False),
        sa.Column("municipality_id", sa.BigInteger(), nullable=True),
        sa.Column("name", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["municipality_id"], ["municipality.id"], name="fk_district_municipality_id"),
        sa.PrimaryKeyConstraint("id", name="pk_district"),
        sa.UniqueConstraint("municipality_id", "name", name="uq_district_municipality_id_name"),
    )
    op.create_index(
        "uq_district_name_alone",
        "district",
        ["name"],
        unique=True,
        sqlite_where=sa.text("municipality_id IS NULL"),
        postgresql_where=sa.text("municipality_id IS NULL"),
    )
    op.create_table(
        "site",
        sa.Column("id", ID, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("municipality_id", sa.BigInteger(), nullable=True),
        sa.Column("district_id", sa.BigInteger(), nullable=True),
        sa.Column("maintenance_area", TEXT, nullable=True),
        sa.Column("contract_lot", TEXT, nullable=True),
        sa.Column("time_zone", TEXT, nullable=False),
        sa.Column("planted_on", TEXT, nullable=True),
        sa.Column("species", TEXT, nullable=True),
        sa.Column("texture", TEXT, nullable=True),
        sa.Column("field_capacity", sa.Double(), nullable=True),
        sa.Column("wilting_point", sa.Double(), nullable=True),
        sa.Column("root_depth", sa.Double(), nullable=True),
        sa.Column("attributes", sa.JSON(), nullable=False),
        sa.Column("search", TEXT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["district_id"], ["district.id"], name="fk_site_district_id"),
        sa.ForeignKeyConstraint(["municipality_id"], ["municipality.id"], name="fk_site_municipality_id"),
        sa.PrimaryKeyConstraint("id", name="pk_site"),
        sa.UniqueConstraint("key", name="uq_site_key"),
    )
    op.create_index("ix_site_district_id", "site", ["district_id"])
    op.create_index("ix_site_kind", "site", ["kind"])
    op.create_index("ix_site_municipality_id", "site", ["municipality_id"])
    op.create_table(
        "deployment",
        sa.Column("id", ID, nullable=False),
        sa.Column("device_id", sa.BigInteger(), nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=False),
        sa.Column("from_at", MOMENT, nullable=False),
        sa.Column("to_at", MOMENT, nullable=True),
        sa.CheckConstraint("to_at > from_at", name=op.f("ck_deployment_ends_after_it_begins")),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name="fk_deployment_device_id"),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name="fk_deployment_site_id"),
        sa.PrimaryKeyConstraint("id", name="pk_deployment"),
        sa.UniqueConstraint("device_id", "from_at", name="uq_deployment_device_id_from_at"),
    )
    op.create_index("ix_deployment_site_id", "deployment", ["site_id"])
    op.create_table(
        "dirty",
        sa.Column("site_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("from_day", sa.Date(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name="fk_dirty_site_id"),
        sa.PrimaryKeyConstraint("site_id", name="pk_dirty"),
    )
    op.create_index(
        "ix_dirty_from_day",
        "dirty",
        ["from_day"],
        unique=False,
        sqlite_where=sa.text("from_day IS NOT NULL"),
        postgresql_where=sa.text("from_day IS NOT NULL"),
    )
    op.create_table(
        "incident",
        sa.Column("id", ID, nullable=False),
        sa.Column("rule", TEXT, nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=False),
        sa.Column("began_at", MOMENT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("severity", sa.SmallInteger(), nullable=False),
        sa.Column("fired_at", MOMENT, nullable=True),
        sa.Column("resolved_at", MOMENT, nullable=True),
        sa.Column("peak", sa.Double(), nullable=False),
        sa.Column("last_value", sa.Double(), nullable=False),
        sa.Column("last_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name="fk_incident_site_id"),
        sa.PrimaryKeyConstraint("id", name="pk_incident"),
        sa.UniqueConstraint("rule", "site_id", "began_at", name="uq_incident_rule_site_id_began_at"),
    )
    op.create_index("ix_incident_site_id", "incident", ["site_id"])
    op.create_index("ix_incident_state", "incident", ["state"])
    op.create_table(
        "rule_state",
        sa.Column("rule", TEXT, nullable=False),
        sa.Column("site_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("state", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name="fk_rule_state_site_id"),
        sa.PrimaryKeyConstraint("rule", "site_id", name="pk_rule_state"),
    )
    op.create_table(
        "series",
        sa.Column("id", ID, nullable=False),
        sa.Column("identity", TEXT, nullable=False),
        sa.Column("device_id", sa.BigInteger(), nullable=True),
        sa.Column("channel", TEXT, nullable=True),
        sa.Column("site_id", sa.BigInteger(), nullable=True),
        sa.Column("quantity", TEXT, nullable=False),
        sa.Column("depth", sa.Double(), nullable=True),
        sa.Column("statistic", TEXT, nullable=False),
        sa.Column("origin", TEXT, nullable=False),
        sa.CheckConstraint("(device_id IS NULL) <> (site_id IS NULL)", name=op.f("ck_series_one_owner")),
        sa.CheckConstraint("(device_id IS NULL) = (channel IS NULL)", name=op.f("ck_series_channel_of_device")),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name="fk_series_device_id"),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name="fk_series_site_id"),
        sa.PrimaryKeyConstraint("id", name="pk_series"),
        sa.UniqueConstraint("identity", name="uq_series_identity"),
    )
    op.create_index("ix_series_device_id", "series", ["device_id"])
    op.create_index("ix_series_site_id", "series", ["site_id"])
    op.create_table(
        "watermark",
        sa.Column("id", ID, nullable=False),
        sa.Column("processor", TEXT, nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=True),
        sa.Column("reached_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name="fk_watermark_site_id"),
        sa.PrimaryKeyConstraint("id", name="pk_watermark"),
        sa.UniqueConstraint("processor", "site_id", name="uq_watermark_processor_site_id"),
    )
    op.create_index(
        "uq_watermark_processor_fleet",
        "watermark",
        ["processor"],
        unique=True,
        sqlite_where=sa.text("site_id IS NULL"),
        postgresql_where=sa.text("site_id IS NULL"),
    )
    op.create_table(
        "flag_interval",
        sa.Column("id", ID, nullable=False),
        sa.Column("series_id", sa.BigInteger(), nullable=False),
        sa.Column("from_at", MOMENT, nullable=False),
        sa.Column("to_at", MOMENT, nullable=False),
        sa.Column("test", TEXT, nullable=False),
        sa.Column("flag", sa.SmallInteger(), nullable=False),
        sa.Column("author", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.CheckConstraint("to_at > from_at", name=op.f("ck_flag_interval_ends_after_it_begins")),
        sa.ForeignKeyConstraint(["series_id"], ["series.id"], name="fk_flag_interval_series_id"),
        sa.PrimaryKeyConstraint("id", name="pk_flag_interval"),
    )
    op.create_index("ix_flag_interval_series_id_from_at", "flag_interval", ["series_id", "from_at"])
    op.create_table(
        "incident_history",
        sa.Column("id", ID, nullable=False),
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
        sa.Column("noted_at", MOMENT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("severity", sa.SmallInteger(), nullable=False),
        sa.Column("actor", TEXT, nullable=False),
        sa.Column("note", TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name="fk_incident_history_incident_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_incident_history"),
    )
    op.create_index("ix_incident_history_incident_id", "incident_history", ["incident_id"])
    op.create_table(
        "latest",
        sa.Column("series_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("measured_at", MOMENT, nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("flag", sa.SmallInteger(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="fk_latest_run_id"),
        sa.ForeignKeyConstraint(["series_id"], ["series.id"], name="fk_latest_series_id"),
        sa.PrimaryKeyConstraint("series_id", name="pk_latest"),
    )
