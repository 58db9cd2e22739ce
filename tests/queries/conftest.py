from __future__ import annotations

from collections.abc import Iterator

import pytest
from queries.city import City, opened, small_city


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """Open the small city; tests that change something take `empty`."""
    with small_city(tmp_path_factory.mktemp("city")) as opened_city:
        yield opened_city


@pytest.fixture
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """Open a city without anything."""
    with opened(tmp_path_factory.mktemp("empty")) as opened_city:
        yield opened_city
