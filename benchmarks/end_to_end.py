"""How fast uplinks get from mosquitto into a store that can be asked, and what SIGKILL costs on the way.

Run with ``python benchmarks/end_to_end.py``. Side by side, taking turns, medians count:

* *paho*: bare paho with manual acknowledgement, keeping nothing: what reading alone costs.
* *naive*: what everybody writes: paho, json and influxdb-client's batching writer, into VictoriaMetrics.
* *careful*: the same with one synchronous write for each message, acknowledged afterwards.
* *gruenpuls*: collector and decoder as they ship; acknowledged after fsync, decoded, judged and stored.

*drain*: a queue that piled up while nobody listened. *live*: a publisher as fast as the broker lets it. The
last part kills each at a random moment of a steady stream, starts it again, and counts what is missing.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from chaos.fleet import CLIENT, TOPIC, City, is_noise, leave_session, message, truth  # noqa: E402 - the path comes first
from influx import VictoriaMetrics  # noqa: E402 - the path comes first
from mosquitto import Mosquitto  # noqa: E402 - the path comes first

from gruenpuls.simulation.publish import Publisher  # noqa: E402 - the path comes first

MOST = 30_000
WARM_UP = 100
STREAM_RATE = 300
PATIENCE = 240.0


@dataclass(frozen=True)
class Result:
    """One run: rate [1/s], processor time [µs per message] and resident memory [MB] of the process tree."""

    rate: float
    processor: float
    memory: float


def listen_with_paho(port: int, _database: str) -> None:
    """Acknowledge messages and keep only their count, in standard output."""
    client = _subscriber()
    count = 0

    def on_message(client: Client, _: object, message: MQTTMessage) -> None:
        nonlocal count
        client.ack(message.mid, message.qos)
        count += 1
        if count % 50 == 0:
            print(count, flush=True)

    client.on_message = on_message
    client.connect("127.0.0.1", port)
    client.loop_forever()


def listen_naively(port: int, database: str) -> None:
    """Write points as they come, in batches in the background; paho acknowledges by itself."""
    from influxdb_client import InfluxDBClient, WriteOptions  # noqa: PLC0415 - only this contender needs it

    client = _subscriber(manual_ack=False)
    store = InfluxDBClient(database, token="none", org="none").write_api(WriteOptions(batch_size=1000))
    client.on_message = lambda _client, _data, message: store.write("bench", record=_point(message))
    client.connect("127.0.0.1", port)
    client.loop_forever()


def listen_carefully(port: int, database: str) -> None:
    """Write each point, and acknowledge its message afterwards."""
    from influxdb_client import InfluxDBClient  # noqa: PLC0415 - only this contender needs it
    from influxdb_client.client.write_api import SYNCHRONOUS  # noqa: PLC0415 - the same

    client = _subscriber()
    store = InfluxDBClient(database, token="none", org="none").write_api(SYNCHRONOUS)

    def on_message(client: Client, _: object, message: MQTTMessage) -> None:
        store.write("bench", record=_point(message))
        client.ack(message.mid, message.qos)

    client.on_message = on_message
    client.connect("127.0.0.1", port)
    client.loop_forever()


def _subscriber(*, manual_ack: bool = True) -> Client:
    client = Client(CallbackAPIVersion.VERSION2, CLIENT, clean_session=False, manual_ack=manual_ack)
    client.on_connect = lambda client, *_: client.subscribe(TOPIC, 1)
    return client


def _point(received: MQTTMessage) -> object:
    """Return the point of a ChirpStack, The Things Stack or Helium message; None for what is none of them."""
    import base64  # noqa: PLC0415 - the contender's own imports
    from datetime import UTC, datetime  # noqa: PLC0415 - the same

    from influxdb_client import Point  # noqa: PLC0415 - the same

    try:
        body = json.loads(received.payload)
    except ValueError:
        return []
    if "deviceInfo" in body:
        device, data, at = body["deviceInfo"]["devEui"], body["data"], body["rxInfo"][0]["gwTime"]
    elif "uplink_message" in body:
        inner = body["uplink_message"]
        device, data, at = body["end_device_ids"]["dev_eui"], inner["frm_payload"], inner["rx_metadata"][0]["time"]
    else:
        device, data, at = body["dev_eui"], body["payload"], datetime.fromtimestamp(body["reported_at"] / 1000, UTC)
    frame = base64.b64decode(data)
    point = Point("probe").tag("device", device.lower()).time(at)
    return point.field("t", int.from_bytes(frame[:2], "big", signed=True) / 10).field("h", float(frame[2]))


SCRIPTS: dict[str, Callable[[int, str], None]] = {
    "paho": listen_with_paho,
    "naive": listen_naively,
    "careful": listen_carefully,
}
CONTENDERS = [*SCRIPTS, "gruenpuls"]


class Contender:
    """One of those measured, with what it needs, to start, kill, start again and ask what it has stored."""

    def __init__(self, name: str, directory: Path, broker: Mosquitto, needs: ExitStack) -> None:
        self._name = name
        self._directory = directory
        self._broker = broker
        self._processes: list[subprocess.Popen[bytes]] = []
        self._city: City | None = None
        self._database: VictoriaMetrics | None = None
        if name == "gruenpuls":
            self._city = needs.enter_context(City(directory / "city", broker.port))
        elif name != "paho":
            self._database = needs.enter_context(VictoriaMetrics(directory))

    def start(self) -> None:
        """Start its processes."""
        if self._city:
            commands = [["-m", "gruenpuls", name] for name in ("collect", "work")]
        else:
            url = self._database.url if self._database else "-"
            commands = [[__file__, "--listen", self._name, str(self._broker.port), url]]
        log = (self._directory / "log").open("ab")
        clean = {name: value for name, value in os.environ.items() if not name.startswith("GRUENPULS_")}
        self._processes = [
            subprocess.Popen(
                [sys.executable, *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._city.directory if self._city else None,
                env=clean | {"PYTHONPATH": str(ROOT)},
            )
            for command in commands
        ]
        log.close()

    def kill(self) -> None:
        """End them without a chance to keep anything."""
        for process in self._processes:
            process.send_signal(signal.SIGKILL)
            process.wait()
        self._processes = []

    def signal(self, number: signal.Signals) -> None:
        """Send all its processes a signal."""
        for process in self._processes:
            process.send_signal(number)

    def await_stored(self, messages: int) -> float:
        """Wait until it has dealt with so many messages; return the most memory it held meanwhile [MB]."""
        until, memory = time.monotonic() + PATIENCE, 0.0
        while (done := self.stored()) < messages:
            if time.monotonic() > until:
                sys.exit(f"{self._name} stored {done} of {messages} in {PATIENCE:.0f} s")
            time.sleep(0.1)
            memory = max(memory, self.usage()[1])
        return max(memory, self.usage()[1])

    def stored(self) -> int:
        """Return how many messages it has dealt with: counted, stored, or worked off."""
        if self._city:
            return self._city.worked_off().total
        if self._database:
            return self.points()
        lines = (self._directory / "log").read_text("utf-8").split() if (self._directory / "log").exists() else []
        return int(lines[-1]) if lines else 0

    def points(self) -> int:
        """Return how many temperatures the store holds."""
        if self._city:
            return sum(quantity == "soil_temperature" for _, quantity, _ in self._city.content())
        assert self._database
        urllib.request.urlopen(f"{self._database.url}/internal/force_flush", timeout=30).close()
        query = urllib.parse.urlencode({"query": "sum(count_over_time(probe_t[10y]))", "time": "2027-01-01T00:00:00Z"})
        with urllib.request.urlopen(f"{self._database.url}/api/v1/query?{query}", timeout=30) as response:
            found = json.load(response)["data"]["result"]
        return int(found[0]["value"][1]) if found else 0

    def usage(self) -> tuple[float, float]:
        """Return processor time [s] and resident memory [MB] of its processes and their children so far."""
        ticks = pages = 0
        for pid in _with_children([process.pid for process in self._processes]):
            try:
                fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
            except OSError:
                continue
            ticks += int(fields[11]) + int(fields[12])
            pages += int(fields[21])
        return ticks / os.sysconf("SC_CLK_TCK"), pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _with_children(parents: list[int]) -> list[int]:
    found = list(parents)
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((directory / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent in found:
            found.append(int(directory.name))
    return found


@contextmanager
def contender(name: str) -> Iterator[tuple[Contender, Mosquitto]]:
    """Yield a contender, not started, and its broker, which already keeps messages for it."""
    with tempfile.TemporaryDirectory() as directory, ExitStack() as needs:
        broker = needs.enter_context(Mosquitto(Path(directory)))
        one = Contender(name, Path(directory), broker, needs)
        leave_session(broker.port)
        try:
            yield one, broker
        finally:
            one.kill()


def publish(port: int, numbers: range, rate: float | None = None) -> None:
    """Publish uplinks of the fleet; as fast as the broker takes them if no rate is given [1/s]."""
    started = time.monotonic()
    with Publisher("127.0.0.1", port, window=2000) as publisher:
        for place, number in enumerate(numbers):
            publisher.publish(*message(number))
            if rate and place % 20 == 0:
                time.sleep(max(0.0, started + place / rate - time.monotonic()))
        assert publisher.drain(PATIENCE)


def run(name: str, case: str, count: int) -> Result:
    """Measure one contender on a broker of its own, once it has stored some first messages."""
    total = WARM_UP + count
    with contender(name) as (one, broker):
        one.start()
        publish(broker.port, range(WARM_UP))
        one.await_stored(readable(name, WARM_UP))
        if case == "drain":
            # Connected and warm, but not reading: the broker queues.
            one.signal(signal.SIGSTOP)
            publish(broker.port, range(WARM_UP, total))
            one.signal(signal.SIGCONT)
        busy = one.usage()[0]
        started = time.perf_counter()
        publishing = threading.Thread(target=publish, args=(broker.port, range(WARM_UP, total)))
        if case == "live":
            publishing.start()
        memory = one.await_stored(readable(name, total))
        wall, processor = time.perf_counter() - started, one.usage()[0] - busy
        if case == "live":
            publishing.join()
    return Result(count / wall, processor / count * 1e6, memory)


def readable(name: str, count: int) -> int:
    """Return how many messages of the fleet a contender deals with: scripts store only what they can read."""
    return count if name in {"gruenpuls", "paho"} else sum(not is_noise(number) for number in range(count))


def losses(name: str, kills: int, seconds: float) -> tuple[int, int]:
    """Kill a contender at random moments of a steady stream; return how many temperatures should be there, and are."""
    chance = random.Random(20261122)
    count = int(kills * seconds * STREAM_RATE)
    with contender(name) as (one, broker):
        publishing = threading.Thread(target=publish, args=(broker.port, range(count), STREAM_RATE))
        one.start()
        publishing.start()
        for _ in range(kills):
            time.sleep(chance.uniform(0.3, 1) * seconds)
            one.kill()
            one.start()
        publishing.join()
        still, before = 0, -1
        while still < 10:
            time.sleep(0.5)
            still, before = (still + 1, before) if one.stored() == before else (0, one.stored())
        # A sensor nobody registered is a dead letter to Grünpuls, and a point to a script.
        expected = len(truth(range(count))) // 4 if name == "gruenpuls" else readable(name, count)
        return expected, one.points()


def calibration() -> float:
    """Return how long a fixed piece of work takes on this machine now [ms]."""
    started = time.perf_counter()
    total = 0
    for number in range(1_000_000):
        total += number & 7
    return (time.perf_counter() - started) * 1000


def main() -> None:
    """Measure, or be one of the measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=20_000, help=f"in each run, at most {MOST}")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--kills", type=int, default=3, help="of each contender; 0 leaves this part out")
    parser.add_argument("--cases", nargs="*", default=["drain", "live"], choices=["drain", "live"])
    parser.add_argument("--only", nargs="+", default=CONTENDERS, choices=CONTENDERS)
    parser.add_argument("--listen", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.listen:
        name, port, database = arguments.listen
        SCRIPTS[name](int(port), database)
        return
    count = min(arguments.messages, MOST) // WARM_UP * WARM_UP
    print(f"{count} messages of {len(message(0)[1])} B, medians of {arguments.repeats}")
    for case in arguments.cases:
        results: dict[str, list[Result]] = {name: [] for name in arguments.only}
        for _ in range(arguments.repeats):
            print(f"  load {os.getloadavg()[0]:.1f}, calibration {calibration():.0f} ms", end="", flush=True)
            for name, found in results.items():
                found.append(run(name, case, count))
                print(f"; {name} {found[-1].rate:,.0f}/s", end="", flush=True)
            print()
        for name, found in results.items():
            rate, processor, memory = (
                statistics.median(getattr(one, figure) for one in found) for figure in ("rate", "processor", "memory")
            )
            print(f"{case:6} {name:10} {rate:9,.0f} messages/s {processor:8,.0f} µs processor time {memory:6,.0f} MB")
    for name in arguments.only if arguments.kills else ():
        if name != "paho":
            expected, found_points = losses(name, arguments.kills, 4)
            print(f"kill -9 {name:10} {arguments.kills} times: {expected - found_points} of {expected} missing")


if __name__ == "__main__":
    main()
