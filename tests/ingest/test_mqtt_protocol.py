"""What a real broker does not show: who says what when, byte by byte, to a peer that keeps a record."""

from __future__ import annotations

import socket
import ssl
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

import pytest
from collecting import collecting, until
from requirement import program

from gruenpuls.domain.uplink import RawMessage
from ingest.journal import Journal
from ingest.mqtt import Broker, EndsOn, MqttCollector, Tls

CONNACK = b"\x20\x02\x01\x00"
GOODBYE = b"\xe0\x00"


def publish(identifier: int, payload: bytes = b"x", topic: bytes = b"t") -> bytes:
    body = struct.pack(">H", len(topic)) + topic + struct.pack(">H", identifier) + payload
    assert len(body) < 128
    return bytes([0x32, len(body)]) + body


def puback(identifier: int) -> bytes:
    return b"\x40\x02" + struct.pack(">H", identifier)


def suback(subscribe: bytes) -> bytes:
    return b"\x90\x03" + subscribe[2:4] + b"\x01"


class Peer:
    """Plays a broker, one connection after the other, as scripts say."""

    def __init__(
        self,
        *scripts: Callable[[socket.socket], None],
        context: ssl.SSLContext | None = None,
        receive_buffer: int | None = None,
    ) -> None:
        self._scripts = scripts
        self._context = context
        self._server = socket.create_server(("127.0.0.1", 0))
        if receive_buffer:
            self._server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.error: Exception | None = None
        self.port: int = self._server.getsockname()[1]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(60)
        self._server.close()
        if self.error:
            raise self.error

    def _serve(self) -> None:
        try:
            for script in self._scripts:
                connection, _ = self._server.accept()
                connection.settimeout(30)
                if self._context:
                    connection = self._context.wrap_socket(connection, server_side=True)
                with connection:
                    connection.recv(1000)
                    script(connection)
        except Exception as error:  # noqa: BLE001 - for the test to look at
            self.error = error


def received(connection: socket.socket, length: int) -> bytes:
    """Return so many bytes, or what came before the end."""
    found = b""
    while len(found) < length and (more := connection.recv(length - len(found))):
        found += more
    return found


def collector(
    port: int, *, tls: Tls | None = None, most_unacknowledged: int = 20_000, watch_drops: bool = False
) -> MqttCollector:
    return MqttCollector(
        "mqtt",
        Broker("127.0.0.1", port, tls=tls),
        ["t"],
        most_unacknowledged=most_unacknowledged,
        first_wait=0.1 if watch_drops else 60,
        watch_drops=watch_drops,
        ends_on=EndsOn.ANYTHING,
    )


class SlowJournal(Journal):
    """A journal whose commits take long enough for several bursts to wait."""

    def append(self, messages: Sequence[RawMessage]) -> range:
        time.sleep(0.05)
        return super().append(messages)


def test_acknowledgements_go_out_in_the_order_of_receipt(tmp_path: Path) -> None:
    identifiers = [(number * 7919) % 60_000 + 1 for number in range(5000)]
    answers: list[bytes] = []

    def script(connection: socket.socket) -> None:
        connection.sendall(CONNACK)
        connection.sendall(suback(connection.recv(1000)))
        for start in range(0, len(identifiers), 100):
            connection.sendall(b"".join(map(publish, identifiers[start : start + 100])))
            time.sleep(0.005)
        answers.append(received(connection, 4 * len(identifiers)))

    with SlowJournal(tmp_path) as journal, Peer(script) as peer, collecting(collector(peer.port), journal):
        until(lambda: answers)
    assert answers[0] == b"".join(map(puback, identifiers))


def test_the_last_words_arrive_at_a_slow_broker_although_much_was_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The broker is slower still where others keep the machine busy.
    monkeypatch.setattr("ingest.mqtt_connection._GOODBYE_SECONDS", 20.0)
    count = 20_000
    heard: list[bytes] = []
    stopping = threading.Event()

    def script(connection: socket.socket) -> None:
        connection.sendall(CONNACK)
        connection.sendall(suback(connection.recv(1000)))
        connection.sendall(b"".join(publish(identifier) for identifier in range(1, count + 1)))
        stopping.wait(60)
        connection.sendall(b"".join(publish(identifier) for identifier in range(1, 1001)))
        time.sleep(0.7)
        heard.append(received(connection, 1 << 20))

    with (
        Journal(tmp_path) as journal,
        Peer(script, receive_buffer=4096) as peer,
        collecting(collector(peer.port, most_unacknowledged=count + 1), journal) as running,
    ):
        until(lambda: running.health.acknowledged == count)
        stopping.set()
    assert heard[0].endswith(GOODBYE)
    assert len(heard[0]) >= 4 * count


