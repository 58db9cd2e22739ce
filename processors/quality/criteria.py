"""What each quantity is tested by: limits as data, with where they are from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Final

from gruenpuls.domain.quantity import QUANTITIES
from processors.rain.gauge_fault import DAYS, FREEZING, WET

Span = tuple[float, float]
Months = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Criteria:
    """Limits of one quantity, or of one quantity of one device profile; None leaves a test out.

    Parameters
    ----------
    fail : tuple of float
        Range outside of which a value fails [unit of the quantity].
    suspect : tuple of float or None
        Range outside of which it is suspect [unit of the quantity].
    months : tuple of 12 tuples of float or None
        Range of each calendar month outside of which it is suspect [unit of the quantity].
    spike : tuple of float or None
        Distance from the mean of both neighbours that is suspect, and that fails [unit of the quantity].
    rate : tuple of float or None
        Change that is suspect, and that fails [unit of the quantity per h].
    flat : tuple of float or None
        Tolerance [unit of the quantity], and how long within it is suspect, and fails [h].
    moving : tuple of float or None
        Only between these can it be called flat [unit of the quantity].
    attenuated : tuple of float or None
        Span [h], standard deviation below which it is suspect, and fails [unit of the quantity].
    plateau : tuple of float or None
        Level [unit of the quantity], time [h] and tolerance of standing water [unit of the quantity].
    counter : float or None
        Most that can be counted [unit of the quantity per h].
    neighbour : tuple of float or None
        Deviations [-] from the neighbours that are suspect after a week, and the least one deviation is
        taken for [unit of the quantity].
    drift : float or None
        Drift against the neighbours over 30 days that is suspect [unit of the quantity per d].
    blocked : tuple of float or None
        What must fall at two gauges around on a day on which this one stays dry [mm], and on how many days [d].
    freezing : float or None
        Below this a gauge without heating is blind [°C].
    source : str
        Where the limits are from.
    """

    fail: Span
    suspect: Span | None = None
    months: Months | None = None
    spike: Span | None = None
    rate: Span | None = None
    flat: tuple[float, float, float] | None = None
    moving: Span | None = None
    attenuated: tuple[float, float, float] | None = None
    plateau: tuple[float, float, float] | None = None
    counter: float | None = None
    neighbour: Span | None = None
    drift: float | None = None
    blocked: Span | None = None
    freezing: float | None = None
    source: str = "plausible range of the quantity"


_NEVER: Final = math.inf
_DEFAULTS: Final = "limits of the product (assumptions)"
_BLOCKED: Final = (WET, float(DAYS))
_MARGIN: Final = 3.0
_COLDEST: Final = (-23.4, -19.2, -13.4, -8.8, -2.9, -0.5, 2.9, 1.9, -1.3, -6.0, -10.4, -18.0)
_WARMEST: Final = (16.2, 20.7, 25.3, 30.8, 32.4, 36.8, 37.2, 38.8, 32.8, 27.6, 20.2, 16.7)
_AIR_MONTHS: Final = tuple((low - _MARGIN, high + 2 * _MARGIN) for low, high in zip(_COLDEST, _WARMEST, strict=True))
"""Köln/Bonn, daily extremes 1957 to 2014 (DWD station 02667, GeoNutzV), 3 K colder and 6 K warmer: a city is warmer
than an airport, and so are the years since."""


def _plain(quantity: str) -> Criteria:
    it = QUANTITIES[quantity]
    return Criteria((it.minimum, it.maximum))


CRITERIA: Final[Mapping[str, Criteria]] = {
    "soil_water_content": Criteria(
        (0.0, 100.0),
        suspect=(0.0, 60.0),
        spike=(8.0, _NEVER),
        rate=(30.0, _NEVER),
        flat=(0.005, 72.0, _NEVER),
        moving=(5.0, 45.0),
        plateau=(47.5, 12.0, 0.05),
        neighbour=(4.0, 3.0),
        drift=0.2,
        source="range, plateau: Dorigo et al. 2013, table 2, flags C01, C02, D10; the rest " + _DEFAULTS,
    ),
    "soil_tension": Criteria(
        (0.0, 100_000.0),
        spike=(60.0, _NEVER),
        flat=(0.01, 168.0, _NEVER),
        moving=(10.0, 200.0),
        source=_DEFAULTS,
    ),
    "soil_temperature": Criteria(
        (-30.0, 60.0),
        suspect=(-15.0, 45.0),
        spike=(4.0, 12.0),
        rate=(8.0, 25.0),
        attenuated=(168.0, 0.02, 0.0),
        neighbour=(4.0, 1.5),
        source=_DEFAULTS,
    ),
    "air_temperature": Criteria(
        (-40.0, 60.0),
        suspect=(-30.0, 45.0),
        months=_AIR_MONTHS,
        spike=(6.0, 15.0),
        rate=(20.0, 60.0),
        flat=(0.05, 24.0, 72.0),
        attenuated=(24.0, 0.1, 0.01),
        neighbour=(4.0, 1.0),
        drift=0.1,
        source="months: DWD 02667 1957-2014 with 3 K and 6 K to spare; the rest " + _DEFAULTS,
    ),
    "relative_humidity": Criteria(
        (0.0, 100.5),
        suspect=(1.0, 100.5),
        spike=(25.0, _NEVER),
        flat=(0.05, 72.0, 168.0),
        moving=(0.0, 97.0),
        neighbour=(4.0, 5.0),
        source=_DEFAULTS,
    ),
    "air_pressure": Criteria((800.0, 1100.0), suspect=(900.0, 1065.0), spike=(5.0, 20.0), rate=(10.0, 40.0),
                             flat=(0.05, 24.0, 72.0), source=_DEFAULTS),
    "wind_speed": Criteria((0.0, 60.0), suspect=(0.0, 40.0), flat=(0.05, 72.0, 168.0), source=_DEFAULTS),
    "global_radiation": Criteria((0.0, 1500.0), suspect=(0.0, 1361.0), flat=(1.0, 24.0, 72.0), source=_DEFAULTS),
    "precipitation": Criteria((0.0, 200.0), suspect=(0.0, 100.0), blocked=_BLOCKED, freezing=FREEZING,
                              source="range: Dorigo et al. 2013, table 2; the rest " + _DEFAULTS),
    "precipitation_total": Criteria((0.0, 1e9), counter=150.0, blocked=_BLOCKED, freezing=FREEZING, source=_DEFAULTS),
    "pulse_total": Criteria((0.0, float(2**32)), counter=3600.0, blocked=_BLOCKED, freezing=FREEZING,
                            source=_DEFAULTS),
    "soil_electrical_conductivity": Criteria((0.0, 100.0), suspect=(0.0, 20.0), spike=(5.0, _NEVER), source=_DEFAULTS),
    "battery_voltage": Criteria((0.0, 30.0), spike=(1.0, _NEVER), source=_DEFAULTS),
    **{
        name: _plain(name)
        for name in (
            "soil_permittivity", "soil_resistance", "water_level", "distance", "globe_temperature", "wind_gust",
            "leaf_temperature", "surface_temperature", "battery_level", "dew_point_temperature",
        )
    },
}  # fmt: skip
"""By quantity; a measured quantity without a row is not judged later."""

BY_PROFILE: Final[Mapping[tuple[str, str], Mapping[str, object]]] = {
    ("soil_tension", "generic-watermark"): {
        "suspect": (0.0, 240.0),
        "source": "Irrometer: range of the 200SS 0 to 239 kPa, at whose end rounding adds up to 1 kPa",
    },
}
"""What differs for a quantity of a device profile."""


def criteria(quantity: str, profile: str, overrides: Mapping[str, Mapping[str, object]]) -> Criteria | None:
    """Return what a quantity of a device profile is tested by; None where it is not judged.

    Parameters
    ----------
    quantity : str
        Name of the quantity [-].
    profile : str
        Name of the device profile [-].
    overrides : mapping
        What a city changed: names of `Criteria` and their values by ``"quantity"`` or
        ``"quantity profile"``, lists in place of tuples [unit of the quantity].

    Returns
    -------
    Criteria or None
        The quantity's, then the profile's, then the city's for the quantity and for the profile
        [unit of the quantity].

    Notes
    -----
    Valid for the quantities of `CRITERIA` and those a city gives a row with at least ``fail``. A name or a
    value nobody knows raises `ValueError`.

    References
    ----------
    `CRITERIA`, the table with the source of each row.

    Examples
    --------
    >>> criteria("soil_water_content", "", {"soil_water_content": {"flat": [0.1, 48, 96]}}).flat
    (0.1, 48.0, 96.0)
    """
    found = CRITERIA.get(quantity)
    changes = (
        BY_PROFILE.get((quantity, profile)),
        overrides.get(quantity),
        overrides.get(f"{quantity} {profile}"),
    )
    for change in changes:
        if change:
            checked = {name: _checked(name, value) for name, value in change.items()}
            if found is None:
                found = _plain(quantity)
            found = replace(found, **checked)  # type: ignore[arg-type] # checked by name just above
    return found


_LENGTHS: Final = {
    "fail": 2, "suspect": 2, "spike": 2, "rate": 2, "moving": 2, "neighbour": 2, "blocked": 2,
    "flat": 3, "attenuated": 3, "plateau": 3, "counter": 0, "drift": 0, "freezing": 0,
}  # fmt: skip


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        message = f"{value!r} is no number"
        raise ValueError(message)
    return float(value)


def _checked(name: str, value: object) -> object:
    if name not in {field.name for field in fields(Criteria)}:
        message = f"there is no criterion {name!r}"
        raise ValueError(message)
    if name == "source":
        return str(value)
    if value is None and name != "fail":
        return None
    if name == "months":
        if not isinstance(value, list | tuple) or len(value) != len(_COLDEST):
            message = "months need twelve pairs"
            raise ValueError(message)
        return tuple(_checked("fail", pair) for pair in value)
    length = _LENGTHS[name]
    if not length:
        return _number(value)
    if not isinstance(value, list | tuple) or len(value) != length:
        message = f"{name} needs {length} numbers"
        raise ValueError(message)
    return tuple(_number(part) for part in value)
