"""Our decoding against what nine real networks had decoded themselves."""

from __future__ import annotations

import base64
import gzip
import json
import math
from typing import Any

import pytest
from genuine_uplinks import (
    DEAD_LETTERS,
    DOCUMENTED,
    PH_PROBES,
    PLAIN,
    PROFILES,
    STATIONS,
    decoded_by_the_network,
    expected,
    index,
)
from requirement import real_data

from device_profiles.catalogue import Catalogue
from device_profiles.profile import NotAMeasurement
from gruenpuls.domain.reading import Flag

SHIPPED = Catalogue.shipped()


def ours(name: str, entry: dict[str, Any]) -> dict[str, float]:
    measured = SHIPPED.profile(name).decode(bytes.fromhex(entry["payload_hex"]), entry["fPort"])
    assert all(reading.flag in (Flag.GOOD, Flag.MISSING) for reading in measured)
    return {reading.channel: reading.value for reading in measured}


@pytest.mark.parametrize("number", [*PLAIN, *DOCUMENTED])
def test_our_values_are_the_networks_own_or_the_documented_ones(number: str) -> None:
    mine = ours(PROFILES[number], index()[number])

    for channel, value in expected(number).items():
        assert mine[channel] == pytest.approx(value, rel=1e-9 if number in PLAIN else 1e-6), channel


@pytest.mark.parametrize("number", [*STATIONS, *PH_PROBES])
def test_a_station_says_exactly_what_the_citys_own_decoder_reads(number: str) -> None:
    assert ours(PROFILES[number], index()[number]) == pytest.approx(expected(number), rel=1e-9)


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


def test_three_probes_that_are_not_connected_are_missing_where_the_network_read_a_number() -> None:
    entry = index()["013"]

    assert decoded_by_the_network(entry)["TempC1"] == -0.1
    mine = ours("dragino-lsn50v2", entry)
    assert all(math.isnan(mine[f"temperature_{number}"]) for number in (1, 2, 3))


def test_every_message_is_either_read_or_said_not_to_be_green() -> None:
    assert PROFILES.keys() | DEAD_LETTERS.keys() == index().keys()
    assert not PROFILES.keys() & DEAD_LETTERS.keys()
