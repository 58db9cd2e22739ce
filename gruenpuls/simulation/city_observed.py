"""What the city's devices measure and send: truth through sensors and their faults, in order of time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.errors import InputError
from gruenpuls.simulation.chance import Chance, Floats, Integers
from gruenpuls.simulation.city import City, Truth
from gruenpuls.simulation.city_faults import BATTERY_DIES_IN, Histories, Illness, Mishaps, Rates
from gruenpuls.simulation.city_ground import Ground
from gruenpuls.simulation.city_sensors import MOUNTS, OPEN_PROBE, Decoded, Field, Model, Mount, Nature

INTERVALS: Final = (1, 2, 3, 4, 6, 12)
"""Hours that may lie between two uplinks of a device."""
SLOTS: Final = 4
"""More devices a site never has."""
_DRIFTS: Final = {  # at most, in a day [unit of the field]
    Nature.MOISTURE: 0.25,
    Nature.SOIL_TEMPERATURE: 0.03,
    Nature.AIR_TEMPERATURE: 0.03,
    Nature.HUMIDITY: 0.25,
}
_FACTOR_DRIFTS: Final = {Nature.TENSION: 0.01, Nature.RESISTANCE: 0.01}
"""At most, in a day [share of the value]."""
_IN_AIR: Final = {Nature.MOISTURE: 0.3, Nature.TENSION: 100_000.0, Nature.RESISTANCE: OPEN_PROBE / 100}
_FREEZES_BELOW: Final = -0.3
_FROZEN_TENSION: Final = 1200.0
"""By how much ice raises tension for each degree below 0 [kPa/K] (Clausius and Clapeyron)."""
_YEARLY_DECLINE: Final = 0.03
_HOURS_A_YEAR: Final = 8766


@dataclass(frozen=True, slots=True)
class Sent:
    """What devices of one kind measured and sent, arrays (hours, devices).

    Parameters
    ----------
    mount : Mount
    sites : int64 (devices,)
        Numbers of their sites.
    hours : int64 (hours,)
        When they send, since 1970.
    measured_at : int64
        [ms since 1970].
    raw : dict
        Whole numbers by field, as the frame carries them.
    sent : bool
        Whether the device had power.
    heard : bool
        Whether any gateway heard it.
    counter, joins : int64
        Frame counter, and how many times it began anew.
    """

    mount: Mount
    sites: Integers
    hours: Integers
    measured_at: Integers
    raw: dict[str, Integers]
    sent: NDArray[np.bool_]
    heard: NDArray[np.bool_]
    counter: Integers
    joins: Integers

    @property
    def values(self) -> Decoded:
        """Values by channel, float64 (hours, devices), NaN where missing."""
        return self.mount.model.values(self.raw)


class _Group:
    """Devices of one mount at a portion of the sites, and what they remember."""

    def __init__(self, mount: Mount, seed: int, ground: Ground, mishaps: Mishaps) -> None:
        lot = Chance(seed, "devices").uniform(ground.numbers)
        low, high = mount.drawn
        chosen = np.isin(ground.kind, mount.kinds) & (lot >= low) & (lot < high)
        self.mount = mount
        self.places = np.flatnonzero(chosen)
        self.sites = ground.numbers[self.places]
        self.devices = self.sites * SLOTS + mount.slot
        self.mishaps = mishaps
        self.histories: Histories = mishaps.histories(self.devices, in_soil=mount.model.in_soil)
        self._held: dict[str, Floats] = {}
        self._fallen = np.zeros(len(self.places), np.int64)
        self._at_restart = np.zeros(len(self.places), np.int64)
        self._told = np.zeros(len(self.places), np.int64)

    def sent(self, truth: Truth, first: int, every: int) -> Sent:
        histories, sending = self.histories, truth.hours % every == 0
        totals = self._totals(truth.hours, truth.rain[:, self.places])[sending]
        there = truth.part(sending, self.places)
        at = there.hours
        raw: dict[str, Integers] = {}
        for field in self.mount.model.fields:
            match field.nature:
                case Nature.RAIN_TOTAL:
                    number: Floats | Integers = totals // round(1000 / field.per_unit)
                case Nature.RAIN_OF_INTERVAL:
                    number = self._of_interval(totals // round(1000 / field.per_unit))
                case Nature.BATTERY:
                    number = self._battery(at, first, field) * field.per_unit
                case _:
                    number = self._faulty(there, field) * field.per_unit
            raw[field.name] = np.clip(np.rint(number), field.lowest, field.highest).astype(np.int64)
        sent = ~histories.silent(at)
        joins = (at[:, None] >= histories.restarted).astype(np.int64)
        # The first uplink from a beginning on, rounded up to when the device sends, has the number 0.
        beginning = -(-np.where(joins > 0, histories.restarted, first) // every)
        return Sent(
            self.mount,
            self.sites,
            at,
            self.mishaps.measured_at(self.devices, at),
            raw,
            sent,
            sent & ~self.mishaps.lost(self.devices, at),
            at[:, None] // every - beginning,
            joins,
        )

    def _faulty(self, truth: Truth, field: Field) -> Floats:
        hours, histories = truth.hours, self.histories
        value = field.sensed(truth)
        if field.nature is Nature.RAIN:
            return np.where(histories.ill(hours, Illness.STUCK), 0.0, value)
        if field.layer is not None:
            value = self._in_ground(truth, field, field.layer, value)
        days = (hours[:, None] - histories.ill_from) / 24.0
        error = np.where(histories.ill(hours, Illness.DRIFT), days * histories.slope, 0.0)
        value = value + error * _DRIFTS.get(field.nature, 0.0)
        value = value * np.maximum(1 + error * _FACTOR_DRIFTS.get(field.nature, 0.0), 0.1)
        return self._stuck(hours, field.name, value)

    def _in_ground(self, truth: Truth, field: Field, layer: int, value: Floats) -> Floats:
        if self.mishaps.rates.frost:
            warmth = truth.soil_temperature(layer)
            frozen = warmth < _FREEZES_BELOW
            if field.nature is Nature.MOISTURE:
                value = np.where(frozen, 0.4 * value, value)
            elif field.nature is Nature.TENSION:
                value = np.where(frozen, value - _FROZEN_TENSION * warmth, value)
            elif field.nature is Nature.RESISTANCE:
                value = np.where(frozen, np.minimum(5 * value, 35.0), value)
        in_air = self.histories.ill(truth.hours, Illness.IN_AIR)
        there = truth.air_temperature if field.nature is Nature.SOIL_TEMPERATURE else _IN_AIR[field.nature]
        return np.where(in_air, there, value)

    def _stuck(self, hours: Integers, name: str, value: Floats) -> Floats:
        ill = self.histories.ill(hours, Illness.STUCK)
        held = self._held.setdefault(name, np.full(len(self.places), np.nan))
        # From its first uplink on as a stuck one, which may be portions ago, a device repeats what it said then.
        begins = ill.any(axis=0) & np.isnan(held)
        held[begins] = value[ill.argmax(axis=0)[begins], begins] if begins.any() else held[begins]
        return np.where(ill, held, value)

    def _totals(self, hours: Integers, rain: Floats) -> Integers:
        """Return thousandths of a millimetre counted since the start or restart, (hours, devices)."""
        restarted = self.histories.restarted
        thousandths = np.rint(rain * 1000).astype(np.int64)
        thousandths[self.histories.ill(hours, Illness.STUCK)] = 0  # a clogged funnel
        fallen = np.cumsum(np.vstack([self._fallen[None, :], thousandths]), axis=0)
        now = (restarted >= hours[0]) & (restarted <= hours[-1])
        self._at_restart[now] = fallen[restarted[now] - hours[0], now]
        self._fallen = fallen[-1]
        return fallen[1:] - np.where(hours[:, None] >= restarted, self._at_restart, 0)

    def _of_interval(self, counted: Integers) -> Integers:
        before = np.vstack([self._told[None, :], counted])[:-1]
        if len(counted):
            self._told = counted[-1]
        # After a restart the device knows nothing of what fell before.
        return np.where(counted >= before, counted - before, counted)

    def _battery(self, hours: Integers, first: int, field: Field) -> Floats:
        full, empty = self.mount.model.volts
        age = (hours[:, None] - first) / _HOURS_A_YEAR
        dying = (hours[:, None] - self.histories.ill_from) / BATTERY_DIES_IN
        ill = self.histories.illness == Illness.BATTERY
        left = np.maximum(1.0 - _YEARLY_DECLINE * age, 0.5) * np.where(ill, np.clip(1.0 - dying, 0.0, 1.0), 1.0)
        return left * field.highest if field.per_unit == 1 else empty + (full - empty) * left


class Observation:
    """What a city's devices send.

    Parameters
    ----------
    city : City
    rates : Rates
    every : int
        Hours between two uplinks of a device, one of `INTERVALS`.

    Raises
    ------
    InputError
        If the interval is none of those.
    """

    def __init__(self, city: City, rates: Rates, every: int = 1) -> None:
        if every not in INTERVALS:
            listed = ", ".join(map(str, INTERVALS))
            raise InputError(what=f"an interval of {every} hours", where="--every", remedy=f"choose one of {listed}")
        self.city = city
        self.every = every
        self.mishaps = Mishaps(city.seed, rates, city.span)

    def groups(self, ground: Ground) -> list[_Group]:
        """Return the devices at some sites by mount."""
        return [_Group(mount, self.city.seed, ground, self.mishaps) for mount in MOUNTS]

    def sent(self, first: int, end: int, hours: int) -> Iterator[tuple[Truth, list[Sent]]]:
        """Yield what devices at some sites send in order of time; parameters as `City.truth`."""
        groups = self.groups(self.city.ground_of(first, end))
        for truth in self.city.truth(first, end, hours):
            yield truth, [group.sent(truth, self.city.span.first, self.every) for group in groups if len(group.places)]


def models() -> tuple[Model, ...]:
    """Return the models the city has."""
    return tuple({mount.model.profile: mount.model for mount in MOUNTS}.values())
