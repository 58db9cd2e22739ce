"""An alert rule as data: what is watched, when it is raised and cleared, and what people are told."""

from __future__ import annotations

import hashlib
import string
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from alerts.condition import Circumstance, Condition, Level, Watched
from alerts.scope import Scope, Season
from alerts.span import Part, Span
from alerts.yaml_text import MisplacedError
from gruenpuls.domain.incident import Severity
from gruenpuls.domain.quantity import Quantity


def fields_of(text: str) -> set[str]:
    """Return the words in braces.

    Raises
    ------
    ValueError
        If a brace is not closed.
    """
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


class Text(Part):
    """What people read, in one language; words in braces are filled in.

    There are `Text.FIELDS`, and by its name what each watched series said last.

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
        {"site", "value", "peak", "unit", "raise", "clear", "hold_for", "clear_for", "since", "lasted", "cause"}
    )
    PARTS: ClassVar[tuple[str, ...]] = ("title", "reason", "action")

    title: str = Field(min_length=1)
    reason: str = Field(min_length=1)
    action: str = Field(min_length=1)

    @field_validator("title", "reason", "action")
    @classmethod
    def _can_be_filled_in(cls, text: str) -> str:
        fields_of(text)
        return text


class Texts(Part):
    """What people read, in every language there is."""

    de: Text
    en: Text


class Readings(Part):
    """A stretch of an example's series: one value again and again.

    Parameters
    ----------
    of : str
        Which watched series; by default the first.
    start, end : timedelta
        From the beginning of the example, both inclusive.
    every : timedelta
    value : float
        [unit of the quantity]
    """

    of: str = ""
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


class Expectation(Part):
    """What the newest incident must be once everything up to a moment was seen.

    Parameters
    ----------
    at : timedelta
    state : ExpectedState
    severity : str or None
        Which level must have been reached; None asks for none.
    """

    at: Span
    state: ExpectedState
    severity: Literal["notice", "warning", "alarm"] | None = None


class Example(Part):
    """A series made up to show what the rule does, and what it must have found.

    Parameters
    ----------
    name : str
    begins : date
        The day it starts; matters to rules with a season.
    readings : tuple of Readings
    expect : tuple of Expectation
    """

    name: str
    begins: date = date(2023, 8, 14)
    readings: tuple[Readings, ...] = Field(min_length=1)
    expect: tuple[Expectation, ...] = Field(min_length=1)


class Rule(Part):
    """An alert rule on what is measured or judged at a site.

    Parameters
    ----------
    name : str
        Unique, also the file's name.
    enabled : bool
        Whether it is on unless the city says otherwise.
    watch : tuple of Watched
        What it looks at; the first is what people are told.
    levels : tuple of Level
        Its severities, least first: one incident rises and falls between them.
    longest_gap : timedelta
        Readings further apart say nothing about the time between: all spans start anew.
    unless, only_if : tuple of Circumstance
        While one of the first is so, or one of the others is not or not known, nothing new is found, and what
        fires goes on.
    seasons : tuple of Season
        When in the year it applies, by the site's calendar; empty is all year. Outside everything counts as over.
    applies_to : Scope
    source : str
        Where the limits are from.
    text : Texts
    examples : tuple of Example
        The rule's own tests.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    enabled: bool = False
    watch: tuple[Watched, ...] = Field(min_length=1)
    levels: tuple[Level, ...] = Field(min_length=1)
    longest_gap: Span = Field(default=timedelta(days=1), gt=timedelta(0))
    unless: tuple[Circumstance, ...] = ()
    only_if: tuple[Circumstance, ...] = ()
    seasons: tuple[Season, ...] = ()
    applies_to: Scope = Scope()
    source: str = Field(min_length=1)
    text: Texts
    examples: tuple[Example, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [watched.called for watched in self.watch]
        twice = next((place for place, name in enumerate(names) if name in names[:place]), None)
        if twice is not None:
            message = f"another watched series is called {names[twice]!r}; give it a name of its own"
            raise MisplacedError(message, "watch", twice)
        for place, (lower, upper) in enumerate(pairwise(self.levels), 1):
            if upper.severity <= lower.severity:
                message = "levels stand in order, the least severe first, each severity once"
                raise MisplacedError(message, "levels", place, "severity")
        return self

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        names = [watched.called for watched in self.watch]
        spoken: list[tuple[str, tuple[str | int, ...]]] = []
        for word in ("unless", "only_if"):
            spoken += [(part.of, (word, place, "of")) for place, part in enumerate(getattr(self, word))]
        for place, level in enumerate(self.levels):
            word = "all" if level.every else "any"
            spoken += [(part.of, ("levels", place, word, at, "of")) for at, part in enumerate(level.conditions)]
        for place, example in enumerate(self.examples):
            spoken += [(part.of, ("examples", place, "readings", at, "of")) for at, part in enumerate(example.readings)]
        for name, location in spoken:
            if name and name not in names:
                message = f"nothing watched is called {name!r}; there are {', '.join(names)}"
                raise MisplacedError(message, *location)
        return self

    @model_validator(mode="after")
    def _words_can_be_filled_in(self) -> Self:
        fields = Text.FIELDS | {watched.called for watched in self.watch}
        for language in Texts.model_fields:
            for part in Text.PARTS:
                unknown = sorted(fields_of(getattr(getattr(self.text, language), part)) - fields)
                if unknown:
                    message = f"{{{unknown[0]}}} cannot be filled in; there are {', '.join(sorted(fields))}"
                    raise MisplacedError(message, "text", language, part)
        return self

    @model_validator(mode="after")
    def _limits_can_be(self) -> Self:
        for place, level in enumerate(self.levels):
            for at, condition in enumerate(level.conditions):
                watched = self.watch[self.place(condition.of)]
                for word, limit in (("raise", condition.raise_at), ("clear", condition.clear_at)):
                    if not watched.can_be(limit):
                        inner = (word,) if level.raise_at is not None else ("all" if level.every else "any", at, word)
                        message = f"{word} {limit:g} is no value {watched.quantity} can have ({watched.unit})"
                        raise MisplacedError(message, "levels", place, *inner)
        return self

    def place(self, name: str) -> int:
        """Return which of the watched series is called so; the first where the name is empty."""
        return [watched.called for watched in self.watch].index(name) if name else 0

    def level(self, severity: Severity) -> Level:
        """Return the level of a severity, or else the one below it."""
        return max(
            (level for level in self.levels if level.severity <= severity),
            key=lambda level: level.severity,
            default=self.levels[0],
        )

    def told(self, level: Level) -> Condition:
        """Return the condition people are told of a level: that on the first watched series, or else the first."""
        return next((condition for condition in level.conditions if self.place(condition.of) == 0), level.conditions[0])

    @property
    def of(self) -> Quantity:
        """What people are told the value of."""
        return self.watch[0].of

    @property
    def above(self) -> bool:
        """Whether high values of the first watched series are bad."""
        return self.told(self.levels[0]).above

    @property
    def context(self) -> timedelta:
        """How far back readings are needed before the first one judged."""
        window = max((watched.window.reach for watched in self.watch if watched.window), default=timedelta(0))
        held = max((watched.holds_for or self.longest_gap for watched in self.watch[1:]), default=timedelta(0))
        return window + (max(held, self.longest_gap) if len(self.watch) > 1 else timedelta(0))

    @property
    def digest(self) -> str:
        """SHA-256 of everything that decides when it fires; changed words change nothing."""
        deciding = self.model_dump_json(exclude={"text", "examples", "source", "enabled"}, by_alias=True)
        return hashlib.sha256(deciding.encode()).hexdigest()
