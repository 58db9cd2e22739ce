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
    ("EUI",),
    ("dev_eui",),
    ("endDevice", "devEui"),
    ("devEui",),
    ("v", "devEui"),
)
_ELEMENT_IOT_PATHS = (("packet", "device_id"), ("device_id",))


def told_device(text: bytes) -> str | None:
    """Return the device id a message states; None where it states none that could be one."""
    try:
        document = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if isinstance(document, list) and len(document) == 1:
        document = document[0]
    if not isinstance(document, dict):
        return None
    actility = tuple((key, "DevEUI") for key in document if key.startswith("DevEUI_"))
    for path in _DEV_EUI_PATHS + actility:
        found = eui(_text_at(document, path))
        if found is not None:
            return found
    element_iot = next((found for path in _ELEMENT_IOT_PATHS if (found := _text_at(document, path))), "")
    try:
        return device_name(element_iot.lower() or _text_at(document, ("device",)), "device")
    except EnvelopeError:
        return None


def _text_at(document: object, path: tuple[str, ...]) -> str:
    for key in path:
        document = document.get(key) if isinstance(document, dict) else None
    return document if isinstance(document, str) else ""
