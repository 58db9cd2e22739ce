from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import blake2b

import pytest
from decoding_bench import DEVICES, PROFILES
from hypothesis import given, settings
from hypothesis import strategies as st

from device_profiles.catalogue import Catalogue
from device_profiles.profile import Profile
from gruenpuls.domain.device import Device
from gruenpuls.domain.ports import Run
from gruenpuls.domain.series import SeriesKey
from gruenpuls.domain.uplink import Radio, RawMessage, TimeSource, Uplink
from ingest.decode_batch import Batch
from ingest.device_columns import Fleet
from ingest.javascript import CodecPool
from ingest.message import message_of
from ingest.resolve import milliseconds
from ingest.uplink_standing import Standing

SHIPPED = Catalogue.shipped()
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
FLEET = DEVICES | {
    f"{profile.name}-{number}": Device(f"{profile.name}-{number}", profile.name)
    for profile in SHIPPED
    for number in range(2)
}
FRAMES = {
    key: [
        (bytes.fromhex(example.bytes), example.port)
        for example in (PROFILES.get(device.profile) or SHIPPED.profile(device.profile)).examples
        if example.bytes
    ]
    for key, device in FLEET.items()
    if device.profile in PROFILES or device.profile in SHIPPED
} | {"nobody": [(b"\x00", 1)], "unheard-of": [(b"\x00", 1)]}

levels = st.none() | st.sampled_from([-120.0, -0.0, 7.5, float("inf")])


@st.composite
def uplinks(draw: st.DrawFn, keys: Sequence[str] = tuple(sorted(FRAMES))) -> Uplink:
    key = draw(st.sampled_from(keys))
    payload, port = draw(st.sampled_from(FRAMES[key] or [(b"\x01", 1)]))
    changed = bytearray(payload)
    for place in draw(st.lists(st.integers(0, max(len(changed) - 1, 0)), max_size=3)) if changed else ():
        changed[place] = draw(st.integers(0, 255))
    return Uplink(
        "plain",
        key,
        bytes(changed),
        port,
        1,
        # Few moments, so that uplinks meet at one; and one that lies too far ahead.
        NOON + timedelta(minutes=draw(st.sampled_from([0, 0, 1, 2, 3000]))),
        TimeSource.DEVICE,
        radio=Radio(1, draw(levels), draw(levels)),
    )


def decided(found: Sequence[Uplink]) -> tuple[object, ...]:
    """Return all that a batch makes of uplinks: readings to the last bit, verdicts, letters, tallies."""
    messages, changes = {}, []
    for number, uplink in enumerate(found):
        messages[number] = message_of(number, RawMessage("test", "t", NOON, b""), uplink)
        key = blake2b(repr(uplink).encode(), digest_size=16).digest()
        changes.append((None, Standing(key, 1, milliseconds(uplink.measured_at), 0, number, number, dead=False)))
    fleet = Fleet()
    batch = Batch(
        FLEET,
        lambda name: PROFILES.get(name) or (SHIPPED.profile(name) if name in SHIPPED else None),
        timedelta(days=1),
        CodecPool(),
        fleet,
    )
    batch.decide(changes, [], messages)
    batch.count_arrivals(messages.values())
    asked: set[str] = set()

    def series_ids(keys: Sequence[SeriesKey]) -> list[int]:
        names = [str(key) for key in keys]
        asked.update(names)
        return [int.from_bytes(blake2b(name.encode(), digest_size=6).digest()) for name in names]

    runs: dict[Run, int] = {}
    readings = batch.columns.readings(
        partial(fleet.ids, series_ids=series_ids), lambda run: runs.setdefault(run, len(run.name))
    )
    columns = (readings.series, readings.measured_at, readings.value, readings.flag, readings.run)
    tallies = sorted(batch.tallies(), key=lambda tally: (tally.device, tally.source))
    verdicts = sorted((standing.key, dead) for standing, dead in batch.verdicts)
    return asked, [column.tobytes() for column in columns], verdicts, batch.letters, tallies


@settings(max_examples=60, deadline=None)
@given(st.lists(uplinks(), max_size=25))
def test_a_batch_judged_at_once_is_what_it_is_message_by_message(found: list[Uplink]) -> None:
    at_once = decided(found)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Profile, "selection", lambda *_: None)
        one_by_one = decided(found)

    assert at_once == one_by_one


@settings(max_examples=60, deadline=None)
@given(st.lists(uplinks(["elsys-ems-0", "milesight-em500-smtc-0"]), max_size=25))
def test_of_uplinks_at_one_moment_the_same_one_counts_in_any_order(found: list[Uplink]) -> None:
    series, readings, *_ = decided(found)
    backwards = decided(found[::-1])

    assert backwards[:2] == (series, readings)


def test_uplinks_of_one_moment_give_one_reading_of_each_series() -> None:
    (first, port), (second, _) = FRAMES["dragino-lse01-0"][:2]
    radio = Radio(1, -100.0, 7.5)
    found = [
        Uplink("plain", "dragino-lse01-0", one, port, 1, NOON, TimeSource.DEVICE, radio=radio)
        for one in (first, second)
    ]

    together, *alone = (decided(some)[1] for some in (found, found[:1], found[1:]))

    assert together in alone
