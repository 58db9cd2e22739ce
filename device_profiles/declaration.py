"""What every part of a profile's file has in common: strict keys, texts in two languages, spans of time."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

_SECONDS: Final = {"s": 1, "min": 60, "h": 3600, "d": 86_400}


class Declared(BaseModel):
    """Base of everything a profile declares: unknown keys are errors, nothing changes afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)


class Text(Declared):
    """A text people read."""

    en: str = Field(min_length=1, description="English")
    de: str = Field(min_length=1, description="German")


def _span(value: object) -> object:
    if isinstance(value, timedelta):
        return value
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?(s|min|h|d)", value) if isinstance(value, str) else None
    if found is None:
        message = "a span of time is a number and s, min, h or d, such as '20 min'"
        raise ValueError(message)
    return timedelta(seconds=float(found[1]) * _SECONDS[found[2]])


Span = Annotated[
    timedelta,
    BeforeValidator(_span, json_schema_input_type=Annotated[str, Field(pattern=r"^\d+(\.\d+)? ?(s|min|h|d)$")]),
]
"""A span of time as a person writes it: ``20 min``."""


def _quoted(value: object) -> object:
    if isinstance(value, int | float):
        message = "put the bytes in quotation marks: YAML takes them for a number"
        raise ValueError(message)  # noqa: TRY004  pydantic turns only a ValueError into a message
    return value.lower() if isinstance(value, str) else value


HexBytes = Annotated[str, BeforeValidator(_quoted), StringConstraints(pattern=r"^([0-9a-fA-F]{2})*$")]
"""Bytes in hexadecimal, in quotation marks."""

Port = Annotated[int, Field(ge=0, le=255)]
"""A LoRaWAN fPort."""

Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
"""A name in small letters, digits and underscores."""
