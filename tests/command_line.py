"""Runs the command line in this process, as a person would type it."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gruenpuls.cli import main

_furnished: dict[Callable[[CommandLine], None], Path] = {}
"""Where a copy of each city lies that a test had made."""


@dataclass
class CommandLine:
    """The command line of a city that keeps its data in a directory of its own."""

    directory: Path
    capture: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch

    def __call__(self, *words: str, status: int = 0) -> str:
        """Run a command that ends with `status`; return what it printed, for a failing one its errors too."""
        self.monkeypatch.setattr(sys, "argv", ["gruenpuls", *words])
        self.capture.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = self.capture.readouterr()
        assert (ended.value.code or 0) == status, (words, out, err)
        return out + err if status else out

    def json(self, *words: str) -> Any:  # noqa: ANN401 - any JSON value
        """Run a command with `--json` and return what it said."""
        return json.loads(self(*words, "--json"))

    def furnish(self, city: Callable[[CommandLine], None]) -> None:
        """Fill the directory as `city` does; the next test that asks for it is given a copy, which takes no time."""
        if city in _furnished:
            shutil.copytree(_furnished[city], self.directory, dirs_exist_ok=True)
            return
        city(self)
        _furnished[city] = self.directory.with_name(f"{self.directory.name}-furnished")
        shutil.copytree(self.directory, _furnished[city])
