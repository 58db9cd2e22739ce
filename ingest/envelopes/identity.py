"""The device of a message that was refused, as far as it can be told."""

from __future__ import annotations

import msgspec

from ingest.envelopes.field import device_name, eui
from ingest.envelopes.refusal import EnvelopeError

_DEV_EUI_PATHS = (
    ("deviceInfo", "devEui"),
    ("devEUI",),
    ("end_device_ids", "dev_eui"),
    ("data", "end_device_ids", "dev_eui"),
    ("result", "end_device_ids", "dev_eui"),
    ("hardware_serial",),
    ("DevEUI_uplink", "DevEUI"),
    ("EUI",),
    ("dev_eui",),
)
_NAME_PATHS = (("packet", "device_id"), ("device_id",), ("device",))


def told_device(text: bytes) -> str | None:
    """Return the device id a message states; None where it states none that could be one."""
    try:
        document = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    for path in _DEV_EUI_PATHS:
        found = _text_at(document, path)
        if found is not None and eui(found) is not None:
            return eui(found)
    for path in _NAME_PATHS:
        found = _text_at(document, path)
        if found is not None:
            try:
                return device_name(found, path[-1])
            except EnvelopeError:
                return None
    return None


def _text_at(document: object, path: tuple[str, ...]) -> str | None:
    for key in path:
        document = document.get(key) if isinstance(document, dict) else None
    return document if isinstance(document, str) else None
