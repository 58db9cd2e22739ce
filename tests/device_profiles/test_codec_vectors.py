"""Every published example of a catalogue device that its publisher's own decoder confirms."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any

import pytest
from requirement import real_data

from device_profiles.catalogue import Catalogue
from device_profiles.profile import NotAMeasurement, Refused
from gruenpuls.domain.reading import Flag

SHIPPED = Catalogue.shipped()
BAR = 1e5 / 9806.65
"""Metres of water in a bar."""

PROFILES = {
    ("adeunis", "temp"): "adeunis-temp",
    ("decentlab", "dl-atm41"): "decentlab-dl-atm41",
    ("decentlab", "dl-atm41g2"): "decentlab-dl-atm41g2",
    ("decentlab", "dl-blg"): "decentlab-dl-blg",
    ("decentlab", "dl-cws2"): "decentlab-dl-cws2",
    ("decentlab", "dl-pr21"): "decentlab-dl-pr21",
    ("decentlab", "dl-pr21-1-10"): "decentlab-dl-pr21",
    ("decentlab", "dl-pr26"): "decentlab-dl-pr26",
    ("decentlab", "dl-pr26-0-1"): "decentlab-dl-pr26",
    ("decentlab", "dl-pr36"): "decentlab-dl-pr36",
    ("decentlab", "dl-pr36-8192"): "decentlab-dl-pr36",
    ("decentlab", "dl-pyr"): "decentlab-dl-pyr",
    ("decentlab", "dl-smtp"): "decentlab-dl-smtp",
    ("decentlab", "dl-trs11"): "decentlab-dl-trs11",
    ("decentlab", "dl-trs12"): "decentlab-dl-trs12",
    ("decentlab", "dl-trs21"): "decentlab-dl-trs21",
    ("dragino", "ldds75"): "dragino-ldds75",
    ("dragino", "lht52"): "dragino-lht52",
    ("dragino", "lht65"): "dragino-lht65n",
    ("dragino", "llms01"): "dragino-llms01",
    ("dragino", "lse01-114"): "dragino-lse01",
    ("dragino", "lse01-121"): "dragino-lse01",
    ("elsys", "elsys"): "elsys-elt-2",
    ("elsys", "ems-desk"): "elsys-ems",
    ("milesight-iot", "em300-th"): "milesight-em300-th",
    ("milesight-iot", "em320-th"): "milesight-em300-th",
    ("milesight-iot", "em500-pt100"): "milesight-em500-pt100",
    ("milesight-iot", "em500-smtc"): "milesight-em500-smtc",
    ("milesight-iot", "wts506"): "milesight-wts506",
    ("netvox", "r718pb"): "netvox-r718pb",
    ("tektelic", "t00059xx"): "tektelic-kiwi",
}

_DECENTLAB = {"battery_voltage": ("battery_voltage", 1.0), "air_temperature": ("air_temperature", 1.0)}
_STATION = {
    **_DECENTLAB,
    "solar_radiation": ("global_radiation", 1.0),
    "precipitation": ("precipitation", 1.0),
    "cumulative_precipitation": ("precipitation_total", 1.0),
    "wind_speed": ("wind_speed", 1.0),
    "wind_direction": ("wind_direction", 1.0),
    "maximum_wind_speed": ("wind_gust", 1.0),
    "vapor_pressure": ("vapour_pressure", 1.0),
    "atmospheric_pressure": ("air_pressure", 10.0),
    "barometric_pressure": ("air_pressure", 10.0),
    "relative_humidity": ("relative_humidity", 1.0),
    "sensor_temperature_internal": ("device_temperature", 1.0),
    "internal_temperature": ("device_temperature", 1.0),
    "x_orientation_angle": ("tilt_x", 1.0),
    "y_orientation_angle": ("tilt_y", 1.0),
    "tilt_angle_x_orientation": ("tilt_x", 1.0),
    "tilt_angle_y_orientation": ("tilt_y", 1.0),
}
_SOIL = {
    **_DECENTLAB,
    "volumetric_water_content": ("soil_water_content", 100.0),
    "dielectric_permittivity": ("soil_permittivity", 1.0),
    "soil_temperature": ("soil_temperature", 1.0),
    "electrical_conductivity": ("soil_electrical_conductivity", 0.001),
    "water_potential": ("soil_tension", -1.0),
}
_PRESSURE = {**_DECENTLAB, "pressure": ("water_level", BAR), "temperature": ("water_temperature", 1.0)}
_DRAGINO = {
    "batv": ("battery_voltage", 1.0),
    "bat": ("battery_voltage", 1.0),
    "tempc_sht": ("air_temperature", 1.0),
    "hum_sht": ("relative_humidity", 1.0),
    "tempc_ds": ("external_temperature", 1.0),
    "distance": ("distance", 0.001),
    "soil_dielectric_constant": ("soil_permittivity", 1.0),
}
_MILESIGHT = {
    "battery": ("battery_level", 1.0),
    "temperature": ("air_temperature", 1.0),
    "humidity": ("relative_humidity", 1.0),
    "pressure": ("air_pressure", 1.0),
    "wind_speed": ("wind_speed", 1.0),
    "wind_direction": ("wind_direction", 1.0),
    "rainfall_total": ("precipitation_total", 1.0),
}
FIELDS: dict[str, dict[str, tuple[str, float]]] = {
    "decentlab-dl-atm41": _STATION,
    "decentlab-dl-atm41g2": _STATION,
    "decentlab-dl-blg": {**_DECENTLAB, "temperature": ("globe_temperature", 1.0)},
    "decentlab-dl-cws2": {
        "battery_voltage": ("battery_voltage", 1.0),
        "surface_temperature": ("surface_temperature", 1.0),
        "air_temperature_radiation_shield": ("air_temperature", 1.0),
        "air_humidity_radiation_shield": ("relative_humidity", 1.0),
        "dew_point": ("dew_point_temperature", 1.0),
        "angle": ("tilt", 1.0),
        "sensor_temperature": ("device_temperature", 1.0),
    },
    "decentlab-dl-pr21": _PRESSURE,
    "decentlab-dl-pr26": _PRESSURE,
    "decentlab-dl-pr36": _PRESSURE,
    "decentlab-dl-pyr": {**_DECENTLAB, "total_solar_radiation": ("global_radiation", 1.0)},
    "decentlab-dl-smtp": {
        **_DECENTLAB,
        **{f"soil_moisture_at_depth_{depth}": (f"soil_water_content_{depth}", 1.0) for depth in range(8)},
        **{f"soil_temperature_at_depth_{depth}": (f"soil_temperature_{depth}", 1.0) for depth in range(8)},
    },
    "decentlab-dl-trs11": _SOIL,
    "decentlab-dl-trs12": _SOIL,
    "decentlab-dl-trs21": _SOIL,
    "dragino-ldds75": _DRAGINO,
    "dragino-lht52": _DRAGINO,
    "dragino-lht65n": _DRAGINO,
    "dragino-lse01": _DRAGINO,
    "elsys-elt-2": {
        "temperature": ("device_temperature", 1.0),
        "vdd": ("battery_voltage", 0.001),
        "pressure": ("air_pressure", 1.0),
    },
    "elsys-ems": {"temperature": ("air_temperature", 1.0), "humidity": ("relative_humidity", 1.0)},
    "milesight-em300-th": _MILESIGHT,
    "milesight-em500-pt100": {**_MILESIGHT, "temperature": ("soil_temperature", 1.0)},
    "milesight-em500-smtc": {
        **_MILESIGHT,
        "temperature": ("soil_temperature", 1.0),
        "humidity": ("soil_water_content", 1.0),
    },
    "milesight-wts506": _MILESIGHT,
    "netvox-r718pb": {
        "soil_vwc": ("soil_water_content", 1.0),
        "soil_temp": ("soil_temperature", 1.0),
        "soil_ec": ("soil_electrical_conductivity", 1.0),
        "volt": ("battery_voltage", 1.0),
    },
    "tektelic-kiwi": {
        "ambient_temperature": ("air_temperature", 1.0),
        "relative_humidity": ("relative_humidity", 1.0),
        "light_intensity": ("illuminance", 1.0),
    },
    "adeunis-temp": {"temperature_1": ("temperature_1", 1.0), "temperature_2": ("temperature_2", 1.0)},
}
"""Which of our channels the publisher's field is, and what turns its value into ours."""

