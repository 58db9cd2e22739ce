"""What a rule watches, from when on that is bad, and what makes it hold its tongue."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Annotated, Final, Literal, Self

from pydantic import BeforeValidator, Field, PlainSerializer, field_validator, model_validator

from alerts.span import Part, Span
from alerts.yaml_text import MisplacedError
from gruenpuls.domain.device import Placement
from gruenpuls.domain.incident import Severity
from gruenpuls.domain.quantity import QUANTITIES, Quantity

_NAME: Final = r"^[a-z][a-z0-9_]*$"
_DIGITS: Final = 6
"""A share of steps is rounded to this before it is rounded up: 0.7 of 10 is 7."""


def _severity(text: object) -> object:
    names = [severity.name.lower() for severity in Severity]
    if isinstance(text, Severity):
        return text
    if text not in names:
        message = f"a severity is one of {', '.join(names)}, not {text!r}"
        raise ValueError(message)
    return Severity[str(text).upper()]


SeverityName = Annotated[
    Severity,
    BeforeValidator(_severity),
    PlainSerializer(lambda severity: severity.name.lower(), return_type=str),
]
"""A severity, written as its name."""


class Window(Part):
    """Readings of the last so many hours taken together, this one included.

    Parameters
    ----------
    span : timedelta
        How far back they reach, exclusive.
    statistic : str
        What becomes of them; ``change`` is what the newest is above the oldest.
    last : int or None
        Only so many of them, the newest; None takes all.
    at_least : int
        With fewer readings in it a window says nothing.
    completeness : float
        Nor with readings in a smaller share of its steps [0 to 1].
    every : timedelta
        How long one of these steps is: how often a reading is expected.
    ends_before : timedelta
        How long before the reading it ends: "yesterday" ends before today.
    """

    span: Span = Field(gt=timedelta(0))
    statistic: Literal["mean", "median", "min", "max", "sum", "change"]
    last: int | None = Field(default=None, ge=1)
    at_least: int = Field(default=1, ge=1)
    completeness: float = Field(default=0.0, ge=0.0, le=1.0)
    every: Span = Field(default=timedelta(hours=1), gt=timedelta(0))
    ends_before: Span = timedelta(0)

    @model_validator(mode="after")
    def _can_be_filled(self) -> Self:
        if self.last is not None and self.last < self.at_least:
            message = f"a window of the last {self.last} never holds {self.at_least} readings"
            raise MisplacedError(message, "last")
        if self.last is not None and self.completeness:
            message = "last and completeness exclude each other"
            raise MisplacedError(message, "completeness")
        if self.every > self.span:
            message = "a reading is expected less often than the window is long; give every a shorter span"
            raise MisplacedError(message, "every")
        return self

    @property
    def complete_from(self) -> int:
        """In how many of its steps a reading must lie."""
        return math.ceil(round(self.completeness * (self.span / self.every), _DIGITS))

    @property
    def reach(self) -> timedelta:
        """How far back its first reading may lie."""
        return self.span + self.ends_before


class Depths(Part):
    """A layer of soil, both ends inclusive.

    Parameters
    ----------
    first, last : float
        Written ``from`` and ``to`` [cm below ground].
    """

    first: float = Field(default=0.0, ge=0.0, alias="from")
    last: float = Field(default=math.inf, alias="to")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            message = "a layer ends below where it begins"
            raise ValueError(message)
        return self


class Watched(Part):
    """A series a rule looks at.

    Parameters
    ----------
    quantity : str
        Name in `gruenpuls.domain.quantity.QUANTITIES`.
    statistic : str
        That of the series, ``""`` as measured or judged, or such as ``"daily_maximum"``.
    name : str
        What conditions call it; by default its quantity.
    window : Window or None
        None takes each reading by itself.
    holds_for : timedelta or None
        How long what it said last is still believed beside what others say; by default the rule's longest gap.
    placement : Placement or None
        Only probes that sit there; None takes all.
    depths : Depths or None
        Only probes that deep, and what is computed of their depths; None takes all.
    minus : str
        A site attribute the value is told above of, such as the lowest level allowed; where a site lacks it
        there is nothing to judge.
    percent_of : str
        A site attribute the value is told as a share of, such as the level of a full cistern.
    """

    quantity: str
    statistic: str = ""
    name: str = Field(default="", pattern=f"^$|{_NAME}")
    window: Window | None = None
    holds_for: Span | None = Field(default=None, gt=timedelta(0))
    placement: Placement | None = None
    depths: Depths | None = None
    minus: str = Field(default="", pattern=f"^$|{_NAME}")
    percent_of: str = Field(default="", pattern=f"^$|{_NAME}")

    @field_validator("quantity")
    @classmethod
    def _quantity_exists(cls, name: str) -> str:
        if name not in QUANTITIES:
            message = f"there is no quantity {name!r}"
            raise ValueError(message)
        return name

    @property
    def called(self) -> str:
        """The name conditions use."""
        return self.name or self.quantity

    @property
    def of(self) -> Quantity:
        """What it measures."""
        return QUANTITIES[self.quantity]

    @property
    def unit(self) -> str:
        """UCUM code of what it says."""
        return "%" if self.percent_of else self.of.unit

    def can_be(self, limit: float) -> bool:
        """Whether it can ever have such a value; sums, changes, and what is told of a site's own limit can have any."""
        summed = self.window is not None and self.window.statistic in {"sum", "change"}
        related = bool(self.minus or self.percent_of)
        return summed or related or self.of.minimum <= limit <= self.of.maximum

    @model_validator(mode="after")
    def _one_relation(self) -> Self:
        if self.minus and self.percent_of:
            message = "minus and percent_of exclude each other"
            raise ValueError(message)
        return self


