"""The registry's tables.

Every time is UTC: `timestamp with time zone` on PostgreSQL, text of fixed width on SQLite, aware on the way in and out.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from gruenpuls.stores.registry.columns import TEXT, identifier, moment, real, reference, text, whole

metadata: Final = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _unique_alone(name: str, column: sa.Column[str], absent: sa.Column[int]) -> None:
    """Make a name unique where its owner is absent: a unique constraint lets NULL repeat."""
    sa.Index(name, column, unique=True, sqlite_where=absent.is_(None), postgresql_where=absent.is_(None))


municipality: Final = sa.Table("municipality", metadata, identifier(), text("name"), sa.UniqueConstraint("name"))

district: Final = sa.Table(
    "district",
    metadata,
    identifier(),
    reference("municipality", nullable=True),
    text("name"),
    sa.UniqueConstraint("municipality_id", "name"),
)
_unique_alone("uq_district_name_alone", district.c.name, district.c.municipality_id)

site: Final = sa.Table(
    "site",
    metadata,
    identifier(),
    text("key"),
    text("name"),
    text("kind"),
    real("latitude"),
    real("longitude"),
    reference("municipality", nullable=True),
    reference("district", nullable=True),
    text("maintenance_area", nullable=True),
    text("contract_lot", nullable=True),
    text("time_zone"),
    text("planted_on", nullable=True),
    text("species", nullable=True),
    text("texture", nullable=True),
    real("field_capacity"),
    real("wilting_point"),
    real("root_depth"),
    sa.Column("attributes", sa.JSON, nullable=False),
    text("search"),  # key, name and species as people type them, whatever the case
    moment("changed_at"),
    sa.UniqueConstraint("key"),
    sa.Index(None, "kind"),
    sa.Index(None, "municipality_id"),
    sa.Index(None, "district_id"),
)

device: Final = sa.Table(
    "device",
    metadata,
    identifier(),
    text("key"),
    text("profile"),
    text("name"),
    moment("changed_at"),
    sa.UniqueConstraint("key"),
)

channel: Final = sa.Table(
    "channel",
    metadata,
    identifier(),
    reference("device"),
    text("name"),
    text("quantity"),
    real("depth"),
    real("height"),
    text("placement", nullable=True),
    sa.UniqueConstraint("device_id", "name"),
)

deployment: Final = sa.Table(
    "deployment",
    metadata,
    identifier(),
    reference("device"),
    reference("site"),
    moment("from_at"),
    moment("to_at", nullable=True),
    sa.UniqueConstraint("device_id", "from_at"),
    sa.CheckConstraint("to_at > from_at", name="ends_after_it_begins"),
    sa.Index(None, "site_id"),
)

series: Final = sa.Table(
    "series",
    metadata,
    identifier(),
    text("identity"),  # all of the key in one text, so that thousands are looked up by one index
    reference("device", nullable=True),
    text("channel", nullable=True),
    reference("site", nullable=True),
    text("quantity"),
    real("depth"),
    text("statistic"),
    text("origin"),
    sa.UniqueConstraint("identity"),
    sa.CheckConstraint("(device_id IS NULL) <> (site_id IS NULL)", name="one_owner"),
    sa.CheckConstraint("(device_id IS NULL) = (channel IS NULL)", name="channel_of_device"),
    sa.Index(None, "device_id"),
    sa.Index(None, "site_id"),
)

run: Final = sa.Table(
    "run",
    metadata,
    identifier(),
    text("kind"),
    text("name"),
    text("version"),
    text("digest"),
    moment("first_at"),
    sa.UniqueConstraint("kind", "name", "version", "digest"),
)

latest: Final = sa.Table(
    "latest",
    metadata,
    sa.Column("series_id", sa.BigInteger, sa.ForeignKey("series.id"), primary_key=True, autoincrement=False),
    moment("measured_at"),
    real("value", nullable=False),
    sa.Column("flag", sa.SmallInteger, nullable=False),
    reference("run"),
)

flag_interval: Final = sa.Table(
    "flag_interval",
    metadata,
    identifier(),
    reference("series"),
    moment("from_at"),
    moment("to_at"),
    text("test"),
    sa.Column("flag", sa.SmallInteger, nullable=False),
    text("author"),
    text("reason"),
    sa.CheckConstraint("to_at > from_at", name="ends_after_it_begins"),
    sa.Index(None, "series_id", "from_at"),
)

dirty: Final = sa.Table(
    "dirty",
    metadata,
    sa.Column("site_id", sa.BigInteger, sa.ForeignKey("site.id"), primary_key=True, autoincrement=False),
    sa.Column("from_day", sa.Date, nullable=True),  # None once worked off: the row stays, its version never returns
    whole("version"),
)
sa.Index(
    None, dirty.c.from_day, sqlite_where=dirty.c.from_day.is_not(None), postgresql_where=dirty.c.from_day.is_not(None)
)

watermark: Final = sa.Table(
    "watermark",
    metadata,
    identifier(),
    text("processor"),
    reference("site", nullable=True),  # None: the whole fleet
    moment("reached_at"),
    sa.UniqueConstraint("processor", "site_id"),
)
_unique_alone("uq_watermark_processor_fleet", watermark.c.processor, watermark.c.site_id)

job_run: Final = sa.Table(
    "job_run",
    metadata,
    identifier(),
    text("job"),
    moment("due_at"),
    text("state"),
    text("owner"),
    whole("attempt"),
    moment("leased_until"),
    moment("started_at"),
    moment("finished_at", nullable=True),
    text("error", nullable=True),
    sa.UniqueConstraint("job", "due_at"),
)

request: Final = sa.Table(
    "request",
    metadata,
    identifier(),
    text("kind"),
    sa.Column("arguments", sa.JSON, nullable=False),
    text("state"),
    text("actor"),
    moment("asked_at"),
    moment("taken_at", nullable=True),
    moment("finished_at", nullable=True),
    sa.Column("result", sa.JSON, nullable=True),
    text("error", nullable=True),
    sa.Index(None, "state"),
)

rule_state: Final = sa.Table(
    "rule_state",
    metadata,
    sa.Column("rule", TEXT, primary_key=True),
    sa.Column("site_id", sa.BigInteger, sa.ForeignKey("site.id"), primary_key=True, autoincrement=False),
    sa.Column("state", sa.JSON, nullable=False),
)

dead_letter: Final = sa.Table(
    "dead_letter",
    metadata,
    sa.Column("offset", sa.BigInteger, primary_key=True, autoincrement=False),
    text("reason"),
    text("detail"),
    text("source"),
    text("topic"),
    text("device", nullable=True),
    moment("received_at"),
    sa.Index(None, "reason"),
    sa.Index(None, "device"),
)

tally: Final = sa.Table(
    "tally",
    metadata,
    sa.Column("device", TEXT, primary_key=True),  # a key, not a reference: unknown devices are counted too
    sa.Column("source", TEXT, primary_key=True),
    whole("decoded"),
    whole("dead_lettered"),
    whole("duplicates"),
    moment("last_uplink_at", nullable=True),
)

progress: Final = sa.Table(
    "progress",
    metadata,
    sa.Column("cache", TEXT, primary_key=True),
    whole("offset"),
    whole("decoded"),
    whole("dead_lettered"),
    whole("duplicates"),
)

component_health: Final = sa.Table(
    "component_health",
    metadata,
    sa.Column("name", TEXT, primary_key=True),
    sa.Column("body", sa.JSON, nullable=False),
    moment("updated_at"),
)

setting: Final = sa.Table(
    "setting",
    metadata,
    sa.Column("key", TEXT, primary_key=True),
    sa.Column("value", sa.JSON, nullable=False),
    moment("updated_at"),
)

audit: Final = sa.Table(
    "audit",
    metadata,
    identifier(),
    moment("at"),
    text("actor"),
    text("action"),
    text("subject"),
    sa.Column("detail", sa.JSON, nullable=False),
    sa.Index(None, "subject"),
    sa.Index(None, "at"),
)

imported: Final = sa.Table(
    "import",
    metadata,
    identifier(),
    text("kind"),
    text("source"),
    text("actor"),
    moment("at"),
    whole("added"),
    whole("changed"),
    whole("unchanged"),
)

watering: Final = sa.Table(
    "watering",
    metadata,
    identifier(),
    reference("site"),
    moment("at"),
    real("litres", nullable=False),
    text("method"),
    text("source"),
    text("author"),
    text("comment"),
    sa.Index(None, "site_id", "at"),
)

weather_use: Final = sa.Table(
    "weather_use",
    metadata,
    sa.Column("site_id", sa.BigInteger, sa.ForeignKey("site.id"), primary_key=True, autoincrement=False),
    sa.Column("quantity", TEXT, primary_key=True),
    sa.Column("statistic", TEXT, primary_key=True),
    sa.Column("from_day", sa.Date, primary_key=True),
    sa.Column("to_day", sa.Date, nullable=False),  # exclusive
    text("source"),
    sa.Column("station_id", sa.BigInteger, sa.ForeignKey("site.id"), nullable=True),  # None: nobody knew it
    real("distance"),
    sa.Index(None, "to_day"),
)
