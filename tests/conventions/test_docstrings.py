"""Every public physical function states units, validity, a source, and an example."""

import ast
import doctest
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

PROCESSORS = Path(__file__).parents[2] / "processors"
NAMES = {"str", "str | None"}
UNIT = re.compile(r"\[[^\]\n]+\]")
SECTIONS = ("Parameters", "Returns", "Notes", "References", "Examples")


def physical_functions() -> Iterator[tuple[str, ast.FunctionDef]]:
    for path in sorted(PROCESSORS.rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                yield f"{path.parent.name}.{path.stem}.{node.name}", node


def looks_up_a_name(function: ast.FunctionDef) -> bool:
    """Return whether words go in and a word comes out: that has no unit, range or equation, only an example."""
    annotations = [argument.annotation for argument in parameters(function)]
    return {ast.unparse(it) for it in (*annotations, function.returns) if it is not None} <= NAMES


def parameters(function: ast.FunctionDef) -> list[ast.arg]:
    arguments = function.args
    return [*arguments.args, *([arguments.vararg] if arguments.vararg else []), *arguments.kwonlyargs]


WRITTEN = dict(physical_functions())
LOOK_UPS = {name: function for name, function in WRITTEN.items() if looks_up_a_name(function)}
MODULES = [".".join(path.relative_to(PROCESSORS.parent).with_suffix("").parts) for path in PROCESSORS.rglob("*.py")]
FUNCTIONS = {name: function for name, function in WRITTEN.items() if name not in LOOK_UPS}


def sections(function: ast.FunctionDef) -> dict[str, str]:
    """Return a numpydoc docstring's sections by their headings."""
    parts = re.split(r"^(\w[\w ]*)\n-{3,}\n", ast.get_docstring(function) or "", flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def entries(section: str) -> list[str]:
    """Return a section's entries: a line at the margin and the indented ones below it."""
    return re.findall(r"^\S.*(?:\n(?:[ \t]+.*|\s*))*", section, flags=re.MULTILINE)


@pytest.fixture(params=FUNCTIONS, ids=str)
def function(request: pytest.FixtureRequest) -> ast.FunctionDef:
    return FUNCTIONS[request.param]


def test_there_are_functions_to_check() -> None:
    assert len(FUNCTIONS) >= 5


@pytest.mark.parametrize("name", LOOK_UPS)
def test_a_look_up_of_a_name_shows_an_example(name: str) -> None:
    assert ">>> " in (ast.get_docstring(LOOK_UPS[name]) or "")


def test_it_has_every_section(function: ast.FunctionDef) -> None:
    assert [name for name in SECTIONS if not sections(function).get(name, "").strip()] == []


@pytest.mark.parametrize("section", ["Parameters", "Returns"])
def test_every_entry_states_its_unit(function: ast.FunctionDef, section: str) -> None:
    found = entries(sections(function)[section])
    assert found
    assert [entry for entry in found if not UNIT.search(entry)] == []


def test_every_parameter_is_described(function: ast.FunctionDef) -> None:
    described = {
        name.strip().lstrip("*")
        for entry in entries(sections(function)["Parameters"])
        for name in entry.splitlines()[0].partition(":")[0].split(",")
    }
    assert described == {parameter.arg for parameter in parameters(function)}


def test_it_says_in_words_where_it_is_valid(function: ast.FunctionDef) -> None:
    assert "Valid" in sections(function)["Notes"]


def test_its_source_names_an_equation_or_says_there_is_none(function: ast.FunctionDef) -> None:
    assert re.search(r"equation|annex|table", sections(function)["References"], flags=re.IGNORECASE)


@pytest.mark.parametrize("module", sorted(MODULES))
def test_its_examples_run(module: str) -> None:
    assert not doctest.testmod(importlib.import_module(module), extraglobs={"np": np}).failed
