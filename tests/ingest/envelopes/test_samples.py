from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gruenpuls.domain.uplink import DeadLetterReason, Radio, RawMessage, TimeSource, Uplink
from ingest.envelopes import EnvelopeError, read_uplink

SAMPLES = Path(__file__).parents[2] / "samples" / "envelopes"
RECEIVED_AT = datetime(2026, 7, 14, 12, 0, 5, tzinfo=UTC)


def on_14_july(hour: int, minute: int, second: int = 0, microsecond: int = 0) -> datetime:
    return datetime(2026, 7, 14, hour, minute, second, microsecond, tzinfo=UTC)


STORED_FORM = {
    "device": "70b3d5000000ab01",
    "payload": bytes.fromhex("deadbeef"),
    "port": 2,
    "frame_counter": 99,
    "measured_at": on_14_july(8, 0, 0, 100_000),
    "time_source": TimeSource.GATEWAY,
    "deduplication_id": "2026-07-14T08:00:00.200000009Z/99",
    "session": "AAECAwQFBgcICQoLDA0ODw==",
    "decoded": {"TempC": 21.25, "Straße": "Ahornweg"},
    # The first gateway was heard twice, the second time through the Packet Broker.
    "radio": Radio(gateways=2, rssi=-60.0, snr=9.5, spreading_factor=10, heard_by=("a84041fffe000001", "wasserturm")),
}

