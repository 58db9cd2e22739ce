"""All channels of a profile at once: which fields feed them, and what many messages with the same fields say."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from operator import itemgetter
from typing import Final, TypeAlias

import numpy as np

from device_profiles.mapping import ABSENT, Measurement, Moment, Route, flattened, found
from gruenpuls.domain.reading import Flag, Flags, Values

_Pick: TypeAlias = Callable[[Mapping[str, object]], tuple[object, ...]]
_Places: TypeAlias = tuple[tuple[str | None, Route], ...]
"""The field that holds what each channel needs; None where it lacks."""

_SHAPES: Final = 64
"""Shapes of messages that are remembered; a layout has few, and what a network decodes is bounded by this."""
_EXACT: Final = float(1 << 53)
"""Every whole number up to this is one float and no other's."""
_NOW: Final = timedelta(0)


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """The channels of messages with the same fields, where these are numbers and as old as their message.

    Routes one by one take most of the time of decoding; with many messages each is gone through once for all.

    Parameters
    ----------
    names : tuple of str
        The fields.
    routes : tuple of Route
    pick : callable
        Takes what each of them needs out of a message's fields.
    """

    names: tuple[str, ...]
    routes: tuple[Route, ...]
    pick: _Pick

    def judged(self, picked: Sequence[object]) -> tuple[Values, Flags]:
        """Return values and flags as `Route.measurement` gives them.

        Parameters
        ----------
        picked : sequence of (float, int or None)
            Of one message after the other, in the order of `routes`.

        Returns
        -------
        values : float64 (messages, routes)
            In the unit of each quantity.
        flags : uint8 (messages, routes)
        """
        raws = _numbers(picked).reshape(-1, len(self.routes))
        for column, route in enumerate(self.routes):
            sentinels = [one for one in route.missing if isinstance(one, float)]
            if sentinels:
                raws[np.isin(raws[:, column], sentinels), column] = np.nan
        multiply, divide, add, lowest, highest = np.array(
            [(one.multiply, one.divide, one.add, one.lowest, one.highest) for one in self.routes]
        ).T
        with np.errstate(over="ignore", invalid="ignore"):
            values = raws * multiply / divide + add
            flags = np.where((lowest <= values) & (values <= highest), np.uint8(Flag.GOOD), np.uint8(Flag.FAIL))
        missing = ~np.isfinite(values)
        values[missing] = np.nan
        flags[missing] = Flag.MISSING
        return values, flags


def _numbers(raws: Sequence[object]) -> Values:
    try:
        return np.array(raws, np.float64)
    except OverflowError:
        return np.array([_number(raw) for raw in raws], np.float64)


def _number(raw: object) -> float:
    try:
        return float(raw) if isinstance(raw, int | float) else math.nan
    except OverflowError:
        return math.nan