NOT_KEPT = {
    "device_id": "an identification",
    "protocol_version": "an identification",
    "device": "an identification",
    "port": "an identification",
    "raw": "an identification",
    "voltage_ratio": "a step on the way to the temperature",
    "thermistor_resistance": "a step on the way to the temperature",
    "lightning_strike_count": "counted per interval, see the note",
    "lightning_average_distance": "given only when there were strikes",
    "compass_heading": "a state of the device",
    "north_wind_speed": "a component of the wind",
    "east_wind_speed": "a component of the wind",
    "precipitation_electrical_conductivity": "no quantity of ours",
    "air_temperature": "of the infrared head, not the shielded one",
    "air_humidity": "of the infrared head, not the shielded one",
    "interrupt_flag": "a state of the device",
    "sensor_flag": "a state of the device",
    "tempc_ds18b20": "optional probe, see the note",
    "temp_ds18b20": "reserved by the manual, see the note",
    "raw_conduct_soil": "a raw count",
    "raw_water_soil": "a raw count",
    "i_flag": "a state of the device",
    "s_flag": "a state of the device",
    "mod": "a state of the device",
    "ext": "a state of the device",
    "ext_sensor": "a state of the device",
    "bat_status": "a state of the device",
    "systimestamp": "the device's clock, see the note",
    "humidity": "inside the box of the ELT",
    "digital": "no quantity of ours",
    "x": "no quantity of ours",
    "y": "no quantity of ours",
    "z": "no quantity of ours",
    "occupancy": "no quantity of ours",
    "rainfall_counter": "a state of the device",
    "water": "the water level of another probe of the family",
    "input1_frequency": "needs a calibration of each unit, see the note",
    "input2_voltage": "kept as a temperature",
}

