from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gruenpuls.domain.errors import BusyError, StorageError
from gruenpuls.domain.ports import Tally
from ingest.resolve import Copy, milliseconds
from ingest.uplink_index import UplinkIndex
from ingest.uplink_index_file import DamagedIndexError
from ingest.uplink_standing import Change, Standing


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "uplinks.db"


@pytest.fixture
def index(path: Path) -> Iterator[UplinkIndex]:
    index = UplinkIndex(path)
    yield index
    index.close()


def key(number: int) -> bytes:
    return number.to_bytes(16, "big")


def copy(offset: int, number: int, measured_at: int, rank: int = 0, device: str = "d") -> Copy:
    return Copy(offset, device, measured_at, rank, key(number))


def bare(offset: int, counter: int, measured_at: int, content: bytes = b"p", rank: int = 0) -> Copy:
    return Copy(offset, "bare", measured_at, rank, None, counter, content)


def standing(changes: list[Change]) -> dict[bytes, Standing]:
    return {after.key: after for _, after in changes if after is not None}


def everything(path: Path) -> list[tuple[object, ...]]:
    """Return all rows, device numbers replaced by their keys, for comparison."""
    with sqlite3.connect(path) as db:
        rows: list[tuple[object, ...]] = []
        for table, columns in (
            ("uplink", "uplink.key, device.key, measured_at, rank"),
            ("reception", "device.key, measured_at, counter, content, rank"),
            ("frontier", "device.key, measured_at, counter, content"),
        ):
            rows += db.execute(
                f"SELECT {columns} FROM {table} JOIN device ON device.id = {table}.device ORDER BY 1, 2, 3"
            ).fetchall()
        rows += db.execute("SELECT * FROM state").fetchall()
    db.close()
    return rows


def test_a_new_uplink_is_a_change_and_its_copy_is_none(index: UplinkIndex) -> None:
    (change,) = index.admit([copy(5, 1, 1000)])
    assert change == (None, Standing(key(1), 1, 1000, 0, 5, 5, dead=False))
    assert index.admit([copy(6, 1, 1000), copy(7, 1, 2000)]) == []
    assert index.tally() == Tally(decoded=1, duplicates=2)


def test_an_earlier_or_better_heard_copy_takes_over_and_the_first_stays_first(index: UplinkIndex) -> None:
    index.admit([copy(5, 1, 1000, rank=9)])
    ((before, better),) = index.admit([copy(6, 1, 1000, rank=3)])
    assert better is not None
    assert before is not None
    assert (before.offset, better.offset, better.first) == (5, 6, 5)
    (earlier,) = index.admit([copy(7, 1, 900, rank=9)])
    assert earlier == (better, Standing(key(1), 1, 900, 9, 7, 5, dead=False))


def test_copies_that_come_together_are_one_change(index: UplinkIndex) -> None:
    (change,) = index.admit([copy(5, 1, 1000), copy(6, 1, 900), copy(7, 1, 1100)])
    assert change == (None, Standing(key(1), 1, 900, 0, 6, 5, dead=False))


def test_rivals_are_the_other_uplinks_of_the_device_at_moments_taken_and_left(index: UplinkIndex) -> None:
    index.admit([copy(1, 1, 1000), copy(2, 2, 2000), copy(3, 3, 1000, device="other"), copy(4, 4, 3000)])
    index.admit([copy(5, 5, 2000)])
    changes = index.admit([copy(6, 5, 1000), copy(7, 6, 4000)])
    assert {rival.key for rival in index.rivals(changes)} == {key(1), key(2)}


def test_more_changes_than_fit_into_one_statement_are_found_all(index: UplinkIndex) -> None:
    index.admit([copy(number, number, number) for number in range(1700)])
    moved = index.admit([copy(2000 + number, number, number - 1) for number in range(1, 1700)])
    assert len(moved) == 1699
    assert [rival.key for rival in index.rivals(moved)] == [key(0)]


