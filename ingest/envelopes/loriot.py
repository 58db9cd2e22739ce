"""LORIOT: uplinks (``rx``) and their copies with all gateways (``gw``)."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import msgspec

from gruenpuls.domain.uplink import DeadLetterReason, Uplink
from ingest.envelopes.field import (
    Counter,
    Port,
    dev_eui,
    from_hexadecimal,
    require_application_data,
    spreading_factor,
)
from ingest.envelopes.moment import Written, witnessed_time
from ingest.envelopes.reception import best_reception
from ingest.envelopes.refusal import refuse

NETWORK = "loriot"


class _Gateway(msgspec.Struct, rename={"gateway": "gweui", "clock": "time", "arrival": "ts"}, gc=False):
    satellite: ClassVar[None] = None
    gateway: str | None = None
    clock: Written = None
    arrival: Written = None
    rssi: float | None = None
    snr: float | None = None


class _Message(msgspec.Struct, rename={"dev_eui": "EUI", "data_rate": "dr", "gateways": "gws"}, gc=False):
    cmd: str
    dev_eui: str = ""
    ts: Written = None
    fcnt: Counter | None = None
    port: Port | None = None
    data: str | None = None
    encdata: str | None = None
    rssi: float | None = None
    snr: float | None = None
    data_rate: str | None = None
    gateways: list[_Gateway] | None = None


_MESSAGE = msgspec.json.Decoder(_Message)


def read(text: bytes, received_at: datetime) -> Uplink:
    """Return the uplink of a message ``rx`` or ``gw``; both come where an application asks for both.

    Raises
    ------
    EnvelopeError
        For LORIOT's other messages, for a payload it left encrypted, and for an id that cannot be read.
    """
    message = _MESSAGE.decode(text)
    if message.cmd not in ("rx", "gw"):
        refuse(DeadLetterReason.NOT_AN_UPLINK, f"a message {message.cmd[:20]!r}")
    if message.data is None and message.encdata:
        refuse(DeadLetterReason.UNREADABLE, "only encdata: enter the device's application session key at the network")
    if message.data is None and message.port is None:
        refuse(DeadLetterReason.NOT_AN_UPLINK, f"a message {message.cmd!r} without data and port")
    payload = from_hexadecimal(message.data, "data")
    require_application_data(message.port, payload, None)
    heard = message.gateways or [_Gateway(None, None, None, message.rssi, message.snr)]
    measured_at, time_source = witnessed_time(received_at, message.ts, heard)
    return Uplink(
        network=NETWORK,
        device=dev_eui(message.dev_eui, "EUI"),
        payload=payload,
        port=message.port,
        frame_counter=message.fcnt,
        measured_at=measured_at,
        time_source=time_source,
        radio=best_reception(heard, spreading_factor(message.data_rate)),
    )
