"""How fast uplinks get from mosquitto into a store that can be asked, and what SIGKILL costs on the way.

Run with ``python benchmarks/end_to_end.py``. Side by side, taking turns, medians count:

* *C*, *paho*: a bare subscriber in C and one with paho and manual acknowledgement, keeping nothing: what reading costs.
* *naive*: what everybody writes: paho, json and influxdb-client's batching writer, into VictoriaMetrics.
* *careful*: the same with one synchronous write for each message, acknowledged afterwards.
* *Node-RED*: mqtt in → json → function → influxdb out, into InfluxDB 1.6; installed from npm for the occasion.
* *gruenpuls*: collector and decoder as they ship; acknowledged after fsync, decoded, judged and stored. *two*: with two
  sources that share the subscription.

*drain*: a queue that piled up while nobody listened. *live*: a publisher as fast as the broker lets it. *kill*: each
is killed at random moments of a steady stream and started again; counted is what is missing. *backlog*: 24 hours of
5,000 sensors wait at the broker while Grünpuls does not run; the time is from its start to the last one stored.
Each has connected, dealt with some messages and come to rest before it is measured. It gets as many as take it some
seconds, fast ones 240,000 to drain and 60,000 live: of a drain of fewer the start would be a large part.
Processor time and memory are of a contender's processes and its database. Whom something lacks is named and left out.

Both sources of *two* are threads of the one collecting process, since a journal has one writer. They share what it can
read, which is several times what decoding can: so a second source makes a drain little faster, if at all.
"""

from __future__ import annotations

import argparse
import random
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields
from datetime import timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from chaos.fleet import BEGIN, eui, is_noise, leave_session, message, truth, values  # noqa: E402 - the path comes first
from contenders.contender import CONTENDERS, Contender, Gruenpuls, StuckError  # noqa: E402 - the path comes first
from decoding_bench import payload_of  # noqa: E402 - the path comes first
from machine import busyness  # noqa: E402 - the path comes first
from mosquitto import Mosquitto  # noqa: E402 - the path comes first

from gruenpuls.simulation.messages import chirpstack_v4, helium, things_stack_v3  # noqa: E402 - the path comes first
from gruenpuls.simulation.publish import Publisher  # noqa: E402 - the path comes first

WARM_UP = 100
STREAM_RATE = 300
KILL_SECONDS = 8.0
SILENT_SECONDS = 15.0
MOST_LIVE = 60_000
BACKLOG_SENSORS = 5_000
BACKLOG_UPLINKS = 480_000
PATIENCE = 300.0


@dataclass(frozen=True)
class Result:
    """One run: rate [1/s], processor time [µs per message] and most resident memory [MB]."""

    rate: float
    processor: float
    memory: float


@dataclass
class Lines:
    """Payloads in files, one a line, for a publisher that is not what is measured."""

    directory: Path

    def made(self, name: str, payloads: Iterable[bytes]) -> Path:
        """Write a file, and return where it is."""
        file = self.directory / name
        with file.open("wb") as lines:
            lines.writelines(payload + b"\n" for payload in payloads)
        return file


def publish(port: int, lines: Path) -> None:
    """Publish every line as fast as the broker takes them, and make sure that it has."""
    with lines.open("rb") as payloads, Publisher("127.0.0.1", port, window=2000) as publisher:
        for payload in payloads:
            publisher.publish("fleet/bench/up", payload.rstrip(b"\n"))
        assert publisher.drain(PATIENCE)


def stream(port: int, numbers: range) -> None:
    """Publish uplinks of the fleet evenly."""
    started = time.monotonic()
    with Publisher("127.0.0.1", port, window=2000) as publisher:
        for place, number in enumerate(numbers):
            publisher.publish(*message(number))
            if place % 20 == 0:
                time.sleep(max(0.0, started + place / STREAM_RATE - time.monotonic()))
        assert publisher.drain(PATIENCE)