def test_dead_letters_are_counted_as_they_come_and_go(index: UplinkIndex) -> None:
    first, second = standing(index.admit([copy(1, 1, 1000), copy(2, 2, 2000), copy(3, 1, 1000)], [4])).values()
    index.settle([(first, True), (second, False)])
    assert index.tally() == Tally(decoded=1, dead_lettered=2, duplicates=1)
    found = index.standing(copy(1, 1, 1000))
    assert found is not None
    assert found.dead
    index.settle([(found, False)])
    assert index.tally() == Tally(decoded=2, dead_lettered=1, duplicates=1)


def test_only_the_message_that_counts_or_came_first_stands_for_its_uplink(index: UplinkIndex) -> None:
    index.admit([copy(1, 1, 1000), copy(2, 1, 900), copy(3, 1, 950)])
    assert index.standing(copy(1, 1, 1000)) == index.standing(copy(2, 1, 900)) is not None
    assert index.standing(copy(3, 1, 950)) is None
    assert index.standing(copy(4, 9, 950)) is None


def test_what_was_unreadable_can_be_admitted_once(index: UplinkIndex) -> None:
    index.admit([], [4, 5])
    assert index.readmit([4, 9]) == {4}
    assert index.tally() == Tally(dead_lettered=1)
    index.admit([copy(4, 1, 1000)])
    assert index.readmit([4]) == set()
    assert index.tally() == Tally(decoded=1, dead_lettered=1)


def test_only_what_is_committed_stays(path: Path, index: UplinkIndex) -> None:
    index.admit([copy(1, 1, 1000)])
    index.commit(2)
    index.admit([copy(2, 2, 2000), bare(3, 1, 1)], [4])
    index.rollback()
    assert (index.offset, index.tally()) == (2, Tally(decoded=1))
    index.admit([copy(2, 2, 2000)])
    index.close()
    again = UplinkIndex(path)
    assert (again.offset, again.tally()) == (2, Tally(decoded=1))
    assert again.admit([copy(1, 1, 1000)]) == []
    again.close()


# --- bare counters ---


def test_a_bare_counter_that_climbs_makes_uplinks_and_its_repeats_none(index: UplinkIndex) -> None:
    index.admit([bare(0, 7, 100)])
    assert len(index.admit([bare(1, 7, 101), bare(2, 8, 200)])) == 1
    assert index.admit([bare(3, 8, 201), bare(4, 7, 202)]) == []
    assert index.tally() == Tally(decoded=2, duplicates=3)


def test_a_reset_seen_only_later_makes_an_uplink_of_what_looked_like_a_copy(index: UplinkIndex) -> None:
    index.admit([bare(offset, offset, offset) for offset in range(4)])
    assert index.admit([bare(10, 0, 10)]) == []
    changes = index.admit([bare(11, 1, 11)])
    assert [before for before, _ in changes] == [None, None]
    assert sorted(one.offset for one in standing(changes).values()) == [10, 11]
    assert index.tally() == Tally(decoded=6)


def test_an_uplink_that_proves_to_be_a_copy_is_gone(index: UplinkIndex) -> None:
    index.admit([bare(0, 5, 10), bare(1, 9, 20)])
    index.settle([(next(iter(standing(index.admit([bare(2, 5, 5)])).values())), True)])
    assert index.tally() == Tally(decoded=1, dead_lettered=1, duplicates=1)
    changes = index.admit([bare(3, 5, 1)])
    assert sorted(after is None for _, after in changes) == [False, True]
    (gone,) = [before for before, after in changes if after is None]
    assert gone is not None
    assert (gone.measured_at, bool(gone.dead)) == (5, True)
    assert index.tally() == Tally(decoded=2, duplicates=2)


def test_the_message_of_a_bare_counter_stands_for_its_uplink(index: UplinkIndex) -> None:
    index.admit([bare(0, 5, 10, rank=9)])
    index.admit([bare(1, 5, 10, rank=1), bare(2, 5, 12)])
    assert index.standing(bare(0, 5, 10, rank=9)) == index.standing(bare(1, 5, 10, rank=1)) is not None
    assert index.standing(bare(2, 5, 12)) is None


