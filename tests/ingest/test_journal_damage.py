from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gruenpuls.domain.uplink import RawMessage
from ingest.journal import Journal
from ingest.journal_offsets import LONGEST_SEGMENT, RESERVED_AT_ONCE
from ingest.journal_segment import Batch, DamagedSegmentError, Segment

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def batch(number: int, *, size: int = 20, days: int = 0) -> list[RawMessage]:
    """Return messages that fill several database pages."""
    noise = random.Random(number)
    received_at = NOON + timedelta(days=days)
    return [RawMessage("mqtt", f"{number}", received_at, noise.randbytes(1000)) for _ in range(size)]


def three_days(directory: Path) -> list[Path]:
    """Leave a journal of three segments with two batches each: offsets 0 to 39, 40 to 79, 80 to 119."""
    with Journal(directory) as journal:
        for number in range(6):
            journal.append(batch(number, days=number // 2))
    return sorted(directory.glob("*.sqlite"))


def overwrite_header(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"this is not a database at all...")


def truncate(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def flip_payload_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    place = len(content) - 2000
    content[place] ^= 0x40
    path.write_bytes(content)


def wreck_tree_pages(path: Path) -> None:
    content = bytearray(path.read_bytes())
    for page in range(4096, len(content), 4096):
        content[page : page + 100] = b"\xff" * 100
    path.write_bytes(content)


def replace_by_foreign_database(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE batch (first INTEGER PRIMARY KEY)")
    connection.close()


def change_a_count(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE batch SET count = count + 1 WHERE first = (SELECT max(first) FROM batch)")
    connection.close()


def change_totals(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("""UPDATE batch SET totals = '{"mqtt": 9}'""")
    connection.close()


def change_the_dictionary(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        assert connection.execute("UPDATE dictionary SET content = zeroblob(1000)").rowcount == 1
    connection.close()


DAMAGES = [
    overwrite_header,
    truncate,
    empty,
    flip_payload_byte,
    wreck_tree_pages,
    replace_by_foreign_database,
    change_a_count,
    change_totals,
    change_the_dictionary,
]


@pytest.mark.parametrize("harm", DAMAGES)
@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_damaged_segment_is_set_aside_whole_and_the_rest_goes_on(
    tmp_path: Path, harm: Callable[[Path], None], which: int
) -> None:
    segments = three_days(tmp_path)
    harm(segments[which])
    with Journal(tmp_path) as journal:
        found = journal.read(0, 1000)
        intact = [offset for offset in range(120) if offset // 40 != which]
        whole_or_until_the_harm = [entry.offset for entry in found if entry.offset // 40 == which]
        assert [entry.offset for entry in found if entry.offset // 40 != which] == intact
        assert whole_or_until_the_harm in ([], list(range(which * 40, which * 40 + 20)))
        assert all(
            entry.message == batch(entry.offset // 20, days=entry.offset // 40)[0 + entry.offset % 20]
            for entry in found
        )

        assert journal.append(batch(9, days=2)).start == 120
        assert [entry.offset for entry in journal.read(80, 1000)][-20:] == list(range(120, 140))

        (damage,) = journal.damage()
        assert damage.path == segments[which]
        assert damage.first == which * 40
        assert damage.messages in (None, 40, 41)
        assert damage.error.where == str(segments[which])
        assert damage.error.remedy

    with Journal(tmp_path) as journal:
        assert journal.append(batch(10, days=2)).start == 140
        assert len(journal.damage()) == 1
    assert not segments[which].exists()
    assert Path(f"{segments[which]}.damaged").exists()


def test_a_reader_that_finds_damage_leaves_word_and_the_writer_starts_anew(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        journal.append(batch(0))
        journal.append(batch(1))
        (segment,) = tmp_path.glob("*.sqlite")
        with sqlite3.connect(segment) as connection:
            connection.execute("UPDATE batch SET checksum = checksum + 1 WHERE first = 20")
        connection.close()
        with Journal.reader(tmp_path) as reader:
            assert [entry.offset for entry in reader.read(0, 100)] == list(range(20))
            (damage,) = reader.damage()
            assert "checksum" in damage.reason
            assert segment.exists(), "only the writer renames"
            assert journal.append(batch(2)) == range(40, 60)
            assert not segment.exists()
            assert [entry.offset for entry in reader.read(0, 100)] == list(range(40, 60))
            assert reader.counts() == {"mqtt": 60}


def test_a_glance_at_where_it_ends_passes_over_what_cannot_be_read(tmp_path: Path) -> None:
    *_, newest = three_days(tmp_path)
    with Journal.reader(tmp_path) as reader:
        assert reader.reach == reader.end == 120
    for path in tmp_path.glob(f"{newest.name}*"):
        overwrite_header(path)
    with Journal.reader(tmp_path) as reader:
        assert reader.reach == 80


def test_a_passing_error_is_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    three_days(tmp_path)
    batches = Segment.batches
    failed: set[Path] = set()

    def batches_at_the_second_try(segment: Segment, from_offset: int) -> Iterator[Batch]:
        for number, found in enumerate(batches(segment, from_offset)):
            if number == 1 and segment.path not in failed:
                failed.add(segment.path)
                raise DamagedSegmentError
            yield found

    monkeypatch.setattr(Segment, "batches", batches_at_the_second_try)
    with Journal.reader(tmp_path) as reader:
        assert [entry.offset for entry in reader.read(0, 1000)] == list(range(120))
        assert len(failed) == 3
        assert reader.damage() == []


def test_a_segment_that_takes_no_more_is_followed_by_a_new_one(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        journal.append(batch(0))
        (segment,) = tmp_path.glob("*.sqlite")
        with sqlite3.connect(segment) as connection:
            connection.execute("DROP TABLE batch")
        connection.close()
        assert journal.append(batch(1)).start >= 20
        assert [entry.message for entry in journal.read(0, 100)] == batch(1)
        (damage,) = journal.damage()
        assert "no such table" in damage.reason
        assert Path(f"{segment}.damaged").exists()


def test_a_segment_restored_from_a_backup_is_read_again(tmp_path: Path) -> None:
    segments = three_days(tmp_path)
    backup = segments[1].read_bytes()
    flip_payload_byte(segments[1])
    with Journal(tmp_path) as journal:
        assert len(journal.read(0, 1000)) < 120
    with Journal(tmp_path):
        pass
    segments[1].write_bytes(backup)
    Path(f"{segments[1]}.reason").unlink()
    Path(f"{segments[1]}.damaged").unlink()
    with Journal(tmp_path) as journal:
        assert [entry.offset for entry in journal.read(0, 1000)] == list(range(120))
        assert journal.damage() == []


def test_a_damaged_note_does_not_hide_the_damage(tmp_path: Path) -> None:
    segments = three_days(tmp_path)
    Path(f"{segments[0]}.reason").write_bytes(b"\xff not json")
    with Journal.reader(tmp_path) as reader:
        assert [entry.offset for entry in reader.read(0, 1000)] == list(range(40, 120))
        (damage,) = reader.damage()
        assert "not known" in damage.reason


def test_counts_survive_where_the_damaged_segment_still_tells_them(tmp_path: Path) -> None:
    segments = three_days(tmp_path)
    with sqlite3.connect(segments[2]) as connection:
        connection.execute("UPDATE batch SET checksum = 0 WHERE first = 80")
    connection.close()
    with Journal(tmp_path) as journal:
        journal.read(0, 1000)
    with Journal(tmp_path) as journal:
        assert journal.counts() == {"mqtt": 120}
        assert journal.damage()[0].messages == 40


def crashed(directory: Path, batches: int) -> Journal:
    """Return a journal as a crash leaves it: never closed, its lock gone."""
    journal = Journal(directory)
    for number in range(batches):
        journal.append(batch(number))
    journal._lock.release()
    return journal


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.7, 0.99])
def test_offsets_of_commits_torn_off_the_log_are_not_used_again(tmp_path: Path, kept: float) -> None:
    before = crashed(tmp_path / "crashed", 10)
    (log,) = (tmp_path / "crashed").glob("*-wal")
    content = log.read_bytes()
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in (tmp_path / "crashed").iterdir():
        if not path.name.endswith("-shm"):
            (copy / path.name).write_bytes(path.read_bytes())
    (copy / log.name).write_bytes(content[: int(len(content) * kept)])
    with Journal(copy) as journal:
        survivors = journal.read(0, 1000)
        assert len(survivors) % 20 == 0
        assert len(survivors) < 200
        assert [entry.offset for entry in survivors] == list(range(len(survivors)))
        assert journal.append(batch(99)).start >= 200
        assert journal.counts()["mqtt"] == len(survivors) + 20
    before._retire()


@pytest.mark.parametrize("harm", [overwrite_header, empty])
def test_offsets_are_not_used_again_when_todays_segment_is_lost_after_a_crash(
    tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    journal = crashed(tmp_path, 3)
    journal._retire()
    (segment,) = tmp_path.glob("*.sqlite")
    harm(segment)
    with Journal(tmp_path) as after:
        assert 60 <= after.append(batch(4)).start <= 60 + RESERVED_AT_ONCE


@pytest.mark.parametrize("content", [None, b"", b"80 00000000\n", b"\xff\xfe", b"8\n"])
def test_offsets_are_not_used_again_without_the_mark(tmp_path: Path, content: bytes | None) -> None:
    segments = three_days(tmp_path)
    overwrite_header(segments[2])
    mark = tmp_path / "next-offset"
    if content is None:
        mark.unlink()
    else:
        mark.write_bytes(content)
    with Journal(tmp_path) as journal:
        assert journal.append(batch(7)).start == 80 + LONGEST_SEGMENT
    with Journal(tmp_path) as journal:
        assert journal.end == 80 + LONGEST_SEGMENT + 20


def test_a_mark_older_than_the_segments_is_not_believed(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        journal.append(batch(0))
    old = (tmp_path / "next-offset").read_bytes()
    with Journal(tmp_path) as journal:
        journal.append(batch(1))
    (tmp_path / "next-offset").write_bytes(old)
    with Journal(tmp_path) as journal:
        assert journal.append(batch(2)).start == 40


def test_a_segment_left_half_made_is_cleared_away(tmp_path: Path) -> None:
    three_days(tmp_path)
    (tmp_path / "2026-11-25_0000000000000000120.new").write_bytes(b"half")
    with Journal(tmp_path) as journal:
        assert journal.append(batch(7, days=3)).start == 120
    assert not list(tmp_path.glob("*.new"))


def test_a_segment_that_goes_while_it_is_read_is_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    segments = three_days(tmp_path)
    with Journal.reader(tmp_path) as reader:
        listed = reader._names()
        segments[0].unlink()
        monkeypatch.setattr(reader, "_names", lambda: listed)
        assert [entry.offset for entry in reader.read(0, 1000)] == list(range(40, 120))
        assert reader.damage() == []
