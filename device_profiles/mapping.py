"""From whatever a decoder gave to our quantities: paths, numbers in any dress, units, sentinels, ranges."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

import msgspec

from device_profiles.refusal import Refused
from device_profiles.units import Conversion
from gruenpuls.domain.reading import Flag

ABSENT: Final = object()
"""What a path finds where there is nothing, as opposed to a null."""

_NUMBER: Final = re.compile(r"\s*([-+]?(?:\d+(?:[.,]\d*)?|\.\d+)(?:[eE][-+]?\d+)?)\s*(.*?)\s*", re.DOTALL)
_STEP: Final = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]|\[([^\[\]=]+=[^\[\]]*)\]")
_LONGEST_NUMBER: Final = 80
"""Characters a number and its unit may have."""
_OLDEST: Final = timedelta(days=3660)
_NOW: Final = timedelta(0)
# Looking a member up in its enumeration takes longer than comparing a value with its range.
_GOOD, _FAIL, _MISSING = Flag.GOOD, Flag.FAIL, Flag.MISSING
_WHOLE: Final = 1 << 64
"""Whole numbers up to this fit into a float, as those of every layout do."""
_EARLIEST: Final = datetime(2015, 1, 1, tzinfo=UTC)
"""LoRaWAN 1.0 is from 2015: a device's clock that says earlier was never set."""


class Measurement(msgspec.Struct, frozen=True, gc=False):
    """One value a device reported.

    Parameters
    ----------
    channel, quantity : str
    value : float
        In the unit of the quantity; NaN exactly where `flag` is `MISSING`.
    flag : Flag
        `GOOD` where it passed the range test on arrival, `FAIL` outside the range, `MISSING` without a value.
    measured_at : datetime or None
        By the device's own clock, aware UTC; None means the uplink's time minus `age`.
    age : timedelta
        How long before the uplink it was measured.
    """

    channel: str
    quantity: str
    value: float
    flag: Flag
    measured_at: datetime | None = None
    age: timedelta = timedelta(0)


Step: TypeAlias = str | int | tuple[tuple[str, str], ...]
"""A key, an index, or what the wanted item of a list must say."""


def path_steps(path: str) -> tuple[Step, ...]:
    """Return the steps of a path such as ``messages[measurementId=4097].measurementValue``.

    Raises
    ------
    ValueError
        If it is no path.
    """
    steps: list[Step] = []
    at = 0
    while at < len(path):
        step = _STEP.match(path, at)
        if step is None:
            message = f"not a path: {path!r}"
            raise ValueError(message)
        name, index, wanted = step.groups()
        if name is not None:
            steps.append(name)
        elif index is not None:
            steps.append(int(index))
        else:
            steps.append(tuple((key, value) for key, _, value in (part.partition("=") for part in wanted.split(","))))
        at = step.end()
    if not steps:
        message = "a path is empty"
        raise ValueError(message)
    return tuple(steps)


def flattened(value: object) -> Iterator[object]:
    """Yield the items of a list and of the lists in it, however deep."""
    waiting = [iter(value)] if isinstance(value, list | tuple) else []
    while waiting:
        for item in waiting[-1]:
            if isinstance(item, list | tuple):
                waiting.append(iter(item))
                break
            yield item
        else:
            waiting.pop()


def _same(value: object, wanted: str) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value) == wanted
    try:
        return float(wanted) == value
    except ValueError:
        return False


def found(value: object, steps: Sequence[Step]) -> object:
    """Return what lies at the end of a path; `ABSENT` where it breaks off. Lists in lists count as one list."""
    for step in steps:
        match step:
            case str():
                value = value.get(step, ABSENT) if isinstance(value, Mapping) else ABSENT
            case int():
                value = value[step] if isinstance(value, list | tuple) and step < len(value) else ABSENT
            case _:
                value = next((item for item in flattened(value) if _is_wanted(item, step)), ABSENT)
        if value is ABSENT:
            break
    return value


def _is_wanted(item: object, wanted: tuple[tuple[str, str], ...]) -> bool:
    return isinstance(item, Mapping) and all(_same(item.get(key), value) for key, value in wanted)


