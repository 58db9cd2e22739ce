import os
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from stores.observation_contract import DAY, END, HOUR, START, Judgements, assert_same, batch, content, row

from gruenpuls.domain.ports import Commit, Progress, Tally
from gruenpuls.domain.reading import Flag, ReadingBatch, to_stored
from gruenpuls.stores.embedded import EmbeddedStore, writer
from gruenpuls.stores.embedded.lake import quoted

NOTHING = timedelta(0)


@pytest.fixture
def store(directory: Path) -> Iterator[EmbeddedStore]:
    store = EmbeddedStore.open_writer(directory, Judgements(), fold_rows=30, large_rows=3)
    yield store
    store.close()


def readings(hours: range, series: range = range(10), value: float = 1.0) -> ReadingBatch:
    return batch(*(row(one, START + hour * HOUR, value) for hour in hours for one in series))


def test_small_commits_leave_one_file_a_month_and_a_catalogue_of_bounded_size(store: EmbeddedStore) -> None:
    sizes = []
    for turn in range(3):
        for hour in range(turn * 9, turn * 9 + 9):
            few = readings(range(hour, hour + 1), range(3))
            store.write(Commit(few, progress=Progress(hour, Tally(hour))))
        assert store.statistics().recent_rows > 0
        store.compact(keep_for=NOTHING)
        statistics = store.statistics()
        assert (statistics.rows, statistics.recent_rows) == ((turn + 1) * 27, 0)
        assert statistics.files <= 3
        assert statistics.snapshots <= 2
        sizes.append(statistics.catalogue_bytes)
    assert sizes[2] <= sizes[0] * 1.1


def test_a_large_commit_goes_into_parquet_at_once_and_takes_along_what_waits(store: EmbeddedStore) -> None:
    store.write(Commit(readings(range(1), range(3), value=1.0)))
    assert (store.statistics().rows, store.statistics().recent_rows) == (0, 3)
    store.write(Commit(readings(range(1), range(2, 6), value=2.0)))
    assert (store.statistics().rows, store.statistics().recent_rows) == (6, 0)
    assert store.read(range(6), START, END).value.tolist() == [1, 1, 2, 2, 2, 2]


def test_what_is_later_than_all_there_was_is_added_and_leaves_what_waits_in_its_place(store: EmbeddedStore) -> None:
    store.write(Commit(readings(range(1), range(3), value=1.0)))
    store.write(Commit(readings(range(1, 2), value=2.0)))
    assert (store.statistics().rows, store.statistics().recent_rows) == (10, 3)
    store.write(Commit(readings(range(1, 2), range(2), value=3.0)))
    before = store.read(range(10), START, END)
    assert before.value.tolist() == [1, 3] * 2 + [1, 2] + [2] * 7
    store.compact(keep_for=NOTHING)
    assert (store.statistics().rows, store.statistics().recent_rows) == (13, 0)
    assert_same(store.read(range(10), START, END), before)


def test_what_goes_on_where_all_ended_is_added_and_the_catalogue_still_does_not_grow(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "MOST_NOTED", 4)
    store = EmbeddedStore.open_writer(directory, Judgements(), fold_rows=30, large_rows=0)
    for hour in range(10):
        store.write(Commit(readings(range(hour, hour + 1)), progress=Progress(hour, Tally(hour))))
        with store._lake.cursor() as cursor:
            assert cursor.execute("SELECT count(*) FROM lake.progress").fetchall()[0][0] <= 4
    assert store.progress() == Progress(9, Tally(9))
    store.close()
    store = EmbeddedStore.open_writer(directory, Judgements(), fold_rows=30, large_rows=0)
    store.write(Commit(readings(range(9, 11), value=2.0)))
    assert store.statistics().rows == 110
    assert store.read([0], START, END).value.tolist() == [1.0] * 9 + [2.0] * 2
    store.close()


def test_small_files_that_lost_a_few_rows_each_do_not_pile_up(store: EmbeddedStore) -> None:
    for turn in range(8):
        store.write(Commit(ReadingBatch.joined([readings(range(turn * 10, turn * 10 + 10)), today(turn)])))
    assert store.statistics().files > 8
    store.compact(keep_for=NOTHING)
    assert store.statistics().files <= 3
    assert_same(store.read([99], START, END), today(7))
    assert len(store.read(range(10), START, END)) == 800


def today(value: float) -> ReadingBatch:
    return batch(row(99, START, value))


