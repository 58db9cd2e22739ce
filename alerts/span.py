"""Spans of time as rules write them: ``30 min``, ``6 h``, ``7 d``."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer

_UNITS: Final = {"min": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_DURATION: Final = re.compile(r"(\d+) ?(min|h|d)")


def duration(text: object) -> timedelta:
    """Return a span written as ``30 min``, ``6 h`` or ``7 d``.

    Raises
    ------
    ValueError
        If it is written otherwise.
    """
    if isinstance(text, timedelta):
        return text
    match = _DURATION.fullmatch(str(text))
    if not match:
        message = f"a span is written like 30 min, 6 h or 7 d, not {text!r}"
        raise ValueError(message)
    return int(match[1]) * _UNITS[match[2]]


def duration_text(span: timedelta) -> str:
    """Return a span as it is written in a rule, in the largest unit that fits."""
    for unit, length in reversed(_UNITS.items()):
        if span and not span % length:
            return f"{span // length} {unit}"
    return f"{span // _UNITS['min']} min"


def milliseconds(span: timedelta) -> int:
    """Return a span in whole milliseconds [ms]."""
    return span // timedelta(milliseconds=1)


Span = Annotated[timedelta, BeforeValidator(duration), PlainSerializer(duration_text, return_type=str)]


class Part(BaseModel):
    """A part of a rule file: nothing in it is unknown, and nothing of it changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
