from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ingest.sorted_runs
from ingest.sorted_runs import SortedRuns
from ingest.tag_filter import filter_bytes
from ingest.uplink_index_file import DamagedIndexError


def database() -> sqlite3.Connection:
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.execute("CREATE TABLE run (id INTEGER PRIMARY KEY, name TEXT, size INTEGER, fences BLOB, filter BLOB)")
    db.execute("CREATE TABLE block (id INTEGER PRIMARY KEY, entries BLOB)")
    return db


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    db = database()
    yield db
    db.close()


def array(numbers: list[int]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(numbers, np.int64)


def add(runs: SortedRuns, entries: list[tuple[int, int]]) -> None:
    runs.add(array([tag for tag, _ in entries]), array([value for _, value in entries]))


def filters(runs: SortedRuns) -> list[tuple[int, bytes | None]]:
    """Return the size of each run, and the filter it has in memory."""
    return [(run.size, None if run.filter is None else run.filter.words.tobytes()) for run in runs._runs]


tags = st.one_of(
    st.integers(0, 9), st.integers(-(1 << 63), (1 << 63) - 1), st.sampled_from([-(1 << 63), (1 << 63) - 1])
)
entries = st.tuples(tags, st.integers(0, 99))
batches = st.one_of(
    st.lists(st.lists(entries, max_size=20), max_size=30),
    # Eight of a size are merged.
    st.lists(st.lists(entries, min_size=3, max_size=7), min_size=8, max_size=12),
)


@settings(max_examples=60, deadline=None)
@given(
    batches,
    st.lists(tags, max_size=10),
    st.lists(tags, max_size=6, unique=True),
    st.sampled_from([0, 64, 256, 1 << 20]),
    st.booleans(),
)
def test_what_was_added_is_found_by_tag_and_by_range(
    added: list[list[tuple[int, int]]], asked: list[int], bounds: list[int], filter_room: int, reloaded: bool
) -> None:
    ordered = sorted(bounds[: len(bounds) // 2 * 2])
    ranges = list(zip(ordered[::2], ordered[1::2], strict=True))
    with pytest.MonkeyPatch.context() as patch:
        # So small that a few entries are many blocks, and merging takes them in several portions.
        patch.setattr(ingest.sorted_runs, "_BLOCK", 2)
        patch.setattr(ingest.sorted_runs, "_PORTION", 3)
        patch.setattr(ingest.sorted_runs, "_MANY", 2)
        db = database()
        runs = SortedRuns(db, "these", filter_room=filter_room)
        others = SortedRuns(db, "others")
        for batch in added:
            add(runs, batch)
            add(others, [(tag, -1) for tag, _ in batch])
        opened_anew = SortedRuns(db, "these", filter_room=filter_room)
        assert filters(opened_anew) == filters(runs)
        if reloaded:
            runs = opened_anew
        every = [entry for batch in added for entry in batch]
        wanted = [value for tag, value in every if tag in asked]
        assert sorted(runs.values(array(asked)).tolist()) == sorted(wanted)
        within = [list(entry) for entry in every if any(low <= entry[0] <= high for low, high in ranges)]
        found = runs.entries(array([low for low, _ in ranges]), array([high for _, high in ranges]))
        assert sorted(found.tolist()) == sorted(within)
        db.close()


def test_single_entries_become_few_runs_and_leave_nothing_behind(db: sqlite3.Connection) -> None:
    runs = SortedRuns(db, "these")
    for number in range(1, 600):
        add(runs, [(number * 7919, number)])
    ((kept, entries, filters),) = db.execute("SELECT count(*), sum(size), count(filter) FROM run")
    assert kept == filters <= 7 * 4
    assert entries == 599
    assert db.execute("SELECT sum(length(entries)) FROM block").fetchone() == (16 * 599,)


def test_the_largest_go_without_a_filter_where_its_room_does_not_suffice(db: sqlite3.Connection) -> None:
    runs = SortedRuns(db, "these", filter_room=5000)
    for size in (10, 1000, 1100, 2000):
        add(runs, [(number, number) for number in range(size)])
    for held in (runs, SortedRuns(db, "these", filter_room=5000)):
        assert [run.filter is not None for run in held._runs] == [True, True, False, False]
        assert sorted(held.values(array([1500, 5]))) == [5, 5, 5, 5, 1500]


def test_what_is_merged_has_a_filter_where_there_is_room_for_it_alone(db: sqlite3.Connection) -> None:
    room = filter_bytes(8000) * 3 // 2
    runs = SortedRuns(db, "these", filter_room=room)
    for start in range(0, 8000, 1000):
        add(runs, [(number, number) for number in range(start, start + 1000)])
    (merged,) = filters(runs)
    assert merged[0] == 8000
    assert merged[1] is not None
    assert [merged] == filters(SortedRuns(db, "these", filter_room=room))


def test_a_filter_comes_back_where_merging_others_makes_room(db: sqlite3.Connection) -> None:
    runs = SortedRuns(db, "these", filter_room=filter_bytes(57))
    add(runs, [(number, number) for number in range(10)])
    for count in range(1, 8):
        add(runs, [(100 * count + number, number) for number in range(7)])
    assert [words is not None for _, words in filters(runs)] == [True] * 7 + [False]
    add(runs, [(number, number) for number in range(1000, 1007)])
    assert [(size, words is not None) for size, words in filters(runs)] == [(10, True), (56, False)]
    assert runs.values(array([5])).tolist() == [5]


def test_what_is_rolled_back_is_not_there(db: sqlite3.Connection) -> None:
    runs = SortedRuns(db, "these")
    add(runs, [(1, 1)])
    db.execute("BEGIN")
    for value in range(20):
        add(runs, [(1, value)])
    db.execute("ROLLBACK")
    assert SortedRuns(db, "these").values(array([1])).tolist() == [1]


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM block WHERE id = (SELECT max(id) FROM block)",
        "UPDATE block SET entries = substr(entries, 1, 30)",
        "UPDATE block SET entries = substr(entries, 1, 32)",
    ],
)
def test_blocks_that_are_lost_or_cut_are_noticed_at_the_latest_when_they_are_merged(
    db: sqlite3.Connection, damage: str
) -> None:
    runs = SortedRuns(db, "these")
    for _ in range(7):
        add(runs, [(number, number) for number in range(1000)])
    db.execute(damage)
    with pytest.raises(DamagedIndexError):
        add(runs, [(number, number) for number in range(1000)])