READ = {
    "chirpstack_v4": {
        "network": "chirpstack_v4",
        "device": "0011223344556677",
        "payload": bytes.fromhex("01020304"),
        "port": 8,
        "frame_counter": 4711,
        "measured_at": on_14_july(9, 30, 0, 120_000),
        "time_source": TimeSource.GATEWAY,
        "deduplication_id": "00000000-0000-4000-8000-00000000a001",
        "session": "01a2b3c4",
        "decoded": {"soil": [12.5, None]},
        "radio": Radio(
            gateways=2, rssi=-88.0, snr=9.25, spreading_factor=7, heard_by=("a84041fffe000001", "a84041fffe000002")
        ),
    },
    "chirpstack_v4_satellite": {
        "network": "chirpstack_v4",
        "device": "0011223344556677",
        "payload": bytes.fromhex("01020304"),
        "port": 8,
        "frame_counter": 4711,
        # One gateway's own clock is five minutes slow, another counts satellite time from its start.
        "measured_at": on_14_july(9, 40, 0, 500_000),
        "time_source": TimeSource.GATEWAY,
        "deduplication_id": "00000000-0000-4000-8000-00000000a002",
        "session": "01a2b3c4",
        "radio": Radio(
            gateways=3,
            rssi=-110.0,
            snr=-3.5,
            spreading_factor=7,
            heard_by=("a84041fffe000001", "a84041fffe000003", "a84041fffe000004"),
        ),
    },
    "chirpstack_v4_unset_clocks": {
        "network": "chirpstack_v4",
        "device": "0011223344556677",
        "payload": bytes.fromhex("01020304"),
        "port": 8,
        "frame_counter": 4711,
        "measured_at": on_14_july(9, 30, 0, 390_000),
        "time_source": TimeSource.NETWORK,
        "deduplication_id": "00000000-0000-4000-8000-00000000a003",
        "session": "01a2b3c4",
        "decoded": {"soil": [12.5, None]},
        "radio": Radio(
            gateways=2, rssi=-88.0, snr=9.25, spreading_factor=7, heard_by=("a84041fffe000001", "a84041fffe000002")
        ),
    },
    "chirpstack_v3": {
        "network": "chirpstack_v3",
        "device": "0011223344556678",
        "payload": bytes.fromhex("cafebabe"),
        "port": 2,
        "frame_counter": 15,
        "measured_at": on_14_july(10, 0, 0, 750_000),
        "time_source": TimeSource.GATEWAY,
        "decoded": {"water": 3},
        "radio": Radio(gateways=1, rssi=-79.0, snr=8.8, spreading_factor=8, heard_by=("a84041fffe000001",)),
    },
    "chirpstack_v3_protobuf_json": {
        "network": "chirpstack_v3",
        "device": "0011223344556679",
        "payload": bytes.fromhex("cafebabe"),
        "port": 2,
        "frame_counter": 16,
        "measured_at": on_14_july(10, 5, 0, 123_456),
        "time_source": TimeSource.NETWORK,
        "session": "AaKzxA==",
        "decoded": {"water": 4},
        "radio": Radio(gateways=1, rssi=-90.0, snr=5.0, spreading_factor=9, heard_by=("a84041fffe000001",)),
    },
    "chirpstack_v3_hexadecimal_data": {
        "network": "chirpstack_v3",
        "device": "001122334455667a",
        "payload": bytes.fromhex("00112233445566778899aabb"),
        "port": 3,
        "frame_counter": 17,
        # Its time lacks a dash, as published examples do.
        "measured_at": RECEIVED_AT,
        "time_source": TimeSource.JOURNAL,
        "radio": Radio(gateways=1, rssi=-100.0, snr=-1.0, spreading_factor=10, heard_by=("a84041fffe000001",)),
    },
    "tts_v3": {"network": "tts_v3", **STORED_FORM},
    "tts_v3_event": {"network": "tts_v3_event", **STORED_FORM},
    "tts_v3_storage": {"network": "tts_v3_storage", **STORED_FORM},
    "tts_v3_first_frame": {
        "network": "tts_v3",
        "device": "70b3d5000000ab01",
        "payload": bytes.fromhex("deadbeef"),
        "port": 2,
        "frame_counter": 0,
        "measured_at": on_14_july(8, 0, 0, 200_000),
        "time_source": TimeSource.NETWORK,
        "deduplication_id": "2026-07-14T08:00:00.200000009Z/0",
        "session": "AAECAwQFBgcICQoLDA0ODw==",
        "radio": Radio(),
    },
    "ttn_v2": {
        "network": "ttn_v2",
        "device": "0004a30b00ab0001",
        "payload": bytes.fromhex("0001"),
        "port": 1,
        "frame_counter": 7,
        "measured_at": datetime(2020, 5, 1, 12, tzinfo=UTC),
        "time_source": TimeSource.GATEWAY,
        "decoded": {"t": 1},
        "radio": Radio(gateways=2, rssi=-101.0, snr=-2.5, spreading_factor=12, heard_by=("eui-1", "eui-2")),
    },
    "helium": {
        "network": "helium",
        "device": "a81758fffe0000ab",
        "payload": bytes.fromhex("0100eb"),
        "port": 5,
        "frame_counter": 300,
        "measured_at": on_14_july(9, 6, 40, 123_000),
        "time_source": TimeSource.GATEWAY,
        "frame": bytes.fromhex("4001000048802c01050100ebabcdef12"),
        "session": "48000001",
        "decoded": {"temperature": 23.5},
        "radio": Radio(gateways=2, rssi=-104.0, snr=-1.25, spreading_factor=12, heard_by=("h1", "h2")),
    },
    "actility": {
        "network": "actility",
        "device": "70b3d57ba00000ac",
        "payload": bytes.fromhex("02ab12"),
        "port": 1,
        "frame_counter": 26,
        "measured_at": on_14_july(8, 15, 30, 250_000),
        "time_source": TimeSource.GATEWAY,
        "deduplication_id": "00fda1ac/26/e7214986",
        "session": "00FDA1AC",
        "decoded": {"depth": 1},
        # Three heard it, two are listed.
        "radio": Radio(gateways=3, rssi=-109.5, snr=-2.0, spreading_factor=9, heard_by=("10000001", "10000002")),
    },
    "actility_strings": {
        "network": "actility",
        "device": "70b3d57ba00000ad",
        "payload": bytes.fromhex("02ab13"),
        "port": 1,
        "frame_counter": 27,
        "measured_at": on_14_july(8, 15, 30, 250_000),
        "time_source": TimeSource.GATEWAY,
        "session": "05947E01",
        "radio": Radio(gateways=1, rssi=-96.5, snr=6.0, spreading_factor=7, heard_by=("10000001",)),
    },
    "loriot_rx": {
        "network": "loriot",
        "device": "be7a00000000ab01",
        "payload": bytes.fromhex("01755c"),
        "port": 85,
        "frame_counter": 12,
        "measured_at": on_14_july(9, 6, 40, 456_000),
        "time_source": TimeSource.NETWORK,
        "radio": Radio(gateways=1, rssi=-99.0, snr=6.5, spreading_factor=9),
    },
    "loriot_gw": {
        "network": "loriot",
        "device": "be7a00000000ab01",
        "payload": bytes.fromhex("01755c"),
        "port": 85,
        "frame_counter": 12,
        "measured_at": on_14_july(9, 6, 40, 300_123),
        "time_source": TimeSource.GATEWAY,
        "radio": Radio(
            gateways=2, rssi=-99.0, snr=6.5, spreading_factor=9, heard_by=("a84041fffe000001", "a84041fffe000002")
        ),
    },
    "kerlink": {
        "network": "kerlink",
        "device": "7c7a00000000ab02",
        "payload": bytes.fromhex("0b1c2d"),
        "port": 4,
        "frame_counter": 815,
        "measured_at": on_14_july(9, 6, 40, 456_000),
        "time_source": TimeSource.NETWORK,
        "deduplication_id": "6a55f0b0c1d2e30001f0ab01",
        "session": "0A1B2C3D",
        "radio": Radio(
            gateways=2, rssi=-97.0, snr=4.25, spreading_factor=8, heard_by=("7276ff000b0a0001", "7276ff000b0a0002")
        ),
    },
    "kerlink_buffered": {
        "network": "kerlink",
        "device": "7c7a00000000ab02",
        "payload": bytes.fromhex("0b1c2d"),
        "port": 4,
        "frame_counter": 815,
        # The gateway had lost its connection for a minute.
        "measured_at": on_14_july(9, 6, 40, 400_000),
        "time_source": TimeSource.GATEWAY,
        "deduplication_id": "6a55f0b0c1d2e30001f0ab04",
        "session": "0A1B2C3D",
        "radio": Radio(gateways=1, rssi=-104.0, snr=1.5, spreading_factor=8, heard_by=("7276ff000b0a0001",)),
    },
    "netmore": {
        "network": "netmore",
        "device": "70b3d5000000ab07",
        "payload": bytes.fromhex("0a1b2c"),
        "port": 11,
        "frame_counter": 15800,
        "measured_at": on_14_july(10, 30, 8, 599_602),
        "time_source": TimeSource.NETWORK,
        "radio": Radio(
            gateways=2, rssi=-73.0, snr=9.8, spreading_factor=9, heard_by=("a84041fffe000001", "a84041fffe000002")
        ),
    },
    "netmore_raw_data_point": {
        "network": "netmore",
        "device": "70b3d5000000ab07",
        "payload": bytes.fromhex("0a1b2c"),
        "port": 11,
        "frame_counter": 15800,
        "measured_at": on_14_july(10, 30, 8, 599_602),
        "time_source": TimeSource.NETWORK,
        "radio": Radio(gateways=1, rssi=-73.0, snr=9.8, spreading_factor=9, heard_by=("506",)),
    },
    "element_iot": {
        "network": "element_iot",
        "device": "00000000-0000-4000-8000-00000000e001",
        "payload": bytes.fromhex("0254a6ff"),
        "port": 1,
        "frame_counter": 1490,
        "measured_at": on_14_july(11, 0, 1, 250_000),
        "time_source": TimeSource.NETWORK,
        "deduplication_id": "00000000-0000-4000-8000-00000000e003",
        "decoded": {"air_temperature": 30.5},
        "radio": Radio(
            gateways=2, rssi=-69.0, snr=9.2, spreading_factor=7, heard_by=("0000024b00000001", "0000024b00000002")
        ),
    },
    "element_iot_packet": {
        "network": "element_iot",
        "device": "00000000-0000-4000-8000-00000000e001",
        "payload": bytes.fromhex("0254a6ff"),
        "port": 1,
        "frame_counter": 1490,
        "measured_at": on_14_july(11, 0, 1, 250_000),
        "time_source": TimeSource.NETWORK,
        "deduplication_id": "00000000-0000-4000-8000-00000000e003",
        "radio": Radio(
            gateways=2, rssi=-69.0, snr=9.2, spreading_factor=7, heard_by=("0000024b00000001", "0000024b00000002")
        ),
    },
    "element_iot_json_packet": {
        "network": "element_iot",
        "device": "00000000-0000-4000-8000-00000000e001",
        "payload": b"",
        "port": None,
        "frame_counter": None,
        "measured_at": on_14_july(11, 0, 1, 250_000),
        "time_source": TimeSource.NETWORK,
        "deduplication_id": "00000000-0000-4000-8000-00000000e005",
        "decoded": {"level": 42},
        "radio": Radio(),
    },
    "plain_hexadecimal": {
        "network": "plain",
        "device": "aabbccddeeff0011",
        "payload": bytes.fromhex("0a1b"),
        "port": 3,
        "frame_counter": 5,
        "measured_at": on_14_july(10, 0),
        "time_source": TimeSource.DEVICE,
    },
    "plain_base64": {
        "network": "plain",
        "device": "bett/7",
        "payload": bytes.fromhex("0a1b"),
        "port": None,
        "frame_counter": None,
        "measured_at": on_14_july(9, 6, 40),
        "time_source": TimeSource.DEVICE,
        "deduplication_id": "2026-07-14T09:06:40+00:00",
    },
    "plain_values": {
        "network": "plain",
        "device": "Zisterne Süd",
        "payload": b"",
        "port": None,
        "frame_counter": None,
        "measured_at": RECEIVED_AT,
        "time_source": TimeSource.JOURNAL,
        "deduplication_id": RECEIVED_AT.isoformat(),
        "decoded": {"water_level": 73.5},
    },
}

