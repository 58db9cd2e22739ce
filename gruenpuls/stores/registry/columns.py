"""The kinds of columns the registry's tables are made of."""

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
        in_utc = value.astimezone(UTC)
        return in_utc if dialect.name == "postgresql" else in_utc.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Return it aware."""
        if value is None:
            return None
        return value.astimezone(UTC) if dialect.name == "postgresql" else value.replace(tzinfo=UTC)


BIG: Final = sa.BigInteger().with_variant(sa.Integer, "sqlite")  # SQLite numbers rows only in INTEGER
# Ordered by code point on both, so that pages of keys join up.
TEXT: Final = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def identifier() -> sa.Column[int]:
    """Return the column of a row's own number."""
    return sa.Column("id", BIG, primary_key=True)


def text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    """Return a column of text."""
    return sa.Column(name, TEXT, nullable=nullable)


def moment(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    """Return a column of moments."""
    return sa.Column(name, UtcMoment, nullable=nullable)


def whole(name: str) -> sa.Column[int]:
    """Return a column of whole numbers, each of them known."""
    return sa.Column(name, sa.BigInteger, nullable=False)


def real(name: str, *, nullable: bool = True) -> sa.Column[float]:
    """Return a column of numbers; what nobody knows is absent."""
    return sa.Column(name, sa.Double, nullable=nullable)


def reference(table: str, *, nullable: bool = False, ondelete: str | None = None) -> sa.Column[int]:
    """Return the column that refers to another table's row."""
    return sa.Column(f"{table}_id", sa.BigInteger, sa.ForeignKey(f"{table}.id", ondelete=ondelete), nullable=nullable)
