"""What people write as YAML, read into a model: every error with its file, line and key."""

from __future__ import annotations

from pathlib import Path
from typing import Final, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from gruenpuls.domain.errors import ConfigurationError

_PLAINLY: Final = {
    "extra_forbidden": "there is no such key here",
    "missing": "this key is missing",
    "tuple_type": "this is a list: [a, b]",
    "model_type": "this is a group of keys with values: {key: value}",
}
"""What pydantic says, as people who write YAML understand it."""

Model = TypeVar("Model", bound=BaseModel)


class MisplacedError(ValueError):
    """A fault found by looking at a whole rule, and the keys that lead to it."""

    def __init__(self, message: str, *location: str | int) -> None:
        super().__init__(message)
        self.location = location


def parsed(text: str, where: str, model: type[Model], *, noun: str, remedy: str) -> Model:
    """Return what a YAML text describes.

    Parameters
    ----------
    text : str
    where : str
        The file's name, for messages.
    model : type
        What it is read into.
    noun : str
        What people call it, such as ``"a rule"``.
    remedy : str
        What to do about a fault.

    Raises
    ------
    ConfigurationError
        If it is not YAML or not what the model allows; names file, line and key of everything that is wrong.
    """
    try:
        root = yaml.compose(text, yaml.SafeLoader)
        raw = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: dates that do not exist
        mark = getattr(error, "problem_mark", None)
        place = f"{where}:{mark.line + 1}" if mark else where
        said = getattr(error, "problem", None) or str(error)
        raise ConfigurationError(what=f"this is not YAML: {said}", where=place, remedy=remedy) from error
    if not isinstance(root, yaml.MappingNode):
        raise ConfigurationError(what=f"{noun} is a list of keys with values", where=where, remedy=remedy)
    _refuse_repeated_keys(root, where)
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        faults = [(*_place(root, _location(fault)), _said(fault)) for fault in error.errors()]
        first_line, first_key, what = faults[0]
        others = "".join(f"; line {line}, {key}: {said}" for line, key, said in faults[1:])
        place = f"{where}:{first_line}, {first_key}".removesuffix(", ")
        raise ConfigurationError(what=what + others, where=place, remedy=remedy) from error


def read_text(path: Path, *, noun: str) -> str:
    """Return what a file holds.

    Raises
    ------
    ConfigurationError
        If it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(what=f"{noun} cannot be read: {error}", where=str(path)) from error


def _location(fault: ErrorDetails) -> tuple[int | str, ...]:
    """Return the keys that lead to a fault; one of several parts together says itself where."""
    found = fault.get("ctx", {}).get("error")
    return fault["loc"] + (found.location if isinstance(found, MisplacedError) else ())


def _said(fault: ErrorDetails) -> str:
    return _PLAINLY.get(fault["type"], fault["msg"].removeprefix("Value error, "))


def _place(root: yaml.MappingNode, location: tuple[int | str, ...]) -> tuple[int, str]:
    """Return line and dotted key of a fault; of what it lies in where the key itself is missing."""
    node: yaml.Node = root
    line = root.start_mark.line
    keys: list[str] = []
    for place, step in enumerate(location, 1):
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == str(step)), None)
            if found is None:
                # Nobody wrote this step: a key that is missing, or which of several models pydantic tried.
                keys += [str(step)] if place == len(location) else []
                continue
            line, node = found[0].start_mark.line, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line
        keys.append(str(step))
    return line + 1, ".".join(keys)


def _refuse_repeated_keys(root: yaml.Node, where: str) -> None:
    waiting, met = [root], set[int]()
    while waiting:
        node = waiting.pop()
        if id(node) in met:  # an alias may name what it lies in
            continue
        met.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting += node.value
        if isinstance(node, yaml.MappingNode):
            seen: set[str] = set()
            for key, value in node.value:
                if str(key.value) in seen:
                    raise ConfigurationError(
                        what=f"{key.value!r} stands here twice",
                        where=f"{where}:{key.start_mark.line + 1}, {key.value}",
                        remedy="keep one of the two",
                    )
                seen.add(str(key.value))
                waiting.append(value)
