"""Checksums at the end of a message."""

from __future__ import annotations

from enum import StrEnum

_REFLECTED_CCITT = 0x8408
_REFLECTED_8005 = 0xA001


class Checksum(StrEnum):
    """The checksums devices are known to send."""

    CRC16_KERMIT = "crc16-kermit"
    CRC16_MODBUS = "crc16-modbus"

    def of(self, data: bytes) -> int:
        """Return the checksum over the data."""
        polynomial, value = (_REFLECTED_CCITT, 0) if self is Checksum.CRC16_KERMIT else (_REFLECTED_8005, 0xFFFF)
        for byte in data:
            value ^= byte
            for _ in range(8):
                value = (value >> 1) ^ polynomial if value & 1 else value >> 1
        return value
