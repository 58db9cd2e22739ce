from __future__ import annotations

import multiprocessing
import os
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from mosquitto import free_port
from requirement import require
from stores.registry.city import LIME
from stores.registry.postgresql import PASSWORD, Postgresql

from gruenpuls.domain.clock import wall_clock
from gruenpuls.domain.errors import BusyError, ConfigurationError, GruenpulsError, StorageError, UnavailableError
from gruenpuls.domain.incident import Incident, IncidentState, Revision, Severity
from gruenpuls.stores.registry import Registry, migration
from gruenpuls.stores.registry.connection import Database
from gruenpuls.stores.registry.schema import metadata

PRESENT = max(file.name[:4] for file in (Path(migration.__file__).parent / "migrations" / "versions").glob("0*.py"))
LATER = f"{int(PRESENT) + 1:04d}"
_LATER = """
import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = "{before}"


def upgrade() -> None:
    op.add_column("site", sa.Column("nickname", sa.Text()))
    {more}
"""


@pytest.fixture
def later_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Turn this program into its next version, which has one migration more."""
    carried = migration._folders()

    def become(more: str = "") -> None:
        folder = tmp_path / "later"
        folder.mkdir(exist_ok=True)
        (folder / f"{LATER}_later.py").write_text(
            _LATER.format(revision=LATER, before=PRESENT, more=more), encoding="utf-8"
        )

        monkeypatch.setattr(migration, "_folders", lambda: [*carried, folder])

    return become


def test_a_fresh_database_gets_the_whole_schema(empty_url: str) -> None:
    with Registry.open(empty_url) as registry:
        registry.verify_schema()
        registry.places.add(LIME, actor="ada")
    with Registry.open(empty_url) as again:
        assert again.places.by_key(LIME.key) == LIME


def test_the_migrations_make_exactly_the_tables_the_program_uses(empty_url: str) -> None:
    with Registry.open(empty_url) as registry, registry.database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        present = set(sa.inspect(connection).get_table_names())
    assert present == {*metadata.tables, "alembic_version"}


def test_check_constraints_reach_the_database(empty_url: str) -> None:
    with Registry.open(empty_url) as registry, registry.database.reading() as connection:
        inspector = sa.inspect(connection)
        for table in metadata.tables.values():
            declared = {c.name for c in table.constraints if isinstance(c, sa.CheckConstraint)}
            assert {check["name"] for check in inspector.get_check_constraints(table.name)} == declared


def test_a_database_of_an_older_program_is_brought_up_to_date(
    empty_url: str, later_program: Callable[..., None]
) -> None:
    with Registry.open(empty_url) as registry:
        registry.places.add(LIME, actor="ada")
    later_program()
    with Registry.open(empty_url) as registry:
        assert registry.places.by_key(LIME.key) == LIME
        with registry.database.reading() as connection:
            assert "nickname" in {column["name"] for column in sa.inspect(connection).get_columns("site")}


def test_an_older_file_is_copied_before_it_is_changed(tmp_path: Path, later_program: Callable[..., None]) -> None:
    file = tmp_path / "registry.db"
    with Registry.open(f"sqlite:///{file}") as registry:
        registry.places.add(LIME, actor="ada")
    assert not list(tmp_path.glob("*.before-*"))
    later_program()
    Registry.open(f"sqlite:///{file}").close()
    with closing(sqlite3.connect(tmp_path / f"registry.db.before-{LATER}")) as copy:
        assert copy.execute("SELECT key FROM site").fetchall() == [(LIME.key,)]
        assert copy.execute("SELECT version_num FROM alembic_version").fetchall() == [(PRESENT,)]
    assert not list(tmp_path.glob("*.unfinished"))


def test_a_migration_that_fails_leaves_everything_as_it_was(empty_url: str, later_program: Callable[..., None]) -> None:
    with Registry.open(empty_url) as registry:
        registry.places.add(LIME, actor="ada")
    later_program('raise RuntimeError("in the middle")')
    with pytest.raises(RuntimeError, match="in the middle"):
        Registry.open(empty_url)
    database = Database.at(empty_url, clock=wall_clock)
    with database.reading() as connection:
        assert "nickname" not in {column["name"] for column in sa.inspect(connection).get_columns("site")}
    database.engine.dispose()
    later_program()
    with Registry.open(empty_url) as registry:
        assert registry.places.by_key(LIME.key) == LIME


def test_a_database_of_a_newer_program_is_refused(empty_url: str, later_program: Callable[..., None]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        present = migration._folders
        later_program()
        Registry.open(empty_url).close()
        patch.setattr(migration, "_folders", present)
        with pytest.raises(
            StorageError, match=rf"newer Grünpuls \(schema {LATER}, this program knows up to {PRESENT}\)"
        ) as caught:
            Registry.open(empty_url)
    assert "install the newer version" in caught.value.remedy


def test_tables_changed_from_outside_are_told(empty_url: str) -> None:
    with Registry.open(empty_url) as registry:
        with registry.database.writing() as connection:
            connection.exec_driver_sql("ALTER TABLE site DROP COLUMN contract_lot")
        with pytest.raises(StorageError, match=r"changed from outside.*contract_lot"):
            registry.verify_schema()


def test_a_database_of_something_else_is_left_alone(empty_url: str) -> None:
    database = Database.at(empty_url, clock=wall_clock)
    with database.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE device (id integer)")
    with pytest.raises(StorageError, match="a table 'device' that Grünpuls did not make"):
        Registry.open(empty_url)
    with database.reading() as connection:
        assert sa.inspect(connection).get_table_names() == ["device"]
    database.engine.dispose()


def _open_once(url: str, answer: Connection) -> None:
    try:
        with Registry.open(url) as registry:
            registry.verify_schema()
        answer.send("opened")
    except GruenpulsError as error:
        answer.send(repr(error))


def test_several_programs_may_open_a_fresh_database_at_once(empty_url: str) -> None:
    fork = multiprocessing.get_context("fork")
    started = []
    for _ in range(3):
        here, there = fork.Pipe()
        process = fork.Process(target=_open_once, args=(empty_url, there))
        process.start()
        started.append((process, here))
    answers = [here.recv() for _, here in started]
    for process, _ in started:
        process.join(20)
    assert answers == ["opened"] * 3


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("registry.db", "not a database URL"),
        ("", "not a database URL"),
        ("mysql://host/registry", "SQLite and PostgreSQL, not mysql"),
        ("sqlite://", "in memory"),
        ("sqlite:///:memory:", "in memory"),
    ],
)
def test_a_url_that_cannot_be_is_a_wrong_setting(url: str, what: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(what)) as caught:
        Registry.open(url)
    assert caught.value.remedy


def test_a_wrong_url_is_not_repeated_since_it_may_hold_a_password() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Registry.open("post gres://gruenpuls:geheim@host/registry")
    assert "geheim" not in str(caught.value)


def test_a_missing_file_is_told_where_it_is_not_to_be_made(tmp_path: Path) -> None:
    file = tmp_path / "registry.db"
    with pytest.raises(StorageError, match="there is no registry"):
        Registry.open(f"sqlite:///{file}", create=False)
    assert not file.exists()


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be opened") as caught:
        Registry.open(f"sqlite:///{tmp_path / 'nowhere' / 'registry.db'}")
    assert "folder" in caught.value.remedy


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    file = tmp_path / "registry.db"
    file.write_bytes(b"key;name\n" * 1000)
    with pytest.raises(StorageError, match="damaged"):
        Registry.open(f"sqlite:///{file}")
    assert file.read_bytes().startswith(b"key;name")


def test_a_damaged_page_is_found(tmp_path: Path) -> None:
    file = tmp_path / "registry.db"
    with Registry.open(f"sqlite:///{file}") as registry:
        registry.places.add_all([replace(LIME, key=f"BK-{number}") for number in range(500)], actor="ada")
    with file.open("r+b") as raw:
        raw.seek(file.stat().st_size // 2)
        raw.write(os.urandom(16 * 4096))
    with pytest.raises(StorageError, match="damaged"), Registry.open(f"sqlite:///{file}") as registry:
        registry.verify_schema()


def _write_as_nobody(url: str, answer: Connection) -> None:
    os.setgid(65534)
    os.setuid(65534)
    try:
        with Registry.open(url) as registry:
            registry.places.add(LIME, actor="ada")
        answer.send(("written", "", ""))
    except GruenpulsError as error:
        answer.send((type(error).__name__, error.what, error.remedy))


def test_a_file_nobody_may_write_is_told() -> None:
    require(os.geteuid() == 0, "only root can become nobody")
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    url = f"sqlite:///{folder / 'registry.db'}"
    Registry.open(url).close()
    fork = multiprocessing.get_context("fork")
    here, there = fork.Pipe()
    process = fork.Process(target=_write_as_nobody, args=(url, there))
    process.start()
    kind, what, remedy = here.recv()
    process.join(20)
    shutil.rmtree(folder)
    assert kind == "StorageError"
    assert "cannot be" in what
    assert remedy


def test_a_writer_that_stays_away_too_long_is_told(tmp_path: Path) -> None:
    file = tmp_path / "registry.db"
    with (
        Registry.open(f"sqlite:///{file}", lock_patience=0.1) as registry,
        closing(sqlite3.connect(file, isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(BusyError, match="another program is writing"):
            registry.places.add(LIME, actor="ada")
        other.execute("ROLLBACK")
        registry.places.add(LIME, actor="ada")


def test_a_full_disk_is_told_and_leaves_what_was(tmp_path: Path) -> None:
    with Registry.open(f"sqlite:///{tmp_path / 'registry.db'}") as registry:
        registry.places.add(LIME, actor="ada")
        with closing(registry.database.engine.raw_connection()) as connection:
            connection.cursor().execute("PRAGMA max_page_count = 1")  # SQLite takes the present size at least
        many = [replace(LIME, key=f"BK-{number}") for number in range(5000)]
        with pytest.raises(StorageError, match=r"cannot be written.*full") as caught:
            registry.places.add_all(many, actor="ada")
        assert caught.value.remedy == "check the disk"
        assert registry.places.list() == [LIME]


def test_readers_do_not_wait_for_a_writer(url: str) -> None:
    with Registry.open(url, lock_patience=0.1) as writer, Registry.open(url, lock_patience=0.1) as reader:
        with writer.database.writing() as connection:
            connection.execute(sa.insert(metadata.tables["municipality"]).values(name="Essen"))
            assert reader.places.municipalities() == []
        assert reader.places.municipalities() == ["Essen"]


@pytest.mark.server
class TestServer:
    def test_a_wrong_password_is_told_without_showing_it(self, postgresql: Postgresql) -> None:
        with pytest.raises(UnavailableError, match="refuses user, password or name") as caught:
            Registry.open(postgresql.url(password="guessed"))
        assert "guessed" not in str(caught.value)

    def test_a_database_that_is_not_there_is_told(self, postgresql: Postgresql) -> None:
        with pytest.raises(UnavailableError, match="refuses user, password or name") as caught:
            Registry.open(postgresql.url("nowhere"))
        assert "nowhere" in caught.value.remedy

    def test_a_server_that_does_not_answer_is_told(self) -> None:
        with pytest.raises(UnavailableError, match="cannot be reached"):
            Registry.open(f"postgresql://owner@127.0.0.1:{free_port()}/registry")

    def test_a_connection_cut_by_the_server_is_made_anew(self, postgresql: Postgresql) -> None:
        with Registry.open(postgresql.create("cut")) as registry:
            registry.places.add(LIME, actor="ada")
            with psycopg.connect(postgresql.url(), autocommit=True) as operator:
                operator.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'cut'")
            assert registry.places.by_key(LIME.key) == LIME

    def test_a_user_who_may_only_read_is_told(self, postgresql: Postgresql) -> None:
        url = postgresql.create("only_read")
        Registry.open(url).close()
        with psycopg.connect(url, autocommit=True) as operator:
            operator.execute("CREATE ROLE reader LOGIN PASSWORD 'reader'")
            operator.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
        with Registry.open(
            url.replace("owner:", "reader:").replace(PASSWORD.replace(" ", "%20"), "reader")
        ) as registry:
            assert registry.places.list() == []
            with pytest.raises(StorageError, match="may not do that"):
                registry.places.add(LIME, actor="ada")


def test_an_incident_of_before_levels_keeps_its_history(empty_url: str) -> None:
    database = Database.at(empty_url, clock=wall_clock)
    with database.writing() as connection:
        config = migration._config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        for statement in (
            (
                "INSERT INTO site (id, key, name, kind, time_zone, attributes, search, changed_at)"
                " VALUES (1, 'T1', 'Tree', 'street_tree', 'Europe/Berlin', '{}', 't1', '2026-05-02 00:00:00')"
            ),
            (
                "INSERT INTO incident (id, rule, site_id, began_at, state, severity, peak, last_value, last_at)"
                " VALUES (7, 'heat', 1, '2026-05-02 00:00:00', 'firing', 2, 31.0, 30.0, '2026-05-02 03:00:00')"
            ),
            (
                "INSERT INTO incident_history (id, incident_id, noted_at, state, severity, actor, note)"
                " VALUES (9, 7, '2026-05-02 01:00:00', 'firing', 2, 'rule', '')"
            ),
        ):
            connection.execute(sa.text(statement))
    database.engine.dispose()
    with Registry.open(empty_url) as registry:
        assert [step.actor for step in registry.incidents.history(7)] == ["rule"]
        incident = registry.incidents.by_number(7)
    assert incident is not None
    assert (incident.peak, incident.steps, incident.saw) == (31.0, (), ())


COLUMNS = {
    "site": "id, key, name, kind, time_zone, attributes, search, changed_at",
    "incident": "rule, site_id, began_at, state, severity, peak, last_value, last_at",
    "incident_history": "incident_id, noted_at, state, severity, actor, note",
    "told": (
        "receiver, rule, site_id, number, began_at, severity, first_at, last_at, topic, count, over, messages, former"
    ),
    "audit": "at, actor, action, subject, detail",
}


def test_numbers_of_incidents_go_on_and_their_history_stays(empty_url: str) -> None:
    database = Database.at(empty_url, clock=wall_clock)
    with database.writing() as connection:
        config = migration._config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0004")
        at = "'2026-05-02 00:00:00'"
        rows = [
            ("site", f"1, 'T1', 'Tree', 'street_tree', 'Europe/Berlin', '{{}}', 't1', {at}"),
            ("incident", f"'heat', 1, '2026-05-01 00:00:00', 'resolved', 2, 31.0, 30.0, {at}"),
            ("incident", f"'heat', 1, '2026-05-02 00:00:00', 'pending', 2, 31.0, 30.0, {at}"),
            ("incident", f"'heat', 1, '2026-05-03 00:00:00', 'acknowledged', 2, 31.0, 30.0, {at}"),
            ("incident_history", f"3, {at}, 'acknowledged', 2, 'ada', 'on my way'"),
            ("told", f"'anna', 'heat', 1, 7, {at}, 2, {at}, {at}, '', 1, true, '[]', '[12, 5]'"),
            ("audit", f"{at}, 'ada', 'incident.comment', 'incident 40', '{{}}'"),
        ]
        for table, values in rows:
            statement = f"INSERT INTO {table} ({COLUMNS[table]}) VALUES ({values})"
            connection.execute(sa.text(statement))
    database.engine.dispose()
    with Registry.open(empty_url, clock=wall_clock) as registry:
        states = {kept.number: kept.incident.state.value for kept in registry.incidents.list()}
        assert states == {1: "resolved", 2: "withdrawn", 3: "acknowledged"}
        assert [(step.actor, step.note) for step in registry.incidents.history(3)] == [("ada", "on my way")]
        assert [step.revision for step in registry.incidents.history(2)] == [Revision.WITHDRAWN]
        begun = datetime(2026, 6, 1, tzinfo=UTC)
        new = Incident("drought", "T1", IncidentState.FIRING, Severity.WARNING, begun, begun, None, 1.0, 1.0, begun)
        registry.incidents.keep([new])
        (kept,) = registry.incidents.open("drought")
        assert kept.number == (4 if empty_url.startswith("postgresql") else 41), "a sequence never goes back"
        migration.verify(registry.database)
