import shutil
import sys
from collections.abc import Iterator, Sequence
from importlib.abc import MetaPathFinder
from pathlib import Path
from types import ModuleType

import pytest
from stores.observation_contract import Judgements

from gruenpuls.stores.embedded import EmbeddedStore


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("template") / "store"
    EmbeddedStore.open_writer(directory, Judgements()).close()
    return directory


@pytest.fixture
def directory(template: Path, tmp_path: Path) -> Path:
    """Return a store nobody has written to."""
    return shutil.copytree(template, tmp_path / "store")


class _Watch(MetaPathFinder):
    def __init__(self) -> None:
        self.asked = False

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:  # noqa: ARG002 - the protocol's
        if fullname == "pandas":
            self.asked = True
            raise ModuleNotFoundError(name=fullname)


@pytest.fixture(autouse=True)
def without_pandas(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail where anything has the engine look for pandas, which takes 27 MB."""
    watch = _Watch()
    monkeypatch.delitem(sys.modules, "pandas", raising=False)
    monkeypatch.setattr(sys, "meta_path", [watch, *sys.meta_path])
    yield
    assert not watch.asked
