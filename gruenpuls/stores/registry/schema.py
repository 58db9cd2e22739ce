"""The registry's tables.

Every time is UTC: `timestamp with time zone` on PostgreSQL, text of fixed width on SQLite, aware on the way in and out.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator, TypeEngine


class UtcMoment(TypeDecorator[datetime]):
    """An aware moment, kept so that the database's own order is the order in time."""

    impl = sa.DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> TypeEngine[datetime]:
        """Let PostgreSQL know the zone; SQLite keeps UTC by convention."""
        return dialect.type_descriptor(sa.DateTime(timezone=dialect.name == "postgresql"))

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Bring a moment to UTC; one without a zone is refused."""
        if value is None:
            return None
        if value.tzinfo is None:
            message = f"a moment needs its zone: {value!r}"
            raise ValueError(message)
        moment = value.astimezone(UTC)
        return moment if dialect.name == "postgresql" else moment.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Return it aware."""
        if value is None:
            return None
        return value.astimezone(UTC) if dialect.name == "postgresql" else value.replace(tzinfo=UTC)


metadata: Final = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

BIG: Final = sa.BigInteger().with_variant(sa.Integer, "sqlite")  # SQLite numbers rows only in INTEGER
# Ordered by code point on both, so that pages of keys join up.
TEXT: Final = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _id() -> sa.Column[int]:
    return sa.Column("id", BIG, primary_key=True)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, TEXT, nullable=nullable)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, UtcMoment, nullable=nullable)


def _whole(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False)


def _real(name: str, *, nullable: bool = True) -> sa.Column[float]:
    return sa.Column(name, sa.Double, nullable=nullable)


