import shutil
from pathlib import Path

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
