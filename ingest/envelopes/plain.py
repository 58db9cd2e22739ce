"""Plain JSON of our own, for devices and scripts that send to a broker or webhook themselves.

``{"device": "bed-7", "time": "2026-07-01T12:00:00Z", "payload_hex": "0a1b", "port": 1, "counter": 7}``, or
``payload_base64`` instead, or ``"values": {"temperature": 21.5}`` with or without a payload.
Only `device` and one of the three must be there.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from gruenpuls.domain.uplink import DeadLetterReason, TimeSource, Uplink
from ingest.envelopes.field import ABSENT, Counter, Port, as_it_came, device_name, from_base64, from_hexadecimal
from ingest.envelopes.moment import Written, instant
from ingest.envelopes.refusal import refuse

NETWORK = "plain"


class _Message(msgspec.Struct, gc=False):
    device: str
    time: Written = None
    payload_hex: str | None = None
    payload_base64: str | None = None
    values: msgspec.Raw = ABSENT
    port: Port | None = None
    counter: Counter | None = None


_MESSAGE = msgspec.json.Decoder(_Message)


def read(text: bytes, received_at: datetime) -> Uplink:
    """Return the uplink of a plain message.

    Raises
    ------
    EnvelopeError
        For a field that cannot be read, a time without offset, and a message without content.
    """
    message = _MESSAGE.decode(text)
    if message.payload_hex and message.payload_base64:
        refuse(DeadLetterReason.UNREADABLE, "payload_hex and payload_base64 are both given: send one")
    payload = from_hexadecimal(message.payload_hex, "payload_hex") or from_base64(
        message.payload_base64, "payload_base64"
    )
    decoded = as_it_came(message.values, "values")
    if decoded is not None and not decoded.startswith(b"{"):
        refuse(DeadLetterReason.UNREADABLE, "values is no JSON object")
    if not payload and decoded is None:
        refuse(DeadLetterReason.UNREADABLE, "none of payload_hex, payload_base64 and values is given")
    measured_at, time_source = received_at, TimeSource.JOURNAL
    if message.time is not None:
        measured_at, time_source = _written_time(message.time), TimeSource.DEVICE
    return Uplink(
        network=NETWORK,
        device=device_name(message.device, "device"),
        payload=payload,
        port=message.port,
        frame_counter=message.counter,
        measured_at=measured_at,
        time_source=time_source,
        # Without a counter equal values at another time are another message, not a copy.
        deduplication_id=measured_at.isoformat() if message.counter is None else None,
        decoded=decoded,
    )


def _written_time(written: str | float) -> datetime:
    moment = instant(written)
    if moment is None:
        refuse(
            DeadLetterReason.UNREADABLE,
            f"time is no moment after 2014, in ISO 8601 or seconds since 1970: {str(written)[:40]!r}",
        )
    if isinstance(written, str) and datetime.fromisoformat(written).tzinfo is None:
        refuse(DeadLetterReason.UNREADABLE, f"time has no offset; write …Z or …+02:00: {written[:40]!r}")
    return moment
