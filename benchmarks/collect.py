"""How fast uplinks get from mosquitto into the journal, beside bare paho that keeps nothing.

Run with ``python benchmarks/collect.py``. All acknowledge by hand at QoS 1 from a persistent session; the
collector does so only after the journal's fsync. *two* are two sources of one collecting process that share a
subscription (``$share/…``). *drain*: a queue that piled up while nobody listened.
*live*: a publisher that goes as fast as the broker lets it. Each contender is a process of its own, they
take turns, and the medians count; use the ratios, since the figures depend on the machine and its load.
"""

from __future__ import annotations

import argparse
import base64
import json
import random
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from machine import busyness  # noqa: E402 - the path comes first
from mosquitto import Mosquitto  # noqa: E402 - the path comes first

from ingest.collect import CollectHealth, Intake, collect  # noqa: E402 - the path comes first
from ingest.journal import Journal  # noqa: E402 - the path comes first
from ingest.mqtt import Broker, MqttCollector  # noqa: E402 - the path comes first
from ingest.mqtt_connection import Burst, Connection  # noqa: E402 - the path comes first

MOST = 60_000
TOPIC = "application/+/device/+/event/up"
CLIENT = "benchmark"
SHARED = f"$share/benchmark/{TOPIC}"
WINDOW = 2_000


@dataclass(frozen=True)
class Result:
    """One contender's run: rate [1/s] and processor time of its process [µs per message]."""

    rate: float
    processor: float


def uplink(number: int, noise: random.Random) -> tuple[str, bytes]:
    """Return topic and payload of a made-up ChirpStack v4 uplink, about 1 kB."""
    device = f"{number % 5000:016x}"
    body = {
        "deduplicationId": f"{noise.getrandbits(128):032x}",
        "time": f"2026-11-22T10:{number // 60 % 60:02d}:{number % 60:02d}.{noise.randrange(10**6):06d}+00:00",
        "deviceInfo": {
            "tenantId": "52f14cd4-c6f1-4fbd-8f87-4025e1d49242",
            "tenantName": "Stadtgrün",
            "applicationId": "17c82e96-be03-4f38-aef3-f83d48582d97",
            "applicationName": "Straßenbäume",
            "deviceProfileId": "14855bf7-d10d-4aee-b618-ebfcb64dc7ad",
            "deviceProfileName": "Saugspannung",
            "deviceName": f"Baum {number % 5000}",
            "devEui": device,
        },
        "devAddr": f"{noise.getrandbits(32):08x}",
        "dr": 5,
        "fCnt": number,
        "fPort": 1,
        "data": base64.b64encode(noise.randbytes(22)).decode(),
        "object": {"tension": noise.randrange(10_000) / 100, "temperature": noise.randrange(400) / 10},
        "rxInfo": [
            {
                "gatewayId": f"0016c001f156{noise.randrange(40):04x}",
                "uplinkId": noise.getrandbits(32),
                "rssi": -noise.randrange(120),
                "snr": noise.randrange(100) / 10,
                "channel": noise.randrange(8),
                "context": base64.b64encode(noise.randbytes(4)).decode(),
                "metadata": {"region_config_id": "eu868", "region_common_name": "EU868"},
                "crcStatus": "CRC_OK",
            }
        ],
        "txInfo": {"frequency": 868_500_000, "modulation": {"lora": {"bandwidth": 125_000, "spreadingFactor": 7}}},
    }
    return f"application/17c82e96-be03-4f38-aef3-f83d48582d97/device/{device}/event/up", json.dumps(body).encode()


