"""Our decoding against what nine real networks had decoded themselves."""

from __future__ import annotations

import base64
import gzip
import json
import math
from collections.abc import Iterator
from typing import Any

import pytest
from requirement import real_data

from device_profiles.catalogue import Catalogue
from device_profiles.profile import NotAMeasurement
from gruenpuls.domain.reading import Flag

SHIPPED = Catalogue.shipped()

SENSECAP = {
    "4097": ("air_temperature", 1),
    "4098": ("relative_humidity", 1),
    "4099": ("illuminance", 1),
    "4190": ("uv_index", 1),
    "4105": ("wind_speed", 1),
    "4104": ("wind_direction", 1),
    "4113": ("precipitation_intensity", 1),
    "4101": ("air_pressure", 0.01),
    "4191": ("wind_gust", 1),
    "4213": ("precipitation_total", 1),
}

PLAIN: dict[str, tuple[str, dict[str, tuple[str, float]]]] = {
    "006": (
        "solidos-teros21",
        {
            "potentialwater_1": ("soil_tension_1", -1),
            "potentialwater_2": ("soil_tension_2", -1),
            "temp_1": ("soil_temperature_1", 1),
            "temp_2": ("soil_temperature_2", 1),
            "battery_voltage": ("battery_voltage", 1),
        },
    ),
    "002": ("milesight-em310-udl", {"distance": ("distance", 0.001), "battery": ("battery_level", 1)}),
    "003": (
        "tektelic-kiwi",
        {
            "soil_water_tension1": ("soil_tension_1", 1),
            "soil_water_tension2": ("soil_tension_2", 1),
            "ambient_light": ("illuminance", 1),
        },
    ),
    "005": ("dragino-lsn50v2", {"BatV": ("battery_voltage", 1)}),
    "011": (
        "dragino-lsn50v2",
        {
            "BatV": ("battery_voltage", 1),
            "Temp_Red": ("temperature_1", 1),
            "Temp_White": ("temperature_2", 1),
            "Temp_Black": ("temperature_3", 1),
        },
    ),
    "012": (
        "dragino-lsn50v2-s31",
        {
            "BatV": ("battery_voltage", 1),
            "TempC_SHT": ("air_temperature", 1),
            "Hum_SHT": ("relative_humidity", 1),
        },
    ),
    "013": ("dragino-lsn50v2", {"BatV": ("battery_voltage", 1)}),
    "014": (
        "dragino-lht52",
        {"TempC_SHT": ("air_temperature", 1), "Hum_SHT": ("relative_humidity", 1)},
    ),
    "030": ("generic-cayenne-lpp", {"temperature_41": ("temperature_41", 1), "illuminance_44": ("illuminance_44", 1)}),
    **{
        number: (
            "custom-rudzl",
            {"T": ("air_temperature", 1), "RH": ("relative_humidity", 1), "P": ("air_pressure", 1)},
        )
        for number in ("041", "042")
    },
    **{
        number: ("wyres-base", {"temperature": ("air_temperature", 1), "pressure": ("air_pressure", 1)})
        for number in ("084", "085")
    },
    **{
        number: (
            "decentlab-dl-sht35",
            {
                "air_temperature": ("air_temperature", 1),
                "air_humidity": ("relative_humidity", 1),
                "battery_voltage": ("battery_voltage", 1),
            },
        )
        for number in ("008", "009")
    },
    **{
        number: (
            "elsys-ems",
            {
                "temperature": ("air_temperature", 1),
                "humidity": ("relative_humidity", 1),
                "vdd": ("battery_voltage", 0.001),
                "pulseAbs": ("pulse_total", 1),
            },
        )
        for number in ("078", "079", "080", "081")
    },
}
"""File number: our profile, and which of our channels each of the network's fields is, with its factor."""


def index() -> dict[str, dict[str, Any]]:
    entries = json.loads(real_data("uplinks/INDEX.json").read_text("utf-8"))
    return {entry["file"][:3]: entry for entry in entries if entry.get("file")}


def decoded_by_the_network(entry: dict[str, Any]) -> dict[str, Any]:
    message = json.loads(real_data(f"uplinks/{entry['file']}").read_text("utf-8"))["message"]
    places = [
        message.get("object"),
        message.get("reading", {}).get("data"),
        message.get("uplink_message", {}).get("decoded_payload"),
        message.get("payload_fields"),
        message.get("data", {}).get("uplink_message", {}).get("decoded_payload")
        if isinstance(message.get("data"), dict)
        else None,
        (message.get("decoded") or {}).get("payload"),
    ]
    decoded: dict[str, Any] = next(place for place in places if place)
    return decoded


def ours(name: str, entry: dict[str, Any]) -> dict[str, float]:
    measured = SHIPPED.profile(name).decode(bytes.fromhex(entry["payload_hex"]), entry["fPort"])
    assert all(reading.flag in (Flag.GOOD, Flag.MISSING) for reading in measured)
    return {reading.channel: reading.value for reading in measured}


