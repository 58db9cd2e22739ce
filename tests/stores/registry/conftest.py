"""Every test of the registry runs on a SQLite file and on a real PostgreSQL."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from stores.registry.postgresql import Postgresql

from gruenpuls.stores.registry import Registry
from gruenpuls.stores.registry.schema import metadata

_NUMBERS = itertools.count()


class SteppingClock:
    """A clock that stands until it is told to go on."""

    def __init__(self) -> None:
        self.now = datetime(2026, 6, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def step(self, span: timedelta) -> None:
        """Go on."""
        self.now += span


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Postgresql]:
    server = Postgresql()
    with Registry.open(server.create("migrated")):
        pass
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database that holds nothing yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'registry.db'}"
    server: Postgresql = request.getfixturevalue("postgresql")
    return server.create(f"test_{next(_NUMBERS)}")


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("registry") / "migrated.db"
    Registry.open(f"sqlite:///{file}").close()
    return file


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
def url(request: pytest.FixtureRequest, tmp_path: Path, migrated_file: Path) -> str:
    """The URL of a database with the schema and nothing in it."""
    if request.param == "sqlite":
        return f"sqlite:///{shutil.copy(migrated_file, tmp_path / 'registry.db')}"
    server: Postgresql = request.getfixturevalue("postgresql")
    with psycopg.connect(server.url("migrated"), autocommit=True) as connection:
        tables = ", ".join(f'"{name}"' for name in metadata.tables)
        connection.execute(f"TRUNCATE {tables} RESTART IDENTITY".encode())
    return server.url("migrated")


@pytest.fixture
def clock() -> SteppingClock:
    return SteppingClock()


@pytest.fixture
def registry(url: str, clock: SteppingClock) -> Iterator[Registry]:
    with Registry.open(url, clock=clock) as opened:
        yield opened