class Condition(Part):
    """From when on a watched series is bad, and from when on that is over.

    Above or below follows from the numbers: with `raise` above `clear` high values are bad.

    Parameters
    ----------
    of : str
        Which watched series; by default the first.
    raise_at : float
        Written ``raise``: from here on it is met, inclusive [unit of the quantity].
    clear_at : float
        Written ``clear``: from here on it is over, inclusive; what lies between changes nothing
        once the rule fires [unit of the quantity].
    """

    of: str = ""
    raise_at: float = Field(alias="raise")
    clear_at: float = Field(alias="clear")

    @model_validator(mode="after")
    def _limits_differ(self) -> Self:
        if self.raise_at == self.clear_at:
            message = "raise and clear must differ: the band between them keeps the alert from flapping"
            raise ValueError(message)
        return self

    @property
    def above(self) -> bool:
        """Whether high values are bad."""
        return self.raise_at > self.clear_at


class Level(Part):
    """One severity of a rule: either one condition, or several of which all or any must be met.

    Parameters
    ----------
    severity : Severity
    raise_at, clear_at : float or None
        Written ``raise`` and ``clear``: the condition on the first watched series.
    every, some : tuple of Condition
        Written ``all`` and ``any``.
    hold_for : timedelta
        How long it must be met before it fires; anything short of it starts anew.
    clear_for : timedelta
        How long it must be over before it ends.
    """

    severity: SeverityName
    raise_at: float | None = Field(default=None, alias="raise")
    clear_at: float | None = Field(default=None, alias="clear")
    every: tuple[Condition, ...] = Field(default=(), alias="all")
    some: tuple[Condition, ...] = Field(default=(), alias="any")
    hold_for: Span
    clear_for: Span

    @model_validator(mode="after")
    def _one_kind_of_condition(self) -> Self:
        alone = self.raise_at is not None or self.clear_at is not None
        if alone + bool(self.every) + bool(self.some) != 1:
            message = "a level has raise and clear, or a list under all, or one under any"
            raise ValueError(message)
        if alone and (self.raise_at is None or self.clear_at is None):
            message = f"{'raise' if self.raise_at is None else 'clear'} is missing"
            raise ValueError(message)
        if alone:
            assert self.raise_at is not None
            assert self.clear_at is not None
            Condition(raise_at=self.raise_at, clear_at=self.clear_at)
        return self

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """What is asked, however it is written."""
        if self.raise_at is not None and self.clear_at is not None:
            return (Condition(raise_at=self.raise_at, clear_at=self.clear_at),)
        return self.every or self.some


class Circumstance(Part):
    """Something about a site that decides whether a rule may speak.

    Parameters
    ----------
    of : str
        Which watched series.
    at_least, at_most : float or None
        It is so from here on, or up to here, inclusive [unit of the quantity].
    """

    of: str
    at_least: float | None = None
    at_most: float | None = None

    @model_validator(mode="after")
    def _has_a_limit(self) -> Self:
        if self.at_least is None and self.at_most is None:
            message = "a circumstance needs at_least or at_most"
            raise ValueError(message)
        return self
