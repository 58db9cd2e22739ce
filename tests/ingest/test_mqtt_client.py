"""What the lighter way takes out of a stream is what paho reads there, however it comes in pieces."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from select import select

from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from ingest.mqtt import Broker
from ingest.mqtt_connection import DROPPED_TOPIC, Connection

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
PINGRESP = b"\xd0\x00"
SUBACK = b"\x90\x03\x00\x01\x01"
SUBACK_OF_5 = b"\x90\x04\x00\x01\x00\x01"
TWICE_ACKNOWLEDGED = b"\x34\x07\x00\x01q\x00\x09ab\x62\x02\x00\x09"


def digits(number: int) -> bytes:
    """Return a length as MQTT writes it."""
    found = bytearray()
    while True:
        number, digit = divmod(number, 128)
        found.append(digit | (0x80 if number else 0))
        if not number:
            return bytes(found)


def packet(first: int, body: bytes) -> bytes:
    return bytes([first]) + digits(len(body)) + body


def publish(topic: bytes, payload: bytes, identifier: int | None = None, properties: bytes | None = None) -> bytes:
    """Return a message as a broker sends it, in MQTT 5 with properties."""
    body = struct.pack(">H", len(topic)) + topic
    if identifier is not None:
        body += struct.pack(">H", identifier)
    if properties is not None:
        body += digits(len(properties)) + properties
    return packet(0x30 if identifier is None else 0x32, body + payload)


MESSAGES = st.builds(
    publish,
    st.binary(min_size=1, max_size=20) | st.sampled_from([b"t" * 200, b"$SYS/broker/uptime", DROPPED_TOPIC.encode()]),
    st.binary(max_size=200) | st.integers(0, 20_000).map(bytes) | st.sampled_from([b"7", b"12"]),
    st.none() | st.integers(1, 65_535),
)
PROPERTIES = st.sampled_from([b"", b"\x01\x00", b"\x26\x00\x01a\x00\x02bc", b"\x26\x00\x40" + b"x" * 64 + b"\x00\x01b"])
MESSAGES_OF_5 = st.builds(
    publish,
    st.binary(min_size=1, max_size=20),
    st.binary(max_size=200) | st.integers(0, 20_000).map(bytes),
    st.none() | st.integers(1, 65_535),
    st.lists(PROPERTIES, max_size=3, unique=True).map(b"".join),
)
OTHERS = st.sampled_from([PINGRESP, SUBACK, TWICE_ACKNOWLEDGED])
OTHERS_OF_5 = st.sampled_from([PINGRESP, SUBACK_OF_5])
ENDS = st.sampled_from(
    [b"", b"\x32", b"\x32\x02\x00\x05", b"\x30\x00", b"\x30" + b"\xff" * 5, b"\x36\x05\x00\x01txx", b"\0"]
)


@dataclass
class Heard:
    """What a reader made of a stream."""

    messages: list[tuple[bytes, bytes]] = field(default_factory=list)
    identifiers: list[int] = field(default_factory=list)
    dropped: int | None = None
    broken: bool = False


def pieces_of(stream: bytes, cuts: Sequence[int]) -> list[bytes]:
    places = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
    return [stream[start:stop] for start, stop in pairwise(places)]


def read_by_paho(pieces: Sequence[bytes], protocol: str) -> Heard:
    heard = Heard()

    def on_message(_client: Client, _data: object, message: MQTTMessage) -> None:
        payload = bytes(message.payload)
        if not message.qos and message._topic == DROPPED_TOPIC.encode():
            heard.dropped = int(payload) if payload.isdigit() else heard.dropped
            return
        heard.messages.append((message._topic, payload))
        heard.identifiers += [message.mid] if message.qos else []

    version = MQTTProtocolVersion.MQTTv5 if protocol == "5" else MQTTProtocolVersion.MQTTv311
    client = Client(CallbackAPIVersion.VERSION2, "client", protocol=version, manual_ack=True)
    client.on_message = on_message
    with connected(client) as broker:
        for piece in pieces:
            broker.sendall(piece)
            try:
                while client._sock and select([client._sock], [], [], 0)[0]:
                    heard.broken = heard.broken or bool(client.loop_read())
            except (struct.error, LookupError, ValueError):
                heard.broken = True
            if heard.broken:
                break
    return heard


def read_lightly(pieces: Sequence[bytes], protocol: str, most: int = 500, most_bytes: int = 1 << 20) -> Heard:
    connection = Connection("mqtt", Broker("127.0.0.1", protocol=protocol), None)
    heard = Heard()
    with connected(connection._client) as broker:
        for piece in pieces:
            broker.sendall(piece)
            more = True
            turns = 0
            while more and not connection.ended:
                burst = connection.read(NOON, most, most_bytes)
                assert len(burst.messages) <= most
                heard.messages += [(m.topic.encode("utf-8", "surrogateescape"), m.payload) for m in burst.messages]
                heard.identifiers += burst.identifiers
                more = bool(burst.messages) or connection.holds_input
                turns += 1
                assert turns <= len(piece) + 1, "it says there is something to read, and does not read it"
            if connection.ended:
                break
    heard.dropped = connection.dropped_by_broker
    heard.broken = connection.ended is not None
    return heard


@contextmanager
def connected(client: Client) -> Iterator[socket.socket]:
    """Yield what a client hears; no broker would say all this."""
    broker, client._sock = socket.socketpair()
    with broker, client._sock as listening:
        listening.settimeout(0)
        yield broker


@given(st.lists(MESSAGES | OTHERS, max_size=12), ENDS, st.lists(st.integers(0), max_size=6), st.integers(1, 5))
def test_it_hears_what_paho_hears(packets: list[bytes], end: bytes, cuts: list[int], most: int) -> None:
    pieces = pieces_of(b"".join([*packets, end]), cuts)
    assert read_lightly(pieces, "3.1.1", most) == read_by_paho(pieces, "3.1.1")


@given(
    st.lists(MESSAGES_OF_5 | OTHERS_OF_5, max_size=12), ENDS, st.lists(st.integers(0), max_size=6), st.integers(1, 5)
)
def test_it_hears_what_paho_hears_in_mqtt_5(packets: list[bytes], end: bytes, cuts: list[int], most: int) -> None:
    pieces = pieces_of(b"".join([*packets, end]), cuts)
    assert read_lightly(pieces, "5", most) == read_by_paho(pieces, "5")


@given(st.binary(max_size=300), st.lists(st.integers(0), max_size=4), st.sampled_from(["3.1.1", "5"]))
def test_a_stream_of_anything_ends_the_connection_or_is_waited_on(
    stream: bytes, cuts: list[int], protocol: str
) -> None:
    read_lightly(pieces_of(stream, cuts), protocol)
