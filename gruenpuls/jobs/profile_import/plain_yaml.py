"""Reads YAML as its version 1.2 and JavaScript do: `off` is a word, 12:30 and 2026-01-01 are texts."""

from __future__ import annotations

import re
from typing import Final

import yaml

_FIRST_OF_NUMBERS: Final = list("-+.0123456789")


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012  as its parent declares


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""])
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"^(?:[-+]?(?:0|[1-9][0-9]*)|0x[0-9a-fA-F]+)$"), _FIRST_OF_NUMBERS
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$"),
    _FIRST_OF_NUMBERS,
)


def plain_yaml(text: str) -> object:
    """Return what a YAML text holds.

    Raises
    ------
    yaml.YAMLError, ValueError
        If it is no YAML.
    """
    content: object = yaml.load(text, _Loader)  # noqa: S506  a safe loader with fewer types
    return content