copies = st.one_of(
    st.builds(
        lambda number, at, rank: Copy(0, f"device {number % 2}", at, rank, key(number)),
        st.integers(0, 5),
        st.integers(0, 5),
        st.integers(0, 2),
    ),
    st.builds(
        lambda counter, at, content, device, rank: Copy(0, device, at, rank, None, counter, content),
        st.integers(0, 8),
        st.integers(0, 40),
        st.sampled_from([b"p", b"q"]),
        st.sampled_from(["bare 1", "bare 2"]),
        st.integers(0, 1),
    ),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(copies, max_size=40), st.randoms(use_true_random=False), st.integers(1, 12))
def test_the_index_is_the_same_in_any_order_and_any_batches(
    arriving: list[Copy], chance: random.Random, size: int
) -> None:
    shuffled = list(arriving)
    chance.shuffle(shuffled)
    with TemporaryDirectory() as directory:
        found = []
        for name, batch, order in (("one", len(arriving) or 1, arriving), ("other", size, shuffled)):
            index = UplinkIndex(Path(directory) / name)
            for start in range(0, len(order), batch):
                part = order[start : start + batch]
                index.admit([replace(one, offset=start + place) for place, one in enumerate(part)])
                index.commit(len(order))
            if not order:
                index.commit(0)
            index.close()
            found.append(everything(Path(directory) / name))
        assert found[0] == found[1]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(copies, max_size=12), max_size=6))
def test_changes_tell_exactly_what_changed(batches: list[list[Copy]]) -> None:
    with TemporaryDirectory() as directory:
        index = UplinkIndex(Path(directory) / "index")
        told: dict[bytes, Standing] = {}
        offset = 0
        for batch in batches:
            numbered = [replace(one, offset=offset + place) for place, one in enumerate(batch)]
            offset += len(batch)
            for before, after in index.admit(numbered):
                if before is not None:
                    assert told.pop(before.key) == before
                if after is not None:
                    told[after.key] = after
        tally = index.tally()
        index.commit(offset)
        index.close()
        with sqlite3.connect(Path(directory) / "index") as db:
            rows = {Standing(*row) for row in db.execute("SELECT * FROM uplink")}
        db.close()
        assert rows == set(told.values())
        assert tally == Tally(decoded=len(told), duplicates=offset - len(told))


