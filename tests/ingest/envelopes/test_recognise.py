from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gruenpuls.domain.uplink import DeadLetterReason, RawMessage, Uplink
from ingest.envelopes import SIZE_LIMIT, EnvelopeError, read_uplink
from ingest.webhook_request import messages_in

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
UNREADABLE = DeadLetterReason.UNREADABLE
SAMPLES = Path(__file__).parents[2] / "samples" / "envelopes"


def read(text: bytes, size_limit: int = SIZE_LIMIT) -> Uplink:
    return read_uplink(RawMessage("test", "any/topic", NOON, text), size_limit=size_limit)


def refusal_of(text: bytes) -> EnvelopeError:
    with pytest.raises(EnvelopeError) as refusal:
        read(text)
    return refusal.value


@pytest.mark.parametrize(
    "text", [b"", b"\xff\xfe", b"21.5", b"[]", b"null", b'{"a":', b'{"device": "x"} x', b"\n\x0bheart"]
)
def test_what_is_no_json_object_is_unreadable(text: bytes) -> None:
    assert refusal_of(text).reason is UNREADABLE


def test_an_unknown_message_is_named_by_its_keys() -> None:
    refusal = refusal_of(b'{"temperature": 21.5, "battery": 3}')
    assert refusal.reason is UNREADABLE
    assert refusal.detail == "no known network's message; its top-level keys are: battery, temperature"


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        (b"[]", "a list of 0 messages"),
        (b'[{"device": "x"}, {"device": "y"}]', "a list of 2 messages"),
        (b" [ [{}]]", "a list within a list"),
        (b"[3]", "Expected `object`"),
        (b'[{"v": 3, "n": "temperature"}]', "data point 'temperature'"),
        (b'{"v": 3, "n": "temperature"}', "data point 'temperature'"),
        (b'{"v": 3}', "no known network's message; its top-level keys are: v"),
        (b'[{"v": 3}]', "no known network's message; its top-level keys are: v"),
        (b'{"v": 3, "n": 1}', "no known network's message; its top-level keys are: n, v"),
        (b'{"v": 3, "n": "\xff"}', "no known network's message; its top-level keys are: n, v"),
        (b'{"v": 3, "n": "raw"}', "Netmore, Cloud Control: Expected `object`"),
        (b'{"devEui": "0011223344556677", "data": "AQ=="}', "no messageType"),
    ],
)
def test_a_list_that_is_not_one_message_is_named_as_such(text: bytes, detail: str) -> None:
    assert detail in refusal_of(text).detail


@pytest.mark.parametrize("extra", [b"", b', "n": 3', b', "v": 2', b', "n": "x"', b', "n": "raw", "v": {}'])
def test_one_message_in_a_list_is_read_as_if_it_stood_alone(extra: bytes) -> None:
    text = b'{"device": "x", "values": {"a": 1}' + extra + b"}"
    assert read(b"\n [" + text + b" ]") == read(text)
    text = b"{" + extra.removeprefix(b", ") + b"," * bool(extra) + b'"values": {"a": 1}, "device": "x"}'
    assert read(b"[" + text + b"]") == read(text)


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_every_network_is_read_and_refused_alike_in_a_list_and_alone(path: Path) -> None:
    document = json.loads(path.read_bytes())
    (message,) = document if isinstance(document, list) else [document]
    alone = json.dumps(message, separators=(",", ":")).encode()
    assert outcome(b"[" + alone + b"]") == outcome(alone)


def test_data_points_that_were_posted_together_are_read_each() -> None:
    (point,) = json.loads((SAMPLES / "netmore_raw_data_point.json").read_bytes())
    other = point | {"v": point["v"] | {"fCntUp": 15801}}
    found = [read(message) for message in messages_in(json.dumps([point, other]).encode())]
    assert [(one.network, one.frame_counter) for one in found] == [("netmore", 15800), ("netmore", 15801)]


