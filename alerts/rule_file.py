"""Rules as people write them: YAML files, every error with its file, line and key."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from alerts.rule import Rule
from alerts.yaml_text import parsed, read_text
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
    return parsed(text, where, Rule, noun="a rule", remedy=_REMEDY)


def read_rule(path: Path) -> Rule:
    """Return the rule in a file, which bears its name.

    Raises
    ------
    ConfigurationError
        If it cannot be read or used.
    """
    rule = parse_rule(read_text(path, noun="the rule"), str(path))
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


@cache
def shipped_rules() -> tuple[Rule, ...]:
    """Return the rules that come with Grünpuls."""
    return read_rules(Path(str(files("alerts") / "rules")))
