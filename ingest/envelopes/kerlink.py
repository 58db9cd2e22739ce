"""Kerlink's Wanesy Management Center, from version 3 on: what it pushes as ``dataUp``."""

from __future__ import annotations

from datetime import datetime

import msgspec

from gruenpuls.domain.uplink import DeadLetterReason, Uplink
from ingest.envelopes.field import (
    Counter,
    Port,
    dev_eui,
    from_base64,
    from_hexadecimal,
    require_application_data,
    spreading_factor,
)
from ingest.envelopes.moment import Written, measuring_time
from ingest.envelopes.reception import best_reception
from ingest.envelopes.refusal import refuse

NETWORK = "kerlink"


class _Gateway(msgspec.Struct, rename={"gateway": "gwEui"}, gc=False):
    gateway: str | None = None
    rssi: float | None = None
    snr: float | None = None


class _Device(msgspec.Struct, rename={"dev_eui": "devEui", "dev_addr": "devAddr"}, gc=False):
    dev_eui: str
    dev_addr: str | None = None


class _DataUp(
    msgspec.Struct,
    rename={
        "device": "endDevice",
        "port": "fPort",
        "counter": "fCntUp",
        "encoding": "encodingType",
        "received_at": "recvTime",
        "heard_at": "gwRecvTime",
        "data_rate": "dataRate",
        "gateways": "gwInfo",
    },
    gc=False,
):
    device: _Device
    port: Port | None = None
    counter: Counter | None = None
    payload: str | None = None
    encoding: str | None = None
    encrypted: bool = False
    id: str | None = None
    received_at: Written = None
    # Only of messages a gateway kept while it had no connection.
    heard_at: Written = None
    data_rate: str | None = None
    gateways: list[_Gateway] | None = None


_DATA_UP = msgspec.json.Decoder(_DataUp)


def read(text: bytes, received_at: datetime) -> Uplink:
    """Return the uplink of a message.

    Raises
    ------
    EnvelopeError
        For Wanesy's other messages, for a payload it left encrypted, and for an id or payload that cannot be read.
    """
    message = _DATA_UP.decode(text)
    if message.counter is None:
        refuse(DeadLetterReason.NOT_AN_UPLINK, "a message without fCntUp")
    if message.encrypted:
        refuse(DeadLetterReason.UNREADABLE, "encrypted: enter the device's application session key at the network")
    payload = _payload(message)
    require_application_data(message.port, payload, None)
    heard = message.gateways or []
    measured_at, time_source = measuring_time(received_at, network=message.received_at, clocks=[message.heard_at])
    return Uplink(
        network=NETWORK,
        device=dev_eui(message.device.dev_eui, "endDevice.devEui"),
        payload=payload,
        port=message.port,
        frame_counter=message.counter,
        measured_at=measured_at,
        time_source=time_source,
        deduplication_id=message.id,
        session=message.device.dev_addr,
        radio=best_reception(heard, spreading_factor(message.data_rate)),
    )


def _payload(message: _DataUp) -> bytes:
    encoding = message.encoding or "HEXA"
    if encoding == "BASE64":
        return from_base64(message.payload, "payload")
    if encoding != "HEXA":
        refuse(DeadLetterReason.UNREADABLE, f"encodingType {encoding[:20]!r} is neither HEXA nor BASE64")
    return from_hexadecimal(message.payload, "payload")
