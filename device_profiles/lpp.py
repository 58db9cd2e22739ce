"""Cayenne Low Power Payload: a channel, a type, its numbers, the next channel.

Types and resolutions follow the format's public description (myDevices, Cayenne LPP 2.0, and the
IPSO object ids it is built on); units of the extended types are those of the ElectronicCats library.
"""

from __future__ import annotations

from functools import cache
from struct import Struct
from typing import Final, NamedTuple

from device_profiles.refusal import Refused


class _Type(NamedTuple):
    names: tuple[str, ...]
    unpack: Struct
    divisors: tuple[float, ...]
    units: tuple[str, ...]


def _one(name: str, code: str, divisor: float, unit: str) -> _Type:
    return _Type((name,), Struct(">" + code), (divisor,), (unit,))


def _axes(name: str, divisor: float, unit: str) -> _Type:
    return _Type((f"{name}_x", f"{name}_y", f"{name}_z"), Struct(">hhh"), (divisor,) * 3, (unit,) * 3)


_TYPES: Final[dict[int, _Type]] = {
    0x00: _one("digital_in", "B", 1, ""),
    0x01: _one("digital_out", "B", 1, ""),
    0x02: _one("analog_in", "h", 100, ""),
    0x03: _one("analog_out", "h", 100, ""),
    0x64: _one("generic", "I", 1, ""),
    0x65: _one("illuminance", "H", 1, "lx"),
    0x66: _one("presence", "B", 1, ""),
    0x67: _one("temperature", "h", 10, "°C"),
    0x68: _one("relative_humidity", "B", 2, "%"),
    0x71: _axes("accelerometer", 1000, "g"),
    0x73: _one("barometric_pressure", "H", 10, "hPa"),
    0x74: _one("voltage", "H", 100, "V"),
    0x75: _one("current", "H", 1000, "A"),
    0x76: _one("frequency", "I", 1, "Hz"),
    0x78: _one("percentage", "B", 1, "%"),
    0x79: _one("altitude", "h", 1, "m"),
    0x7D: _one("concentration", "H", 1, "ppm"),
    0x80: _one("power", "H", 1, "W"),
    0x82: _one("distance", "I", 1000, "m"),
    0x83: _one("energy", "I", 1000, "kWh"),
    0x84: _one("direction", "H", 1, "°"),
    0x85: _one("unix_time", "I", 1, "s"),
    0x86: _axes("gyrometer", 100, "°/s"),
    0x87: _Type(("color_red", "color_green", "color_blue"), Struct(">BBB"), (1, 1, 1), ("", "", "")),
    0x88: _Type(("gps_latitude", "gps_longitude", "gps_altitude"), Struct(">bHbHbH"), (1e4, 1e4, 1e2), ("°", "°", "m")),
    0x8E: _one("switch", "B", 1, ""),
}


def names() -> set[str]:
    """Return every field name a message can have."""
    return {f"{name}_{channel}" for kind in _TYPES.values() for name in kind.names for channel in range(256)}


@cache
def _named(number: int, channel: int) -> tuple[str, ...]:
    """Return the fields of a type on a channel: writing them takes longer than reading their values."""
    return tuple(f"{name}_{channel}" for name in _TYPES[number].names)


def read(
    payload: bytes,
    end: int,
    fields: dict[str, object],
    rows: list[tuple[int, int, str, object, str]] | None = None,
) -> None:
    """Read a message into `fields`, and what each byte means into `rows`, if there are any wanted.

    Raises
    ------
    Refused
        If a type is not known or the message ends within a value.
    """
    at = 0
    while at < end:
        if at + 2 > end:
            message = "the message ends within a channel and type"
            raise Refused(message)
        channel, number = payload[at], payload[at + 1]
        kind = _TYPES.get(number)
        if kind is None:
            message = f"byte {at + 1}: Cayenne LPP type {number:#04x} is not known"
            raise Refused(message)
        if rows is not None:
            rows.append((at, at + 2, f"channel {channel}: {kind.names[0]}", None, ""))
        at += 2
        stop = at + kind.unpack.size
        if stop > end:
            message = f"the message ends within channel {channel}"
            raise Refused(message)
        raw = kind.unpack.unpack_from(payload, at)
        if len(raw) > len(kind.names):
            # Numbers of three bytes come as a signed high byte and a low word.
            raw = tuple(high << 16 | low for high, low in zip(raw[::2], raw[1::2], strict=True))
        names = _named(number, channel)
        for name, value, divisor in zip(names, raw, kind.divisors, strict=True):
            fields[name] = value / divisor
        if rows is not None:
            rows += [(at, stop, name, fields[name], unit) for name, unit in zip(names, kind.units, strict=True)]
        at = stop