def test_a_wrong_field_is_named_with_its_network_and_device() -> None:
    refusal = refusal_of(b'{"dev_eui": "0011223344556677", "port": "five", "payload": ""}')
    assert refusal.reason is UNREADABLE
    assert refusal.detail == "Helium: Expected `int | null`, got `str` - at `$.port`"
    assert refusal.device == "0011223344556677"
    assert str(refusal) == f"unreadable: {refusal.detail}"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (b'{"device": "x", "payload_hex": "0g"}', "payload_hex"),
        (b'{"device": "x", "payload_base64": "AQ"}', "payload_base64"),
        (b'{"device": "x", "payload_base64": "AQ==", "payload_hex": "01"}', "send one"),
        (b'{"device": "x", "values": [1]}', "values"),
        (b'{"device": "x", "values": {}}', "none of"),
        (b'{"device": "x"}', "none of"),
        (b'{"device": "", "values": {"a": 1}}', "device"),
        (b'{"device": " x", "values": {"a": 1}}', "device"),
        (b'{"device": "x\\n", "values": {"a": 1}}', "device"),
        (b'{"device": "x", "values": {"a": 1}, "time": "2026-07-01T12:00:00"}', "offset"),
        (b'{"device": "x", "values": {"a": 1}, "time": "yesterday"}', "time"),
        (b'{"device": "x", "values": {"a": 1}, "time": 12}', "time"),
        (b'{"device": "x", "values": {"a": 1}, "port": 256}', "port"),
        (b'{"device": "x", "values": {"a": 1}, "counter": -1}', "counter"),
        (b'{"cmd": "rx", "EUI": "0011", "port": 1, "data": "01"}', "EUI"),
        (b'{"deviceInfo": {"devEui": "0011"}, "fPort": 1, "data": "AQ=="}', "deviceInfo.devEui"),
        (b'{"deviceInfo": {}, "fPort": 1, "data": "AQ=="}', "devEui"),
        (b'{"devEUI": "0011223344556677", "fPort": 1, "data": "AQ"}', "data"),
        (b'{"devEUI": "0011223344556677", "fPort": 1, "data": "AQ==", "objectJSON": "{"}', "objectJSON"),
        (b'{"packet": {"device_id": "x", "payload": 5}}', "packet.payload"),
        (b'{"packet": {"device_id": "x", "payload": "00", "payload_encoding": "morse"}}', "morse"),
        (b'{"name": "as.up.data.forward", "identifiers": []}', "no data"),
        (
            b'{"dev_eui": "0011223344556677", "port": 1, "decoded": {"status": "success", "payload": {"a": "\xff"}}}',
            "UTF-8",
        ),
    ],
)
def test_the_field_that_is_wrong_is_named(text: bytes, named: str) -> None:
    refusal = refusal_of(text)
    assert refusal.reason is UNREADABLE
    assert named in refusal.detail


def test_an_activation_of_the_things_network_v2_is_no_uplink() -> None:
    refusal = refusal_of(b'{"app_id": "a", "dev_id": "b", "hardware_serial": "0011223344556677", "metadata": {}}')
    assert refusal.reason is DeadLetterReason.NOT_AN_UPLINK


def test_mac_commands_are_no_measurement() -> None:
    refusal = refusal_of(b'{"dev_eui": "0011223344556677", "port": 0, "payload": "AgI="}')
    assert refusal.reason is DeadLetterReason.NOT_A_MEASUREMENT
    assert "port 0" in refusal.detail


def test_decoded_values_of_a_failed_decoder_do_not_count() -> None:
    decoded = b'"decoded": {"status": "%s", "payload": {"a": 1}}'
    text = b'{"dev_eui": "0011223344556677", "port": 1, "payload": "AQ==", ' + decoded + b"}"
    assert read(text % b"success").decoded == b'{"a": 1}'
    assert read(text % b"error").decoded is None


def test_the_first_key_tells_the_network_even_where_a_later_one_would_be_another() -> None:
    assert read(b'{"device": "x", "values": {"a": 1}, "cmd": "rx"}').network == "plain"
    assert refusal_of(b'{"note": "x", "device": "x", "values": {"a": 1}, "cmd": "tx"}').detail.startswith("LORIOT")


@pytest.mark.parametrize("name", ["helium", "helium_join", "ttn_v2", "chirpstack_v3", "chirpstack_v3_status"])
def test_a_network_taken_for_likely_reads_and_refuses_as_the_one_looked_for(name: str) -> None:
    document = json.loads((SAMPLES / f"{name}.json").read_bytes())
    others: tuple[object, ...] = (None, [], "x", -1)
    changed = [document | {key: other} for key in document for other in others]
    fewer = [{key: document[key] for key in document if key != missing} for missing in list(document)[1:]]
    for one in (document, *changed, *fewer):
        text = json.dumps(one, separators=(",", ":")).encode()
        for part in (text, text[: len(text) // 2], text[:-1]):
            # After a space the first key is not known for what it is.
            assert outcome(part) == outcome(b"{ " + part[1:]), part


def outcome(text: bytes) -> Uplink | tuple[DeadLetterReason, str, str | None]:
    try:
        return read(text)
    except EnvelopeError as refusal:
        return refusal.reason, re.sub(r"byte \d+", "byte", refusal.detail), refusal.device


def test_messages_above_the_limit_are_refused_unread() -> None:
    text = b'{"device": "x", "values": {"a": "' + b"a" * SIZE_LIMIT + b'"}}'
    refusal = refusal_of(text)
    assert refusal.reason is UNREADABLE
    assert str(len(text)) in refusal.detail
    assert read(text, size_limit=len(text)).device == "x"


def test_ten_megabytes_are_refused() -> None:
    assert refusal_of(b"[" * 10_000_000).reason is UNREADABLE


@pytest.mark.parametrize("depth", [10, 500, 1_000, 5_000, 200_000])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"", b""),
        (b'{"a": ', b"}"),
        (b'{"device": "x", "values": {"a": ', b"}}"),
        (b'{"device": ', b"}"),
        (b'{"deviceInfo": {"devEui": "0011223344556677"}, "fPort": 1, "rxInfo": ', b"}"),
        (b'{"packet": {"device_id": "x", "payload_encoding": "json", "payload": ', b"}}"),
    ],
)
def test_deep_nesting_ends_in_an_uplink_or_a_refusal(before: bytes, after: bytes, depth: int) -> None:
    for text in (before + b"[" * depth, before + b"[" * depth + b"]" * depth + after):
        try:
            device = read(text).device
        except EnvelopeError as refusal:
            device = refusal.reason.value
        assert device in ("x", "unreadable")
