"""A message as decoding takes it: what its envelope says, which uplink it is a copy of, or why it is none."""

from __future__ import annotations

from datetime import datetime
from typing import Final, TypeAlias

import msgspec

from gruenpuls.domain.uplink import DeadLetter, DeadLetterReason, JournalEntry, Radio, RawMessage, Uplink
from ingest.envelopes import EnvelopeError, read_uplink
from ingest.resolve import Copy, copy_of

_TEXT_LENGTH: Final = 500


class Message(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """An uplink and how it came; without what it came as and what `Copy` says, which take more memory than the rest."""

    offset: int
    source: str
    topic: str
    received_at: datetime
    device: str
    payload: bytes
    port: int | None
    measured_at: datetime
    decoded: bytes | None
    radio: Radio


Read: TypeAlias = tuple[Message, Copy] | DeadLetter
"""What a journal entry is, once it is read."""


def offset_of(read: Read) -> int:
    """Return where the journal has a message."""
    return read.offset if isinstance(read, DeadLetter) else read[0].offset


def read_message(entry: JournalEntry) -> Read:
    """Return the uplink of a journal entry and its identity, or the reason why it has none."""
    raw, device = entry.message, None
    try:
        uplink = read_uplink(raw)
        device = uplink.device
        return message_of(entry.offset, raw, uplink), copy_of(entry.offset, uplink)
    except EnvelopeError as error:
        return dead_letter(entry.offset, raw, error.reason, error.detail, error.device)
    except Exception as error:  # noqa: BLE001  one message never stops the others
        return dead_letter(entry.offset, raw, DeadLetterReason.UNREADABLE, said(error), device)


def message_of(offset: int, raw: RawMessage, uplink: Uplink) -> Message:
    """Return a message that carries an uplink."""
    return Message(
        offset,
        raw.source,
        raw.topic,
        raw.received_at,
        uplink.device,
        uplink.payload,
        uplink.port,
        uplink.measured_at,
        uplink.decoded,
        uplink.radio,
    )


def letter_of_poison(read: Read, error: Exception) -> DeadLetter:
    """Return the dead letter of a message that breaks a batch where nobody foresaw it."""
    message = read if isinstance(read, DeadLetter) else read[0]
    detail = f"decoding breaks on it: {said(error)}"
    return dead_letter(message.offset, message, DeadLetterReason.UNREADABLE, detail, message.device)


def dead_letter(
    offset: int, message: RawMessage | Message | DeadLetter, reason: DeadLetterReason, detail: str, device: str | None
) -> DeadLetter:
    """Return a dead letter whose texts every database takes."""
    return DeadLetter(
        offset,
        reason,
        _legible(detail),
        _legible(message.source),
        _legible(message.topic),
        _legible(device) if device is not None else None,
        message.received_at,
    )


def said(error: Exception) -> str:
    """Return what an error says, and of which kind it is."""
    return f"{type(error).__name__}: {error}"


def _legible(text: str) -> str:
    """Return a text every database takes, and not too long for a table."""
    return text[:_TEXT_LENGTH].encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
