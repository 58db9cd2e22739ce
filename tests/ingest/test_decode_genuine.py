"""Genuine messages of nine networks through the whole pipeline: journal, decoder, registry, store."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from genuine_uplinks import DEAD_LETTERS, PROFILES, expected, index
from requirement import real_data

from device_profiles.catalogue import Catalogue
from gruenpuls.domain.device import Device
from gruenpuls.domain.ports import Tally
from gruenpuls.domain.reading import Flag
from gruenpuls.domain.uplink import DeadLetterReason, RawMessage, Uplink
from gruenpuls.stores.embedded import EmbeddedStore
from gruenpuls.stores.registry import Registry
from ingest.decode import Decoder
from ingest.envelopes import read_uplink
from ingest.journal import Journal
from ingest.resolve import milliseconds
from ingest.uplink_index import UplinkIndex

NOW = datetime(2026, 11, 22, tzinfo=UTC)
CATALOGUE = {profile.name: profile for profile in Catalogue.shipped()}
REASONS = {
    # The city registered it as the weather station it says it is, and the bytes are one's.
    "018": None,
    **dict.fromkeys(("015", "034", "035", "039", "043", "047"), DeadLetterReason.UNKNOWN_DEVICE),
}
"""Why a message that is not green becomes no readings; None where it does."""
WRONG_PROFILES = {
    "015": "sensecap-s2120",
    "034": "milesight-em500-smtc",
    "035": "elsys-ems",
    "039": "decentlab-dl-trs12",
    "043": "dragino-lse01",
    "047": "generic-json",
}
"""As what somebody might register them all the same."""


@dataclass
class Outcome:
    """What became of a message.

    Parameters
    ----------
    uplink : Uplink
    readings : dict of (str, str) to (int, float, int)
        Moment [ms], value and flag by channel and quantity.
    reason : DeadLetterReason or None
    """

    uplink: Uplink
    readings: dict[tuple[str, str], tuple[int, float, int]]
    reason: DeadLetterReason | None


def message_of(entry: dict[str, str], device: str) -> RawMessage:
    """Return a message as it came, from a device of its own: documentation sends the same frame over and over."""
    document = json.loads(real_data(f"uplinks/{entry['file']}").read_bytes())["message"]
    text = json.dumps(document).encode()
    name = read_uplink(RawMessage("real", "t", NOW, text)).device
    for spelling in (name, name.upper()):
        text = text.replace(spelling.encode(), device.encode())
    return RawMessage("real", entry.get("topic") or "", NOW, text)


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """Return what became of each message, and of those nobody knows as another device's with an x before the number."""
    entries = index()
    profiles = PROFILES | {"018": "sensecap-s2120"} | {f"x{number}": name for number, name in WRONG_PROFILES.items()}
    numbers = [*entries, *(number for number in profiles if number not in entries)]
    devices = {number: f"{place + 1:016x}" for place, number in enumerate(numbers)}
    messages = [message_of(entries[number.removeprefix("x")], devices[number]) for number in numbers]
    return worked_off(tmp_path_factory.mktemp("genuine"), numbers, devices, profiles, messages)


def worked_off(
    directory: Path,
    numbers: list[str],
    devices: dict[str, str],
    profiles: dict[str, str],
    messages: list[RawMessage],
) -> dict[str, Outcome]:
    with (
        Journal(directory / "journal") as journal,
        Registry.open(f"sqlite:///{directory}/registry.db") as registry,
        closing(EmbeddedStore.open_writer(directory / "store", registry.judgements)) as store,
        closing(UplinkIndex(directory / "uplinks.db")) as uplinks,
    ):
        registry.devices.add_all([Device(devices[number], name) for number, name in profiles.items()], actor="test")
        offsets = journal.append(messages)
        decoder = Decoder(journal, uplinks, CATALOGUE.get, registry.arrivals, store)
        while decoder.step():
            pass
        reasons = registry.arrivals.dead_letters(offsets)
        assert store.progress().tally == Tally(len(messages) - len(reasons), len(reasons), 0)
        found = {}
        for number, offset, message in zip(numbers, offsets, messages, strict=True):
            series = registry.past.measured_series([devices[number]])
            batch = store.read(series.keys(), datetime(2000, 1, 1, tzinfo=UTC), NOW + timedelta(days=2))
            rows = zip(
                batch.series.tolist(), batch.measured_at.astype(int).tolist(), batch.value, batch.flag, strict=True
            )
            readings = {
                (series[one].owner_key.rpartition("/")[2], series[one].quantity): (at, float(value), int(flag))
                for one, at, value, flag in rows
            }
            found[number] = Outcome(read_uplink(message), readings, reasons.get(offset))
        return found


@pytest.mark.parametrize("number", PROFILES)
def test_a_message_of_a_known_device_becomes_its_readings(outcomes: dict[str, Outcome], number: str) -> None:
    outcome = outcomes[number]
    assert outcome.reason is None
    values = {channel: value for (channel, _), (_, value, _) in outcome.readings.items()}
    for channel, value in expected(number).items():
        assert values[channel] == pytest.approx(value, rel=1e-6, nan_ok=True), channel
    assert {at for at, _, _ in outcome.readings.values()} == {milliseconds(outcome.uplink.measured_at)}


@pytest.mark.parametrize("number", PROFILES)
def test_how_well_it_was_heard_becomes_readings(outcomes: dict[str, Outcome], number: str) -> None:
    outcome = outcomes[number]
    heard = {
        "received_signal_strength": outcome.uplink.radio.rssi,
        "signal_to_noise_ratio": outcome.uplink.radio.snr,
    }
    found = {quantity: row for (channel, quantity), row in outcome.readings.items() if channel == "radio"}
    assert {quantity: value for quantity, (_, value, _) in found.items()} == {
        quantity: value for quantity, value in heard.items() if value is not None
    }
    assert {flag for _, _, flag in found.values()} <= {Flag.NOT_EVALUATED}


@pytest.mark.parametrize("number", DEAD_LETTERS)
def test_a_message_that_is_not_green_says_why(outcomes: dict[str, Outcome], number: str) -> None:
    outcome = outcomes[number]
    assert outcome.reason is REASONS[number]
    assert bool(outcome.readings) is (outcome.reason is None)


def test_the_bytes_count_where_a_decoded_object_is_not_theirs(outcomes: dict[str, Outcome]) -> None:
    assert outcomes["018"].uplink.payload == outcomes["017"].uplink.payload
    values = [
        {channel: value for (channel, _), (_, value, _) in outcomes[number].readings.items() if channel != "radio"}
        for number in ("017", "018")
    ]
    assert values[0] == values[1] != {}


@pytest.mark.parametrize("number", WRONG_PROFILES)
def test_a_message_under_the_wrong_profile_is_refused(outcomes: dict[str, Outcome], number: str) -> None:
    outcome = outcomes[f"x{number}"]
    assert outcome.reason is DeadLetterReason.REFUSED
    assert not outcome.readings
