"""A crash at any moment neither loses nor doubles: by exceptions at every step, and by real kills."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from crash_point import Crash, CrashPoint, guarded
from decoding_bench import DEVICE, DEVICES, NOON, PROFILES, Bench, after, helium, payload_of, plain
from memory_ports import MemoryJournal
from stores.observation_contract import Judgements

from gruenpuls.domain.device import Device
from gruenpuls.domain.errors import StorageError
from gruenpuls.domain.ports import DeviceTally, Progress, Tally
from gruenpuls.domain.reading import ReadingBatch
from gruenpuls.domain.uplink import JournalEntry, RawMessage
from gruenpuls.stores.embedded import EmbeddedStore
from gruenpuls.stores.registry.registry import Registry
from ingest import decode
from ingest.decode import Decoder
from ingest.journal import Journal
from ingest.uplink_index import UplinkIndex

LATE = "a81758fffe00ffff"
KILLS = int(os.environ.get("GRUENPULS_KILLS", "2"))

BEFORE = [
    *(helium(counter, after(counter), payload_of(counter, 40)) for counter in range(6)),
    helium(7, NOON, device=LATE),
    helium(3, after(2.5), payload_of(3, 40)),
    helium(9, after(2.5), payload_of(9, 40)),
    RawMessage("s", "t", NOON, b"?"),
    *(plain("bed-7", after(minute), counter=minute % 5, payload=payload_of(1, 40)) for minute in range(9)),
    helium(8, after(60 * 48), received_at=NOON),
    helium(2, after(-1), payload_of(2, 40)),
    helium(9, after(-9), payload_of(9, 40)),
]
LATER = [
    helium(8, NOON),
    helium(7, after(-3), device=LATE),
    *(helium(counter, after(counter - 0.5), payload_of(counter, 40)) for counter in range(4, 9)),
    plain("bed-7", after(4.5), counter=0, payload=payload_of(1, 40)),
    plain("broken", NOON, payload=b"\x01"),
]


def lived_through(bench: Bench, attempt: Callable[[Callable[[], None]], None]) -> tuple[object, ...]:
    """Return what came of a life: messages, a device registered late, its letters decoded again, messages."""

    def decode_letters_again() -> None:
        bench.decoder.redecode(list(bench.registry.letters))

    bench.journal.append(BEFORE)
    attempt(bench.run)
    bench.registry.registered[LATE] = Device(LATE, "bench-probe")
    attempt(decode_letters_again)
    bench.journal.append(LATER)
    attempt(bench.run)
    return bench.outcome()


@pytest.mark.slow
def test_a_crash_at_any_boundary_changes_nothing_in_the_end(tmp_path: Path) -> None:
    calm = Bench(tmp_path / "calm", limit=7)
    expected = lived_through(calm, lambda act: act())
    assert calm.store.done.tally == calm.registry.total() == Tally(21, 2, 8)
    calm.close()
    crashes = 0
    while True:
        bench = Bench(tmp_path / f"crash-{crashes}", limit=7)
        point = CrashPoint(crashes)
        guarded(bench, point)

        def attempt(act: Callable[[], None], bench: Bench = bench, point: CrashPoint = point) -> None:
            try:
                act()
            except Crash:
                point.relieve()
                bench.restart()
                act()

        outcome = lived_through(bench, attempt)
        bench.close()
        if point.passed <= crashes:
            break
        assert outcome == expected, f"after a crash at boundary {crashes}"
        crashes += 1
    assert crashes > 150


@pytest.mark.parametrize("limit", [1, 7, 5000])
@pytest.mark.parametrize("fate", ["lost", "damaged", "behind", "ahead"])
def test_an_index_that_is_lost_damaged_behind_or_ahead_is_made_again(tmp_path: Path, fate: str, limit: int) -> None:
    calm = Bench(tmp_path / "calm", limit=limit)
    expected = lived_through(calm, lambda act: act())
    calm.close()
    bench = Bench(tmp_path / "bench", limit=limit)

    def attempt(act: Callable[[], None]) -> None:
        bench.decoder.step()
        bench.index.close()
        early = bench.path.read_bytes()
        bench.restart()
        act()
        bench.index.close()
        if fate == "lost":
            bench.lose_index()
        elif fate == "damaged":
            content = bench.path.read_bytes()
            bench.path.write_bytes(content[:4096] + b"\xee" * (len(content) - 4096))
        elif fate == "behind" and act == bench.run:
            bench.path.write_bytes(early)
        bench.restart()
        if fate == "ahead":
            # As where the store's files come from an older backup.
            bench.index.commit(bench.store.done.offset + 1000)

    assert lived_through(bench, attempt)[:4] == expected[:4]
    bench.run()
    assert bench.outcome() == expected
    bench.close()


class Watched(MemoryJournal):
    """A journal that remembers how long what it gave was, without what came last [byte]."""

    def __init__(self, messages: Sequence[RawMessage]) -> None:
        super().__init__(messages)
        self.lengths: list[int] = []

    def read(self, from_offset: int, limit: int, most_bytes: int) -> list[JournalEntry]:
        found = super().read(from_offset, limit, most_bytes)
        self.lengths.append(sum(len(entry.message.payload) for entry in found[:-1]))
        return found


def test_long_messages_are_read_a_few_at_a_time_also_where_the_index_is_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(decode, "_BYTES", 1000)
    bench = Bench(tmp_path)
    bench.journal = journal = Watched(BEFORE)
    bench.decoder = bench.new_decoder()
    note = bench.registry.note

    def note_only_the_first(readings: ReadingBatch, tallies: Sequence[DeviceTally], progress: Progress) -> None:
        if progress.offset > 10:
            what = "the database is locked"
            raise StorageError(what)
        note(readings, tallies, progress)

    with monkeypatch.context() as patched:
        patched.setattr(bench.registry, "note", note_only_the_first)
        with pytest.raises(StorageError):
            bench.run()
    # The registry lacks the last batch, and the index all of them.
    assert 0 < bench.registry.noted().offset < bench.store.done.offset
    bench.lose_index()
    bench.restart()
    bench.run()
    assert 500 < max(journal.lengths) < 1000
    assert bench.store.done.tally == bench.registry.total() == Tally(16, 3, 3)
    assert "too small" not in caplog.text
    bench.close()


def test_a_registry_that_lacks_several_batches_is_told_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(tmp_path, BEFORE, limit=7)
    bench.decoder.step()
    noted, counted = bench.registry.done, dict(bench.registry.counted)
    bench.run()
    outcome = bench.content(), bench.index.tally()
    # As where the registry was restored from an older backup.
    bench.registry.done, bench.registry.counted = noted, counted
    bench.lose_index()
    bench.restart()
    bench.run()
    assert (bench.content(), bench.index.tally()) == outcome
    assert "its sums by source and device stay too small" in caplog.text
    bench.close()


# --- real kills, with the real journal, registry and store ---

WORKER = """
import sys
from pathlib import Path

