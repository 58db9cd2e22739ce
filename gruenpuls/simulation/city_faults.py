"""What goes wrong in the city: sensor faults, dying batteries, new beginnings of counters, lost and late uplinks."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.errors import InputError
from gruenpuls.simulation.chance import Chance, Floats, Integers
from gruenpuls.simulation.city import Span

_COMMON: Final = 12
"""Hours after which devices of every interval send."""
_STUCK_AT_LEAST: Final = 48
_STUCK_LONGER: Final = 600
BATTERY_DIES_IN: Final = 20 * 24
"""Hours a dying battery lasts."""
_LATE_AT_LEAST: Final = 5.0
_LATE_ON_AVERAGE: Final = 90.0
_MILLISECONDS_PER_HOUR: Final = 3_600_000
_JITTER: Final = 2_000
"""By how many milliseconds a device's clock wavers."""


@dataclass(frozen=True, slots=True)
class Rates:
    """How often things go wrong, 0 to 1 each.

    Parameters
    ----------
    stuck, drift, in_air, battery : float
        Share of the devices that fall ill so within the span; a device has one illness at most. Only probes in
        the ground come into the air.
    reset : float
        Share of the devices that start anew within the span: their frame and rain counters begin at 0.
    lost, duplicated, late : float
        Share of the uplinks. Some devices lose more than others, on average this share.
    frost : bool
        Whether frozen ground misleads probes: less water and much more tension than there is.
    """

    stuck: float = 0.02
    drift: float = 0.03
    in_air: float = 0.01
    battery: float = 0.02
    reset: float = 0.05
    lost: float = 0.03
    duplicated: float = 0.02
    late: float = 0.01
    frost: bool = True

    def __post_init__(self) -> None:
        for field in fields(self):
            if not 0 <= getattr(self, field.name) <= 1:
                what = f"{field.name} is {getattr(self, field.name)}"
                raise InputError(what, where=f"--{field.name.replace('_', '-')}", remedy="choose a share of 0 to 1")
        if self.stuck + self.drift + self.in_air + self.battery > 1:
            what = "more than all devices would be ill"
            raise InputError(what, where="--stuck, --drift, --in-air, --battery", remedy="choose smaller shares")
        if self.lost > 0.5:  # noqa: PLR2004 - the worst devices lose twice the average, and no more than all
            what = f"{self.lost:g} of the uplinks would be lost"
            raise InputError(what, where="--lost", remedy="choose at most 0.5")


NOTHING_WRONG: Final = Rates(0, 0, 0, 0, 0, 0, 0, 0, frost=False)
"""All sensors are right, and every uplink comes once and in time."""


class Illness(IntEnum):
    """What is wrong with a device."""

    NONE = 0
    STUCK = 1
    DRIFT = 2
    IN_AIR = 3
    BATTERY = 4


@dataclass(frozen=True, slots=True)
class Histories:
    """What happens to devices in the span, arrays (devices,).

    Parameters
    ----------
    illness : int64
        Of `Illness`.
    ill_from, ill_to : int64
        Hours since 1970, the end exclusive; where the device is well, both are the end of the span.
    slope : float64
        By how much a drifting one errs more each day, as a share of what is usual for its kind, -1 to 1.
    restarted : int64
        Hour when its counters begin anew; the end of the span if never.
    """

    illness: Integers
    ill_from: Integers
    ill_to: Integers
    slope: Floats
    restarted: Integers

    def ill(self, hours: Integers, with_what: Illness) -> NDArray[np.bool_]:
        """Whether devices have an illness in these hours, (hours, devices)."""
        hour = hours[:, None]
        return np.asarray((self.illness == with_what) & (hour >= self.ill_from) & (hour < self.ill_to))

    def silent(self, hours: Integers) -> NDArray[np.bool_]:
        """Whether devices have no power any more, (hours, devices)."""
        return np.asarray((self.illness == Illness.BATTERY) & (hours[:, None] >= self.ill_to))


