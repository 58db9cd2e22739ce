"""Decoding with the real registry."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from decoding_bench import DEVICE, NOON, PROFILES, after, helium, payload_of, plain
from memory_ports import MemoryJournal, MemoryStore

from gruenpuls.domain.device import Device
from gruenpuls.domain.ports import Tally
from gruenpuls.domain.series import Owner, SeriesKey
from gruenpuls.domain.uplink import DeadLetterReason, RawMessage
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
