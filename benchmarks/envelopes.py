"""How many messages a second one core reads: from a network's JSON to an uplink, and on to its identity.

Run with ``python benchmarks/envelopes.py``. The messages are the samples of the tests, one for each network,
without spaces as networks send them. Rates are per second of processor time, the best of several short slices; the
calibration loop and the load average say how much to trust them.
"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from machine import busyness

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import msgspec
from profile_decode import best_rate

from gruenpuls.domain.uplink import RawMessage
from ingest.envelopes import read_uplink
from ingest.resolve import copy_of

DIRECTORY = Path(__file__).resolve().parent.parent / "tests" / "samples" / "envelopes"
SAMPLES = (
    *("chirpstack_v4", "chirpstack_v3", "tts_v3", "tts_v3_event", "ttn_v2", "helium", "actility"),
    *("element_iot", "loriot_gw", "plain_hexadecimal"),
)


def main() -> None:
    """Measure every sample and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slices", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.03, help="processor time of a slice")
    arguments = parser.parse_args()
    print(busyness())
    print(f"{'sample':20} {'bytes':>6} {'uplinks /s':>11} {'with identity /s':>17}")
    seconds = [0.0, 0.0]
    for name in SAMPLES:
        sample = (DIRECTORY / f"{name}.json").read_bytes()
        text = msgspec.json.format(sample, indent=-1)
        message = RawMessage("source", "topic", datetime(2026, 7, 1, 12, tzinfo=UTC), text)

        def read(message=message) -> object:  # noqa: ANN001  bound for the loop
            return read_uplink(message)

        def identify(message=message) -> object:  # noqa: ANN001  bound for the loop
            return copy_of(0, read_uplink(message))

        rates = [best_rate(call, slices=arguments.slices, at_least=arguments.seconds) for call in (read, identify)]
        print(f"{name:20} {len(text):6} {rates[0]:11,.0f} {rates[1]:17,.0f}")
        seconds = [sum(pair) for pair in zip(seconds, (1 / rate for rate in rates), strict=True)]
    means = [len(SAMPLES) / total for total in seconds]
    print(f"{'all alike often':20} {'':6} {means[0]:11,.0f} {means[1]:17,.0f}")
    print(busyness())


if __name__ == "__main__":
    main()
