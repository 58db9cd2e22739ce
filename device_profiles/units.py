"""Units decoders give, and what makes a quantity's canonical unit of them."""

from __future__ import annotations

from typing import Final, NamedTuple


class Conversion(NamedTuple):
    """canonical = given * multiply / divide + add; two factors, so that 0.1 °C stays exact."""

    multiply: float = 1.0
    divide: float = 1.0
    add: float = 0.0


_SAME: Final = Conversion()
_TO: Final[dict[str, dict[str, Conversion]]] = {
    "Cel": {"°f": Conversion(5.0, 9.0, -160.0 / 9.0), "k": Conversion(add=-273.15)},
    "%": {"m3/m3": Conversion(100.0), "m³/m³": Conversion(100.0), "m³⋅m⁻³": Conversion(100.0), "1": Conversion(100.0)},
    "kPa": {
        "pa": Conversion(divide=1000.0),
        "hpa": Conversion(divide=10.0),
        "mbar": Conversion(divide=10.0),
        "bar": Conversion(100.0),
        "cbar": _SAME,
    },
    "hPa": {"pa": Conversion(divide=100.0), "kpa": Conversion(10.0), "mbar": _SAME, "bar": Conversion(1000.0)},
    "dS/m": {
        "us/cm": Conversion(divide=1000.0),
        "µs/cm": Conversion(divide=1000.0),
        "µs⋅cm⁻¹": Conversion(divide=1000.0),
        "ms/cm": _SAME,
        "ms⋅cm⁻¹": _SAME,
        "s/m": Conversion(10.0),
        "ms/m": Conversion(divide=100.0),
    },
    "m/s": {"km/h": Conversion(divide=3.6), "m⋅s⁻¹": _SAME},
    "m": {"mm": Conversion(divide=1000.0), "cm": Conversion(divide=100.0), "bar": Conversion(10.197162129779)},
    "mm": {"m": Conversion(1000.0), "cm": Conversion(10.0), "in": Conversion(25.4), "l/m2": _SAME},
    "mm/h": {"mm⋅h⁻¹": _SAME},
    "V": {"mv": Conversion(divide=1000.0)},
    "kOhm": {"ohm": Conversion(divide=1000.0), "ω": Conversion(divide=1000.0), "kω": _SAME},
    "lx": {"lux": _SAME, "klx": Conversion(1000.0)},
    "W/m2": {"w⋅m⁻²": _SAME, "w/m²": _SAME},
    "km": {"m": Conversion(divide=1000.0)},
    "um": {"mm": Conversion(1000.0), "µm": _SAME},
}
_SPELLINGS: Final = {
    "Cel": ("°c", "c", "degc", "celsius"),
    "[ppm]": ("ppm",),
    "deg": ("°", "deg"),
    "[pH]": ("ph",),
    "{count}": ("",),
    "1": ("",),
    "%": ("%rh", "%vwc"),
}


def conversion(given: str, canonical: str) -> Conversion | None:
    """Return what turns a value in a unit as decoders write it into the canonical one; None if nothing does."""
    unit = given.strip().lower().replace("μ", "µ")
    if unit == canonical.lower() or unit in _SPELLINGS.get(canonical, ()):
        return _SAME
    return _TO.get(canonical, {}).get(unit)
