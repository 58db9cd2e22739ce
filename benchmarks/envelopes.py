"""How many messages a second one core reads: from a network's JSON to an uplink, and on to its identity.

Run with ``python benchmarks/envelopes.py``. The messages are the samples of the tests, one for each network,
without spaces as networks send them, and the fleet of the tests: three networks in turn, each message another one.
Rates are per second of processor time, the best of several slices that take turns; beside them the standard library's
``json.loads``, which is where the script everybody writes begins. The calibration loop and the load average say how
much to trust them.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from machine import best_rates, busyness

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import msgspec

from gruenpuls.domain.uplink import RawMessage
from gruenpuls.simulation.messages import chirpstack_v4, helium, things_stack_v3
from ingest.envelopes import read_uplink
from ingest.resolve import copy_of

DIRECTORY = Path(__file__).resolve().parent.parent / "tests" / "samples" / "envelopes"
SAMPLES = (
    *("chirpstack_v4", "chirpstack_v3", "tts_v3", "tts_v3_event", "ttn_v2", "helium", "actility"),
    *("element_iot", "loriot_gw", "kerlink", "netmore", "plain_hexadecimal"),
)
NETWORKS = (chirpstack_v4, things_stack_v3, helium)
BEGIN = datetime(2026, 7, 1, 12, tzinfo=UTC)
DEVICES = 400


def fleet(count: int) -> list[bytes]:
    """Return messages of many devices in turn, each heard by one gateway."""
    return [
        NETWORKS[number % DEVICES % len(NETWORKS)](
            f"a81758fffe00{number % DEVICES:04x}",
            number.to_bytes(8, "big"),
            port=5,
            counter=number // DEVICES,
            measured_at=BEGIN + timedelta(seconds=number),
        )
        for number in range(count)
    ]


def contenders(texts: list[bytes]) -> tuple[Callable[[], object], ...]:
    """Return what reads these messages: the standard library, the envelopes, the envelopes with identities."""
    messages = [RawMessage("source", "topic", BEGIN, text) for text in texts]

    def parse() -> None:
        for text in texts:
            json.loads(text)

    def read() -> None:
        for message in messages:
            read_uplink(message)

    def identify() -> None:
        for message in messages:
            copy_of(0, read_uplink(message))

    return parse, read, identify


def main() -> None:
    """Measure every sample and the fleet, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slices", type=int, default=15)
    parser.add_argument("--messages", type=int, default=3_000, help="in one slice")
    arguments = parser.parse_args()
    messages = {
        name: [msgspec.json.format((DIRECTORY / f"{name}.json").read_bytes(), indent=-1)] * arguments.messages
        for name in SAMPLES
    }
    messages["fleet"] = fleet(arguments.messages)
    print(busyness())
    print(f"{'sample':20} {'bytes':>6} {'json.loads /s':>14} {'uplinks /s':>11} {'with identity /s':>17} {'ratio':>6}")
    for name, texts in messages.items():
        parsed, read, identified = best_rates(contenders(texts), len(texts), arguments.slices)
        size = sum(map(len, texts)) // len(texts)
        print(
            f"{name:20} {size:6} {parsed:14,.0f} {read:11,.0f} {identified:17,.0f} {identified / parsed:6.2f}",
            flush=True,
        )
    print(busyness())


if __name__ == "__main__":
    main()
