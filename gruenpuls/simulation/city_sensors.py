"""The city's sensors: what each model makes of the truth, in its own whole numbers, and the frame it sends them in.

The whole numbers lie between truth and frame, so that history written straight into a store and frames decoded
through the device profiles say the same. The frame formats are facts from the makers' payload descriptions and from
the profiles beside which they are named.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from gruenpuls.simulation.chance import Floats, Integers
from gruenpuls.simulation.city import Truth
from gruenpuls.simulation.city_ground import Kind
from gruenpuls.simulation.weather import Weather

WATERMARK_RANGE: Final = 239.0
"""Highest tension a Watermark 200SS is made for [kPa]."""
OPEN_PROBE: Final = 0xFFFF
"""Resistance a probe without contact to the soil shows [10 Ω]."""
_CALIBRATED_AT: Final = 24.0
_LUX_PER_WATT: Final = 120.0
_WATT_PER_UV_INDEX: Final = 130.0


class Nature(StrEnum):
    """What a field of a frame stands for, which decides what faults do to it."""

    MOISTURE = "moisture"
    TENSION = "tension"
    RESISTANCE = "resistance"
    SOIL_TEMPERATURE = "soil_temperature"
    AIR_TEMPERATURE = "air_temperature"
    HUMIDITY = "humidity"
    SKY = "sky"
    RAIN = "rain"
    RAIN_OF_INTERVAL = "rain_of_interval"
    RAIN_TOTAL = "rain_total"
    BATTERY = "battery"


@dataclass(frozen=True, slots=True)
class Field:
    """A whole number in a frame.

    Parameters
    ----------
    name : str
        The device profile's channel for it.
    nature : Nature
    per_unit : float
        Whole numbers in one unit of the channel's quantity.
    lowest, highest : int
        What fits into the frame, or the sensor can say.
    sensed : callable
        Returns the physical values of a truth, float64 (hours, sites).
    layer : int or None
        Of the soil; None is above ground.
    """

    name: str
    nature: Nature
    per_unit: float
    lowest: int
    highest: int
    sensed: Callable[[Truth], Floats]
    layer: int | None = None


Raw = Mapping[str, Integers]
"""Whole numbers by field, int64 (hours, devices)."""
Decoded = dict[str, Floats]
"""Values by channel, in the unit of its quantity, NaN where missing."""


@dataclass(frozen=True, slots=True)
class Model:
    """A device model.

    Parameters
    ----------
    profile : str
        Its device profile.
    port : int
        LoRaWAN fPort.
    fields : tuple of Field
    pack : callable
        Makes a frame of a whole number for each field, of the interval [s] under that name, and of the serial number.
    volts : tuple of float
        Of a new and of an empty battery [V].
    decoded : callable
        Makes of fields what the profile makes of them, besides dividing.
    computed : tuple of (str, int)
        Channels that makes, each with its layer of the soil.
    """

    profile: str
    port: int
    fields: tuple[Field, ...]
    pack: Callable[[Mapping[str, int], int], bytes]
    volts: tuple[float, float]
    decoded: Callable[[Raw, Decoded], Decoded] = lambda _raw, values: values
    computed: tuple[tuple[str, int], ...] = ()

    @property
    def in_soil(self) -> bool:
        """Whether it has a probe in the ground."""
        return any(field.layer is not None for field in self.fields)

    @property
    def layers(self) -> dict[str, int | None]:
        """Layer of the soil by channel, None above ground."""
        return {field.name: field.layer for field in self.fields} | dict(self.computed)

    def values(self, raw: Raw) -> Decoded:
        """Return what the profile reads in these whole numbers."""
        return self.decoded(raw, {field.name: raw[field.name] / field.per_unit for field in self.fields})


@dataclass(frozen=True, slots=True)
class Mount:
    """Where devices of a model sit.

    Parameters
    ----------
    model : Model
    slot : int
        Of the site, unique there.
    kinds : tuple of Kind
        Sites that may have one.
    drawn : tuple of float
        Span of the site's lot that gets one, 0 to 1.
    """

    model: Model
    slot: int
    kinds: tuple[Kind, ...]
    drawn: tuple[float, float] = (0.0, 1.0)


def watermark_resistance(tension: Floats, temperature: Floats) -> Floats:
    """Return the resistance of a Watermark 200SS [kΩ], 0.55 to 35.

    Parameters
    ----------
    tension : float64
        [kPa]; above 239 it says no more.
    temperature : float64
        Of the soil [°C].

    Notes
    -----
    The published branches do not meet at 1 and 8 kΩ: between them the end of a branch stands for the gap.

    References
    ----------
    Shock, Barnum, Seddigh (1998), solved for the resistance; below 1 and above 8 kΩ IRROMETER's equations.
    """
    tension = np.minimum(tension, WATERMARK_RANGE)
    factor = 1 + 0.018 * (temperature - _CALIBRATED_AT)
    middle = (tension * (1 - 0.01205 * temperature) - 4.093) / (3.213 + 0.009733 * tension)
    root = np.sqrt(5.239**2 - 4 * 0.06756 * (2.246 - np.maximum(tension, 2.246)))
    high = (root - 5.239) / (2 * 0.06756) / factor
    low = (tension / 20 + 0.55) / factor
    resistance = np.where(middle < 1, np.minimum(low, 1.0), np.where(middle <= 8, middle, np.maximum(high, 8.0)))  # noqa: PLR2004 - the branches' published ends
    return np.clip(resistance, 0.55, 35.0)


def _watermark_tension(resistance: Floats, temperature: Floats) -> Floats:
    factor = 1 + 0.018 * (temperature - _CALIBRATED_AT)
    middle = (3.213 * resistance + 4.093) / (1 - 0.009733 * resistance - 0.01205 * temperature)
    high = 2.246 + 5.239 * resistance * factor + 0.06756 * resistance**2 * factor**2
    branches = [resistance < 0.55, resistance <= 1, resistance <= 8]  # noqa: PLR2004 - their published ends
    return np.select(branches, [np.zeros_like(middle), 20 * (resistance * factor - 0.55), middle], high)


def _watermark_values(raw: Raw, values: Decoded) -> Decoded:
    for probe in (1, 2, 3):
        count = raw[f"soil_resistance_{probe}"]
        usual = (count >= 30) & (count <= 3500)  # noqa: PLR2004 - the profile's ends: shorted and open
        resistance = np.where(usual, count / 100, np.nan)
        values[f"soil_resistance_{probe}"] = resistance
        values[f"soil_tension_{probe}"] = _watermark_tension(resistance, values["soil_temperature"])
    return values


def _moisture(layer: int) -> Callable[[Truth], Floats]:
    return lambda truth: truth.content[:, layer] * 100


def _tension(layer: int) -> Callable[[Truth], Floats]:
    return lambda truth: truth.tension(layer)


def _soil_temperature(layer: int) -> Callable[[Truth], Floats]:
    return lambda truth: truth.soil_temperature(layer)


def _resistance(layer: int) -> Callable[[Truth], Floats]:
    # The node's one thermometer sits beside its uppermost probe.
    return lambda truth: watermark_resistance(truth.tension(layer), truth.soil_temperature(1))


def _sky(read: Callable[[Weather], Floats], factor: float = 1.0) -> Callable[[Truth], Floats]:
    return lambda truth: truth.at_sites(read(truth.weather)) * factor


def _rain(truth: Truth) -> Floats:
    return truth.rain


def _no_value(truth: Truth) -> Floats:
    """Return zeros: what stands there comes from the device's own state."""
    return np.zeros_like(truth.rain)


