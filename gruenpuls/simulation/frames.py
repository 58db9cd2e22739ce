"""Device frames of our own making, byte for byte as the devices send them.

Only what a device type's frame format allows to leave out is left out; a value that was not measured
is not sent. The formats are facts from the makers' public payload descriptions (Elsys payload format,
Milesight EM500-SMTC user guide, Decentlab DL-TBRG datasheet).
"""

from __future__ import annotations

import struct


def elsys_ems(*, air_temperature: float | None, relative_humidity: float | None, battery_voltage: float) -> bytes:
    """Return a frame of an Elsys EMS: tag, value, tag, value.

    Parameters
    ----------
    air_temperature : float or None
        [°C], sent to 0.1.
    relative_humidity : float or None
        [%], sent to 1.
    battery_voltage : float
        [V], sent to 0.001.
    """
    frame = b""
    if air_temperature is not None:
        frame += struct.pack(">Bh", 0x01, round(air_temperature * 10))
    if relative_humidity is not None:
        frame += struct.pack(">BB", 0x02, round(relative_humidity))
    return frame + struct.pack(">BH", 0x07, round(battery_voltage * 1000))


def milesight_em500_smtc(*, soil_water_content: float, battery_level: int) -> bytes:
    """Return a frame of a Milesight EM500-SMTC: channel, type, value, with its fine moisture channel.

    Parameters
    ----------
    soil_water_content : float
        [%], sent to 0.01.
    battery_level : int
        [%].
    """
    return struct.pack("<BBBBBH", 0x01, 0x75, battery_level, 0x04, 0xCA, round(soil_water_content * 100))


def decentlab_dl_tbrg(*, serial: int, interval_rain: float, interval: int, total_rain: float) -> bytes:
    """Return a frame of a Decentlab DL-TBRG tipping bucket: version, serial, groups, and its rain group.

    Parameters
    ----------
    serial : int
        The device's own number, 0 to 65535.
    interval_rain : float
        Rain of the interval [mm], sent to 0.1.
    interval : int
        Its length [s], 0 to 65535.
    total_rain : float
        Rain since the counter's start [mm], sent to 0.1.
    """
    total = round(total_rain * 10)
    return struct.pack(
        ">BHHHHHH", 2, serial, 0b01, round(interval_rain * 10), interval, total & 0xFFFF, total >> 16 & 0xFFFF
    )