class Mishaps:
    """What goes wrong in a city.

    Parameters
    ----------
    seed : int
    rates : Rates
    span : Span
    """

    def __init__(self, seed: int, rates: Rates, span: Span) -> None:
        self.rates = rates
        self._span = span

        def chance(purpose: str) -> Chance:
            return Chance(seed, f"mishap/{purpose}")

        self._illness, self._onset, self._length = chance("illness"), chance("onset"), chance("length")
        self._slope, self._restarts, self._restart = chance("slope"), chance("restarts"), chance("restart")
        self._lost, self._deaf = chance("lost"), chance("deaf")
        self._duplicated, self._late, self._delay = chance("duplicated"), chance("late"), chance("delay")
        self._second, self._jitter = chance("second"), chance("jitter")

    def histories(self, devices: Integers, *, in_soil: bool) -> Histories:
        """Return what happens to devices of these numbers."""
        rates, span = self.rates, self._span
        in_air = rates.in_air if in_soil else 0.0
        edges = np.cumsum([rates.stuck, rates.drift, in_air, rates.battery])
        # The first edge above the lot names the illness; above all of them the device is well.
        illness = (np.searchsorted(edges, self._illness.uniform(devices), side="right") + 1) % (len(edges) + 1)
        onset = span.first + np.floor(self._onset.uniform(devices) * len(span)).astype(np.int64)
        # When a device of any interval sends, so that a stuck one repeats what it has sent.
        onset = np.maximum(onset // _COMMON, -(-span.first // _COMMON)) * _COMMON
        stuck_for = _STUCK_AT_LEAST + np.floor(_STUCK_LONGER * self._length.uniform(devices)).astype(np.int64)
        lasts = np.select(
            [illness == Illness.STUCK, illness == Illness.BATTERY], [stuck_for, BATTERY_DIES_IN], len(span)
        )
        well = illness == Illness.NONE
        restarts = self._restarts.uniform(devices) < rates.reset
        restart = span.first + 1 + np.floor(self._restart.uniform(devices) * (len(span) - 1)).astype(np.int64)
        sign = np.where(self._slope.uniform(devices) < 0.5, -1.0, 1.0)  # noqa: PLR2004 - as many up as down
        return Histories(
            illness.astype(np.int64),
            np.where(well, span.end, onset),
            np.where(well, span.end, onset + lasts),
            sign * (0.4 + 0.6 * self._length.uniform(devices)),
            np.where(restarts, restart, span.end),
        )

    def measured_at(self, devices: Integers, hours: Integers) -> Integers:
        """Return when devices measure in these hours [ms since 1970], (hours, devices)."""
        # Each at a moment of its own, early enough that it stays within the hour.
        second = np.floor(self._second.uniform(devices) * (_MILLISECONDS_PER_HOUR - _JITTER)).astype(np.int64)
        jitter = np.floor(self._jitter.uniform(hours[:, None], devices[None, :]) * _JITTER).astype(np.int64)
        return hours[:, None] * _MILLISECONDS_PER_HOUR + second + jitter

    def lost(self, devices: Integers, hours: Integers) -> NDArray[np.bool_]:
        """Whether what devices send in these hours is heard by nobody, (hours, devices)."""
        likely = 2 * self.rates.lost * self._deaf.uniform(devices)
        return np.asarray(self._lost.uniform(hours[:, None], devices[None, :]) < likely)

    def duplicated(self, devices: Integers, hours: Integers) -> NDArray[np.bool_]:
        """Whether it comes twice, (hours, devices)."""
        return np.asarray(self._duplicated.uniform(hours[:, None], devices[None, :]) < self.rates.duplicated)

    def delay(self, devices: Integers, hours: Integers) -> Integers:
        """Return how late it comes [ms], (hours, devices): 0, or five minutes to a day."""
        place = hours[:, None], devices[None, :]
        minutes = _LATE_AT_LEAST + np.minimum(_LATE_ON_AVERAGE * self._delay.exponential(*place), 24 * 60)
        late = self._late.uniform(*place) < self.rates.late
        return np.where(late, np.floor(minutes * 60_000), 0).astype(np.int64)