def publish(port: int, count: int) -> None:
    """Publish uplinks at QoS 1 as fast as the broker acknowledges them."""
    noise = random.Random(1)
    packets = []
    for number in range(count):
        topic, payload = uplink(number, noise)
        body = struct.pack(">H", len(topic)) + topic.encode() + struct.pack(">H", number % 65_000 + 1) + payload
        packets.append(b"\x32" + variable_length(len(body)) + body)
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"\x10\x15\x00\x04MQTT\x04\x02\x00\x3c\x00\x09publisher")
        connection.recv(4)
        sent = acknowledged = 0
        while acknowledged < 4 * count:
            room = min(count, acknowledged // 4 + WINDOW)
            if sent < room:
                connection.sendall(b"".join(packets[sent : min(room, sent + 200)]))
                sent = min(room, sent + 200)
            connection.settimeout(None if sent == room else 0)
            with suppress(BlockingIOError):
                acknowledged += len(connection.recv(1 << 16))
            connection.settimeout(None)
        connection.sendall(b"\xe0\x00")


def variable_length(length: int) -> bytes:
    """Return a length as MQTT writes it."""
    out = bytearray()
    while True:
        length, digit = divmod(length, 128)
        out.append(digit | (0x80 if length else 0))
        if not length:
            return bytes(out)


def listen_with_paho(port: int, count: int) -> None:
    """Acknowledge `count` messages with bare paho, keeping nothing."""
    client = Client(CallbackAPIVersion.VERSION2, CLIENT, clean_session=False, manual_ack=True)
    timer = Timer(count)

    def on_connect(client: Client, *_: object) -> None:
        client.subscribe(TOPIC, 1)
        timer.ready()

    def on_message(client: Client, _: object, message: MQTTMessage) -> None:
        timer.begin()
        client.ack(message.mid, message.qos)
        if timer.count(1):
            client.disconnect()

    client.on_connect = on_connect
    client.on_message = on_message
    client.connect("127.0.0.1", port)
    client.loop_forever()
    timer.report()


class Timer:
    """Time from the first message to the last acknowledgement, wall and processor."""

    def __init__(self, count: int) -> None:
        self._left = self._count = count
        self._started: tuple[float, float] | None = None
        self._ended = (0.0, 0.0)
        self._turn = threading.Lock()

    def ready(self) -> None:
        """Tell the parent process that messages may come."""
        print("ready", flush=True)

    def begin(self) -> None:
        """Start, at the first message."""
        if self._started is None:
            self._started = time.perf_counter(), time.process_time()

    def count(self, messages: int) -> bool:
        """Return whether the last message has been acknowledged."""
        with self._turn:
            self._left -= messages
            if self._left <= 0 and not self._ended[0]:
                self._ended = time.perf_counter(), time.process_time()
            return self._left <= 0

    def report(self) -> None:
        """Tell the parent process rate and processor time."""
        assert self._started
        wall, processor = (end - start for end, start in zip(self._ended, self._started, strict=True))
        print(json.dumps({"rate": self._count / wall, "processor": processor / self._count * 1e6}), flush=True)


class TimedCollector(MqttCollector):
    """A collector that tells when it takes and acknowledges, which no callback does."""

    def __init__(self, session: tuple[str, str], port: int, timer: Timer, stop: threading.Event) -> None:
        client, topic = session
        super().__init__(client, Broker("127.0.0.1", port, client), [topic])
        self._timer = timer
        self._stop = stop

    def _take(self, connection: Connection, intake: Intake) -> Burst:
        burst = super()._take(connection, intake)
        if burst.messages:
            self._timer.begin()
        return burst

    def _settle(self, connection: Connection | None) -> None:
        before = self.health().acknowledged
        super()._settle(connection)
        if self._timer.count(self.health().acknowledged - before):
            self._stop.set()


def sessions(contender: str) -> list[tuple[str, str]]:
    """Return the client ids of a contender and the topic of each."""
    return [(f"{CLIENT}-{number}", SHARED) for number in (1, 2)] if contender == "two" else [(CLIENT, TOPIC)]


def listen_with_collector(port: int, count: int, contender: str = "collector") -> None:
    """Acknowledge `count` messages after they are in a journal."""
    stop = threading.Event()
    timer = Timer(count)
    told = False

    def on_health(health: CollectHealth) -> None:
        nonlocal told
        if not told and all(source.connected_since for source in health.sources):
            told = True
            timer.ready()

    with tempfile.TemporaryDirectory() as directory, Journal(Path(directory)) as journal:
        sources = [TimedCollector(session, port, timer, stop) for session in sessions(contender)]
        collect(sources, journal, stop, on_health, health_seconds=0.05)
        timer.report()
        assert journal.waiting(0) >= count


CONTENDERS: dict[str, Callable[[int, int], None]] = {
    "paho": listen_with_paho,
    "collector": listen_with_collector,
    "two": partial(listen_with_collector, contender="two"),
}


def run(contender: str, case: str, count: int) -> Result:
    """Measure one contender on a broker of its own."""
    me = [sys.executable, __file__]
    with tempfile.TemporaryDirectory() as directory, Mosquitto(Path(directory)) as broker:
        if case == "drain":
            for client, topic in sessions(contender):
                make_session(broker.port, client, topic)
            subprocess.run([*me, "--publish", str(broker.port), "--messages", str(count)], check=True)
        with subprocess.Popen(
            [*me, "--listen", contender, str(broker.port), "--messages", str(count)], stdout=subprocess.PIPE, text=True
        ) as listener:
            assert listener.stdout
            assert listener.stdout.readline() == "ready\n"
            if case == "live":
                time.sleep(0.3)
                subprocess.run([*me, "--publish", str(broker.port), "--messages", str(count)], check=True)
            return Result(**json.loads(listener.stdout.readline()))


def make_session(port: int, name: str, topic: str) -> None:
    """Leave a subscription at the broker, so that it queues."""
    client = Client(CallbackAPIVersion.VERSION2, name, clean_session=False)
    client.on_connect = lambda client, *_: client.subscribe(topic, 1)
    client.on_subscribe = lambda client, *_: client.disconnect()
    client.connect("127.0.0.1", port)
    client.loop_forever()


def main() -> None:
    """Measure, or be one of the measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=30_000, help=f"in each run, at most {MOST}")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--cases", nargs="+", default=["drain", "live"], choices=["drain", "live"])
    parser.add_argument("--publish", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--listen", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    count = min(arguments.messages, MOST)
    if arguments.publish:
        publish(arguments.publish, count)
        return
    if arguments.listen:
        CONTENDERS[arguments.listen[0]](int(arguments.listen[1]), count)
        return
    print(f"{count} messages of {len(uplink(0, random.Random(1))[1])} B, medians of {arguments.repeats}")
    for case in arguments.cases:
        results: dict[str, list[Result]] = {name: [] for name in CONTENDERS}
        for _ in range(arguments.repeats):
            print(f"  {busyness()}", end="")
            for name, found in results.items():
                found.append(run(name, case, count))
                print(f"; {name} {found[-1].rate:,.0f}/s {found[-1].processor:.0f} µs", end="", flush=True)
            print()
        rates = {name: statistics.median(result.rate for result in found) for name, found in results.items()}
        costs = {name: statistics.median(result.processor for result in found) for name, found in results.items()}
        for name in results:
            print(f"{case:6} {name:10} {rates[name]:9,.0f} messages/s {costs[name]:6.1f} µs processor time a message")
        for name in ("collector", "two"):
            print(f"{case:6} {name} / paho {rates[name] / rates['paho']:9.2f}")


if __name__ == "__main__":
    main()
