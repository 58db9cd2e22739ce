"""How the units of the quantity table are written for people, and to how many digits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gruenpuls.domain.quantity import QUANTITIES


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit's sign, and the decimal places that mean something."""

    sign: str
    digits: int


UNITS: Final[dict[str, Unit]] = {
    "Cel": Unit("°C", 1),
    "%": Unit("%", 0),
    "hPa": Unit("hPa", 0),
    "kPa": Unit("kPa", 0),
    "m/s": Unit("m/s", 1),
    "deg": Unit("°", 0),
    "W/m2": Unit("W/m²", 0),
    "lx": Unit("lx", 0),
    "1": Unit("", 1),
    "[ppm]": Unit("ppm", 0),
    "mm": Unit("mm", 1),
    "mm/h": Unit("mm/h", 1),
    "{count}": Unit("", 0),
    "km": Unit("km", 1),
    "dS/m": Unit("dS/m", 2),
    "kOhm": Unit("kΩ", 1),
    "[pH]": Unit("pH", 1),
    "m": Unit("m", 2),
    "V": Unit("V", 2),
    "dBm": Unit("dBm", 0),
    "dB": Unit("dB", 1),
    "cm": Unit("cm", 0),
    "h": Unit("h", 1),
    "d": Unit("d", 0),
    "L": Unit("l", 0),
}

_FINER: Final = {"soil_water_content": 1, "vapour_pressure": 2, "vapour_pressure_deficit": 2}
"""Quantities that need more digits than their unit usually does."""


def digits(quantity: str) -> int:
    """Return to how many decimal places a quantity is told."""
    return _FINER.get(quantity, UNITS[QUANTITIES[quantity].unit].digits)