REFUSED = {
    "chirpstack_v4_mac_commands": (DeadLetterReason.NOT_A_MEASUREMENT, "no application payload", "0011223344556677"),
    "chirpstack_v4_join": (DeadLetterReason.NOT_AN_UPLINK, "ChirpStack v4", "0011223344556677"),
    "chirpstack_v4_ack": (DeadLetterReason.NOT_AN_UPLINK, "ChirpStack v4", "0011223344556677"),
    "chirpstack_v4_txack": (DeadLetterReason.NOT_AN_UPLINK, "ChirpStack v4", "0011223344556677"),
    "chirpstack_v4_status": (DeadLetterReason.NOT_AN_UPLINK, "ChirpStack v4", "0011223344556677"),
    "chirpstack_v4_log": (DeadLetterReason.NOT_AN_UPLINK, "ChirpStack v4", "0011223344556677"),
    "chirpstack_v4_location": (DeadLetterReason.NOT_AN_UPLINK, "ChirpStack v4", "0011223344556677"),
    "chirpstack_v3_join": (DeadLetterReason.NOT_AN_UPLINK, "ChirpStack v3", "0011223344556678"),
    "chirpstack_v3_status": (DeadLetterReason.NOT_AN_UPLINK, "ChirpStack v3", "0011223344556678"),
    "tts_v3_join": (DeadLetterReason.NOT_AN_UPLINK, "without uplink_message", "70b3d5000000ab01"),
    "tts_v3_downlink_ack": (DeadLetterReason.NOT_AN_UPLINK, "without uplink_message", "70b3d5000000ab01"),
    "tts_v3_simulated": (DeadLetterReason.NOT_AN_UPLINK, "simulated", "70b3d5000000ab01"),
    "tts_v3_event_join": (DeadLetterReason.NOT_AN_UPLINK, "as.up.join.forward", "70b3d5000000ab01"),
    "helium_join": (DeadLetterReason.NOT_AN_UPLINK, "Helium", "a81758fffe0000ab"),
    "actility_downlink_sent": (DeadLetterReason.NOT_AN_UPLINK, "DevEUI_downlink_Sent", "70b3d57ba00000ac"),
    "kerlink_unknown_encoding": (DeadLetterReason.UNREADABLE, "neither HEXA nor BASE64", "7c7a00000000ab02"),
    "kerlink_encrypted": (DeadLetterReason.UNREADABLE, "application session key", "7c7a00000000ab02"),
    "kerlink_downlink": (DeadLetterReason.NOT_AN_UPLINK, "without fCntUp", "7c7a00000000ab02"),
    "netmore_data_point": (DeadLetterReason.NOT_AN_UPLINK, "the data point 'snr'", None),
    "netmore_downlink_response": (DeadLetterReason.NOT_AN_UPLINK, "'DOWNLINK_SENT'", "70b3d5000000ab07"),
    "netmore_decoded": (DeadLetterReason.UNREADABLE, "export format", "70b3d5000000ab07"),
    "loriot_encrypted": (DeadLetterReason.UNREADABLE, "application session key", "be7a00000000ab01"),
    "loriot_gw_without_data": (DeadLetterReason.NOT_AN_UPLINK, "without data", "be7a00000000ab01"),
    "loriot_txd": (DeadLetterReason.NOT_AN_UPLINK, "'txd'", "be7a00000000ab01"),
    "element_iot_downlink": (DeadLetterReason.NOT_AN_UPLINK, "'down'", "00000000-0000-4000-8000-00000000e001"),
}