class Routing:
    """All routes of a profile, so laid out that a message costs what it holds, not what the device could say.

    Parameters
    ----------
    routes : sequence of Route
    moments : sequence of Moment
    words : collection of str
        Fields that may hold something else than a number.
    """

    def __init__(self, routes: Sequence[Route], moments: Sequence[Moment], words: Collection[str]) -> None:
        self._routes = tuple(routes)
        self._words = frozenset(words)
        self._whole = next((moment for moment in moments if moment.entries is None), None)
        self._logs = tuple(moment for moment in moments if moment.entries is not None)
        self._always = tuple(number for number, route in enumerate(self._routes) if route.always)
        self._by_field: dict[str, list[int]] = {}
        for number, route in enumerate(self._routes):
            for field in {steps[0] for steps in route.paths if isinstance(steps[0], str)}:
                self._by_field.setdefault(field, []).append(number)
        self._places: dict[tuple[str, ...], _Places | None] = {}
        self._selections: dict[tuple[str, ...], Selection | None] = {}

    def measurements(self, fields: Mapping[str, object]) -> tuple[Measurement, ...]:
        """Return what a decoded object says about each channel, in the order of the channels.

        An item that lacks a channel the device always sends gets it as missing, unless it has no channel at all.

        Raises
        ------
        Refused
            If a unit or a time it gives cannot be understood.
        """
        result = self._of_item(fields, self._whole)
        for log in self._logs:
            assert log.entries is not None
            for item in flattened(found(fields, log.entries)):
                if isinstance(item, Mapping):
                    result += self._of_item(item, log)
        return tuple(result)

    def selection(self, names: tuple[str, ...]) -> Selection | None:
        """Return the channels of messages with these fields; None if a message needs `measurements`."""
        try:
            return self._selections[names]
        except KeyError:
            if len(self._selections) >= _SHAPES:
                return None
            return self._selections.setdefault(names, self._selected(names))

    def _selected(self, names: tuple[str, ...]) -> Selection | None:
        places = self._places_in(names)
        if not places or self._has_moments(names):
            return None
        fields = [field for field, _ in places if field is not None]
        if not self._words.isdisjoint(fields) or any(_is_inexact(route) for _, route in places):
            return None
        routes = [route for field, route in places if field is not None]
        absent = [route for field, route in places if field is None]
        return Selection(names, (*routes, *absent), _picking(fields, len(absent)))

    def _has_moments(self, names: tuple[str, ...]) -> bool:
        whole = self._whole
        timed = whole is not None and (not whole.optional or (whole.age or whole.time or ("",))[0] in names)
        return timed or any(log.entries is None or log.entries[0] in names for log in self._logs)

    def _of_item(self, fields: Mapping[str, object], moment: Moment | None) -> list[Measurement]:
        places = self._places_in(tuple(fields))
        if places is None:
            return self._of_contents(fields, moment)
        if not places:
            return []
        measured_at, age = moment.of(fields) if moment else (None, _NOW)
        return [
            route.measurement(None if field is None else fields[field], measured_at, age) for field, route in places
        ]

    def _of_contents(self, fields: Mapping[str, object], moment: Moment | None) -> list[Measurement]:
        raws: dict[int, object] = {}
        for number in self._concerned(fields):
            raw = self._routes[number].raw(fields)
            if raw is not ABSENT:
                raws[number] = raw
        if not raws:
            return []
        measured_at, age = moment.of(fields) if moment else (None, _NOW)
        for number in self._always:
            raws.setdefault(number, None)
        return [self._routes[number].measurement(raws[number], measured_at, age) for number in sorted(raws)]

    def _concerned(self, names: Collection[str]) -> set[int]:
        return {number for name in names for number in self._by_field.get(name, ())}

    def _places_in(self, names: tuple[str, ...]) -> _Places | None:
        """Return where each channel of an item with these fields is; None if only what they hold can tell."""
        try:
            return self._places[names]
        except KeyError:
            places = self._found_places(names)
            if len(self._places) < _SHAPES:
                self._places[names] = places
            return places

    def _found_places(self, names: tuple[str, ...]) -> _Places | None:
        places: dict[int, str | None] = {}
        for number in self._concerned(names):
            first = next(steps for steps in self._routes[number].paths if steps[0] in names)
            if len(first) > 1:
                return None
            assert isinstance(first[0], str)
            places[number] = first[0]
        if places:
            for number in self._always:
                places.setdefault(number, None)
        return tuple((places[number], self._routes[number]) for number in sorted(places))


def _is_inexact(route: Route) -> bool:
    """Whether a whole number could be taken for another one that means no value."""
    return any(isinstance(one, float) and abs(one) >= _EXACT for one in route.missing)


def _picking(fields: Sequence[str], absent: int) -> _Pick:
    nothing = (None,) * absent
    if len(fields) == 1:
        (only,) = fields
        return lambda item: (item[only], *nothing)
    several = itemgetter(*fields)
    return (lambda item: several(item) + nothing) if nothing else several
