import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
from stores.observation_contract import Judgements

from gruenpuls.stores.embedded import EmbeddedStore, lake


class _Borrowed:
    """A connection to the shared engine that takes its lake along when it closes."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a connection has
        return getattr(self._connection, name)

    def close(self) -> None:
        self._connection.execute("DETACH DATABASE IF EXISTS lake")
        self._connection.close()


@pytest.fixture(scope="session")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"autoinstall_known_extensions": False, "threads": 2}) as engine:
        yield engine


@pytest.fixture
def one_engine(engine: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare tests with one store open at a time the 0.2 s an engine takes to check its extensions."""
    borrowed = SimpleNamespace(**{name: getattr(duckdb, name) for name in dir(duckdb) if not name.startswith("__")})
    borrowed.__version__ = duckdb.__version__
    borrowed.connect = lambda **_: _Borrowed(engine.cursor())
    monkeypatch.setattr(lake, "duckdb", borrowed)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("template") / "store"
    EmbeddedStore.open_writer(directory, Judgements()).close()
    return directory


@pytest.fixture
def directory(template: Path, tmp_path: Path) -> Path:
    """Return a store nobody has written to."""
    return shutil.copytree(template, tmp_path / "store")
