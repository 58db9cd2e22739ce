"""An alert rule as data: what is watched, when it is raised and cleared, and what people are told."""

from __future__ import annotations

import hashlib
import re
import string
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, field_validator, model_validator

from gruenpuls.domain.incident import Severity
from gruenpuls.domain.quantity import QUANTITIES, Quantity
from gruenpuls.domain.site import Site, SiteKind

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


def _severity(text: object) -> object:
    names = [severity.name.lower() for severity in Severity]
    if isinstance(text, Severity):
        return text
    if text not in names:
        message = f"a severity is one of {', '.join(names)}, not {text!r}"
        raise ValueError(message)
    return Severity[str(text).upper()]


Span = Annotated[timedelta, BeforeValidator(duration), PlainSerializer(duration_text, return_type=str)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Window(_Part):
    """Readings of the last so many hours taken together, this one included.

    Parameters
    ----------
    span : timedelta
        How far back they reach, exclusive.
    statistic : str
        What becomes of them.
    """

    span: Span = Field(gt=timedelta(0))
    statistic: Literal["mean", "min", "max", "sum"]


class Scope(_Part):
    """Where a rule applies; what is empty does not restrict.

    Parameters
    ----------
    kinds : tuple of SiteKind
    municipalities, districts : tuple of str
        Their names.
    """

    kinds: tuple[SiteKind, ...] = ()
    municipalities: tuple[str, ...] = ()
    districts: tuple[str, ...] = ()

    def includes(self, site: Site) -> bool:
        """Whether a site is among them."""
        return (
            (not self.kinds or site.kind in self.kinds)
            and (not self.municipalities or site.municipality in self.municipalities)
            and (not self.districts or site.district in self.districts)
        )


class Text(_Part):
    """What people read, in one language; words in braces are filled in (`Text.FIELDS`).

    Parameters
    ----------
    title : str
        What is wrong, where.
    reason : str
        What the rule saw, with its numbers.
    action : str
        What to do.
    """

    FIELDS: ClassVar[frozenset[str]] = frozenset(
        {"site", "value", "peak", "unit", "raise", "clear", "hold_for", "clear_for", "since", "lasted"}
    )

    title: str = Field(min_length=1)
    reason: str = Field(min_length=1)
    action: str = Field(min_length=1)

    @field_validator("title", "reason", "action")
    @classmethod
    def _fields_exist(cls, text: str) -> str:
        used = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
        unknown = sorted(used - cls.FIELDS)
        if unknown:
            message = f"{{{unknown[0]}}} cannot be filled in; there are {', '.join(sorted(cls.FIELDS))}"
            raise ValueError(message)
        return text


class Texts(_Part):
    """What people read, in every language there is."""

    de: Text
    en: Text


class Readings(_Part):
    """A stretch of an example's series: one value again and again.

    Parameters
    ----------
    start, end : timedelta
        From the beginning of the example, both inclusive.
    every : timedelta
    value : float
        In the unit of the rule's quantity.
    """

    start: Span = Field(alias="from")
    end: Span = Field(alias="to")
    every: Span = Field(default=timedelta(hours=1), gt=timedelta(0))
    value: float


class ExpectedState(StrEnum):
    """What an example expects; ``none`` where nothing was ever found."""

    NONE = "none"
    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"


class Expectation(_Part):
    """What the newest incident must be once everything up to a moment was seen."""

    at: Span
    state: ExpectedState


class Example(_Part):
    """A series made up to show what the rule does, and what it must have found.

    Parameters
    ----------
    name : str
    readings : tuple of Readings
    expect : tuple of Expectation
    """

    name: str
    readings: tuple[Readings, ...] = Field(min_length=1)
    expect: tuple[Expectation, ...] = Field(min_length=1)


class Rule(_Part):
    """An alert rule on one quantity of a site.

    Above or below follows from the numbers: with `raise` above `clear` high values are bad.

    Parameters
    ----------
    name : str
        Unique, also the file's name.
    quantity : str
        Name in `gruenpuls.domain.quantity.QUANTITIES`.
    statistic : str
        That of the series, ``""`` as measured or judged, or such as ``"max_day"``.
    window : Window or None
        None judges each reading by itself.
    severity : Severity
    raise_at : float
        Written ``raise``: from here on the condition is met, inclusive [unit of the quantity].
    clear_at : float
        Written ``clear``: from here on it is over, inclusive; what lies between changes nothing
        once the rule fires [unit of the quantity].
    hold_for : timedelta
        How long it must be met before the rule fires; any reading short of `raise` starts anew.
    clear_for : timedelta
        How long it must be over before the incident is resolved.
    longest_gap : timedelta
        Readings further apart say nothing about the time between: both spans start anew.
    applies_to : Scope
    source : str
        Where the limits are from.
    text : Texts
    examples : tuple of Example
        The rule's own tests.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    quantity: str
    statistic: str = ""
    window: Window | None = None
    severity: Annotated[
        Severity,
        BeforeValidator(_severity),
        PlainSerializer(lambda severity: severity.name.lower(), return_type=str),
    ]
    raise_at: float = Field(alias="raise")
    clear_at: float = Field(alias="clear")
    hold_for: Span
    clear_for: Span
    longest_gap: Span = Field(default=timedelta(days=1), gt=timedelta(0))
    applies_to: Scope = Scope()
    source: str = Field(min_length=1)
    text: Texts
    examples: tuple[Example, ...] = Field(min_length=1)

    @field_validator("quantity")
    @classmethod
    def _quantity_exists(cls, name: str) -> str:
        if name not in QUANTITIES:
            message = f"there is no quantity {name!r}"
            raise ValueError(message)
        return name

    @model_validator(mode="after")
    def _limits_make_sense(self) -> Self:
        if self.raise_at == self.clear_at:
            message = "raise and clear must differ: the band between them keeps the alert from flapping"
            raise ValueError(message)
        summed = self.window is not None and self.window.statistic == "sum"
        for word, limit in (("raise", self.raise_at), ("clear", self.clear_at)):
            if not summed and not self.of.minimum <= limit <= self.of.maximum:
                message = f"{word} {limit:g} is no value {self.quantity} can have ({self.of.unit})"
                raise ValueError(message)
        return self

    @property
    def of(self) -> Quantity:
        """What the rule watches."""
        return QUANTITIES[self.quantity]

    @property
    def above(self) -> bool:
        """Whether high values are bad."""
        return self.raise_at > self.clear_at

    @property
    def digest(self) -> str:
        """SHA-256 of everything that decides when it fires; changed words change nothing."""
        deciding = self.model_dump_json(exclude={"text", "examples", "source"}, by_alias=True)
        return hashlib.sha256(deciding.encode()).hexdigest()