def message(text: bytes) -> RawMessage:
    return RawMessage("test", "any/topic", RECEIVED_AT, text)


def read_sample(name: str) -> Uplink:
    return read_uplink(message((SAMPLES / f"{name}.json").read_bytes()))


@pytest.mark.parametrize("name", READ)
def test_a_sample_reads_as_its_network_meant_it(name: str) -> None:
    expected = dict(READ[name])
    decoded = expected.pop("decoded", None)
    uplink = read_sample(name)
    assert (uplink.decoded and json.loads(uplink.decoded)) == decoded
    assert uplink == Uplink(**expected, decoded=uplink.decoded)  # type: ignore[arg-type] # the table is untyped


@pytest.mark.parametrize("name", REFUSED)
def test_other_messages_are_refused_with_reason_detail_and_device(name: str) -> None:
    reason, detail, device = REFUSED[name]
    with pytest.raises(EnvelopeError) as refusal:
        read_sample(name)
    assert refusal.value.reason is reason
    assert detail in refusal.value.detail
    assert refusal.value.device == device


def test_every_sample_is_expected_to_be_something() -> None:
    assert {path.stem for path in SAMPLES.glob("*.json")} == READ.keys() | REFUSED.keys()


@pytest.mark.parametrize("name", READ)
def test_neither_space_nor_the_order_of_keys_matters(name: str) -> None:
    document = json.loads((SAMPLES / f"{name}.json").read_bytes())
    compact = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    turned = dict(reversed(document.items())) if isinstance(document, dict) else [dict(reversed(document[0].items()))]
    backwards = json.dumps(turned, indent=1)
    expected = read_sample(name)
    for text in (compact, backwards):
        uplink = read_uplink(message(text.encode()))
        assert (uplink.decoded and json.loads(uplink.decoded)) == (expected.decoded and json.loads(expected.decoded))
        assert (uplink.network, uplink.device, uplink.payload, uplink.measured_at) == (
            expected.network,
            expected.device,
            expected.payload,
            expected.measured_at,
        )


def test_the_same_uplink_has_one_deduplication_id_in_all_forms_of_the_things_stack() -> None:
    forms = [read_sample(name) for name in ("tts_v3", "tts_v3_event", "tts_v3_storage")]
    assert len({uplink.network for uplink in forms}) == 3
    assert len({(uplink.device, uplink.deduplication_id, uplink.measured_at) for uplink in forms}) == 1
