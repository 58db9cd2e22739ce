"""Tells by its content which network a message came from, and reads it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import compress
from typing import TypeAlias

import msgspec

from gruenpuls.domain.uplink import DeadLetterReason, RawMessage, Uplink
from ingest.envelopes import (
    actility,
    chirpstack_v3,
    chirpstack_v4,
    element_iot,
    helium,
    kerlink,
    loriot,
    netmore,
    plain,
    things_stack,
    ttn_v2,
)
from ingest.envelopes.field import ABSENT
from ingest.envelopes.identity import told_device
from ingest.envelopes.refusal import EnvelopeError, refuse

SIZE_LIMIT = 1 << 20
"""Largest message that is read [bytes]; real ones with many gateways have 10 kB."""

_Reader: TypeAlias = Callable[[bytes, datetime], Uplink]

# The top-level keys that tell networks apart. The message's first key counts, as networks write theirs in a fixed
# order; where that tells nothing, the first one of this table that the message has.
_NETWORKS: dict[str, tuple[str, _Reader]] = {
    "deduplicationId": ("ChirpStack v4", chirpstack_v4.read),
    "deviceInfo": ("ChirpStack v4", chirpstack_v4.read),
    "devEUI": ("ChirpStack v3", chirpstack_v3.read),
    "end_device_ids": ("The Things Stack", things_stack.read_live),
    "identifiers": ("The Things Stack, event", things_stack.read_event),
    "result": ("The Things Stack, storage", things_stack.read_stored),
    "hardware_serial": ("The Things Network v2", ttn_v2.read),
    "DevEUI_uplink": ("Actility", actility.read),
    "cmd": ("LORIOT", loriot.read),
    "packet_type": ("ELEMENT-IoT", element_iot.read_packet),
    "packet": ("ELEMENT-IoT", element_iot.read_packet_and_reading),
    "dev_eui": ("Helium", helium.read),
    "endDevice": ("Kerlink Wanesy", kerlink.read),
    "devEui": ("Netmore", netmore.read),
    "device": ("plain JSON", plain.read),
}
_READERS = tuple(_NETWORKS.values())
_BY_FIRST_KEY = {f'{{"{key}'.encode(): network for key, network in _NETWORKS.items()}
# First keys of networks whose telling key comes later. They count, too, where the message reads as that network's:
# looking through all its keys takes as long as reading it, so that is left for those that do not.
_LIKELY_BY_FIRST_KEY: dict[bytes, _Reader] = {
    b'{"app_eui': helium.read,
    b'{"app_id': ttn_v2.read,
    b'{"applicationID': chirpstack_v3.read,
}
# Looks at top-level keys only, and skips over what it does not name; what it keeps is true, ABSENT is false.
_PROBE = msgspec.json.Decoder(
    msgspec.defstruct("Probe", [(key, msgspec.Raw, ABSENT) for key in _NETWORKS], gc=False),
)
_TOP_LEVEL = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_SHOWN_KEYS = 8


def read_uplink(message: RawMessage, *, size_limit: int = SIZE_LIMIT) -> Uplink:
    """Return the uplink a network's message carries.

    Parameters
    ----------
    message : RawMessage
    size_limit : int
        Larger messages are refused unread [bytes].

    Raises
    ------
    EnvelopeError
        For everything that carries no uplink we can read; nothing else is raised.
    """
    text = message.payload
    if len(text) > size_limit:
        refuse(DeadLetterReason.UNREADABLE, f"{len(text)} bytes are more than the {size_limit} a message may have")
    first_key = text[: text.find(b'"', 2)]
    known = _BY_FIRST_KEY.get(first_key)
    if known is None and first_key in _LIKELY_BY_FIRST_KEY:
        uplink = _read_by(_LIKELY_BY_FIRST_KEY[first_key], message)
        if uplink is not None:
            return uplink
    network = ""
    try:
        if known is None and text.lstrip()[:1] == b"[":
            return read_uplink(msgspec.structs.replace(message, payload=_only_message(text)), size_limit=size_limit)
        network, read = known or _recognised(text)
        return read(text, message.received_at)
    except EnvelopeError as refusal:
        reason, detail = refusal.reason, refusal.detail
    except msgspec.ValidationError as error:
        reason, detail = DeadLetterReason.UNREADABLE, str(error)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        reason, detail = DeadLetterReason.UNREADABLE, f"not JSON, which the integration must be set to ({error})"
    except RecursionError:
        reason, detail = DeadLetterReason.UNREADABLE, "nested too deeply"
    raise EnvelopeError(reason, f"{network}: {detail}" if network else detail, told_device(text))


def _read_by(reader: _Reader, message: RawMessage) -> Uplink | None:
    try:
        return reader(message.payload, message.received_at)
    except (EnvelopeError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _only_message(text: bytes) -> bytes:
    """Return the one message in a list."""
    messages = _LIST.decode(text)
    if len(messages) != 1:
        refuse(DeadLetterReason.UNREADABLE, f"a list of {len(messages)} messages: only lists of one are read")
    message = bytes(messages[0])
    if message[:1] == b"[":
        refuse(DeadLetterReason.UNREADABLE, "a list within a list")
    return message


def _recognised(text: bytes) -> tuple[str, _Reader]:
    network = next(compress(_READERS, msgspec.structs.astuple(_PROBE.decode(text))), None)
    if network is not None:
        return network
    if netmore.is_data_point(text):
        return "Netmore, Cloud Control", netmore.read_data_point
    raise _unrecognised(text)


def _unrecognised(text: bytes) -> EnvelopeError:
    keys = sorted(_TOP_LEVEL.decode(text))
    other = next((key for key in keys if key.startswith("DevEUI_")), None)
    if other is not None:
        return EnvelopeError(DeadLetterReason.NOT_AN_UPLINK, f"an Actility message {other[:60]!r}")
    shown = ", ".join(key[:40] for key in keys[:_SHOWN_KEYS]) or "none"
    detail = f"no known network's message; its top-level keys are: {shown}"
    return EnvelopeError(DeadLetterReason.UNREADABLE, detail)
