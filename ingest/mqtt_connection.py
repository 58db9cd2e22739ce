"""One connection to an MQTT broker: what it takes to open it, and what both sides say on it.

paho-mqtt does the protocol. What it spends most time on passes it by: messages are taken in by the hundred
(`ingest.mqtt_client`), acknowledgements of a whole commit go out in one write, and so does the goodbye.
"""

from __future__ import annotations

import socket
import ssl
import struct
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from paho.mqtt.client import Client, ConnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from gruenpuls.domain.errors import ConfigurationError, UnavailableError
from gruenpuls.domain.uplink import RawMessage
from ingest.mqtt_broker import Broker, RefusedError
from ingest.mqtt_client import MESSAGE_BYTES, LightClient, Messages

DROPPED_TOPIC = "$SYS/broker/publish/messages/dropped"
"""Where mosquitto and its relatives say how many messages they threw away."""

_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 10.0
_GOODBYE_SECONDS = 2.0
_PUBACK = 0x40020000
_PING = b"\xc0\x00"
_GOODBYE = b"\xe0\x00"
_GRANTED_AS_ASKED = 1
_RECEIVE_MAXIMUM = 60_000
_REFUSALS = {
    "Unsupported protocol version": "set the protocol the broker speaks",
    "Client identifier not valid": "choose another client_id",
    "Bad user name or password": "check username and password",
    "Not authorized": "check username and password, and what the broker allows them",
    "Banned": "ask who runs the broker",
    "Bad authentication method": "check username and password",
}


@dataclass(frozen=True, slots=True)
class Burst:
    """What was received in one go.

    Parameters
    ----------
    received_at : datetime
        Aware UTC.
    messages : list of RawMessage
    identifiers : list of int
        Packet identifiers to acknowledge, in the order received; QoS 0 messages have none.
    size : int
        About how much memory the messages take [bytes].
    """

    received_at: datetime
    messages: list[RawMessage]
    identifiers: list[int]
    size: int