def _reference(table: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(f"{table}_id", sa.BigInteger, sa.ForeignKey(f"{table}.id"), nullable=nullable)


def _unique_alone(name: str, column: sa.Column[str], absent: sa.Column[int]) -> None:
    """Make a name unique where its owner is absent: a unique constraint lets NULL repeat."""
    sa.Index(name, column, unique=True, sqlite_where=absent.is_(None), postgresql_where=absent.is_(None))


municipality: Final = sa.Table("municipality", metadata, _id(), _text("name"), sa.UniqueConstraint("name"))

district: Final = sa.Table(
    "district",
    metadata,
    _id(),
    _reference("municipality", nullable=True),
    _text("name"),
    sa.UniqueConstraint("municipality_id", "name"),
)
_unique_alone("uq_district_name_alone", district.c.name, district.c.municipality_id)

site: Final = sa.Table(
    "site",
    metadata,
    _id(),
    _text("key"),
    _text("name"),
    _text("kind"),
    _real("latitude"),
    _real("longitude"),
    _reference("municipality", nullable=True),
    _reference("district", nullable=True),
    _text("maintenance_area", nullable=True),
    _text("contract_lot", nullable=True),
    _text("time_zone"),
    _text("planted_on", nullable=True),
    _text("species", nullable=True),
    _text("texture", nullable=True),
    _real("field_capacity"),
    _real("wilting_point"),
    _real("root_depth"),
    sa.Column("attributes", sa.JSON, nullable=False),
    _text("search"),  # key, name and species as people type them, whatever the case
    _moment("changed_at"),
    sa.UniqueConstraint("key"),
    sa.Index(None, "kind"),
    sa.Index(None, "municipality_id"),
    sa.Index(None, "district_id"),
)

device: Final = sa.Table(
    "device",
    metadata,
    _id(),
    _text("key"),
    _text("profile"),
    _text("name"),
    _moment("changed_at"),
    sa.UniqueConstraint("key"),
)

channel: Final = sa.Table(
    "channel",
    metadata,
    _id(),
    _reference("device"),
    _text("name"),
    _text("quantity"),
    _real("depth"),
    _real("height"),
    _text("placement", nullable=True),
    sa.UniqueConstraint("device_id", "name"),
)

deployment: Final = sa.Table(
    "deployment",
    metadata,
    _id(),
    _reference("device"),
    _reference("site"),
    _moment("from_at"),
    _moment("to_at", nullable=True),
    sa.UniqueConstraint("device_id", "from_at"),
    sa.CheckConstraint("to_at > from_at", name="ends_after_it_begins"),
    sa.Index(None, "site_id"),
)

series: Final = sa.Table(
    "series",
    metadata,
    _id(),
    _text("identity"),  # all of the key in one text, so that thousands are looked up by one index
    _reference("device", nullable=True),
    _text("channel", nullable=True),
    _reference("site", nullable=True),
    _text("quantity"),
    _real("depth"),
    _text("statistic"),
    _text("origin"),
    sa.UniqueConstraint("identity"),
    sa.CheckConstraint("(device_id IS NULL) <> (site_id IS NULL)", name="one_owner"),
    sa.CheckConstraint("(device_id IS NULL) = (channel IS NULL)", name="channel_of_device"),
    sa.Index(None, "device_id"),
    sa.Index(None, "site_id"),
)

run: Final = sa.Table(
    "run",
    metadata,
    _id(),
    _text("kind"),
    _text("name"),
    _text("version"),
    _text("digest"),
    _moment("first_at"),
    sa.UniqueConstraint("kind", "name", "version", "digest"),
)

latest: Final = sa.Table(
    "latest",
    metadata,
    sa.Column("series_id", sa.BigInteger, sa.ForeignKey("series.id"), primary_key=True, autoincrement=False),
    _moment("measured_at"),
    _real("value", nullable=False),
    sa.Column("flag", sa.SmallInteger, nullable=False),
    _reference("run"),
)

flag_interval: Final = sa.Table(
    "flag_interval",
    metadata,
    _id(),
    _reference("series"),
    _moment("from_at"),
    _moment("to_at"),
    _text("test"),
    sa.Column("flag", sa.SmallInteger, nullable=False),
    _text("author"),
    _text("reason"),
    sa.CheckConstraint("to_at > from_at", name="ends_after_it_begins"),
    sa.Index(None, "series_id", "from_at"),
)

dirty: Final = sa.Table(
    "dirty",
    metadata,
    sa.Column("site_id", sa.BigInteger, sa.ForeignKey("site.id"), primary_key=True, autoincrement=False),
    sa.Column("from_day", sa.Date, nullable=True),  # None once worked off: the row stays, its version never returns
    _whole("version"),
)
sa.Index(
    None, dirty.c.from_day, sqlite_where=dirty.c.from_day.is_not(None), postgresql_where=dirty.c.from_day.is_not(None)
)

watermark: Final = sa.Table(
    "watermark",
    metadata,
    _id(),
    _text("processor"),
    _reference("site", nullable=True),  # None: the whole fleet
    _moment("reached_at"),
    sa.UniqueConstraint("processor", "site_id"),
)
_unique_alone("uq_watermark_processor_fleet", watermark.c.processor, watermark.c.site_id)

job_run: Final = sa.Table(
    "job_run",
    metadata,
    _id(),
    _text("job"),
    _moment("due_at"),
    _text("state"),
    _text("owner"),
    _whole("attempt"),
    _moment("leased_until"),
    _moment("started_at"),
    _moment("finished_at", nullable=True),
    _text("error", nullable=True),
    sa.UniqueConstraint("job", "due_at"),
)

request: Final = sa.Table(
    "request",
    metadata,
    _id(),
    _text("kind"),
    sa.Column("arguments", sa.JSON, nullable=False),
    _text("state"),
    _text("actor"),
    _moment("asked_at"),
    _moment("taken_at", nullable=True),
    _moment("finished_at", nullable=True),
    sa.Column("result", sa.JSON, nullable=True),
    _text("error", nullable=True),
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
    _text("reason"),
    _text("detail"),
    _text("source"),
    _text("topic"),
    _text("device", nullable=True),
    _moment("received_at"),
    sa.Index(None, "reason"),
    sa.Index(None, "device"),
)

tally: Final = sa.Table(
    "tally",
    metadata,
    sa.Column("device", TEXT, primary_key=True),  # a key, not a reference: unknown devices are counted too
    sa.Column("source", TEXT, primary_key=True),
    _whole("decoded"),
    _whole("dead_lettered"),
    _whole("duplicates"),
    _moment("last_uplink_at", nullable=True),
)

progress: Final = sa.Table(
    "progress",
    metadata,
    sa.Column("cache", TEXT, primary_key=True),
    _whole("offset"),
    _whole("decoded"),
    _whole("dead_lettered"),
    _whole("duplicates"),
)

component_health: Final = sa.Table(
    "component_health",
    metadata,
    sa.Column("name", TEXT, primary_key=True),
    sa.Column("body", sa.JSON, nullable=False),
    _moment("updated_at"),
)

setting: Final = sa.Table(
    "setting",
    metadata,
    sa.Column("key", TEXT, primary_key=True),
    sa.Column("value", sa.JSON, nullable=False),
    _moment("updated_at"),
)

audit: Final = sa.Table(
    "audit",
    metadata,
    _id(),
    _moment("at"),
    _text("actor"),
    _text("action"),
    _text("subject"),
    sa.Column("detail", sa.JSON, nullable=False),
    sa.Index(None, "subject"),
    sa.Index(None, "at"),
)

imported: Final = sa.Table(
    "import",
    metadata,
    _id(),
    _text("kind"),
    _text("source"),
    _text("actor"),
    _moment("at"),
    _whole("added"),
    _whole("changed"),
    _whole("unchanged"),
)

watering: Final = sa.Table(
    "watering",
    metadata,
    _id(),
    _reference("site"),
    _moment("at"),
    _real("litres", nullable=False),
    _text("method"),
    _text("source"),
    _text("author"),
    _text("comment"),
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
    _text("source"),
    sa.Column("station_id", sa.BigInteger, sa.ForeignKey("site.id"), nullable=True),  # None: nobody knew it
    _real("distance"),
    sa.Index(None, "to_day"),
)
