"""Decoding with the real registry."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import msgspec
import pytest
from decoding_bench import DEVICE, NOON, PROFILES, after, helium, payload_of, plain
from memory_ports import MemoryJournal, MemoryStore

from gruenpuls.domain.device import Channel, Device
from gruenpuls.domain.ports import Progress, Tally
from gruenpuls.domain.series import Owner, SeriesKey
from gruenpuls.domain.uplink import DeadLetterReason, Radio, RawMessage
from gruenpuls.simulation.messages import HEARD, chirpstack_v4
from gruenpuls.stores.registry.registry import Registry
from ingest.decode import Decoder
from ingest.uplink_index import UplinkIndex


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    with Registry.open(f"sqlite:///{tmp_path}/registry.db") as registry:
        yield registry


@pytest.fixture
def index(tmp_path: Path) -> Iterator[UplinkIndex]:
    index = UplinkIndex(tmp_path / "uplinks.db")
    yield index
    index.close()


def counted(registry: Registry) -> dict[str, Tally]:
    return {one.device: one.tally for one in registry.tallies.all()}


def test_letters_decoded_again_reach_counters_and_latest_values(registry: Registry, index: UplinkIndex) -> None:
    journal = MemoryJournal(
        [
            helium(1, NOON, payload_of(21, 40)),
            helium(1, NOON, payload_of(21, 40)),
            plain("bed-7", after(5), payload=payload_of(18, 40)),
            RawMessage("garden\0", "\0", NOON, b"?\0"),
        ]
    )
    store = MemoryStore()
    decoder = Decoder(journal, index, PROFILES.get, registry.arrivals, store)
    while decoder.step() is not None:
        pass
    assert registry.dead_letters.counts() == {DeadLetterReason.UNKNOWN_DEVICE: 2, DeadLetterReason.UNREADABLE: 1}
    registry.devices.add_all([Device(DEVICE, "bench-probe"), Device("bed-7", "bench-probe")], actor="test")
    for _ in range(2):
        decoder.redecode(registry.dead_letters.offsets())
        assert registry.dead_letters.offsets() == [3]
        assert store.progress().tally == Tally(2, 1, 1) == registry.arrivals.noted().tally
        assert counted(registry) == {DEVICE: Tally(1, 0, 1), "bed-7": Tally(1, 0, 0), "": Tally(0, 1, 0)}
    series = registry.arrivals.series_ids(
        [SeriesKey(Owner.CHANNEL, f"{key}/soil_temperature", "soil_temperature", 20) for key in (DEVICE, "bed-7")]
    )
    assert registry.latest.of(series).value.tolist() == [21, 18]


def test_the_latest_value_moves_with_its_uplink(registry: Registry, index: UplinkIndex) -> None:
    registry.devices.add(Device(DEVICE, "bench-probe"), actor="test")
    journal, store = MemoryJournal(), MemoryStore()
    decoder = Decoder(journal, index, PROFILES.get, registry.arrivals, store)
    for message in (
        helium(1, NOON, payload_of(21, 40)),
        helium(2, after(9), payload_of(22, 40)),
        helium(2, after(-1), payload_of(22, 40)),
    ):
        journal.append([message])
        decoder.step()
    (series,) = registry.arrivals.series_ids(
        [SeriesKey(Owner.CHANNEL, f"{DEVICE}/soil_temperature", "soil_temperature", 20)]
    )
    latest = registry.latest.of([series])
    assert (latest.measured_at.tolist(), latest.value.tolist()) == ([NOON.replace(tzinfo=None)], [21])


def test_readings_go_to_the_depth_that_is_registered_however_often_it_changes(
    registry: Registry, index: UplinkIndex
) -> None:
    registry.devices.add(Device(DEVICE, "bench-probe"), actor="test")
    journal, store = MemoryJournal(), MemoryStore()
    decoder = Decoder(journal, index, PROFILES.get, registry.arrivals, store)
    depths = [20.0, 35.0, 20.0, 50.0, 35.0]
    for number, depth in enumerate(depths):
        moved = Device(DEVICE, "bench-probe", channels=(Channel("soil_temperature", "soil_temperature", depth),))
        registry.devices.change(moved, actor="test")
        journal.append([helium(number, after(number), payload_of(number, 40))])
        decoder.step()
    names = registry.resolution.keys({series for series, _ in store.rows})
    found = sorted(
        (at, names[series].depth, reading[0])
        for (series, at), reading in store.rows.items()
        if names[series].quantity == "soil_temperature"
    )
    assert [(depth, value) for _, depth, value in found] == list(zip(depths, range(5), strict=True))


def test_letters_buried_and_revived_twice_are_counted_once(registry: Registry, index: UplinkIndex) -> None:
    registry.devices.add(Device(DEVICE, "bench-probe"), actor="test")
    journal, store = MemoryJournal([helium(1, NOON), helium(2, after(1), b"?")]), MemoryStore()
    Decoder(journal, index, PROFILES.get, registry.arrivals, store).step()
    letter = registry.dead_letters.by_offset(1)
    assert letter is not None
    for _ in range(2):
        registry.past.bury([letter, replace(letter, offset=0)])
        assert counted(registry) == {DEVICE: Tally(0, 2, 0)}
    progress = Progress(2, Tally(2, 0, 0))
    for _ in range(2):
        registry.past.revive([0, 1, 99], progress)
        assert counted(registry) == {DEVICE: Tally(2, 0, 0)}
        assert registry.arrivals.noted() == progress
    registry.past.revive([], Progress(1, Tally()))
    assert registry.arrivals.noted() == progress
    assert set(registry.past.measured_series([DEVICE, "bed-7"]).values()) == {
        SeriesKey(Owner.CHANNEL, f"{DEVICE}/soil_temperature", "soil_temperature", 20),
        SeriesKey(Owner.CHANNEL, f"{DEVICE}/relative_humidity", "relative_humidity"),
        SeriesKey(Owner.CHANNEL, f"{DEVICE}/radio", "received_signal_strength"),
        SeriesKey(Owner.CHANNEL, f"{DEVICE}/radio", "signal_to_noise_ratio"),
    }
    assert [run.name for run in registry.past.profile_runs().values()] == ["bench-probe"]


def test_which_gateways_and_sources_passed_messages_on_is_kept(registry: Registry, index: UplinkIndex) -> None:
    registry.devices.add(Device(DEVICE, "bench-probe"), actor="test")
    heard = msgspec.structs.replace(HEARD, gateways=2)

    def message(number: int, at: datetime, radio: Radio) -> RawMessage:
        text = chirpstack_v4(DEVICE, payload_of(21, 40), port=5, counter=number, measured_at=at, radio=radio)
        return RawMessage("city", "up", at, text)

    messages = [
        message(number, at, by)
        for number, (at, by) in enumerate([(NOON, heard), (after(200), HEARD), (after(200), HEARD)])
    ]
    journal, store = MemoryJournal([*messages, messages[0]]), MemoryStore()
    decoder = Decoder(journal, index, PROFILES.get, registry.arrivals, store)
    while decoder.step() is not None:
        pass
    bonds = registry.relays.of_devices([DEVICE])
    noon = int(NOON.timestamp()) // 3600
    hours = registry.relays.hours({it.relay for it in bonds}, noon // 24, noon // 24)
    named = registry.relays.named(hours.keys())
    told = {(named[number].kind.value, named[number].name): found.tolist() for number, found in hours.items()}
    first, second = sorted(name for kind, name in told if kind == "gateway")
    assert told == {
        ("source", "city"): [noon, noon + 3],
        ("gateway", first): [noon, noon + 3],
        ("gateway", second): [noon],
    }
