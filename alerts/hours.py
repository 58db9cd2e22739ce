"""Hours of the day that come again, such as those in which people sleep."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Annotated, Final, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from alerts.span import Part

_CLOCK: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_MINUTES_OF_AN_HOUR: Final = 60
_MINUTES_OF_A_DAY: Final = 24 * _MINUTES_OF_AN_HOUR
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def _clock(text: object) -> object:
    if isinstance(text, time):
        return text
    # YAML 1.1 reads an unquoted 22:30 as a number to the base of sixty.
    if isinstance(text, int) and not isinstance(text, bool) and 0 <= text < _MINUTES_OF_A_DAY:
        return time(*divmod(text, _MINUTES_OF_AN_HOUR))
    match = _CLOCK.fullmatch(str(text))
    if not match:
        message = f"a time of day is written like 22:00, not {text!r}"
        raise ValueError(message)
    return time(int(match[1]), int(match[2]))


class Hours(Part):
    """From one time of day to another; where the second is not later, it is the next day's.

    Parameters
    ----------
    start, end : time
        Written ``from`` and ``to``, in the city's time; the end exclusive.
    days : tuple of str
        On which days they begin; by default on all.
    """

    start: Annotated[time, BeforeValidator(_clock)] = Field(alias="from")
    end: Annotated[time, BeforeValidator(_clock)] = Field(alias="to")
    days: tuple[Day, ...] = _DAYS

    @staticmethod
    def clock(text: object) -> object:
        """Return a time of day written like ``22:00``."""
        return _clock(text)

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if self.start == self.end or not self.days:
            message = "hours that begin when they end, or on no day, never are"
            raise ValueError(message)
        return self

    def until(self, now: datetime, zone: tzinfo, last_day: date | None = None) -> datetime | None:
        """Return when the hours that are running end; None where none are, or none began by a last day."""
        local = now.astimezone(zone)
        for back in (0, 1):
            day = local.date() - timedelta(days=back)
            if _DAYS[day.weekday()] not in self.days or (last_day is not None and day > last_day):
                continue
            last = day if self.end > self.start else day + timedelta(days=1)
            start = datetime.combine(day, self.start, zone)
            end = datetime.combine(last, self.end, zone)
            # Moments, not clock times: in the night of a change of time they differ.
            if start.timestamp() <= now.timestamp() < end.timestamp():
                return end
        return None
