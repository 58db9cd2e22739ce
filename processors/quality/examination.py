"""Everything that is asked of readings of one quantity and sensor type."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.processor import Array
from gruenpuls.domain.reading import Flag, Flags
from processors.quality.attenuated_signal import attenuated_signal
from processors.quality.climatology import climatology
from processors.quality.clock_error import clock_error
from processors.quality.counter_error import counter_error
from processors.quality.criteria import Criteria
from processors.quality.flat_line import still
from processors.quality.frozen_ground import FROZEN_BELOW, frozen_ground
from processors.quality.gross_range import gross_range
from processors.quality.rate_of_change import rate_of_change
from processors.quality.saturated_plateau import saturated_plateau
from processors.quality.sensor_in_air import DRIEST_TENSION, DRIEST_WATER_CONTENT
from processors.quality.spike import spike
from processors.quality.strands import Strands

REACH: Final = 6.0
"""Readings farther apart are not compared one by one [h]."""
CLOCK_TOLERANCE: Final = 1.0
"""How far ahead a device's clock may be [h]."""
MEMORY: Final = 192.0
"""No lasting fault looks back farther than this [h]."""
_FEWEST: Final = 12

AT_ONCE: Final = ("gross_range", "climatology", "spike", "rate_of_change", "counter_error", "clock_error")
LASTING: Final = ("flat_line", "attenuated_signal", "saturated_plateau", "frozen_ground", "sensor_in_air",
                  "rise_without_rain")  # fmt: skip
AMONG_NEIGHBOURS: Final = ("neighbours", "drift")
OF_GAUGES: Final = ("blocked_gauge", "frozen_gauge")
SETTLING: Final = "settling"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one test says.

    Parameters
    ----------
    test : str
    flags : uint8 (n,)
    reason : str
    """

    test: str
    flags: Flags
    reason: str


@dataclass(frozen=True, slots=True)
class Examination:
    """Readings and the limits they are tested by.

    Parameters
    ----------
    strands : Strands
    criteria : Criteria
    unit : str
        Of the values, for reasons.
    """

    strands: Strands
    criteria: Criteria
    unit: str

    def at_once(self, now: np.datetime64) -> Iterator[Verdict]:
        """Yield what can be said of each reading by itself and its neighbours in time."""
        limits, strands = self.criteria, self.strands
        yield Verdict(
            "gross_range",
            gross_range(strands.value, limits.fail, limits.suspect),
            f"outside {_span(limits.suspect or limits.fail)} {self.unit}",
        )
        yield Verdict("clock_error", clock_error(strands.at, now, CLOCK_TOLERANCE), "its time cannot be")
        sound = self._sound()
        if limits.months is not None:
            flags = climatology(strands.at, sound.value, np.array(limits.months))
            yield Verdict("climatology", flags, "this month never had such a value")
        if limits.spike is not None:
            flags = spike(sound, *limits.spike, REACH)
            yield Verdict("spike", flags, f"more than {limits.spike[0]:g} {self.unit} off the readings around it")
        if limits.rate is not None:
            flags = rate_of_change(sound, *limits.rate, REACH)
            yield Verdict("rate_of_change", flags, f"changed faster than {limits.rate[0]:g} {self.unit}/h")
        if limits.counter is not None:
            flags = counter_error(sound, limits.counter, REACH)
            yield Verdict("counter_error", flags, f"a false count, or more than {limits.counter:g} {self.unit}/h")

    def lasting(self, temperature: Array, swing: Array, widest: Array, dry: float | None) -> Iterator[Verdict]:
        """Yield what shows over hours and days.

        Parameters
        ----------
        temperature : float64 (n,)
            Of the soil at each reading; NaN is not known [°C].
        swing : float64 (n,)
            How far it has swung within a day; NaN is not known [K].
        widest : float64 (n,)
            How far it can at that depth [K].
        dry : float or None
            Nearer to dryness than this no soil is: below for water content, from there on for tension; None
            where it is neither [unit of the quantity].
        """
        limits, sound = self.criteria, self._sound()
        frozen = frozen_ground(temperature)
        if dry is not None:
            yield _suspect("frozen_ground", frozen, f"soil below {FROZEN_BELOW:g} °C")
            too_dry = sound.value < dry if dry == DRIEST_WATER_CONTENT else sound.value >= dry
            yield _suspect("sensor_in_air", too_dry & (swing > widest), "dry, and as warm and cold as the day")
        if limits.flat is not None:
            tolerance, suspect, fail = limits.flat
            flags = still(sound, tolerance, suspect, fail)
            low, high = limits.moving or (-np.inf, np.inf)
            flags[(sound.value < low) | (sound.value > high) | frozen] = Flag.GOOD
            yield Verdict("flat_line", flags, f"within {tolerance:g} {self.unit} for {suspect:g} h or longer")
        if limits.attenuated is not None:
            hours, suspect, fail = limits.attenuated
            flags = attenuated_signal(sound, hours, suspect, fail, _FEWEST)
            begun = (sound.at - sound.at[sound.since(hours, closed=True)]) / np.timedelta64(1, "h")
            flags[begun < hours * 0.75] = Flag.NOT_EVALUATED
            yield Verdict("attenuated_signal", flags, f"varies by less than {suspect:g} {self.unit} in {hours:g} h")
        if limits.plateau is not None:
            level, hours, tolerance = limits.plateau
            full = saturated_plateau(sound, level, hours, tolerance)
            yield _suspect("saturated_plateau", full, f"still above {level:g} {self.unit} for {hours:g} h or longer")

    def _sound(self) -> Strands:
        """Return the readings without what no sensor can have measured."""
        low, high = self.criteria.fail
        value = self.strands.value
        return self.strands.with_value(np.where((value < low) | (value > high), np.nan, value))


def dryness(quantity: str) -> float | None:
    """Return beyond which value a probe reads as in air.

    Parameters
    ----------
    quantity : str
        Name of the quantity [-].

    Returns
    -------
    float or None
        None where it is neither water content nor tension [% or kPa].

    Notes
    -----
    Valid for soil probes.

    References
    ----------
    `processors.quality.sensor_in_air`; our own choice, no published table.

    Examples
    --------
    >>> dryness("soil_water_content"), dryness("soil_tension"), dryness("air_temperature")
    (2.0, 239.0, None)
    """
    return {"soil_water_content": DRIEST_WATER_CONTENT, "soil_tension": DRIEST_TENSION}.get(quantity)


def _suspect(test: str, hit: NDArray[np.bool_], reason: str) -> Verdict:
    return Verdict(test, np.where(hit, Flag.SUSPECT, Flag.GOOD).astype(np.uint8), reason)


def _span(span: tuple[float, float]) -> str:
    return f"{span[0]:g} to {span[1]:g}"