def _air_temperature(truth: Truth) -> Floats:
    return truth.air_temperature


def _humidity(truth: Truth) -> Floats:
    return truth.relative_humidity


def _battery(name: str, per_unit: float, highest: int) -> Field:
    return Field(name, Nature.BATTERY, per_unit, 0, highest, _no_value)


def _soil_temperature_field(per_unit: float, layer: int) -> Field:
    lowest, highest = -(2**15), 2**15 - 2
    return Field(
        "soil_temperature", Nature.SOIL_TEMPERATURE, per_unit, lowest, highest, _soil_temperature(layer), layer
    )


def _trs21(layer: int) -> Model:
    def pack(raw: Mapping[str, int], serial: int) -> bytes:
        warmth = raw["soil_temperature"] + 32768
        return struct.pack(">BHHHHH", 2, serial, 0b11, raw["soil_tension"], warmth, raw["battery_voltage"])

    fields = (
        Field("soil_tension", Nature.TENSION, 10, 0, 0xFFFF, _tension(layer), layer),
        _soil_temperature_field(10, layer),
        _battery("battery_voltage", 1000, 0xFFFF),
    )
    return Model("decentlab-dl-trs21", 1, fields, pack, (3.15, 2.0))


def _pack_watermark(raw: Mapping[str, int], _serial: int) -> bytes:
    probes = (raw[f"soil_resistance_{probe}"] for probe in (1, 2, 3))
    return struct.pack(">HHHhH", *probes, raw["soil_temperature"], raw["battery_voltage"])


def _pack_smtc(raw: Mapping[str, int], _serial: int) -> bytes:
    battery, warmth, moisture = raw["battery_level"], raw["soil_temperature"], raw["soil_water_content"]
    return struct.pack("<BBBBBhBBH", 0x01, 0x75, battery, 0x03, 0x67, warmth, 0x04, 0xCA, moisture)


def _pack_ems(raw: Mapping[str, int], _serial: int) -> bytes:
    air = struct.pack(">BhBB", 0x01, raw["air_temperature"], 0x02, raw["relative_humidity"])
    return air + struct.pack(">BH", 0x07, raw["battery_voltage"])


