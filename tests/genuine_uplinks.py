"""Genuine messages of real networks: which of our profiles reads each, and what its network says is in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from requirement import real_data

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


DOCUMENTED = {
    **dict.fromkeys(("095", "096", "097", "098", "099", "100"), ("decentlab-dl-atm41", {"air_temperature": 26.4})),
    **dict.fromkeys(("101", "102", "103", "104", "105", "106"), ("decentlab-dl-trs12", {"soil_temperature": 31.7})),
    **dict.fromkeys(("107", "108", "109", "110", "111", "112"), ("decentlab-dl-trs21", {"soil_tension": 11.7})),
    **dict.fromkeys(("113", "114", "115", "116", "117"), ("milesight-em300-th", {"relative_humidity": 50.5})),
    **dict.fromkeys(("118", "119", "120", "121", "122"), ("milesight-em500-smtc", {"soil_water_content": 57.5})),
    "029": ("generic-cayenne-lpp", {"temperature_41": 24.6}),
}
"""Messages whose network decoded nothing: file number, our profile, one of the documented values."""

STATIONS = dict.fromkeys(("001", "016", "017"), "sensecap-s2120")
PH_PROBES = {"004": "sensecap-s2106"}

DEAD_LETTERS = {
    "015": "an electric fence",
    "018": "the bytes of 017 with a decoded object that is not theirs",
    "034": "an input and output controller",
    "035": "a door contact",
    "039": "one byte of an unknown node",
    "043": "eight bytes of an unknown node",
    "047": "a switch",
}


PROFILES = {
    **{number: name for number, (name, _) in (PLAIN | DOCUMENTED).items()},
    **STATIONS,
    **PH_PROBES,
}
"""File number: our profile for the message."""


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


def expected(number: str) -> dict[str, float]:
    """Return what a message's network says it holds, or its documentation, by our channels."""
    if number in DOCUMENTED:
        return DOCUMENTED[number][1]
    theirs = decoded_by_the_network(index()[number])
    if number in PLAIN:
        return {channel: theirs[field] * factor for field, (channel, factor) in PLAIN[number][1].items()}
    if number in PH_PROBES:
        values = {int(item["measurementId"]): item["measurementValue"] for item in theirs["messages"]}
        return {"soil_temperature": values[4097], "soil_ph": values[4106]}
    return {SENSECAP[one][0]: value * SENSECAP[one][1] for one, value in _sensecap(theirs["messages"])}


def _sensecap(messages: list[Any]) -> Iterator[tuple[str, float]]:
    for message in messages:
        if isinstance(message, list):
            yield from _sensecap(message)
        else:
            yield str(message["measurementId"]), float(message["measurementValue"])