SENTINELS = {
    ("dragino-lht52", "tempc_ds"): 327.67,
    **{("decentlab-dl-smtp", f"soil_moisture_at_depth_{depth}"): -5 for depth in (6, 7)},
    **{("decentlab-dl-smtp", f"soil_temperature_at_depth_{depth}"): -327.68 for depth in (6, 7)},
}
"""What the publisher's decoder gives as a number though it means "no value": missing in ours."""


def plain(expected: dict[str, Any]) -> Iterator[tuple[str, object]]:
    """Yield the publisher's fields in small letters, their values without their dress."""
    if "bytes" in expected:
        for number, series in enumerate(expected["bytes"]["temperatures"], 1):
            yield f"temperature_{number}", series["values"][0]
        return
    for name, value in expected.items():
        field = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
        yield field, value.get("value") if isinstance(value, dict) else value


def vectors() -> list[dict[str, Any]]:
    everything = json.loads(real_data("codec_vectors.json").read_text("utf-8"))
    return [vector for vector in everything if vector["verified"] and (vector["vendor"], vector["device"]) in PROFILES]


def test_every_verified_example_gives_its_physical_values() -> None:
    compared = 0
    seen = set()
    for vector in vectors():
        name = PROFILES[vector["vendor"], vector["device"]]
        profile = SHIPPED.profile(name)
        payload = bytes.fromhex(vector["bytes_hex"])
        seen.add((vector["vendor"], vector["device"]))
        if vector["expected"] is None:
            with pytest.raises(Refused):
                profile.decode(payload, vector["fPort"])
            continue
        if "Cmd" in vector["expected"]:
            with pytest.raises(NotAMeasurement):
                profile.decode(payload, vector["fPort"])
            continue
        ours = {reading.channel: reading for reading in profile.decode(payload, vector["fPort"])}
        for field, theirs in plain(vector["expected"]):
            if field not in FIELDS[name]:
                assert field in NOT_KEPT, f"{vector['id']} {name}: {field}"
                continue
            channel, factor = FIELDS[name][field]
            reading = ours[channel]
            if SENTINELS.get((name, field)) == theirs:
                assert reading.flag is Flag.MISSING, f"{vector['id']} {field}"
                continue
            expected = float(str(theirs)) * factor
            assert math.isclose(reading.value, expected, rel_tol=1e-9, abs_tol=1e-9), f"{vector['id']} {field}"
            compared += 1

    assert seen == PROFILES.keys(), "a device of the table has no example"
    assert compared >= 200


def test_soil_moisture_of_two_bytes_is_read_whole_where_a_public_decoder_reads_half() -> None:
    measured = SHIPPED.profile("milesight-em500-smtc").decode(bytes.fromhex("0175640367190104ca9010057ff000"), 85)

    assert {reading.channel: reading.value for reading in measured} == {
        "soil_water_content": 42.4,
        "soil_temperature": 28.1,
        "soil_electrical_conductivity": 0.24,
        "battery_level": 100,
    }


def test_a_failed_soil_probe_is_missing_and_not_a_little_below_zero() -> None:
    (reading,) = SHIPPED.profile("milesight-em500-smtc").decode(bytes.fromhex("0367ffff"), 85)

    assert reading.channel == "soil_temperature"
    assert reading.flag is Flag.MISSING
    assert math.isnan(reading.value)
