"""Rules as people write them: YAML files, every error with its file, line and key."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Final

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from alerts.rule import MisplacedError, Rule
from gruenpuls.domain.errors import ConfigurationError

_REMEDY: Final = "compare it with the rules that ship in alerts/rules"


def parse_rule(text: str, where: str) -> Rule:
    """Return the rule a YAML text describes.

    Parameters
    ----------
    text : str
    where : str
        The file's name, for messages.

    Raises
    ------
    ConfigurationError
        If it is not YAML or not a rule; names file, line and key of everything that is wrong.
    """
    try:
        root = yaml.compose(text, yaml.SafeLoader)
        raw = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: dates that do not exist
        mark = getattr(error, "problem_mark", None)
        place = f"{where}:{mark.line + 1}" if mark else where
        said = getattr(error, "problem", None) or str(error)
        raise ConfigurationError(what=f"this is not YAML: {said}", where=place, remedy=_REMEDY) from error
    if not isinstance(root, yaml.MappingNode):
        raise ConfigurationError(what="a rule is a list of keys with values", where=where, remedy=_REMEDY)
    _refuse_repeated_keys(root, where)
    try:
        return Rule.model_validate(raw)
    except ValidationError as error:
        faults = [(*_place(root, _location(fault)), _said(fault["msg"])) for fault in error.errors()]
        first_line, first_key, what = faults[0]
        others = "".join(f"; line {line}, {key}: {said}" for line, key, said in faults[1:])
        place = f"{where}:{first_line}, {first_key}".removesuffix(", ")
        raise ConfigurationError(what=what + others, where=place, remedy=_REMEDY) from error


def read_rule(path: Path) -> Rule:
    """Return the rule in a file, which bears its name.

    Raises
    ------
    ConfigurationError
        If it cannot be read or used.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(what=f"the rule cannot be read: {error}", where=str(path)) from error
    rule = parse_rule(text, str(path))
    if rule.name != path.stem:
        raise ConfigurationError(
            what=f"the rule calls itself {rule.name!r}", where=str(path), remedy=f"name the file {rule.name}.yaml"
        )
    return rule


def read_rules(directory: Path) -> tuple[Rule, ...]:
    """Return every rule of a directory, by name.

    Raises
    ------
    ConfigurationError
        If one of them cannot be used.
    """
    return tuple(read_rule(path) for path in sorted(directory.glob("*.yaml")))


def shipped_rules() -> tuple[Rule, ...]:
    """Return the rules that come with Grünpuls."""
    return read_rules(Path(str(files("alerts") / "rules")))


def _location(fault: ErrorDetails) -> tuple[int | str, ...]:
    """Return the keys that lead to a fault; one of several parts together says itself where."""
    found = fault.get("ctx", {}).get("error")
    return fault["loc"] + (found.location if isinstance(found, MisplacedError) else ())


def _said(message: str) -> str:
    return message.removeprefix("Value error, ")


def _place(root: yaml.MappingNode, location: tuple[int | str, ...]) -> tuple[int, str]:
    """Return line and dotted key of a fault; of what it lies in where the key itself is missing."""
    node: yaml.Node = root
    line = root.start_mark.line
    for step in location:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == str(step)), None)
            if found is None:
                break
            line, node = found[0].start_mark.line, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line
    return line + 1, ".".join(str(step) for step in location)


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
