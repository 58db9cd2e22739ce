"""Bringing a database to this program's schema, or saying why that cannot be."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from gruenpuls.domain.errors import StorageError
from gruenpuls.stores.registry.connection import Database
from gruenpuls.stores.registry.schema import metadata

_MIGRATION_LOCK: Final = 7_140_318_224
"""Number of the PostgreSQL advisory lock under which one program migrates."""


def migrate(database: Database) -> None:
    """Bring a fresh or older database to this program's schema; an older SQLite file is copied first.

    Raises
    ------
    StorageError
        If a newer program made it, it holds something else, or it cannot be written.
    """
    database.use_write_ahead_log()
    script = ScriptDirectory.from_config(_config())
    with database.reading() as connection:
        if _revision(connection, script, database) == _head(script):
            return
    with database.writing() as connection:
        if not database.file:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
        revision = _revision(connection, script, database)
        if revision == _head(script):
            return
        if revision is None:
            _refuse_foreign_tables(connection, database)
        elif database.file:
            _copy(database.file, database.file.with_name(f"{database.file.name}.before-{_head(script)}"))
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
    script = ScriptDirectory.from_config(_config())
    with database.reading() as connection:
        revision = _revision(connection, script, database)
        if revision != _head(script):
            raise StorageError(
                what=f"the registry has schema {revision or 'none'}, this program needs {_head(script)}",
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
    config = Config()
    config.set_main_option("script_location", "gruenpuls.stores.registry:migrations")
    config.set_main_option("path_separator", "os")
    return config


def _head(script: ScriptDirectory) -> str:
    head = script.get_current_head()
    assert head is not None, "the package carries its migrations"
    return head


def _revision(connection: sa.Connection, script: ScriptDirectory, database: Database) -> str | None:
    revision = MigrationContext.configure(connection).get_current_revision()
    if revision is not None and revision not in {known.revision for known in script.walk_revisions()}:
        raise StorageError(
            what=f"the registry was made by a newer Grünpuls "
            f"(schema {revision}, this program knows up to {_head(script)})",
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