def _pack_tbrg(raw: Mapping[str, int], serial: int) -> bytes:
    total = raw["precipitation_total"]
    rain = struct.pack(">HHHH", raw["precipitation"], raw["interval"], total & 0xFFFF, total >> 16 & 0xFFFF)
    return struct.pack(">BHH", 2, serial, 0b11) + rain + struct.pack(">H", raw["battery_voltage"])


def _pack_s2120(raw: Mapping[str, int], _serial: int) -> bytes:
    air = ("air_temperature", "relative_humidity", "illuminance", "uv_index", "wind_speed")
    sky = ("wind_direction", "precipitation_intensity", "air_pressure")
    return (
        struct.pack(">BhBIBH", 0x4A, *(raw[name] for name in air))
        + struct.pack(">BHIH", 0x4B, *(raw[name] for name in sky))
        + struct.pack(">BHI", 0x4C, raw["wind_gust"], raw["precipitation_total"])
        + struct.pack(">BB", 0x03, raw["battery_level"])
    )


WATERMARK: Final = Model(
    "generic-watermark",
    1,
    (
        *(
            Field(f"soil_resistance_{probe}", Nature.RESISTANCE, 100, 0, OPEN_PROBE, _resistance(probe), probe)
            for probe in (1, 2, 3)
        ),
        _soil_temperature_field(100, 1),
        _battery("battery_voltage", 1000, 0xFFFF),
    ),
    _pack_watermark,
    (3.6, 2.5),
    _watermark_values,
    (("soil_tension_1", 1), ("soil_tension_2", 2), ("soil_tension_3", 3)),
)
SMTC: Final = Model(
    "milesight-em500-smtc",
    85,
    (
        Field("soil_water_content", Nature.MOISTURE, 100, 0, 10_000, _moisture(2), 2),
        _soil_temperature_field(10, 2),
        _battery("battery_level", 1, 100),
    ),
    _pack_smtc,
    (3.6, 2.6),
)
EMS: Final = Model(
    "elsys-ems",
    5,
    (
        Field("air_temperature", Nature.AIR_TEMPERATURE, 10, -400, 850, _air_temperature),
        Field("relative_humidity", Nature.HUMIDITY, 1, 0, 100, _humidity),
        _battery("battery_voltage", 1000, 0xFFFF),
    ),
    _pack_ems,
    (3.65, 2.8),
)
S2120: Final = Model(
    "sensecap-s2120",
    3,
    (
        Field("air_temperature", Nature.AIR_TEMPERATURE, 10, -400, 850, _air_temperature),
        Field("relative_humidity", Nature.HUMIDITY, 1, 0, 100, _humidity),
        Field("illuminance", Nature.SKY, 1, 0, 200_000, _sky(lambda weather: weather.global_radiation, _LUX_PER_WATT)),
        Field(
            "uv_index", Nature.SKY, 10, 0, 160, _sky(lambda weather: weather.global_radiation, 1 / _WATT_PER_UV_INDEX)
        ),
        Field("wind_speed", Nature.SKY, 10, 0, 600, _sky(lambda weather: weather.wind_speed)),
        Field("wind_gust", Nature.SKY, 10, 0, 900, _sky(lambda weather: weather.wind_gust)),
        Field("wind_direction", Nature.SKY, 1, 0, 360, _sky(lambda weather: weather.wind_direction)),
        Field("precipitation_intensity", Nature.RAIN, 1000, 0, 500_000, _rain),
        Field("precipitation_total", Nature.RAIN_TOTAL, 1000, 0, 2**32 - 1, _no_value),
        Field("air_pressure", Nature.SKY, 10, 8000, 11_000, _sky(lambda weather: weather.air_pressure)),
        _battery("battery_level", 1, 100),
    ),
    _pack_s2120,
    (4.1, 3.0),
)
TBRG: Final = Model(
    "decentlab-dl-tbrg",
    1,
    (
        Field("precipitation", Nature.RAIN_OF_INTERVAL, 10, 0, 0xFFFF, _no_value),
        Field("precipitation_total", Nature.RAIN_TOTAL, 10, 0, 2**32 - 1, _no_value),
        _battery("battery_voltage", 1000, 0xFFFF),
    ),
    _pack_tbrg,
    (3.15, 2.0),
)

MOUNTS: Final = (
    Mount(WATERMARK, 0, (Kind.STREET_TREE,), (0.0, 0.4)),
    Mount(_trs21(1), 0, (Kind.STREET_TREE,), (0.4, 0.55)),
    Mount(_trs21(3), 1, (Kind.STREET_TREE,), (0.4, 0.55)),
    Mount(SMTC, 0, (Kind.STREET_TREE,), (0.55, 1.0)),
    Mount(SMTC, 0, (Kind.PARK_TREE, Kind.GREEN_ROOF)),
    Mount(EMS, 2, (Kind.STREET_TREE,), (0.3, 0.4)),
    Mount(S2120, 0, (Kind.STATION,)),
    Mount(TBRG, 1, (Kind.STATION,)),
)
"""Which sites have which devices."""