def test_files_that_lost_most_of_their_rows_are_written_anew(store: EmbeddedStore) -> None:
    store.write(Commit(readings(range(100))))
    store.write(Commit(readings(range(50, 100), value=2.0)))
    store.replace(range(5), START, END, ReadingBatch.empty())
    store.compact(keep_for=NOTHING)
    assert store.statistics().files <= 2
    found = store.read(range(10), START, END)
    assert set(found.series.tolist()) == set(range(5, 10))
    assert found.value.sum() == 5 * 50 * 1 + 5 * 50 * 2


def test_a_settled_file_is_sorted_by_series_and_time(store: EmbeddedStore, tmp_path: Path) -> None:
    for day in (3, 1, 2, 0):
        store.write(Commit(readings(range(day * 12, day * 12 + 12)).where(np.arange(120)[::-1])))
    store.compact(keep_for=NOTHING)
    with store._lake.cursor() as cursor:
        for path in (tmp_path / "store").rglob("*.parquet"):
            stored = cursor.execute(f"SELECT series, measured_at FROM read_parquet({quoted(path)})").fetchall()
            assert stored == sorted(stored)


def test_a_query_that_is_running_keeps_its_files(store: EmbeddedStore, tmp_path: Path) -> None:
    for hour in range(0, 40, 10):
        store.write(Commit(readings(range(hour, hour + 10))))
    for path in tmp_path.rglob("*.parquet"):
        os.utime(path, (0, 0))
    with store._lake.cursor() as cursor:
        cursor.begin()
        question = "SELECT count(*), sum(value) FROM lake.reading"
        assert cursor.execute(question).fetchone() == (400, 400.0)
        store.write(Commit(readings(range(20), value=2.0)))
        store.replace(range(5), START, END, ReadingBatch.empty())
        store.compact()
        assert cursor.execute(question).fetchone() == (400, 400.0)
    assert store.read(range(10), START, END).value.sum() == 300.0


def test_what_no_reader_needs_any_more_leaves_the_disk(store: EmbeddedStore, tmp_path: Path) -> None:
    store.write(Commit(readings(range(20))))
    store.replace(range(10), START, END, ReadingBatch.empty())
    store.compact()
    assert list(tmp_path.rglob("*.parquet"))
    store.compact(keep_for=NOTHING)
    assert not list(tmp_path.rglob("*.parquet"))


def test_files_a_killed_writer_left_behind_are_removed_once_they_are_old(store: EmbeddedStore, tmp_path: Path) -> None:
    store.write(Commit(readings(range(20))))
    file = next((tmp_path / "store" / "data").rglob("*.parquet"))
    leftovers = [file.with_name(f"ducklake-left-{age}.parquet") for age in ("old", "new")]
    for leftover in leftovers:
        shutil.copyfile(file, leftover)
    an_hour_ago = file.stat().st_mtime - 3600
    os.utime(leftovers[0], (an_hour_ago, an_hour_ago))
    store.compact()
    assert [leftover.exists() for leftover in leftovers] == [False, True]
    assert len(store.read(range(10), START, END)) == 200


def test_the_same_readings_again_write_nothing(store: EmbeddedStore, tmp_path: Path) -> None:
    written = readings(range(100))
    store.write(Commit(written))
    files = set(tmp_path.rglob("*.parquet"))
    store.write(Commit(written))
    store.replace(range(10), START, END, written)
    assert set(tmp_path.rglob("*.parquet")) == files
    assert_same(store.read(range(10), START, END), written.ordered())


def test_a_correction_of_a_settled_reading_survives_every_step(store: EmbeddedStore) -> None:
    store.write(Commit(readings(range(100))))
    correction = batch(row(3, START + HOUR, np.nan, Flag.MISSING), row(4, START + 40 * DAY, 7.0))
    expected = {(3, to_stored(START + HOUR)): None, (4, to_stored(START + 40 * DAY)): 7.0}
    for step in (lambda: store.write(Commit(correction)), store.compact, lambda: store.compact(keep_for=NOTHING)):
        step()
        found = {(series, at): value for series, at, value, _, _ in content(store.read(range(10), START, END))}
        assert len(found) == 1001
        assert {key: found[key] for key in expected} == expected


def test_new_files_are_on_the_disk_before_the_catalogue_names_them(
    store: EmbeddedStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: set[str] = set()
    fsync = os.fsync

    def note(descriptor: int) -> None:
        synced.add(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    for hour in range(0, 40, 10):
        store.write(Commit(readings(range(hour, hour + 10))))
    store.compact()
    files = set((tmp_path / "store" / "data" / "main" / "reading").rglob("*"))
    assert {str(file) for file in files} <= synced
    assert len([file for file in files if file.is_file()]) == 5
