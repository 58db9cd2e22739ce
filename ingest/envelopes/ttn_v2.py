"""The Things Network v2, closed in 2021; its messages live on in archives and private networks."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import msgspec

from gruenpuls.domain.uplink import DeadLetterReason, Uplink
from ingest.envelopes.field import (
    ABSENT,
    Counter,
    Port,
    as_it_came,
    dev_eui,
    require_application_data,
    spreading_factor,
)
from ingest.envelopes.moment import Written, witnessed_time
from ingest.envelopes.reception import best_reception
from ingest.envelopes.refusal import refuse

NETWORK = "ttn_v2"


class _Gateway(msgspec.Struct, rename={"gateway": "gtw_id", "clock": "time"}, gc=False):
    arrival: ClassVar[None] = None
    satellite: ClassVar[None] = None
    gateway: str | None = None
    clock: Written = None
    rssi: float | None = None
    snr: float | None = None


class _Metadata(msgspec.Struct, gc=False):
    time: Written = None
    data_rate: str | None = None
    gateways: list[_Gateway] | None = None


class _Up(msgspec.Struct, gc=False):
    hardware_serial: str
    port: Port | None = None
    counter: Counter | None = None
    payload_raw: bytes | None = None
    payload_fields: msgspec.Raw = ABSENT
    metadata: _Metadata | None = None


_UP = msgspec.json.Decoder(_Up)


def read(text: bytes, received_at: datetime) -> Uplink:
    """Return the uplink of a message on ``<app>/devices/<device>/up``.

    Raises
    ------
    EnvelopeError
        For a message without frame, and for a DevEUI that is none.
    """
    up = _UP.decode(text)
    if up.payload_raw is None and up.port is None:
        refuse(DeadLetterReason.NOT_AN_UPLINK, "a message without payload_raw and port")
    payload = up.payload_raw or b""
    decoded = as_it_came(up.payload_fields, "payload_fields")
    require_application_data(up.port, payload, decoded)
    metadata = up.metadata or _Metadata()
    heard = metadata.gateways or []
    measured_at, time_source = witnessed_time(received_at, metadata.time, heard)
    return Uplink(
        network=NETWORK,
        device=dev_eui(up.hardware_serial, "hardware_serial"),
        payload=payload,
        port=up.port,
        frame_counter=up.counter,
        measured_at=measured_at,
        time_source=time_source,
        decoded=decoded,
        radio=best_reception(heard, spreading_factor(metadata.data_rate)),
    )
