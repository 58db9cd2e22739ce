"""A message that breaks a whole batch in a way nobody foresaw: the others do not suffer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from crash_point import Crash, CrashPoint, guarded
from decoding_bench import DEVICE, NOON, Bench, after, helium, payload_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from memory_ports import MemoryStore

from gruenpuls.domain.errors import StorageError
from gruenpuls.domain.ports import Commit, Progress, Tally
from gruenpuls.domain.uplink import DeadLetterReason
from ingest.portion import halving

POISON = 66.6


class Choking(MemoryStore):
    """A store that cannot stand one value, and says so in a way nobody foresaw."""

    choking = True

    def write(self, commit: Commit) -> None:
        if self.choking and POISON in commit.readings.value:
            raise OverflowError(POISON)
        super().write(commit)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = choking_bench(tmp_path)
    yield bench
    bench.close()


def choking_bench(directory: Path, limit: int = 5000) -> Bench:
    bench = Bench(directory, limit=limit)
    bench.store = Choking()
    bench.decoder = bench.new_decoder()
    return bench


def take(bench: Bench, count: int, poisonous: set[int]) -> None:
    bench.journal.append(
        [helium(n, after(10 * n), payload_of(POISON if n in poisonous else n / 10, 65)) for n in range(count)]
    )
    bench.run()


def test_the_one_bad_message_is_found_and_all_others_become_readings(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    take(bench, 40, {17})
    assert bench.store.done.tally == Tally(decoded=39, dead_lettered=1) == bench.registry.total()
    (letter,) = bench.registry.letters.values()
    assert (letter.offset, letter.reason, letter.device) == (17, DeadLetterReason.UNREADABLE, DEVICE)
    assert letter.detail == "decoding breaks on it: OverflowError: 66.6"
    assert bench.registry.counted == {(DEVICE, "helium"): Tally(39, 1)}
    assert "becomes a dead letter" in caplog.text
    # Afterwards batches are as large as before: the first 20, 10, 5, … were tried, then twice as many each time.
    commits = bench.store.commits
    bench.take(*(helium(n, after(10 * n), payload_of(1, 65)) for n in range(100, 200)))
    assert bench.store.commits - commits <= 4


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(poisonous=st.sets(st.integers(0, 29), max_size=30), limit=st.integers(1, 31))
def test_whichever_are_bad_the_others_are_stored_and_the_sums_add_up(
    tmp_path_factory: pytest.TempPathFactory, poisonous: set[int], limit: int
) -> None:
    bench = choking_bench(tmp_path_factory.mktemp("bench"), limit)
    take(bench, 30, poisonous)
    assert set(bench.registry.letters) == poisonous
    assert bench.store.done.tally == Tally(30 - len(poisonous), len(poisonous)) == bench.registry.total()
    assert list(bench.values("soil_temperature").values()) == [n / 10 for n in range(30) if n not in poisonous]
    bench.close()


def test_once_the_fault_is_mended_it_is_replayed_like_any_dead_letter(bench: Bench) -> None:
    take(bench, 8, {3, 5})
    # A new process on another machine, without the cache.
    bench.lose_index()
    bench.restart()
    assert bench.decoder.redecode(bench.registry.letters) == Tally(dead_lettered=2)
    assert set(bench.registry.letters) == {3, 5}
    bench.store.choking = False
    assert bench.decoder.redecode(bench.registry.letters) == Tally(decoded=2)
    assert bench.registry.letters == {}
    assert bench.store.done.tally == Tally(decoded=8) == bench.registry.total()
    assert bench.values("soil_temperature")[after(30)] == POISON


def test_among_dead_letters_decoded_again_a_bad_one_does_not_keep_the_others_back(bench: Bench) -> None:
    stranger = bench.registry.registered.pop(DEVICE)
    take(bench, 9, {4})
    assert len(bench.registry.letters) == 9
    bench.registry.registered[DEVICE] = stranger
    assert bench.decoder.redecode(range(9)) == Tally(decoded=8, dead_lettered=1)
    assert set(bench.registry.letters) == {4}
    assert bench.store.done.tally == Tally(decoded=8, dead_lettered=1) == bench.registry.total()


@pytest.mark.parametrize(
    "error", [StorageError("the disk is full"), MemoryError(), OSError(12, "Cannot allocate memory")]
)
def test_for_what_the_world_does_no_message_is_blamed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refuse(_commit: Commit) -> None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(bench.store, "write", refuse)
        with pytest.raises(type(error)):
            take(bench, 3, set())
    assert bench.registry.letters == {}
    bench.run()
    assert bench.store.done.tally == Tally(decoded=3)


def test_a_fault_that_not_even_a_dead_letter_escapes_is_raised(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_commit: Commit) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(bench.store, "write", refuse)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            take(bench, 5, set())
    monkeypatch.undo()
    bench.run()
    assert bench.store.done.tally.total == 10 == bench.registry.total().total
    assert NOON in bench.values("soil_temperature")


def failing_once(bench: Bench, monkeypatch: pytest.MonkeyPatch, name: str, *, at: int) -> None:
    """Let a method of the registry fail the first time it is called with something that belongs to an offset."""
    act = getattr(bench.registry, name)
    failures: list[int] = []

    def fail_first(*arguments: Any) -> object:  # noqa: ANN401 - any method's
        last = arguments[-1]
        offsets = [last.offset - 1] if isinstance(last, Progress) else [letter.offset for letter in last]
        if at in offsets and not failures:
            failures.append(at)
            what = "the database is locked"
            raise StorageError(what)
        return act(*arguments)

    monkeypatch.setattr(bench.registry, name, fail_first)


def test_what_arrives_before_a_bad_message_is_tried_again_is_not_blamed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = bench.store.write

    def write_while_more_arrives(commit: Commit) -> None:
        try:
            write(commit)
        except OverflowError:
            bench.journal.append([helium(n, after(10 * n), payload_of(n / 10, 65)) for n in range(1, 6)])
            raise

    monkeypatch.setattr(bench.store, "write", write_while_more_arrives)
    take(bench, 1, {0})
    assert set(bench.registry.letters) == {0}
    assert bench.store.done.tally == Tally(decoded=5, dead_lettered=1) == bench.registry.total()


def test_nor_is_what_arrives_before_its_letter_can_be_written(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    failing_once(bench, monkeypatch, "keep_dead_letters", at=0)
    with pytest.raises(StorageError):
        take(bench, 1, {0})
    bench.take(*(helium(n, after(10 * n), payload_of(n / 10, 65)) for n in range(1, 6)))
    assert set(bench.registry.letters) == {0}
    assert bench.store.done.tally == Tally(decoded=5, dead_lettered=1) == bench.registry.total()


def test_a_letter_is_only_of_the_message_that_was_tried(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    failing_once(bench, monkeypatch, "keep_dead_letters", at=0)
    with pytest.raises(StorageError):
        take(bench, 1, {0})
    # The part of the journal that holds it proves to be damaged meanwhile.
    bench.journal.kept.clear()
    bench.take(helium(1, after(10), payload_of(0.1, 65)))
    assert bench.registry.letters == {}
    assert bench.store.done.tally == Tally(decoded=1) == bench.registry.total()


@pytest.mark.parametrize("restarted", [False, True])
def test_a_bad_message_whose_letter_the_registry_has_not_noted_is_written_again_as_one(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, *, restarted: bool
) -> None:
    failing_once(bench, monkeypatch, "note", at=1)
    with pytest.raises(StorageError):
        take(bench, 3, {1})
    assert (bench.store.done.offset, bench.registry.noted().offset, bench.index.offset) == (2, 1, 1)
    if restarted:
        bench.restart()
    bench.run()
    assert set(bench.registry.letters) == {1}
    assert bench.store.done.tally == Tally(decoded=2, dead_lettered=1) == bench.registry.total()
    assert bench.registry.counted == {(DEVICE, "helium"): Tally(2, 1)}


@pytest.mark.slow
def test_a_crash_at_any_boundary_around_a_bad_message_changes_nothing_in_the_end(tmp_path: Path) -> None:
    calm = choking_bench(tmp_path / "calm", limit=3)
    take(calm, 5, {1})
    expected = calm.outcome()
    calm.close()
    assert calm.store.done.tally == Tally(decoded=4, dead_lettered=1)
    crashes = 0
    while True:
        bench = choking_bench(tmp_path / f"crash-{crashes}", limit=3)
        point = CrashPoint(crashes)
        guarded(bench, point)
        try:
            take(bench, 5, {1})
        except Crash:
            point.relieve()
            bench.restart()
            bench.run()
        outcome = bench.outcome()
        bench.close()
        if point.passed <= crashes:
            break
        assert outcome == expected, f"after a crash at boundary {crashes}"
        crashes += 1
    assert crashes > 100


def test_letters_decoded_again_before_that_are_not_blamed(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    stranger = bench.registry.registered.pop(DEVICE)
    take(bench, 3, set())
    bench.registry.registered[DEVICE] = stranger
    failing_once(bench, monkeypatch, "note", at=3)
    with pytest.raises(StorageError):
        bench.take(helium(9, after(90), payload_of(POISON, 65)))
    assert bench.decoder.redecode(range(3)) == Tally(decoded=3)
    assert set(bench.registry.letters) == {3}
    assert bench.store.done.tally == Tally(decoded=3, dead_lettered=1) == bench.registry.total()


def test_messages_are_halved_until_one_is_alone() -> None:
    tried: list[list[int]] = []

    def act(some: object) -> int:
        part = list(some)  # type: ignore[call-overload]  # a sequence
        tried.append(part)
        if 2 in part:
            raise ValueError(2)
        return sum(part)

    assert list(halving([1, 2, 3, 4], act)) == [1, None, 7]
    assert tried == [[1, 2, 3, 4], [1, 2], [1], [2], [3, 4]]
