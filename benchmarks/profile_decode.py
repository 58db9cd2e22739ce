"""How many messages a second one core decodes, and what it gains to judge those of a batch all at once.

Run with ``python benchmarks/profile_decode.py``. Rates are per second of processor time, the best of several short
slices that take turns, so that other work on the machine disturbs little; the calibration loop and the load average
say how much to trust them. Layout: bytes to fields. One by one and at once: what `ingest.decode_batch` makes of a
batch, up to columns of readings with their series, with each message's measurements made alone as those with times of
their own are, and judged together as all others are. ``--all`` takes the examples of every profile in the catalogue.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from machine import best_rates, busyness

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from device_profiles.catalogue import Catalogue
from device_profiles.profile import DecoderKind, Profile
from gruenpuls.domain.device import Device
from gruenpuls.domain.uplink import Radio, RawMessage, TimeSource, Uplink
from ingest.decode_batch import Batch
from ingest.device_columns import Fleet
from ingest.javascript import CodecPool
from ingest.message import Message, message_of
from ingest.resolve import milliseconds
from ingest.uplink_standing import Change, Standing

Frames = Sequence[tuple[bytes, int | None]]

MESSAGES: dict[str, tuple[str, int]] = {
    "dragino-lse01": ("0ce5000005dc09ec00c810", 2),
    "decentlab-dl-trs12": ("0210d3000346be813d00000c80", 1),
    "milesight-em500-smtc": ("0175640367190104ca9010057ff000", 85),
    "sensecap-s2120": ("0100854d00000f4700001502007f0000000026ee0364", 3),
    "sensecap-s2105": ("0106105c5d000001071048a30000010c10b40000001822", 2),
    "generic-cayenne-lpp": ("0367ffec04685a", 1),
    "elsys-ems": ("01009f024403c6ecf5070dfe0b000000000d000f0b1200", 5),
    "decentlab-dl-sht35": ("0254a60003783f596e0c17", 1),
}
"""Profile: a message and its port."""
BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
DEVICES = 100


def uplinks(profile: Profile, frames: Frames, count: int) -> tuple[dict[int, Message], list[Change]]:
    """Return messages of many devices in turn, and what the uplink index says of them: all are new."""
    messages: dict[int, Message] = {}
    changes: list[Change] = []
    for number in range(count):
        payload, port = frames[number % len(frames)]
        at = BEGIN + timedelta(seconds=number)
        uplink = Uplink(
            "plain", f"{profile.name}-{number % DEVICES}", payload, port, number, at, TimeSource.GATEWAY,
            radio=Radio(1, -100.0, 7.5),
        )  # fmt: skip
        messages[number] = message_of(number, RawMessage("bench", "up", BEGIN, b""), uplink)
        key = number.to_bytes(16, "big")
        changes.append((None, Standing(key, number % DEVICES, milliseconds(at), 0, number, number, dead=False)))
    return messages, changes


class OneByOne(Profile):
    """A profile that says of no message that it can be judged with others."""

    def selection(self, names: tuple[str, ...]) -> None:
        """Return None whatever the fields."""


def contenders(profile: Profile, frames: Frames, count: int) -> tuple[Callable[[], object], ...]:
    """Return what decodes so many messages: the layout only, a batch one by one, a batch at once."""
    turns = [frames[number % len(frames)] for number in range(count)]
    messages, changes = uplinks(profile, frames, count)
    devices = {key: Device(key, profile.name) for key in {message.uplink.device for message in messages.values()}}
    codecs = CodecPool()

    def fields() -> None:
        for payload, port in turns:
            profile.fields(payload, port)

    def batch(profile: Profile) -> Callable[[], None]:
        fleet = Fleet()
        numbers = itertools.count(1)

        def decide() -> None:
            decided = Batch(devices, {profile.name: profile}.get, timedelta(days=1), codecs, fleet)
            decided.decide(changes, [], messages)
            assert not decided.letters
            series_ids = partial(fleet.ids, series_ids=lambda new: [next(numbers) for _ in new])
            assert len(decided.columns.readings(series_ids, lambda _: 1)) >= count

        return decide

    return fields, batch(OneByOne(profile.sheet, profile.digest)), batch(profile)


def main() -> None:
    """Measure every message and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slices", type=int, default=15)
    parser.add_argument("--messages", type=int, default=3_000, help="in one slice")
    parser.add_argument("--all", action="store_true", help="every profile of the catalogue, by its own examples")
    arguments = parser.parse_args()
    shipped = Catalogue.shipped()
    fleets: dict[str, Frames] = {name: [(bytes.fromhex(payload), port)] for name, (payload, port) in MESSAGES.items()}
    if arguments.all:
        fleets = {
            profile.name: [
                (bytes.fromhex(one.bytes), one.port) for one in profile.examples if one.readings and one.bytes
            ]
            for profile in shipped
            if profile.decoder is DecoderKind.LAYOUT
        }
    print(busyness())
    print(f"{'profile':24} {'values':>6} {'layout /s':>10} {'one by one':>10} {'at once /s':>10} {'gain':>5}")
    gains = []
    for name, frames in fleets.items():
        profile = shipped.profile(name)
        values = statistics.mean(len(profile.decode(*frame)) for frame in frames)
        layout, alone, together = best_rates(
            contenders(profile, frames, arguments.messages), arguments.messages, arguments.slices
        )
        gains.append(together / alone)
        print(f"{name:24} {values:6.1f} {layout:10,.0f} {alone:10,.0f} {together:10,.0f} {gains[-1]:5.2f}", flush=True)
    print(f"gain: {min(gains):.2f} to {max(gains):.2f}, median {statistics.median(gains):.2f}")
    print(busyness())


if __name__ == "__main__":
    main()
