"""What a test needs from its machine: here a lack is a skip, in CI a failure."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest


def require(condition: object, reason: str) -> None:
    """Skip the test where a need is not met; fail it where `CI` is set."""
    if condition:
        return
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def program(name: str, package: str) -> str:
    """Return the path of a program, or skip or fail with the Debian package to install."""
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    require(found, f"{name} is not installed (Debian package {package})")
    assert found is not None
    return found


def real_data(name: str) -> Path:
    """Return the path of a real recording; skip where nobody said where they are."""
    root = os.environ.get("GRUENPULS_REAL_DATA")
    if not root:
        pytest.skip("GRUENPULS_REAL_DATA is not set: real recordings stay outside the repository")
    path = Path(root) / name
    if not path.exists():
        pytest.fail(f"GRUENPULS_REAL_DATA is set, but {path} is missing")
    return path