@pytest.mark.parametrize("number", PLAIN)
def test_our_values_are_the_networks_own(number: str) -> None:
    entry = index()[number]
    name, fields = PLAIN[number]
    theirs = decoded_by_the_network(entry)
    mine = ours(name, entry)

    for field, (channel, factor) in fields.items():
        assert mine[channel] == pytest.approx(theirs[field] * factor, rel=1e-9), channel


@pytest.mark.parametrize("number", ["001", "016", "017"])
def test_a_weather_station_says_what_the_citys_own_decoder_reads(number: str) -> None:
    entry = index()[number]
    mine = ours("sensecap-s2120", entry)
    theirs = list(_sensecap(decoded_by_the_network(entry)["messages"]))

    assert len(theirs) == len(mine)
    for identifier, value in theirs:
        channel, factor = SENSECAP[identifier]
        assert mine[channel] == pytest.approx(value * factor, rel=1e-9), channel


def _sensecap(messages: list[Any]) -> Iterator[tuple[str, float]]:
    for message in messages:
        if isinstance(message, list):
            yield from _sensecap(message)
        else:
            yield str(message["measurementId"]), float(message["measurementValue"])


def test_twelve_thousand_messages_of_one_sensor_agree_with_its_operator() -> None:
    profile = SHIPPED.profile("elsys-ems")
    path = real_data("traffic/ems-tourperret-A81758FFFE04B1C1.ndjson.gz")
    settings = incomplete = whole = 0
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            message = json.loads(line)
            theirs = message["decoded"]["payload"]
            try:
                measured = profile.decode(base64.b64decode(message["payload"]), message["port"])
            except NotAMeasurement:
                settings += 1
                assert message["port"] == 6
                continue
            mine = {reading.channel: reading for reading in measured}
            assert mine["battery_voltage"].value == theirs["vdd"] / 1000
            if "temperature" in theirs:
                whole += 1
                assert mine["air_temperature"].value == theirs["temperature"]
                assert mine["relative_humidity"].value == theirs["humidity"]
            else:
                incomplete += 1
                assert mine["air_temperature"].flag is Flag.MISSING
                assert math.isnan(mine["relative_humidity"].value)

    assert (settings, incomplete, whole) == (1, 1, 12_612)


def test_the_ph_probe_of_jena_says_what_the_city_reads() -> None:
    entry = index()["004"]
    theirs = {
        int(item["measurementId"]): item["measurementValue"] for item in decoded_by_the_network(entry)["messages"]
    }

    assert ours("sensecap-s2106", entry) == {"soil_temperature": theirs[4097], "soil_ph": theirs[4106]}


def test_three_probes_that_are_not_connected_are_missing_where_the_network_read_a_number() -> None:
    entry = index()["013"]

    assert decoded_by_the_network(entry)["TempC1"] == -0.1
    mine = ours("dragino-lsn50v2", entry)
    assert all(math.isnan(mine[f"temperature_{number}"]) for number in (1, 2, 3))


DOCUMENTED = {
    **dict.fromkeys(("095", "096", "097", "098", "099", "100"), ("decentlab-dl-atm41", {"air_temperature": 26.4})),
    **dict.fromkeys(("101", "102", "103", "104", "105", "106"), ("decentlab-dl-trs12", {"soil_temperature": 31.7})),
    **dict.fromkeys(("107", "108", "109", "110", "111", "112"), ("decentlab-dl-trs21", {"soil_tension": 11.7})),
    **dict.fromkeys(("113", "114", "115", "116", "117"), ("milesight-em300-th", {"relative_humidity": 50.5})),
    **dict.fromkeys(("118", "119", "120", "121", "122"), ("milesight-em500-smtc", {"soil_water_content": 57.5})),
    "029": ("generic-cayenne-lpp", {"temperature_41": 24.6}),
}
"""Messages whose network decoded nothing: file number, our profile, one of the documented values."""


@pytest.mark.parametrize("number", DOCUMENTED)
def test_a_documented_payload_in_a_real_envelope_is_read(number: str) -> None:
    name, expected = DOCUMENTED[number]
    mine = ours(name, index()[number])

    for channel, value in expected.items():
        assert mine[channel] == pytest.approx(value)


DEAD_LETTERS = {
    "015": "an electric fence",
    "018": "the bytes of 017 with a decoded object that is not theirs",
    "034": "an input and output controller",
    "035": "a door contact",
    "039": "one byte of an unknown node",
    "043": "eight bytes of an unknown node",
    "047": "a switch",
}


def test_every_message_is_either_read_or_said_not_to_be_green() -> None:
    read = {*PLAIN, *DOCUMENTED, "001", "004", "016", "017"}

    assert read | DEAD_LETTERS.keys() == index().keys()
    assert not read & DEAD_LETTERS.keys()
