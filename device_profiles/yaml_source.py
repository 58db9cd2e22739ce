"""Reads YAML so that an error can name its line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from gruenpuls.domain.errors import InputError

_Model = TypeVar("_Model", bound=BaseModel)
# libyaml reads ten times as fast where PyYAML was built with it.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def validated(model: type[_Model], text: str, where: str) -> _Model:
    """Return a YAML text as a model.

    Parameters
    ----------
    model : type
    text : str
    where : str
        The file's name, for errors.

    Raises
    ------
    InputError
        With file, line and key of the first thing that is wrong, and how many more there are.
    """
    loader = _LOADER(text)
    try:
        root = loader.get_single_node()
        if not isinstance(root, yaml.MappingNode):
            message = "the file is empty or holds no keys"
            raise InputError(message, where=where)
        _refuse_double_keys(root, where)
        content = loader.construct_document(root)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        message = f"not YAML: {error.problem}"
        raise InputError(message, where=f"{where}:{line}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        message = f"not YAML: {error}"
        raise InputError(message, where=where) from error
    finally:
        loader.dispose()
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise _explained(error, root, where) from error


def _refuse_double_keys(node: yaml.Node, where: str) -> None:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                message = "a key is a plain word"
                raise InputError(message, where=f"{where}:{key.start_mark.line + 1}")
            if key.value in seen:
                message = f"key {key.value!r} stands twice"
                raise InputError(message, where=f"{where}:{key.start_mark.line + 1}")
            seen.add(key.value)
            _refuse_double_keys(value, where)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_double_keys(item, where)


def _explained(error: ValidationError, root: yaml.Node, where: str) -> InputError:
    problems = error.errors(include_url=False, include_input=False)
    # A key nobody knows is mostly the misspelt one that another error finds missing.
    first = next((problem for problem in problems if problem["type"] == "extra_forbidden"), problems[0])
    place = first["loc"]
    if place and "[" in str(place[-1]):
        # Of a value that may have two forms, what went furthest is what its author meant.
        alike = [problem for problem in problems if problem["loc"][: len(place) - 1] == place[:-1]]
        first = max(alike, key=lambda problem: len(problem["loc"]))
    line, key = _place(root, first["loc"])
    reason = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        reason = "this key is not known"
    more = f"; {len(problems) - 1} more" if len(problems) > 1 else ""
    return InputError(
        f"{key}: {reason}{more}" if key else f"{reason}{more}",
        where=f"{where}:{line}",
        remedy="docs/profiles.md describes every key",
    )


def _place(node: yaml.Node, location: Sequence[int | str]) -> tuple[int, str]:
    """Return the line and the key a validation error is about; steps that stand for no key are passed over."""
    line = node.start_mark.line + 1
    key: list[str] = []
    for step in location:
        if isinstance(node, yaml.MappingNode):
            pair = next(((name, value) for name, value in node.value if name.value == str(step)), None)
            if pair is None:
                continue
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line + 1
        else:
            continue
        key.append(str(step))
    missing = str(location[-1]) if location and (not key or key[-1] != str(location[-1])) else ""
    if missing and isinstance(node, yaml.MappingNode):
        key.append(missing)
    return line, ".".join(key)
