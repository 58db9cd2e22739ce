"""Nine months of one Elsys EMS on the Tour Perret in Grenoble.

CampusIoT, ODbL-1.0, DOI 10.18709/perscido.2023.06.ds395.
"""

from __future__ import annotations

import gzip
import json
import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from memory_ports import MemoryJournal, MemoryRegistry, MemoryStore, content
from msgspec.structs import replace
from requirement import real_data
from stores.observation_contract import Judgements

from device_profiles.catalogue import Catalogue
from gruenpuls.domain.device import Device
from gruenpuls.domain.ports import IngestRegistry, ObservationStore, Tally
from gruenpuls.domain.reading import Flag, ReadingBatch
from gruenpuls.domain.series import Owner, SeriesKey
from gruenpuls.domain.uplink import DeadLetterReason, RawMessage
from gruenpuls.stores.embedded import EmbeddedStore
from gruenpuls.stores.registry.registry import Registry
from ingest.decode import Decoder
from ingest.envelopes import read_uplink
from ingest.resolve import Copy, Reception, copy_of, epochs, told_apart, united
from ingest.uplink_index import UplinkIndex

LOG = "traffic/ems-tourperret-A81758FFFE04B1C1.ndjson.gz"
EMS = "a81758fffe04b1c1"
LINES, FRAMES = 12_614, 10_631
PROFILES = {profile.name: profile for profile in Catalogue.shipped()}
START, END = datetime(2023, 1, 1, tzinfo=UTC), datetime(2023, 10, 1, tzinfo=UTC)
QUANTITIES = {
    "air_temperature": "air_temperature",
    "relative_humidity": "relative_humidity",
    "battery_voltage": "battery_voltage",
    "pulse_total": "pulse_total",
    "received_signal_strength": "radio",
    "signal_to_noise_ratio": "radio",
}
KEYS = [SeriesKey(Owner.CHANNEL, f"{EMS}/{channel}", quantity) for quantity, channel in QUANTITIES.items()]


@pytest.fixture(scope="module")
def log() -> list[RawMessage]:
    """Return the log's lines as they would have come."""
    messages = []
    with gzip.open(real_data(LOG)) as file:
        for line in file:
            received_at = datetime.fromtimestamp(json.loads(line)["_timestamp"] / 1000, UTC)
            messages.append(RawMessage("tour perret", f"helium/{EMS}/rx", received_at, line))
    assert len(messages) == LINES
    return messages


def work_off(
    directory: Path, messages: list[RawMessage], registry: IngestRegistry, store: ObservationStore, limit: int
) -> None:
    index = UplinkIndex(directory / "uplinks.db")
    decoder = Decoder(MemoryJournal(messages), index, PROFILES.get, registry, store, limit=limit)
    while decoder.step() is not None:
        pass
    index.close()


def remembered(directory: Path, messages: list[RawMessage], limit: int = 5000) -> tuple[MemoryRegistry, MemoryStore]:
    registry, store = MemoryRegistry({EMS: Device(EMS, "elsys-ems")}), MemoryStore()
    work_off(directory, messages, registry, store, limit)
    return registry, store


@pytest.fixture(scope="module")
def straight(log: list[RawMessage], tmp_path_factory: pytest.TempPathFactory) -> tuple[MemoryRegistry, MemoryStore]:
    return remembered(tmp_path_factory.mktemp("straight"), log)


def rows_of(kept: tuple[MemoryRegistry, MemoryStore], quantity: str) -> dict[datetime, tuple[float, int]]:
    registry, store = kept
    number = registry.series[KEYS[list(QUANTITIES).index(quantity)]]
    return {
        datetime.fromtimestamp(moment / 1000, UTC): row[:2]
        for (series, moment), row in sorted(store.rows.items())
        if series == number
    }


def test_every_line_is_a_reading_a_dead_letter_or_a_duplicate(straight: tuple[MemoryRegistry, MemoryStore]) -> None:
    registry, store = straight
    assert store.done.tally == Tally(FRAMES - 1, 1, LINES - FRAMES) == registry.total()
    (letter,) = registry.letters.values()
    assert letter.reason is DeadLetterReason.NOT_A_MEASUREMENT
    assert letter.received_at.date() == datetime(2023, 3, 15, tzinfo=UTC).date()


def test_one_frame_lacks_temperature_and_humidity_and_keeps_the_rest(
    straight: tuple[MemoryRegistry, MemoryStore],
) -> None:
    missing = {
        quantity: [at for at, (_, flag) in rows_of(straight, quantity).items() if flag == Flag.MISSING]
        for quantity in QUANTITIES
    }
    (at,) = missing["air_temperature"]
    assert at.date() == datetime(2023, 6, 7, tzinfo=UTC).date()
    assert missing.pop("air_temperature") == missing.pop("relative_humidity")
    assert not any(missing.values())
    assert at in rows_of(straight, "battery_voltage")