@contextmanager
def contender(name: str) -> Iterator[tuple[Contender, int]]:
    """Yield a contender, not started, and the port of its broker, which already keeps messages for it."""
    with tempfile.TemporaryDirectory() as directory, ExitStack() as needs:
        broker = needs.enter_context(Mosquitto(Path(directory)))
        for client, topic in CONTENDERS[name].sessions:
            leave_session(broker.port, client, topic)
        yield CONTENDERS[name](Path(directory), broker.port, needs), broker.port


def readable(name: str, numbers: range) -> int:
    """Return how many of these messages a contender deals with: scripts store only what they can read."""
    return len(numbers) if CONTENDERS[name].reads_noise else sum(not is_noise(number) for number in numbers)


def run(name: str, case: str, first: Path, rest: Path, count: int) -> Result:
    """Measure one contender on a broker of its own, once it has dealt with some first messages."""
    total = readable(name, range(WARM_UP + count))
    with contender(name) as (one, port):
        one.start()
        publish(port, first)
        one.await_done(readable(name, range(WARM_UP)))
        one.await_rest()
        if case == "drain":
            # Connected and warm, but not reading: the broker queues.
            one.signal(signal.SIGSTOP)
            publish(port, rest)
            one.signal(signal.SIGCONT)
        busy = one.usage().processor
        started = time.perf_counter()
        publishing = threading.Thread(target=publish, args=(port, rest))
        if case == "live":
            publishing.start()
        memory = one.await_done(total)
        wall, processor = time.perf_counter() - started, one.usage().processor - busy
        if case == "live":
            publishing.join()
    return Result(count / wall, processor / count * 1e6, memory)


def losses(name: str, kills: int) -> tuple[int, int]:
    """Kill a contender at random moments of a steady stream; return how many temperatures are missing, of how many."""
    chance = random.Random(20261122)
    count = int(kills * KILL_SECONDS * STREAM_RATE)
    with contender(name) as (one, port):
        one.start()
        stream(port, range(WARM_UP))
        one.await_done(readable(name, range(WARM_UP)))
        publishing = threading.Thread(target=stream, args=(port, range(WARM_UP, count)))
        publishing.start()
        for _ in range(kills):
            time.sleep(chance.uniform(0.1, 1) * KILL_SECONDS)
            one.kill()
            one.start()
        publishing.join()
        done, changed_at = -1, time.monotonic()
        while done < readable(name, range(count)) and time.monotonic() - changed_at < SILENT_SECONDS:
            time.sleep(0.5)
            if done != (done := one.done()):
                changed_at = time.monotonic()
        # A sensor nobody registered is a dead letter to Grünpuls, and a point to a script.
        ours = issubclass(CONTENDERS[name], Gruenpuls)
        expected = len(truth(range(count))) // 4 if ours else readable(name, range(count))
        return expected - one.points(), expected


def backlog_payloads(count: int) -> Iterator[bytes]:
    """Yield what 5,000 sensors say every quarter of an hour, for 24 hours if it is all."""
    networks = (chirpstack_v4, things_stack_v3, helium)
    for number in range(count):
        turn, sensor = divmod(number, BACKLOG_SENSORS)
        network, at = networks[sensor % 3], BEGIN + timedelta(minutes=15 * turn, milliseconds=sensor)
        yield network(eui(sensor), payload_of(*values(number)), port=5, counter=turn, measured_at=at)


def backlog(lines: Path, count: int) -> Result:
    """Measure Grünpuls from its start until it has stored what waits at the broker."""
    with tempfile.TemporaryDirectory() as directory, ExitStack() as needs:
        broker = needs.enter_context(Mosquitto(Path(directory)))
        leave_session(broker.port)
        one = Gruenpuls(Path(directory), broker.port, needs, sensors=BACKLOG_SENSORS)
        publish(broker.port, lines)
        started = time.perf_counter()
        one.start()
        memory = one.await_done(count)
        wall = time.perf_counter() - started
        assert one.decoded() == count, "not every uplink became readings"
        return Result(count / wall, one.usage().processor / count * 1e6, memory)


