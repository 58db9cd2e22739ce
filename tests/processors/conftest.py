"""Published values, read in place."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from requirement import real_data

Entries = list[dict[str, Any]]


@pytest.fixture(scope="session")
def reference_values() -> Callable[[str], Entries]:
    """Return what gives the worked examples of a method; skip where nobody said where they are."""
    entries: Entries = json.loads(real_data("reference_values.json").read_text(encoding="utf-8"))

    def of(method: str) -> Entries:
        found = [entry for entry in entries if entry["method"] == method]
        assert found, method
        return found

    return of