spans = st.tuples(st.integers(-2, 45), st.integers(0, 45))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.lists(copies, max_size=12), st.booleans()), max_size=8), spans)
def test_what_is_found_by_time_is_what_a_look_at_all_uplinks_finds(
    batches: list[tuple[list[Copy], bool]], span: tuple[int, int]
) -> None:
    start, end = span[0] * 1000, (span[0] + span[1]) * 1000
    with TemporaryDirectory() as directory:
        index = UplinkIndex(Path(directory) / "index")
        told: dict[bytes, Standing] = {}
        keys: dict[int, str] = {}
        ever: list[int] = []
        offset = 0
        for batch, kept in batches:
            numbered = [
                replace(one, offset=offset + place, measured_at=one.measured_at * 500)
                for place, one in enumerate(batch)
            ]
            before = dict(told)
            changes = index.admit(numbered)
            touched = [one for change in changes for one in change if one is not None]
            moments = {(one.device, one.measured_at) for one in touched}
            if len(batch) % 2:
                index.standing(numbered[0])
            unchanged = [one for one in told.values() if one.key not in {changed.key for changed in touched}]
            assert {one.key for one in index.rivals(changes)} == {
                one.key for one in unchanged if (one.device, one.measured_at) in moments
            }
            for old, new in changes:
                told.pop(old.key if old is not None else b"", None)
                if new is not None:
                    told[new.key] = new
            if kept:
                offset += len(batch)
                index.commit(offset)
                keys |= dict(sqlite_devices(index))
                ever += [one.measured_at for one in touched]
            else:
                told = before
                index.rollback()
        found = index.measured(dict.fromkeys([*keys.values(), "unheard of"], (start, end)))
        for number, name in keys.items():
            mine = sorted(one.measured_at for one in told.values() if one.device == number)
            within = [at for at in mine if start <= at < end]
            assert [one.measured_at for one in found.get(name, [])] == within
            assert all(one == told[one.key] for one in found.get(name, []))
            counted = index.counts([name], start, end, 5000)
            assert all(counted[step] >= sum(at // 5000 * 5000 == step for at in within) for step in range(0, end, 5000))
            assert sum(counted.values()) <= sum(start <= at < end for at in ever)
            extent = index.extent([name])
            assert extent is not None or not mine
            assert extent is None or all(extent[0] <= at < extent[1] for at in mine)
        index.close()


def sqlite_devices(index: UplinkIndex) -> list[tuple[int, str]]:
    return index._db.execute("SELECT id, key FROM device").fetchall()


def test_uplinks_are_counted_by_steps_and_their_extent_is_known_to_the_second(index: UplinkIndex) -> None:
    index.admit([copy(number, number, 60_000 * number + 500) for number in range(20)])
    index.admit([copy(20, 20, 1, device="other")])
    assert index.counts(["d", "unheard of"], 60_000, 600_000, 300_000) == {0: 4, 300_000: 5}
    assert index.extent(["d"]) == (0, 1_141_000)
    assert index.extent(["d", "other"]) == (0, 1_141_000)
    assert index.extent(["unheard of"]) is None
    assert index.measured({}) == {}


@pytest.mark.parametrize("moment", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
def test_any_moment_there_is_can_be_asked_for(index: UplinkIndex, moment: datetime) -> None:
    at = milliseconds(moment)
    index.admit([copy(number, number, at, device=f"device {number}") for number in range(3)])
    found = index.measured({"device 1": (at, at + 1), "device 2": (at - 1, at)})
    assert [one.key for one in found["device 1"]] == [key(1)]
    assert list(found) == ["device 1"]
    assert index.extent(["device 2"]) == (at // 1000 * 1000, at // 1000 * 1000 + 1000)


# --- the file ---


@pytest.mark.parametrize("damage", [b"no database at all" * 300, b"", None])
def test_a_file_that_is_no_index_is_begun_anew(path: Path, damage: bytes | None) -> None:
    if damage is None:
        with sqlite3.connect(path) as db:
            db.execute("CREATE TABLE another (program)")
        db.close()
    else:
        path.write_bytes(damage)
    index = UplinkIndex(path)
    assert (index.offset, index.tally()) == (0, Tally())
    index.admit([copy(1, 1, 1000)])
    index.commit(2)
    index.close()


def test_a_damaged_page_is_noticed_and_all_begins_anew(path: Path) -> None:
    index = UplinkIndex(path)
    index.admit([copy(number, number, number) for number in range(5000)])
    index.commit(5000)
    index.close()
    content = bytearray(path.read_bytes())
    page = int.from_bytes(content[16:18], "big")
    for start in range(12 * page, 40 * page, page):
        content[start : start + 64] = b"\xee" * 64
    path.write_bytes(content)
    index = UplinkIndex(path)
    with pytest.raises(DamagedIndexError):
        index.admit([copy(5000 + number, number, 0) for number in range(5000)])
    index.reset()
    assert (index.offset, index.tally()) == (0, Tally())
    assert len(index.admit([copy(1, 1, 1000)])) == 1
    index.close()


def test_another_process_is_told_that_it_is_in_use(path: Path, index: UplinkIndex) -> None:
    index.admit([copy(1, 1, 1000)])
    index.commit(2)
    other = "import sys, pathlib, ingest.uplink_index as i; i.UplinkIndex(pathlib.Path(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", other, str(path)], capture_output=True, text=True, timeout=150, check=False
    )
    assert BusyError.__name__ in done.stderr
    assert "another process has the uplink index open" in done.stderr


def test_a_place_where_no_file_can_be_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="the directory cannot be made"):
        UplinkIndex(tmp_path / "file" / "uplinks.db")


def test_a_full_disk_is_a_storage_error_and_the_index_goes_on_once_there_is_room(path: Path) -> None:
    index = UplinkIndex(path)
    index.commit(1)
    (pages,) = index._db.execute("PRAGMA page_count").fetchone()
    index._db.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(StorageError, match="full"):
        index.admit([copy(number, number, number) for number in range(5000)])
    index._db.execute("PRAGMA max_page_count = 1000000")
    index.rollback()
    assert len(index.admit([copy(number, number, number) for number in range(5000)])) == 5000
    index.close()