def test_the_hottest_moment_is_43_8_degrees_on_23_august(straight: tuple[MemoryRegistry, MemoryStore]) -> None:
    values = {at: value for at, (value, flag) in rows_of(straight, "air_temperature").items() if flag == Flag.GOOD}
    hottest = max(values, key=values.__getitem__)
    assert values[hottest] == 43.8
    assert hottest.date() == datetime(2023, 8, 23, tzinfo=UTC).date()


def test_the_longest_gap_is_1165_hours(straight: tuple[MemoryRegistry, MemoryStore]) -> None:
    moments = list(rows_of(straight, "battery_voltage"))
    assert len(moments) == FRAMES - 1
    assert int(max(later - earlier for earlier, later in pairwise(moments)) / timedelta(hours=1)) == 1165


@pytest.mark.parametrize(("seed", "limit"), [(1, 5000), (2, 5000), (3, 700)])
def test_replayed_twice_and_shuffled_the_content_is_the_same_byte_for_byte(
    log: list[RawMessage], straight: tuple[MemoryRegistry, MemoryStore], tmp_path: Path, seed: int, limit: int
) -> None:
    twice = log + log
    random.Random(seed).shuffle(twice)
    registry, store = remembered(tmp_path, twice, limit)
    assert content(store, registry) == content(straight[1], straight[0])
    assert store.done.tally == Tally(FRAMES - 1, 1, 2 * LINES - FRAMES) == registry.total()


def test_a_radio_frame_that_returns_48_days_later_counts_once(
    log: list[RawMessage], straight: tuple[MemoryRegistry, MemoryStore]
) -> None:
    returned = [uplink for uplink in map(read_uplink, log) if uplink.frame_counter == 56 and uplink.frame is not None]
    repeats = {uplink.frame: [one.measured_at for one in returned if one.frame == uplink.frame] for uplink in returned}
    ((first, *later),) = [moments for moments in repeats.values() if moments[-1] - moments[0] > timedelta(days=48)]
    kept = rows_of(straight, "battery_voltage")
    assert first in kept
    assert later
    assert not any(moment in kept for moment in later)


def test_without_its_frames_the_counter_alone_tells_the_uplinks_apart(log: list[RawMessage]) -> None:
    """One reset, found from the counters; what returns 48 days later is told from it, too."""
    uplinks = list(map(read_uplink, log))
    copies: list[Copy] = [
        copy_of(offset, replace(uplink, frame=None, deduplication_id=None, session=None))
        for offset, uplink in enumerate(uplinks)
    ]
    receptions: list[Reception] = united([], [copy.reception for copy in copies])
    parted = epochs(receptions)
    assert len(parted) == 2
    apart = told_apart(EMS, parted)
    earliest = {uplink.frame: uplink.measured_at for uplink in reversed(uplinks)}
    assert len(apart) == len(earliest) == FRAMES
    assert {heard.measured_at for heard in apart.values()} == {
        copy_of(0, replace(uplinks[0], measured_at=at)).measured_at for at in earliest.values()
    }


@pytest.mark.slow
def test_the_embedded_store_and_the_registry_end_with_the_same_content(
    log: list[RawMessage], straight: tuple[MemoryRegistry, MemoryStore], tmp_path: Path
) -> None:
    twice = log + log
    random.Random(4).shuffle(twice)
    with Registry.open(f"sqlite:///{tmp_path}/registry.db") as registry:
        registry.devices.add(Device(EMS, "elsys-ems"), actor="test")
        store = EmbeddedStore.open_writer(tmp_path / "store", Judgements())
        work_off(tmp_path, twice, registry.arrivals, store, limit=5000)
        assert store.progress().tally == Tally(FRAMES - 1, 1, 2 * LINES - FRAMES)
        assert registry.arrivals.noted() == store.progress()
        numbers = registry.arrivals.series_ids(KEYS)
        for _ in range(2):
            for number, quantity in zip(numbers, QUANTITIES, strict=True):
                assert_same(store.read([number], START, END), rows_of(straight, quantity))
            store.compact()
        store.close()


def assert_same(found: ReadingBatch, rows: dict[datetime, tuple[float, int]]) -> None:
    assert found.measured_at.astype("datetime64[us]").tolist() == [at.replace(tzinfo=None) for at in rows]
    np.testing.assert_array_equal(found.value, [value for value, _ in rows.values()])
    assert found.flag.tolist() == [flag for _, flag in rows.values()]