@dataclass(frozen=True, slots=True)
class Route:
    """How one channel's value is found and made a quantity.

    Parameters
    ----------
    channel, quantity : str
    paths : tuple
        Steps of each path; the first that leads somewhere counts.
    always : bool
        The device always sends it: where it lacks, it is missing.
    missing : frozenset
        What the decoder gives where there is no value.
    multiply, divide, add : float
    lowest, highest : float
        Range [unit of the quantity].
    conversion : callable
        From a unit the decoder gives beside the number to the quantity's.
    """

    channel: str
    quantity: str
    paths: tuple[tuple[Step, ...], ...]
    always: bool
    missing: frozenset[object]
    multiply: float
    divide: float
    add: float
    lowest: float
    highest: float
    conversion: Callable[[str], Conversion | None]

    def raw(self, fields: Mapping[str, object]) -> object:
        """Return what the decoder gave for this channel, or `ABSENT`."""
        for steps in self.paths:
            value = found(fields, steps)
            if value is not ABSENT:
                return value
        return ABSENT

    def measurement(self, raw: object, measured_at: datetime | None, age: timedelta) -> Measurement:
        """Return what the decoder gave as a measurement."""
        if (type(raw) is float or (type(raw) is int and -_WHOLE < raw < _WHOLE)) and raw not in self.missing:
            value = raw * self.multiply / self.divide + self.add
        else:
            value = self._value(raw)
        if not math.isfinite(value):
            return Measurement(self.channel, self.quantity, math.nan, _MISSING, measured_at, age)
        flag = _GOOD if self.lowest <= value <= self.highest else _FAIL
        return Measurement(self.channel, self.quantity, value, flag, measured_at, age)

    def _value(self, raw: object) -> float:
        """Return the value in the unit of the quantity; NaN where there is none."""
        given = ""
        if isinstance(raw, Mapping):
            given = str(raw.get("unit") or "")
            raw = raw.get("value")
        if isinstance(raw, str) and raw not in self.missing and len(raw) <= _LONGEST_NUMBER:
            number = _NUMBER.fullmatch(raw)
            if number is not None:
                raw, given = float(number[1].replace(",", ".")), number[2] or given
        if isinstance(raw, bool) or not isinstance(raw, int | float) or raw in self.missing:
            return math.nan
        try:
            value = float(raw)
        except OverflowError:
            return math.nan
        return self._converted(value, given) if given else value * self.multiply / self.divide + self.add

    def _converted(self, value: float, given: str) -> float:
        """Return a value whose unit the decoder gave; the profile's sign still counts, its unit does not."""
        conversion = self.conversion(given)
        if conversion is None:
            message = f"{self.channel}: the decoder gives {given!r}, which is no unit of {self.quantity}"
            raise Refused(message)
        return math.copysign(1.0, self.multiply) * value * conversion.multiply / conversion.divide + conversion.add


@dataclass(frozen=True, slots=True)
class Moment:
    """Where a message says when its values were measured.

    Parameters
    ----------
    entries : tuple or None
        Path of the list whose items are each measured at their own time; None for the message as a whole.
    time, age : tuple or None
        Path within an item to the device's time, or to its age.
    unit : timedelta
        What the number at `age` or `time` (since 1970) counts.
    optional : bool
        An item without either is as old as its message.
    """

    entries: tuple[Step, ...] | None
    time: tuple[Step, ...] | None
    age: tuple[Step, ...] | None
    unit: timedelta
    optional: bool = False

    def of(self, item: Mapping[str, object]) -> tuple[datetime | None, timedelta]:
        """Return when an item was measured.

        Raises
        ------
        Refused
            If it says no moment, or one before the device's clock was set.
        """
        given = found(item, self.age or self.time or ())
        if self.optional and (given is ABSENT or given is None):
            return None, _NOW
        try:
            if self.age is not None:
                return None, _age(_number(given) * self.unit)
            return _moment(given, self.unit), _NOW
        except (OverflowError, ValueError) as error:
            message = f"the device's time cannot be read: {error}"
            raise Refused(message) from error


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
        message = "no number from 0 on" if value is not ABSENT else "there is none"
        raise ValueError(message)
    return value


def _age(age: timedelta) -> timedelta:
    if age > _OLDEST:
        message = "older than ten years"
        raise ValueError(message)
    return age


def _moment(value: object, unit: timedelta) -> datetime:
    if isinstance(value, str):
        moment = datetime.fromisoformat(value)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    else:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + _number(value) * unit
    if moment < _EARLIEST:
        message = f"its clock was never set ({moment:%Y-%m-%d %H:%M} UTC)"
        raise ValueError(message)
    return moment
