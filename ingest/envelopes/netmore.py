"""Netmore: what it posts and publishes in its export formats, whose numbers are numbers or strings.

Form and sample: https://docs.connect.netmoregroup.com/netmore-connect/docs/export-formats and
https://github.com/netmoregroup/netmore-mqtt-sample. Messages come as a list of one.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypeAlias

import msgspec

from gruenpuls.domain.uplink import DeadLetterReason, Uplink
from ingest.envelopes.field import Counter, Port, dev_eui, from_hexadecimal, require_application_data
from ingest.envelopes.moment import Written, measuring_time
from ingest.envelopes.reception import best_reception
from ingest.envelopes.refusal import refuse

NETWORK = "netmore"

# Reading numbers from strings would read "nan" too.
_Finite: TypeAlias = Annotated[float, msgspec.Meta(ge=-1e9, le=1e9)]


class _Gateway(msgspec.Struct, rename={"eui": "gwEui", "number": "gatewayIdentifier"}, gc=False):
    eui: str | None = None
    number: str | None = None
    rssi: _Finite | None = None
    snr: _Finite | None = None

    @property
    def gateway(self) -> str | None:
        """Its EUI, or Netmore's own number where the format leaves that out."""
        return self.eui or self.number


class _Export(
    msgspec.Struct,
    rename={
        "dev_eui": "devEui",
        "kind": "messageType",
        "delivery_status": "deliveryStatus",
        "port": "fPort",
        "counter": "fCntUp",
        "spreading": "spreadingFactor",
        "number": "gatewayIdentifier",
    },
    gc=False,
):
    dev_eui: str
    kind: str | None = None
    delivery_status: str | None = None
    timestamp: Written = None
    payload: str | None = None
    port: Port | None = None
    counter: Counter | None = None
    spreading: int | None = None
    rssi: _Finite | None = None
    snr: _Finite | None = None
    number: str | None = None
    gateways: list[_Gateway] | None = None


class _DataPoint(msgspec.Struct, gc=False):
    n: str
    v: msgspec.Raw


_EXPORT = msgspec.json.Decoder(_Export, strict=False)
_DATA_POINT = msgspec.json.Decoder(_DataPoint)


def read(text: bytes, received_at: datetime) -> Uplink:
    """Return the uplink of an element of the formats "Connect (All)" and "Default (All)".

    Raises
    ------
    EnvelopeError
        For Netmore's other messages and its decoded formats, and for an id or payload that cannot be read.
    """
    message = _EXPORT.decode(text)
    kind = message.kind or message.delivery_status
    if kind is None:
        refuse(DeadLetterReason.UNREADABLE, "no messageType, which Netmore's messages have")
    if kind != "payload":
        refuse(DeadLetterReason.NOT_AN_UPLINK, f"a message {kind[:20]!r}")
    if message.payload is None:
        refuse(DeadLetterReason.UNREADABLE, "no payload: choose the export format Connect (All) or Default (All)")
    payload = from_hexadecimal(message.payload, "payload")
    require_application_data(message.port, payload, None)
    heard = message.gateways or [_Gateway(None, message.number, message.rssi, message.snr)]
    measured_at, time_source = measuring_time(received_at, network=message.timestamp)
    return Uplink(
        network=NETWORK,
        device=dev_eui(message.dev_eui, "devEui"),
        payload=payload,
        port=message.port,
        frame_counter=message.counter,
        measured_at=measured_at,
        time_source=time_source,
        radio=best_reception(heard, message.spreading),
    )


def is_data_point(text: bytes) -> bool:
    """Return whether a JSON object has the form of Cloud Control's data points: a name and a value."""
    try:
        _DATA_POINT.decode(text)
    except (msgspec.ValidationError, UnicodeDecodeError):
        return False
    return True


def read_data_point(text: bytes, received_at: datetime) -> Uplink:
    """Return the uplink in a raw data point of Cloud Control.

    Raises
    ------
    EnvelopeError
        For every other data point, and as `read`.
    """
    point = _DATA_POINT.decode(text)
    if point.n != "raw":
        refuse(DeadLetterReason.NOT_AN_UPLINK, f"the data point {point.n[:20]!r}; uplinks come on the topics …/raw/…")
    return read(bytes(point.v), received_at)