def compare(counts: dict[str, int], case: str, lines: Lines, repeats: int) -> dict[str, list[Result]]:
    """Measure the contenders in turns; a run in which one loses messages on the way is told, and does not count."""
    first = lines.made("first", (message(number)[1] for number in range(WARM_UP)))
    rest = {
        count: lines.made(f"rest-{count}", (message(number)[1] for number in range(WARM_UP, WARM_UP + count)))
        for count in sorted(set(counts.values()))
    }
    results: dict[str, list[Result]] = {name: [] for name in counts}
    for _ in range(repeats):
        print(f"  {busyness()}", end="", flush=True)
        for name, found in results.items():
            try:
                found.append(run(name, case, first, rest[counts[name]], counts[name]))
            except StuckError as error:
                print(f"; {name} {error}", end="", flush=True)
            else:
                print(f"; {name} {found[-1].rate:,.0f}/s", end="", flush=True)
        print()
    return results


def middle(results: list[Result]) -> Result:
    """Return the medians."""
    return Result(*(statistics.median(getattr(one, field.name) for one in results) for field in fields(Result)))


def told(name: str, results: list[Result], beside: list[Result], lost: str = "") -> None:
    """Print a contender's row."""
    if not results:
        print(f"{name:10} never got through  {lost}")
        return
    one = middle(results)
    times = f"{one.rate / middle(beside).rate:5.2f} × paho" if beside else ""
    runs = f"{len(results)} runs"
    print(f"{name:10} {one.rate:9,.0f}/s {times:13} {one.processor:7,.0f} µs {one.memory:5,.0f} MB  {runs}  {lost}")


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    fast = max(one.most for one in CONTENDERS.values())
    parser.add_argument("--messages", type=int, default=fast, help="in each run at most; slow ones get fewer")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--kills", type=int, default=3, help="of each contender; 0 leaves this part out")
    parser.add_argument("--backlog", type=int, default=BACKLOG_UPLINKS, help="0 leaves this part out")
    parser.add_argument("--backlogs", type=int, default=3, help="how often it is worked off; the median counts")
    parser.add_argument("--cases", nargs="*", default=["drain", "live"], choices=["drain", "live"])
    parser.add_argument("--only", nargs="+", default=[*CONTENDERS], choices=CONTENDERS)
    arguments = parser.parse_args()
    names = []
    for name in arguments.only:
        lack = CONTENDERS[name].lacks()
        if lack:
            print(f"{name} is left out: {lack} is not installed")
        else:
            names.append(name)
    print(f"messages of about {len(message(0)[1])} B, medians of {arguments.repeats}")
    with tempfile.TemporaryDirectory() as directory:
        lines = Lines(Path(directory))
        lost = {}
        for name in names if arguments.kills else ():
            if CONTENDERS[name].stores:
                missing, expected = losses(name, arguments.kills)
                lost[name] = f"{missing} of {expected} lost in {arguments.kills} kills"
                print(f"  kill: {name} {lost[name]}", flush=True)
        for case in arguments.cases:
            most = min(arguments.messages, MOST_LIVE) if case == "live" else arguments.messages
            counts = {name: min(most, CONTENDERS[name].most) // WARM_UP * WARM_UP for name in names}
            print(f"{case} of {', '.join(f'{name} {count:,}' for name, count in counts.items())}")
            for name, found in (results := compare(counts, case, lines, arguments.repeats)).items():
                told(name, found, results.get("paho", []), lost.get(name, ""))
        if arguments.backlog:
            waiting = lines.made("backlog", backlog_payloads(arguments.backlog))
            print(f"backlog of {arguments.backlog:,}\n  {busyness()}")
            runs = [backlog(waiting, arguments.backlog) for _ in range(arguments.backlogs)]
            for one in runs:
                print(f"  {arguments.backlog / one.rate:.1f} s")
            told("gruenpuls", runs, [])


if __name__ == "__main__":
    main()
