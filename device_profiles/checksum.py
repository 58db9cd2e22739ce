"""Checksums at the end of a message."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


def _table(polynomial: int) -> tuple[int, ...]:
    """Return what each byte does to a reflected checksum of 16 bits."""
    values = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = (value >> 1) ^ polynomial if value & 1 else value >> 1
        values.append(value)
    return tuple(values)


_KERMIT: Final = _table(0x8408)
_MODBUS: Final = _table(0xA001)


class Checksum(StrEnum):
    """The checksums devices are known to send."""

    CRC16_KERMIT = "crc16-kermit"
    CRC16_MODBUS = "crc16-modbus"

    def of(self, data: bytes) -> int:
        """Return the checksum over the data."""
        table, value = (_KERMIT, 0) if self is Checksum.CRC16_KERMIT else (_MODBUS, 0xFFFF)
        for byte in data:
            value = value >> 8 ^ table[(value ^ byte) & 0xFF]
        return value
