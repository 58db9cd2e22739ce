"""The examples in the docstrings of what is no processor and so is run nowhere else."""

import doctest
import importlib
from pathlib import Path

import numpy as np
import pytest

import processors

ROOMS = ("climate", "comfort")
ROOT = Path(processors.__file__).parent
MODULES = sorted(f"processors.{room}.{path.stem}" for room in ROOMS for path in (ROOT / room).glob("[!_]*.py"))


@pytest.mark.parametrize("module", MODULES)
def test_its_examples_run(module: str) -> None:
    assert not doctest.testmod(importlib.import_module(module), extraglobs={"np": np}).failed
