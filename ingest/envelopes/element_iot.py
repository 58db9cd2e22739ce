"""ELEMENT-IoT (ZENNER): packets, alone or together with the platform's reading of them."""

from __future__ import annotations

from datetime import datetime

import msgspec

from gruenpuls.domain.uplink import DeadLetterReason, Uplink
from ingest.envelopes.field import (
    ABSENT,
    Counter,
    Port,
    as_it_came,
    device_name,
    from_hexadecimal,
    require_application_data,
    spreading_factor,
)
from ingest.envelopes.moment import Written, measuring_time
from ingest.envelopes.reception import best_reception
from ingest.envelopes.refusal import refuse

NETWORK = "element_iot"


class _GatewayStats(msgspec.Struct, rename={"gateway": "router_id_hex"}, gc=False):
    gateway: str | None = None
    rssi: float | None = None
    snr: float | None = None


class _Meta(msgspec.Struct, gc=False):
    frame_count_up: Counter | None = None
    frame_port: Port | None = None
    datr: str | None = None
    gateway_stats: list[_GatewayStats] | None = None


class _Packet(msgspec.Struct, gc=False):
    device_id: str
    id: str | None = None
    packet_type: str | None = None
    payload_encoding: str | None = None
    payload: msgspec.Raw = ABSENT
    transceived_at: Written = None
    inserted_at: Written = None
    meta: _Meta | None = None


class _Reading(msgspec.Struct, gc=False):
    data: msgspec.Raw = ABSENT


class _PacketAndReading(msgspec.Struct, gc=False):
    packet: _Packet
    reading: _Reading | None = None


_PACKET = msgspec.json.Decoder(_Packet)
_PACKET_AND_READING = msgspec.json.Decoder(_PacketAndReading)
_TEXT = msgspec.json.Decoder(str)


def read_packet(text: bytes, received_at: datetime) -> Uplink:
    """Return the uplink of a bare packet.

    Raises
    ------
    EnvelopeError
        For a packet that is no uplink, and for an id or payload that cannot be read.
    """
    return _uplink(_PACKET.decode(text), None, received_at)


def read_packet_and_reading(text: bytes, received_at: datetime) -> Uplink:
    """Return the uplink of a packet with the platform's decoded values beside it.

    Raises
    ------
    EnvelopeError
        As `read_packet`.
    """
    message = _PACKET_AND_READING.decode(text)
    decoded = as_it_came(message.reading.data, "reading.data") if message.reading else None
    return _uplink(message.packet, decoded, received_at)


def _uplink(packet: _Packet, decoded: bytes | None, received_at: datetime) -> Uplink:
    if packet.packet_type not in ("up", None):
        refuse(DeadLetterReason.NOT_AN_UPLINK, f"a packet of the type {packet.packet_type[:20]!r}")
    if packet.payload_encoding == "json":
        payload = b""
        decoded = decoded or as_it_came(packet.payload, "packet.payload")
    else:
        payload = _payload(packet)
    meta = packet.meta or _Meta()
    require_application_data(meta.frame_port, payload, decoded)
    measured_at, time_source = measuring_time(received_at, network=packet.transceived_at or packet.inserted_at)
    return Uplink(
        network=NETWORK,
        # Packets carry no DevEUI; the platform's own id of the device is what a device is registered by.
        device=device_name(packet.device_id, "packet.device_id").lower(),
        payload=payload,
        port=meta.frame_port,
        frame_counter=meta.frame_count_up,
        measured_at=measured_at,
        time_source=time_source,
        deduplication_id=packet.id,
        decoded=decoded,
        radio=best_reception(meta.gateway_stats or [], spreading_factor(meta.datr)),
    )


def _payload(packet: _Packet) -> bytes:
    encoding = packet.payload_encoding
    if encoding not in ("binary", "utf8", "none", None):
        refuse(
            DeadLetterReason.UNREADABLE,
            f"packet.payload_encoding {encoding[:20]!r} is none of binary, json, utf8, none",
        )
    raw = b"null" if packet.payload is ABSENT else bytes(packet.payload)
    if encoding == "none" or raw == b"null":
        return b""
    if not raw.startswith(b'"'):
        refuse(DeadLetterReason.UNREADABLE, "packet.payload is no text")
    text = _TEXT.decode(raw)
    return text.encode() if encoding == "utf8" else from_hexadecimal(text, "packet.payload")
