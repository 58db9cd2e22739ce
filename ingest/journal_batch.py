"""What one group commit looks like in the journal: messages packed into one blob, and back.

The blob is plain raw deflate, which anything reads. isal writes it six times as fast as zlib, at the same size.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate

from isal import isal_zlib

from gruenpuls.domain.uplink import RawMessage

CODEC = "deflate"
"""Columns of lengths and times, then topics, then payloads, as one raw deflate stream."""

CODEC_WITH_DICTIONARY = "deflate+dictionary"
"""The same, begun with the segment's dictionary: a lone uplink takes a third of the space."""

DICTIONARY_BYTES = 1 << 15
"""Deflate looks no further back."""

_LEVEL = 1
_RAW_DEFLATE = -15
_HEAD = struct.Struct("<II")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# A lone surrogate is no valid UTF-8, yet a topic that holds one comes back as it was.
_TEXT_ERRORS = "surrogatepass"
_SAMPLE_BYTES = 1 << 11


class DamagedBatchError(Exception):
    """The blob is not what was written."""


def microseconds(moment: datetime) -> int:
    """Return an aware moment as microseconds since 1970, UTC."""
    return (moment - _EPOCH) // _MICROSECOND


def moment_of(stored: int) -> datetime:
    """Return the aware UTC moment of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=stored)


def sample(messages: Iterable[RawMessage], most_bytes: int) -> bytes:
    """Return what messages look like, as something to begin a dictionary with."""
    found = bytearray()
    for message in messages:
        if len(found) >= most_bytes:
            break
        found += message.topic.encode("utf-8", _TEXT_ERRORS) + message.payload[:_SAMPLE_BYTES]
    return bytes(found[:most_bytes])


def packed(messages: Sequence[RawMessage], dictionary: bytes = b"") -> bytes:
    """Return messages as one compressed blob.

    Raises
    ------
    TypeError
        If a message's `received_at` is naive.
    """
    names: dict[str, int] = {}
    sources = [names.setdefault(message.source, len(names)) for message in messages]
    topics = [message.topic.encode("utf-8", _TEXT_ERRORS) for message in messages]
    payloads = [message.payload for message in messages]
    # What was read in one go has one moment.
    moments = {moment: microseconds(moment) for moment in {message.received_at for message in messages}}
    received = [moments[message.received_at] for message in messages]
    source_names = json.dumps(list(names)).encode()
    count = len(messages)
    compressor = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, _RAW_DEFLATE, zdict=dictionary)
    return b"".join(
        (
            compressor.compress(_HEAD.pack(count, len(source_names)) + source_names),
            compressor.compress(struct.pack(f"<{count}I", *sources)),
            compressor.compress(struct.pack(f"<{count}q", *received)),
            compressor.compress(struct.pack(f"<{count}I", *map(len, topics))),
            compressor.compress(struct.pack(f"<{count}I", *map(len, payloads))),
            compressor.compress(b"".join(topics)),
            compressor.compress(b"".join(payloads)),
            compressor.flush(),
        )
    )


def unpacked(blob: bytes, dictionary: bytes = b"") -> list[RawMessage]:
    """Return the messages of a blob made by `packed` with the same dictionary, every byte as it was.

    Raises
    ------
    DamagedBatchError
        If it is no such blob.
    """
    try:
        decompressor = isal_zlib.decompressobj(_RAW_DEFLATE, zdict=dictionary)
        raw = decompressor.decompress(blob)
        if not decompressor.eof or decompressor.unused_data:
            message = "cut short, or too long"
            raise DamagedBatchError(message)
        count, name_length = _HEAD.unpack_from(raw)
        place = _HEAD.size + name_length
        names = json.loads(raw[_HEAD.size : place])
        columns = []
        for kind, width in (("I", 4), ("q", 8), ("I", 4), ("I", 4)):
            columns.append(struct.unpack_from(f"<{count}{kind}", raw, place))
            place += width * count
        sources, received, topic_lengths, payload_lengths = columns
        # What was read in one go has one moment.
        moments = {moment: moment_of(moment) for moment in set(received)}
        topics = list(accumulate(topic_lengths, initial=place))
        payloads = list(accumulate(payload_lengths, initial=topics[-1]))
        if payloads[-1] != len(raw):
            message = "the lengths do not add up"
            raise DamagedBatchError(message)
        return [
            RawMessage(
                names[source],
                raw[topic_start:topic_end].decode("utf-8", _TEXT_ERRORS),
                moments[moment],
                raw[payload_start:payload_end],
            )
            for source, moment, topic_start, topic_end, payload_start, payload_end in zip(
                sources, received, topics, topics[1:], payloads, payloads[1:], strict=False
            )
        ]
    except (isal_zlib.IsalError, struct.error, ValueError, IndexError, OverflowError) as error:  # type: ignore[misc] # its stub calls the class an instance
        raise DamagedBatchError(str(error)) from error
