"""What the fields of all envelopes have in common: ids, ports, counters, payloads."""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable
from functools import wraps
from typing import Annotated, TypeAlias, TypeVar

import msgspec

from gruenpuls.domain.uplink import DeadLetterReason
from ingest.envelopes.refusal import refuse

Port: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=255)]
Counter: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=0xFFFF_FFFF)]

_Found = TypeVar("_Found")
_Reading: TypeAlias = Callable[[str], _Found]

ABSENT = msgspec.Raw()
"""The default of a field that is kept as JSON text; compare by identity."""

_EUI = re.compile(r"[0-9a-f]{16}", re.ASCII)
_SEPARATORS = str.maketrans("", "", "-: ")
_NAME = re.compile(r"[^\s\x00-\x1f\x7f](?:[^\x00-\x1f\x7f]{0,126}[^\s\x00-\x1f\x7f])?")
_SPREADING = re.compile(r"SF(\d{1,2})", re.ASCII)
_NOTHING = frozenset((b"", b"null", b"{}"))


def remembered(*, most: int, longest: int) -> Callable[[_Reading[_Found]], _Reading[_Found]]:
    """Decorate a function of a text that comes again and again: what it found is the same object then.

    Parameters
    ----------
    most : int
        How many texts are remembered; one more, and all are forgotten.
    longest : int
        Longer ones are not, as anyone may send them [characters].
    """

    def decorated(reading: _Reading[_Found]) -> _Reading[_Found]:
        known: dict[str, _Found] = {}

        @wraps(reading)
        def found(text: str) -> _Found:
            if len(text) > longest:
                return reading(text)
            try:
                return known[text]
            except KeyError:
                if len(known) >= most:
                    known.clear()
                return known.setdefault(text, reading(text))

        return found

    return decorated


# A device id of ELEMENT-IoT, which is none, has 36 characters.
@remembered(most=1 << 15, longest=36)
def eui(text: str) -> str | None:
    """Return a DevEUI in lower-case hexadecimal without separators; None for what is none."""
    if _EUI.fullmatch(text):
        return text
    bare = text.lower().translate(_SEPARATORS)
    return bare if _EUI.fullmatch(bare) else None


def dev_eui(text: str, field: str) -> str:
    """Return a DevEUI in lower-case hexadecimal without separators.

    Raises
    ------
    EnvelopeError
        If the field holds none.
    """
    found = eui(text)
    if found is None:
        shown = text[:40]
        refuse(DeadLetterReason.UNREADABLE, f"{field} is no DevEUI of 16 hexadecimal digits: {shown!r}")
    return found


def device_name(text: str, field: str) -> str:
    """Return the id of a device that need not have a DevEUI; a DevEUI comes out in its usual form.

    Raises
    ------
    EnvelopeError
        If it is empty, longer than 128 characters, or has control characters or spaces around it.
    """
    if _NAME.fullmatch(text) is None:
        shown = text[:40]
        refuse(DeadLetterReason.UNREADABLE, f"{field} is no device id of 1 to 128 printable characters: {shown!r}")
    return eui(text) or text


def from_hexadecimal(text: str | None, field: str) -> bytes:
    """Return the bytes of a hexadecimal field, empty where it is missing.

    Raises
    ------
    EnvelopeError
        If it is not hexadecimal.
    """
    if not text:
        return b""
    try:
        return binascii.unhexlify(text)
    except ValueError:
        shown = text[:40]
        refuse(DeadLetterReason.UNREADABLE, f"{field} is not hexadecimal: {shown!r}")


def from_base64(text: str | None, field: str) -> bytes:
    """Return the bytes of a base64 field, empty where it is missing.

    Raises
    ------
    EnvelopeError
        If it is not base64.
    """
    if not text:
        return b""
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        shown = text[:40]
        refuse(DeadLetterReason.UNREADABLE, f"{field} is not base64: {shown!r}")


def as_it_came(raw: msgspec.Raw, field: str) -> bytes | None:
    """Return JSON text kept unparsed; None where it is missing, null or an empty object.

    Raises
    ------
    EnvelopeError
        If it is not UTF-8, which skipping over it did not show.
    """
    if raw is ABSENT:
        return None
    text = bytes(raw)
    if text in _NOTHING:
        return None
    if not text.isascii():
        try:
            text.decode()
        except UnicodeDecodeError:
            refuse(DeadLetterReason.UNREADABLE, f"{field} is not UTF-8")
    return text


def require_application_data(port: int | None, payload: bytes, decoded: bytes | None) -> None:
    """Refuse a frame that carries nothing of the device's own, such as MAC commands on port 0.

    Raises
    ------
    EnvelopeError
        With the reason `NOT_A_MEASUREMENT`.
    """
    if port == 0:
        refuse(DeadLetterReason.NOT_A_MEASUREMENT, "MAC commands only (port 0)")
    if not payload and decoded is None:
        refuse(DeadLetterReason.NOT_A_MEASUREMENT, "the frame carries no application payload")


def spreading_factor(data_rate: str | None) -> int | None:
    """Return the spreading factor of a data rate such as ``"SF7BW125"``."""
    return _spreading_factor(data_rate) if data_rate is not None else None


@remembered(most=1 << 7, longest=12)
def _spreading_factor(data_rate: str) -> int | None:
    found = _SPREADING.search(data_rate)
    return int(found[1]) if found else None