def test_a_message_behind_another_packet_in_one_tls_record_is_not_left_lying(tmp_path: Path) -> None:
    openssl = program("openssl", "openssl")
    subject = ["-subj", "/CN=peer", "-addext", "subjectAltName=IP:127.0.0.1"]
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "key.pem", "-out", "crt.pem"]
    subprocess.run([openssl, "req", "-x509", *key, *subject], cwd=tmp_path, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "crt.pem", tmp_path / "key.pem")
    answers: list[bytes] = []

    def script(connection: socket.socket) -> None:
        connection.sendall(CONNACK)
        connection.sendall(suback(connection.recv(1000)) + publish(7))
        answers.append(received(connection, 4))

    with (
        Journal(tmp_path / "journal") as journal,
        Peer(script, context=context) as peer,
        collecting(collector(peer.port, tls=Tls(tmp_path / "crt.pem")), journal),
    ):
        until(lambda: answers)
    assert answers == [puback(7)]


def test_a_partial_packet_is_waited_for(tmp_path: Path) -> None:
    answers: list[bytes] = []

    def script(connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(CONNACK)
        stream = suback(connection.recv(1000)) + publish(3, b"first") + publish(4, b"second")
        for place in range(len(stream)):
            connection.sendall(stream[place : place + 1])
            time.sleep(0.002)
        answers.append(received(connection, 8))

    with Journal(tmp_path) as journal, Peer(script) as peer:
        with collecting(collector(peer.port), journal):
            until(lambda: answers)
        assert [entry.message.payload for entry in journal.read(0, 10)] == [b"first", b"second"]
    assert answers == [puback(3) + puback(4)]


@pytest.mark.parametrize("topic", [b"\xff\xfe", b"\xc3", "Straßenbaum/ü".encode()])
def test_a_topic_of_any_bytes_is_journalled_and_acknowledged(tmp_path: Path, topic: bytes) -> None:
    answers: list[bytes] = []

    def script(connection: socket.socket) -> None:
        connection.sendall(CONNACK)
        connection.sendall(suback(connection.recv(1000)) + publish(9, topic=topic))
        answers.append(received(connection, 4))

    with Journal(tmp_path) as journal, Peer(script) as peer:
        with collecting(collector(peer.port), journal):
            until(lambda: answers)
        (entry,) = journal.read(0, 10)
    assert entry.message.topic.encode("utf-8", "surrogateescape") == topic
    assert answers == [puback(9)]


def test_a_message_without_an_identifier_is_journalled_and_not_acknowledged(tmp_path: Path) -> None:
    answers: list[bytes] = []

    def script(connection: socket.socket) -> None:
        connection.sendall(CONNACK)
        connection.sendall(suback(connection.recv(1000)) + b"\x30\x04\x00\x01tx" + publish(5))
        answers.append(received(connection, 4))

    with Journal(tmp_path) as journal, Peer(script) as peer:
        with collecting(collector(peer.port), journal) as running:
            until(lambda: answers)
        assert journal.end == 2
        assert (running.health.journalled, running.health.acknowledged) == (2, 1)
    assert answers == [puback(5)]


def test_a_broker_that_ends_a_connection_over_a_question_is_not_asked_again(tmp_path: Path) -> None:
    answers: list[bytes] = []

    def offended(connection: socket.socket) -> None:
        connection.sendall(CONNACK)
        while b"$SYS" not in connection.recv(1000):
            pass

    def content(connection: socket.socket) -> None:
        connection.sendall(CONNACK)
        asked = connection.recv(1000)
        assert b"$SYS" not in asked
        connection.sendall(suback(asked) + publish(5))
        answers.append(received(connection, 4))

    with (
        Journal(tmp_path) as journal,
        Peer(offended, content) as peer,
        collecting(collector(peer.port, watch_drops=True), journal),
    ):
        until(lambda: answers)
    assert answers == [puback(5)]