class Connection:
    """One connection, from the first packet to the last; for one thread.

    Parameters
    ----------
    source : str
        Name of the source, for messages and errors.
    broker : Broker
    context : ssl.SSLContext or None
        Unencrypted if None.
    """

    def __init__(self, source: str, broker: Broker, context: ssl.SSLContext | None) -> None:
        self.accepted = False
        self.ended: str | None = None
        self.granted: set[str] = set()
        self.queue_kept = False
        self.dropped_by_broker: int | None = None
        self._drops_asked: int | None = None
        self._source = source
        self._broker = broker
        self._refusal: ReasonCode | None = None
        self._asked: dict[int | None, Sequence[str]] = {}
        self._not_granted: dict[str, str] = {}
        self._received = Messages()
        self._unsent = bytearray()
        self._opened_at = self._pinged_at = time.monotonic()
        self._client = self._made_client(context)

    @property
    def where(self) -> str:
        """Source and address, for people."""
        return f"source {self._source}, {self._broker.address}"

    def open(self) -> None:
        """Reach the broker and introduce ourselves; its answer comes while reading.

        Raises
        ------
        UnavailableError
            If it cannot be reached; `RefusedError` if its certificate is not trusted.
        """
        broker = self._broker
        try:
            if broker.protocol == "5":
                properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call] # paho says nothing
                properties.SessionExpiryInterval = broker.session_expiry
                properties.ReceiveMaximum = _RECEIVE_MAXIMUM
                self._client.connect(
                    broker.host, broker.port, broker.keepalive, clean_start=False, properties=properties
                )
            else:
                self._client.connect(broker.host, broker.port, broker.keepalive)
        except ssl.SSLCertVerificationError as error:
            raise RefusedError(
                what=f"the broker's certificate is not trusted: {error.verify_message}",
                where=self.where,
                remedy="check ca_file, and that the host is named as in the certificate",
            ) from error
        except OSError as error:
            raise UnavailableError(
                what=f"the broker cannot be reached: {error.strerror or error}",
                where=self.where,
                remedy="check that it runs, and host and port",
            ) from error
        self._opened_at = self._pinged_at = time.monotonic()

    def lost_queue(self) -> UnavailableError:
        """Return what is to be said where the broker should have kept a queue for us, and has not."""
        return UnavailableError(
            what="the broker has kept no queue for us: what came while we were away is lost where no gap is closed",
            where=self.where,
            remedy="see that it keeps sessions over a restart, and that nobody changes client_id",
        )

    def fileno(self) -> int:
        """Return the socket's number, for polling."""
        sock = self._client.socket()
        return -1 if sock is None else sock.fileno()

    @property
    def wants_write(self) -> bool:
        """Whether something waits for the socket to take it."""
        return bool(self._unsent) or self._client.want_write()

    @property
    def holds_input(self) -> bool:
        """Whether there is input that polling the socket does not show: read ahead, or held by TLS."""
        sock = self._client.socket()
        return self._client.holds_input or (isinstance(sock, ssl.SSLSocket) and sock.pending() > 0)

    def subscribe(self, topics: Sequence[str], *, watch_drops: bool) -> None:
        """Ask for topics at QoS 1, and for the broker's own word on what it drops.

        Raises
        ------
        ConfigurationError
            If a topic is no topic filter.
        """
        try:
            _, identifier = self._client.subscribe([(topic, 1) for topic in topics])
        except ValueError as error:
            raise ConfigurationError(
                what=f"not a topic filter: {', '.join(map(repr, topics))}",
                where=self.where,
                remedy="'+' stands for one whole level, '#' for all that follow, at the end only",
            ) from error
        self._asked[identifier] = topics
        if watch_drops:
            _, self._drops_asked = self._client.subscribe(DROPPED_TOPIC, 0)

    @property
    def ended_over_drops(self) -> bool:
        """Whether it ended before the broker answered the question for what it drops."""
        return self.ended is not None and self._drops_asked is not None

    def read(self, received_at: datetime, most_messages: int, most_bytes: int) -> Burst:
        """Return what has come, until there is no more or it is enough; `ended` tells whether it was the last."""
        self._received = received = Messages()
        try:
            while len(received.topics) < most_messages and received.size < most_bytes:
                before = len(received.topics)
                if self._client.read(received, most_messages, most_bytes):
                    self.ended = self.ended or "it sent what is not MQTT"
                    break
                if len(received.topics) == before:
                    break
        except (struct.error, ValueError, LookupError, TypeError, AttributeError) as error:
            self.ended = f"it sent what is not MQTT ({error})"
        messages = [
            RawMessage(self._source, topic.decode("utf-8", "surrogateescape"), received_at, payload)
            for topic, payload in zip(received.topics, received.payloads, strict=True)
        ]
        return Burst(received_at, messages, received.identifiers, received.size)

    def acknowledge(self, identifiers: Sequence[int]) -> None:
        """Say that these are safe, in this order; `flush` sends it."""
        # What client.ack() would send, packet by packet and write by write.
        self._unsent += struct.pack(f">{len(identifiers)}I", *[_PUBACK | identifier for identifier in identifiers])

    def flush(self) -> None:
        """Send what can be sent without waiting."""
        sock = self._client.socket()
        try:
            if self._client.want_write():
                self._client.loop_write()
            # Not into the middle of a packet of paho's.
            while sock and self._unsent and not self._client.want_write():
                del self._unsent[: sock.send(self._unsent)]
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        except OSError as error:
            self.ended = error.strerror or str(error)

    def keep_alive(self, *, reading: bool) -> None:
        """Make sure of the other side; without reading, only it of us."""
        if self._unsent:
            return
        if reading:
            self._client.loop_misc()
        elif time.monotonic() - self._pinged_at >= self._broker.keepalive / 2:
            # paho would take the answer nobody reads for a dead broker.
            self._pinged_at = time.monotonic()
            self._unsent += _PING
            self.flush()

    def failure(self) -> UnavailableError | None:
        """Return why this connection is no good; None while it is."""
        if self._refusal is not None:
            reason = str(self._refusal)
            kind = RefusedError if reason in _REFUSALS else UnavailableError
            remedy = _REFUSALS.get(reason, "wait, or ask who runs the broker")
            return kind(what=f"the broker refuses: {reason}", where=self.where, remedy=remedy)
        if self.accepted and self.ended is not None:
            return UnavailableError(
                what=f"the connection was lost: {self.ended}",
                where=self.where,
                remedy=f"if this repeats, see that nobody else uses the client_id {self._broker.client_id!r}",
            )
        if self.ended is None and (self.accepted or time.monotonic() - self._opened_at < _ANSWER_SECONDS):
            return None
        return UnavailableError(
            what=f"it does not answer like an MQTT broker: {self.ended or 'silence'}",
            where=self.where,
            remedy="check the port, whether it wants TLS, and whether it wants a client certificate",
        )

    def refused_topics(self) -> RefusedError | None:
        """Return, once, which topics the broker does not grant as asked."""
        if not self._not_granted:
            return None
        reasons = "; ".join(f"{topic}: {reason}" for topic, reason in self._not_granted.items())
        self._not_granted = {}
        return RefusedError(
            what=f"the broker does not grant the subscription at QoS 1: {reasons}",
            where=self.where,
            remedy="check the topic, and what the broker allows this user",
        )

    def close(self) -> None:
        """Say goodbye where there is somebody, so that what was acknowledged arrives."""
        sock = cast("socket.socket | None", self._client.socket())
        if sock is None:
            return
        with suppress(OSError):
            if self.accepted and self.ended is None:
                self._client.loop_write()
                sock.settimeout(_GOODBYE_SECONDS)
                sock.sendall(self._unsent + _GOODBYE)
                sock.shutdown(socket.SHUT_WR)
                # Closed with unread input, the socket would take back what is still under way.
                until = time.monotonic() + _GOODBYE_SECONDS
                while sock.recv(1 << 16) and time.monotonic() < until:
                    pass
        sock.close()

    def _made_client(self, context: ssl.SSLContext | None) -> LightClient:
        broker = self._broker
        client = LightClient(
            CallbackAPIVersion.VERSION2,
            broker.client_id,
            clean_session=None if broker.protocol == "5" else False,
            protocol=MQTTProtocolVersion.MQTTv5 if broker.protocol == "5" else MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.connect_timeout = _CONNECT_SECONDS
        if broker.username is not None:
            client.username_pw_set(broker.username, broker.password)
        if context:
            client.tls_set_context(context)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        return client

    def _on_connect(
        self, _client: Client, _data: object, flags: ConnectFlags, reason: ReasonCode, _more: object
    ) -> None:
        if reason.is_failure:
            self._refusal = reason
        else:
            self.accepted = True
            self.queue_kept = flags.session_present

    def _on_subscribe(
        self, _client: Client, _data: object, identifier: int, reasons: Sequence[ReasonCode], _more: object
    ) -> None:
        if identifier == self._drops_asked:
            self._drops_asked = None
        for topic, reason in zip(self._asked.pop(identifier, ()), reasons, strict=False):
            if reason.value == _GRANTED_AS_ASKED:
                self.granted.add(topic)
            else:
                self._not_granted[topic] = str(reason)

    def _on_disconnect(self, _client: Client, _data: object, _flags: object, reason: ReasonCode, _more: object) -> None:
        # paho's word for a connection that broke off.
        self.ended = self.ended or ("it broke off" if str(reason) == "Unspecified error" else str(reason))

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        # Through paho come long messages, the broker's word on itself, and what nobody asked for at QoS 2.
        topic, payload = message._topic, bytes(message.payload)  # noqa: SLF001 - `topic` raises for bytes that are no text
        received = self._received
        if message.qos:
            received.identifiers.append(message.mid)
        elif topic == DROPPED_TOPIC.encode():
            with suppress(ValueError):
                self.dropped_by_broker = int(payload)
            return
        received.topics.append(topic)
        received.payloads.append(payload)
        received.size += len(topic) + len(payload) + MESSAGE_BYTES