from decoding_bench import PROFILES
from stores.observation_contract import Judgements

from gruenpuls.stores.embedded import EmbeddedStore
from gruenpuls.stores.registry.registry import Registry
from ingest.decode import Decoder
from ingest.journal import Journal
from ingest.uplink_index import UplinkIndex

here = Path(sys.argv[1])
registry = Registry.open(f"sqlite:///{here}/registry.db")
store = EmbeddedStore.open_writer(here / "store", Judgements(), fold_rows=300)
index = UplinkIndex(here / "uplinks.db")
decoder = Decoder(Journal.reader(here / "journal"), index, PROFILES.get, registry.arrivals, store, limit=10)
print("ready", flush=True)
while decoder.step() is not None:
    print(store.progress().offset, flush=True)
"""


@pytest.mark.slow
def test_kills_while_it_decodes_lose_and_double_nothing(tmp_path: Path) -> None:
    messages = [
        *(helium(counter, after(counter), payload_of(counter % 50, 40)) for counter in range(300)),
        *(helium(counter, after(counter - 0.1), payload_of(counter % 50, 40)) for counter in range(0, 300, 3)),
        *(helium(counter, after(counter), b"\x01") for counter in range(1000, 1020)),
        *(plain("bed-7", after(minute), counter=minute % 70, payload=payload_of(2, 40)) for minute in range(180)),
    ]
    chance = random.Random(7)
    chance.shuffle(messages)
    with Journal(tmp_path / "journal") as journal:
        for start in range(0, len(messages), 100):
            journal.append(messages[start : start + 100])
    with Registry.open(f"sqlite:///{tmp_path}/registry.db") as registry:
        registry.devices.add_all([DEVICES[DEVICE], DEVICES["bed-7"]], actor="test")
    tests = Path(__file__).parents[1]
    environment = os.environ | {"PYTHONPATH": f"{tests}{os.pathsep}{tests.parent}"}
    killed = 0
    while killed < KILLS:
        with subprocess.Popen(
            [sys.executable, "-c", WORKER, str(tmp_path)], stdout=subprocess.PIPE, text=True, env=environment
        ) as worker:
            assert worker.stdout is not None
            assert worker.stdout.readline() == "ready\n"
            time.sleep(chance.uniform(0.02, 1.2))
            worker.send_signal(signal.SIGKILL)
        assert worker.returncode == -signal.SIGKILL, "it was done before it could be killed"
        killed += 1
    with Registry.open(f"sqlite:///{tmp_path}/registry.db") as registry:
        store = EmbeddedStore.open_writer(tmp_path / "store", Judgements())
        index = UplinkIndex(tmp_path / "uplinks.db")
        decoder = Decoder(Journal.reader(tmp_path / "journal"), index, PROFILES.get, registry.arrivals, store)
        while decoder.step() is not None:
            pass
        calm = Bench(tmp_path / "calm", messages)
        calm.run()
        assert store.progress().tally == calm.store.done.tally == Tally(480, 20, 100)
        assert registry.arrivals.noted() == store.progress()
        assert len(registry.arrivals.dead_letters(range(len(messages)))) == 20
        numbers = registry.arrivals.series_ids(list(calm.registry.series))
        for theirs, ours in zip(calm.registry.series.values(), numbers, strict=True):
            rows = {moment: row[0] for (series, moment), row in calm.store.rows.items() if series == theirs}
            found = store.read([ours], after(-60), after(60 * 24 * 9))
            assert dict(zip(found.measured_at.astype(int).tolist(), found.value.tolist(), strict=True)) == rows
        calm.close()
        index.close()
        store.close()
