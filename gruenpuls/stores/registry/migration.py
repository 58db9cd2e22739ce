"""Bringing a database to this program's schema, or saying why that cannot be.

Alembic is loaded where it has something to do: nearly always the schema is the present one, and three processes
would each hold its 14 MB for nothing.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from gruenpuls.domain.errors import StorageError
from gruenpuls.stores.registry.connection import Database
from gruenpuls.stores.registry.schema import metadata

if TYPE_CHECKING:
    from alembic.config import Config

_MIGRATION_LOCK: Final = 7_140_318_224
"""Number of the PostgreSQL advisory lock under which one program migrates."""
_VERSION: Final = sa.table("alembic_version", sa.column("version_num", sa.String))
"""Where Alembic keeps which schema a database has."""


def migrate(database: Database) -> None:
    """Bring a fresh or older database to this program's schema; an older SQLite file is copied first.

    Raises
    ------
    StorageError
        If a newer program made it, it holds something else, or it cannot be written.
    """
    database.use_write_ahead_log()
    head = _revisions()[-1]
    with database.reading() as connection:
        if _revision(connection, database) == head:
            return
    from alembic import command  # noqa: PLC0415 - see above

    with database.writing() as connection:
        if not database.file:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
        revision = _revision(connection, database)
        if revision == head:
            return
        if revision is None:
            _refuse_foreign_tables(connection, database)
        elif database.file:
            _copy(database.file, database.file.with_name(f"{database.file.name}.before-{head}"))
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def verify(database: Database) -> None:
    """Check that a database has exactly this program's schema and is sound.

    Raises
    ------
    StorageError
        If it is older or newer, differs, or is damaged.
    """
    from alembic.autogenerate import compare_metadata  # noqa: PLC0415 - see above
    from alembic.migration import MigrationContext  # noqa: PLC0415 - see above

    head = _revisions()[-1]
    with database.reading() as connection:
        revision = _revision(connection, database)
        if revision != head:
            raise StorageError(
                what=f"the registry has schema {revision or 'none'}, this program needs {head}",
                where=database.name,
                remedy="start the service once, which brings it up to date",
            )
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
        if differences:
            raise StorageError(
                what=f"the registry's tables were changed from outside: {differences[0]}",
                where=database.name,
                remedy="put a backup in its place",
            )
        if database.file:
            _verify_file(connection, database)


def _verify_file(connection: sa.Connection, database: Database) -> None:
    findings = [row[0] for row in connection.exec_driver_sql("PRAGMA quick_check(3)") if row[0] != "ok"]
    findings += [
        f"table {row[0]}, row {row[1]} points at nothing in {row[2]}"
        for row in connection.exec_driver_sql("PRAGMA foreign_key_check")
    ]
    if findings:
        raise StorageError(
            what=f"the registry's file is damaged: {findings[0]}",
            where=database.name,
            remedy="put a backup in its place",
        )


def _config() -> Config:
    from alembic.config import Config  # noqa: PLC0415 - see above

    config = Config()
    config.set_main_option("script_location", "gruenpuls.stores.registry:migrations")
    config.set_main_option("path_separator", "os")
    # A per cent sign stands for itself only twice.
    config.set_main_option("version_locations", os.pathsep.join(map(str, _folders())).replace("%", "%%"))
    return config


def _folders() -> list[Path]:
    """Return where the migrations are, one file for each."""
    return [Path(__file__).parent / "migrations" / "versions"]


def _revisions() -> list[str]:
    """Return the schemas there have been, the present one last: the numbers the migrations' files begin with."""
    return sorted(file.name.partition("_")[0] for folder in _folders() for file in folder.glob("[0-9]*_*.py"))


def _revision(connection: sa.Connection, database: Database) -> str | None:
    if not sa.inspect(connection).has_table(_VERSION.name):
        return None
    revision = connection.execute(sa.select(_VERSION.c.version_num)).scalar_one_or_none()
    known = _revisions()
    if revision is not None and revision not in known:
        raise StorageError(
            what=f"the registry was made by a newer Grünpuls (schema {revision}, this program knows up to {known[-1]})",
            where=database.name,
            remedy="install the newer version, or put back the copy made before its upgrade",
        )
    return revision


def _refuse_foreign_tables(connection: sa.Connection, database: Database) -> None:
    present = sorted(set(sa.inspect(connection).get_table_names()) & set(metadata.tables))
    if present:
        raise StorageError(
            what=f"the database holds a table {present[0]!r} that Grünpuls did not make",
            where=database.name,
            remedy="name a database of its own",
        )


def _copy(source: Path, target: Path) -> None:
    # SQLite's own copy includes what is still in the write-ahead log; a half-made copy never has the final name.
    unfinished = target.with_name(f"{target.name}.unfinished")
    with (
        contextlib.closing(sqlite3.connect(source)) as original,
        contextlib.closing(sqlite3.connect(unfinished)) as duplicate,
    ):
        original.backup(duplicate)
    unfinished.replace(target)
