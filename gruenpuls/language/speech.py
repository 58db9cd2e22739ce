"""One language as people read it; pages, scripts, commands and messages all speak through it."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Final
from zoneinfo import ZoneInfo

from gruenpuls.domain.quantity import QUANTITIES
from gruenpuls.language.unit import UNITS, digits

LANGUAGES: Final = ("de", "en")
_MONTHS: Final = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
ABSENT: Final = "–"
"""What stands where there is no value: never a 0."""


@dataclass(frozen=True, slots=True)
class Plural:
    """A text that depends on a count."""

    one: str
    other: str


def _flattened(table: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str | Plural]]:
    for key, value in table.items():
        if not isinstance(value, dict):
            yield prefix + key, str(value)
        elif value.keys() == {"one", "other"}:
            yield prefix + key, Plural(**value)
        else:
            yield from _flattened(value, f"{prefix}{key}.")


@cache
def catalogue(code: str) -> Mapping[str, str | Plural]:
    """Return every text of a language by its dotted key, read from the table that ships beside this module."""
    table = tomllib.loads(files(__package__).joinpath(f"{code}.toml").read_text("utf-8"))
    return dict(_flattened(table))


@dataclass(frozen=True, slots=True)
class Speech:
    """A language, and the time zone its listener lives in.

    Parameters
    ----------
    code : str
        One of `LANGUAGES`.
    zone : ZoneInfo
        Moments are told in it.
    """

    code: str
    zone: ZoneInfo

    def text(self, key: str, **values: object) -> str:
        """Return a text with its values filled in; whole numbers in the language's form, `count` picks the plural.

        Raises
        ------
        KeyError
            If the catalogue has no such text.
        """
        found = catalogue(self.code)[key]
        if isinstance(found, Plural):
            found = found.one if values["count"] == 1 else found.other
        said = {name: self.number(value) if isinstance(value, int) else value for name, value in values.items()}
        return found.format_map(said)

    def knows(self, key: str) -> bool:
        """Whether there is such a text."""
        return key in catalogue(self.code)

    def section(self, prefix: str) -> dict[str, str]:
        """Return all plain texts below a key, for scripts in the browser."""
        start = f"{prefix}."
        return {
            key.removeprefix(start): text
            for key, text in catalogue(self.code).items()
            if key.startswith(start) and isinstance(text, str)
        }

    def number(self, value: float | None, digits: int = 0) -> str:
        """Return a number with so many decimal places, or the sign for no value."""
        if value is None or math.isnan(value):
            return ABSENT
        rounded = round(value, digits) + 0.0  # adding 0.0 turns -0.0 into 0.0
        text = f"{rounded:,.{digits}f}".replace("-", "\u2212")
        if self.code == "de":
            text = text.translate(str.maketrans(",.", ".,"))
        return text

    def quantity(self, name: str) -> str:
        """Return what people call a quantity."""
        quantity = QUANTITIES[name]
        return quantity.german if self.code == "de" else quantity.english

    def unit(self, quantity: str) -> str:
        """Return the sign of a quantity's unit, empty where it has none."""
        return UNITS[QUANTITIES[quantity].unit].sign

    def measure(self, value: float | None, quantity: str) -> str:
        """Return a value with its unit, to the digits that mean something."""
        number = self.number(value, digits(quantity))
        sign = self.unit(quantity)
        if number == ABSENT or not sign:
            return number
        space = "" if sign == "°" else "\u00a0"
        return f"{number}{space}{sign}"

    def day(self, day: date) -> str:
        """Return a calendar day."""
        if self.code == "de":
            return f"{day:%d.%m.%Y}"
        return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"

    def moment(self, moment: datetime | None) -> str:
        """Return a moment as day and clock time where the listener lives."""
        if moment is None:
            return ABSENT
        local = moment.astimezone(self.zone)
        return f"{self.day(local.date())}, {local:%H:%M}"

    def modelled(self, low: float, middle: float, high: float) -> str:
        """Return what the water balance says of a site nobody hears of [%]."""
        band = {"low": self.number(low), "middle": self.number(middle), "high": self.number(high)}
        return self.text("notify.modelled", **band)

    def watered(self, at: datetime, litres: float) -> str:
        """Return that a site was watered before its incident ended [L]."""
        return self.text("notify.watered", at=self.moment(at), litres=self.number(litres))

    def duration(self, span: timedelta) -> str:
        """Return a length of time in its largest sensible unit, from minutes to days."""
        minutes = max(round(span / timedelta(minutes=1)), 0)
        if minutes < 60:  # noqa: PLR2004 - minutes of an hour
            return self.text("duration.minutes", count=minutes)
        hours = round(span / timedelta(hours=1))
        if hours < 48:  # noqa: PLR2004 - up to two days people count hours
            return self.text("duration.hours", count=hours)
        return self.text("duration.days", count=round(span / timedelta(days=1)))

    def since(self, moment: datetime | None, now: datetime) -> str:
        """Return how long ago a moment was."""
        if moment is None:
            return ABSENT
        if now - moment < timedelta(minutes=1):
            return self.text("duration.just_now")
        return self.text("duration.ago", span=self.duration(now - moment))
