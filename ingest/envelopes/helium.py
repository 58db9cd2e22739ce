"""Helium: the HTTP and MQTT integrations of its console."""

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

NETWORK = "helium"


class _Hotspot(msgspec.Struct, rename={"gateway": "id", "clock": "reported_at"}, gc=False):
    arrival: ClassVar[None] = None
    satellite: ClassVar[None] = None
    gateway: str | None = None
    clock: Written = None
    rssi: float | None = None
    snr: float | None = None
    spreading: str | None = None


class _Decoded(msgspec.Struct, gc=False):
    status: str | None = None
    payload: msgspec.Raw = ABSENT


# In the order in which the network writes them, by the alphabet, each key is found at the first try.
class _Up(msgspec.Struct, rename={"dev_addr": "devaddr"}, kw_only=True, gc=False):
    decoded: _Decoded | None = None
    dev_eui: str
    dev_addr: str | None = None
    fcnt: Counter | None = None
    hotspots: list[_Hotspot] | None = None
    payload: bytes | None = None
    port: Port | None = None
    raw_packet: bytes | None = None
    reported_at: Written = None


_UP = msgspec.json.Decoder(_Up)


def read(text: bytes, received_at: datetime) -> Uplink:
    """Return the uplink of a console message.

    A frame heard by several hotspots may come in several messages. Only the radio frame tells that they
    are one uplink, so no deduplication id is given.

    Raises
    ------
    EnvelopeError
        For a message without frame, and for a DevEUI that is none.
    """
    up = _UP.decode(text)
    if up.payload is None and up.port is None:
        refuse(DeadLetterReason.NOT_AN_UPLINK, "a message without payload and port")
    payload = up.payload or b""
    succeeded = up.decoded is not None and up.decoded.status == "success"
    decoded = as_it_came(up.decoded.payload, "decoded.payload") if up.decoded and succeeded else None
    require_application_data(up.port, payload, decoded)
    heard = up.hotspots or []
    measured_at, time_source = witnessed_time(received_at, up.reported_at, heard)
    return Uplink(
        network=NETWORK,
        device=dev_eui(up.dev_eui, "dev_eui"),
        payload=payload,
        port=up.port,
        frame_counter=up.fcnt,
        measured_at=measured_at,
        time_source=time_source,
        frame=up.raw_packet or None,
        session=up.dev_addr,
        decoded=decoded,
        radio=best_reception(heard, spreading_factor(heard[0].spreading) if heard else None),
    )
