from __future__ import annotations

import random
import subprocess
import sys
import textwrap
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gruenpuls.domain.errors import BusyError, StorageError
from gruenpuls.domain.uplink import RawMessage
from ingest.journal import Journal
from ingest.journal_batch import DICTIONARY_BYTES, DamagedBatchError, packed, unpacked

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)

any_text = st.text(st.characters(), max_size=20)
messages = st.builds(
    RawMessage,
    source=any_text,
    topic=any_text,
    received_at=st.datetimes(timezones=st.just(UTC)),
    payload=st.binary(max_size=200),
)


def uplink(number: int, *, source: str = "mqtt", received_at: datetime = NOON) -> RawMessage:
    return RawMessage(source, f"application/1/device/{number}/event/up", received_at, b'{"number": %d}' % number)


def uplinks(start: int, end: int) -> list[RawMessage]:
    return [uplink(number) for number in range(start, end)]


@given(st.lists(messages, max_size=20), st.binary(max_size=100))
def test_any_messages_come_back_identical_and_in_order(batch: list[RawMessage], dictionary: bytes) -> None:
    assert unpacked(packed(batch, dictionary), dictionary) == batch


@given(
    st.lists(messages, max_size=20) | st.integers(0, 300).map(lambda count: uplinks(0, count)),
    st.binary(max_size=100) | st.just((b'application/1/device/7/event/up{"number": 7}' * 800)[:DICTIONARY_BYTES]),
    st.integers(0, 9),
)
def test_a_blob_is_plain_deflate_that_zlib_reads_and_writes(
    batch: list[RawMessage], dictionary: bytes, level: int
) -> None:
    raw = zlib.decompressobj(-15, zdict=dictionary).decompress(packed(batch, dictionary))
    compressor = zlib.compressobj(level, zlib.DEFLATED, -15, zdict=dictionary)
    assert unpacked(compressor.compress(raw) + compressor.flush(), dictionary) == batch


@given(st.lists(messages, min_size=1, max_size=5), st.data())
def test_a_blob_cut_short_or_too_long_is_refused(batch: list[RawMessage], data: st.DataObject) -> None:
    blob = packed(batch)
    for wrong in (blob[: data.draw(st.integers(0, len(blob) - 1))], blob + data.draw(st.binary(min_size=1))):
        with pytest.raises(DamagedBatchError):
            unpacked(wrong)


@given(st.binary(max_size=300))
def test_a_foreign_blob_is_refused_and_nothing_else_escapes(blob: bytes) -> None:
    with pytest.raises(DamagedBatchError):
        unpacked(blob)


@settings(max_examples=25, deadline=None)
@given(st.lists(messages, min_size=1, max_size=30), st.data())
def test_any_split_into_batches_and_reads_gives_the_same_entries(sent: list[RawMessage], data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(0, len(sent)), max_size=5)) | {0, len(sent)})
    limit, most_bytes = data.draw(st.integers(1, 12)), data.draw(st.integers(1, 500))
    with TemporaryDirectory() as directory, Journal(Path(directory)) as journal:
        ranges = [journal.append(sent[start:end]) for start, end in pairwise(cuts)]
        assert [offset for offsets in ranges for offset in offsets] == list(range(len(sent)))
        found, place = [], 0
        while entries := journal.read(place, limit, most_bytes):
            length = sum(len(entry.message.payload) for entry in entries)
            assert length - len(entries[-1].message.payload) < most_bytes
            assert len(entries) == limit or length >= most_bytes or entries[-1].offset == len(sent) - 1
            assert len(entries) <= limit
            found += entries
            place = entries[-1].offset + 1
        assert [entry.message for entry in found] == sent
        assert [entry.offset for entry in found] == list(range(len(sent)))
        assert [journal.waiting(offset) for offset in range(len(sent) + 2)] == [*range(len(sent), -1, -1), 0]


def test_a_new_journal_is_empty(tmp_path: Path) -> None:
    with Journal(tmp_path / "not" / "there" / "yet") as journal:
        assert (journal.start, journal.end, journal.counts(), journal.read(0, 10)) == (0, 0, {}, [])
        assert journal.append([]) == range(0)
    with Journal.reader(tmp_path / "nowhere") as reader:
        assert (reader.start, reader.end, reader.counts(), reader.read(0, 10)) == (0, 0, {}, [])
        assert (reader.waiting(0), reader.reach) == (0, 0)


def test_a_journal_goes_on_without_a_gap_after_a_proper_end(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        assert journal.append(uplinks(0, 3)) == range(3)
    with Journal(tmp_path) as journal:
        assert journal.end == journal.reach == 3
        assert journal.append(uplinks(3, 5)) == range(3, 5)
        assert journal.reach == 5
        assert [entry.message for entry in journal.read(0, 10)] == uplinks(0, 5)


def test_entries_are_found_by_their_offsets_in_the_order_asked(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        journal.append(uplinks(0, 10))
        journal.append(uplinks(10, 20))
        found = journal.entries([15, 3, 3, 99, -1, 1 << 70])
        assert [(entry.offset, entry.message) for entry in found] == [(n, uplink(n)) for n in (15, 3, 3)]


def test_each_day_of_receipt_has_its_segment(tmp_path: Path) -> None:
    days = [NOON, NOON + timedelta(days=1), NOON + timedelta(days=2)]
    with Journal(tmp_path) as journal:
        for number, day in enumerate(days):
            journal.append([uplink(number, received_at=day)])
        names = sorted(path.name for path in tmp_path.glob("*.sqlite"))
        assert names == [f"{day.date()}_{number:019d}.sqlite" for number, day in enumerate(days)]
        assert [entry.message.received_at for entry in journal.read(0, 10)] == days
        assert journal.start == 0


def test_a_clock_set_back_across_midnight_opens_no_new_segment_but_one_set_right_does(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        for hours in (0, -13, 1, 24 * 900, 2):
            journal.append([uplink(0, received_at=NOON + timedelta(hours=hours))])
        assert len(list(tmp_path.glob("*.sqlite"))) == 3
        assert [entry.offset for entry in journal.read(0, 10)] == [0, 1, 2, 3, 4]


def test_a_deleted_segment_does_not_bring_its_offsets_back(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        journal.append(uplinks(0, 5))
    (segment,) = tmp_path.glob("*.sqlite")
    segment.unlink()
    with Journal(tmp_path) as journal:
        assert journal.append(uplinks(0, 1)) == range(5, 6)
        assert [entry.offset for entry in journal.read(0, 10)] == [5]
        assert journal.start == 5


def test_a_segment_taken_away_under_the_writer_is_followed_by_a_new_one(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        journal.append(uplinks(0, 5))
        for path in tmp_path.glob("*.sqlite*"):
            path.unlink()
        journal.append(uplinks(5, 6))
        with Journal.reader(tmp_path) as reader:
            assert [entry.offset for entry in reader.read(0, 10)] == [5]


def test_sources_are_counted_across_batches_segments_and_restarts(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        journal.append([uplink(0, source="north"), uplink(1, source="south"), uplink(2, source="north")])
        journal.append([uplink(3, source="north", received_at=NOON + timedelta(days=1))])
    with Journal(tmp_path) as journal:
        journal.append([uplink(4, source="south")])
        assert journal.counts() == {"north": 3, "south": 2}
        with Journal.reader(tmp_path) as reader:
            assert reader.counts() == {"north": 3, "south": 2}


def test_what_each_source_had_brought_before_an_offset_is_known_of_every_offset(tmp_path: Path) -> None:
    sources = ["north", "south", "north", "north", "south"]
    days = [NOON, NOON, NOON, NOON + timedelta(days=1), NOON + timedelta(days=1)]
    sent = [uplink(n, source=source, received_at=at) for n, (source, at) in enumerate(zip(sources, days, strict=True))]
    with Journal(tmp_path) as journal:
        journal.append(sent[:3])
        # An interrupted writer leaves a gap of offsets; another day opens another segment.
        journal._next += 10
        journal.append(sent[3:4])
        journal.append(sent[4:])
        offsets = [entry.offset for entry in journal.read(0, 9)]
        for offset in range(offsets[-1] + 3):
            before = Counter(source for at, source in zip(offsets, sources, strict=True) if at < offset)
            assert Counter(journal.counts_before(offset)) == before, offset


def test_lone_messages_are_packed_with_what_the_segment_has_learned(tmp_path: Path) -> None:
    noise = random.Random(1)
    unchanging = noise.randbytes(300)
    sent = [RawMessage("mqtt", "t", NOON, noise.randbytes(10) + unchanging) for _ in range(150)]
    with Journal(tmp_path) as journal:
        sizes = [stored_size(journal, [message]) for message in sent]
        assert [entry.message for entry in journal.read(0, 1000)] == sent
    assert sizes[0] > 300
    assert sizes[-1] < 100
    with Journal(tmp_path) as journal:
        assert stored_size(journal, sent[:1]) < 100
        assert [entry.message for entry in journal.entries([0, 149, 150])] == [sent[0], sent[149], sent[0]]


def stored_size(journal: Journal, batch: list[RawMessage]) -> int:
    """Append, and return how many bytes the blob took."""
    journal.append(batch)
    assert journal._current
    last = journal._current[1].last()
    assert last
    return len(last.blob)


def test_only_one_process_writes_and_the_other_learns_which(tmp_path: Path) -> None:
    script = f"""
        from pathlib import Path
        from ingest.journal import Journal
        with Journal(Path({str(tmp_path)!r})):
            print("open", flush=True)
            input()
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout
        assert other.stdout.readline() == "open\n"
        with pytest.raises(BusyError, match=rf"pid {other.pid}\b") as busy:
            Journal(tmp_path)
        assert busy.value.where == str(tmp_path)
        other.communicate("\n")
    Journal(tmp_path).close()


def test_a_refused_writer_leaves_the_lock_to_its_holder(tmp_path: Path) -> None:
    with Journal(tmp_path):
        for _ in range(2):
            with pytest.raises(BusyError):
                Journal(tmp_path)


def test_a_directory_that_is_a_file_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "journal").write_text("no directory")
    with pytest.raises(StorageError, match="cannot be opened") as refused:
        Journal(tmp_path / "journal")
    assert refused.value.remedy


def test_a_naive_time_of_receipt_is_refused_and_nothing_kept(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        with pytest.raises(TypeError):
            journal.append([uplink(0), uplink(1, received_at=NOON.replace(tzinfo=None))])
        assert journal.append(uplinks(0, 1)) == range(1)


@pytest.mark.parametrize("lives", [1, 2])
def test_a_commit_waits_for_the_disk(tmp_path: Path, lives: int) -> None:
    """No kill shows what only a power cut would: the setting has to."""
    for _ in range(lives - 1):
        with Journal(tmp_path) as journal:
            journal.append(uplinks(0, 1))
    with Journal(tmp_path) as journal:
        journal.append(uplinks(0, 1))
        assert journal._current
        connection = journal._current[1]._connection
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_full_disk_is_reported_and_passes(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        journal.append(uplinks(0, 2))
        full(journal)
        for _ in range(3):
            with pytest.raises(StorageError, match="full") as error:
                journal.append([incompressible()])
            assert "free space" in error.value.remedy
        assert [entry.message for entry in journal.read(0, 10)] == uplinks(0, 2)
        full(journal, pages=1 << 30)
        offsets = journal.append(uplinks(2, 4))
        assert offsets.start >= 2
        assert [entry.message for entry in journal.read(0, 10)] == uplinks(0, 4)
        assert journal.counts() == {"mqtt": 4}
        assert journal.waiting(1) == 3


def test_a_mark_that_cannot_be_written_acknowledges_nothing(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        blocker = tmp_path / "next-offset.new"
        blocker.mkdir()
        with pytest.raises(StorageError, match="next offset"):
            journal.append(uplinks(0, 2))
        blocker.rmdir()
        assert journal.append(uplinks(0, 2)) == range(2)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Yield a file system of half a megabyte; mounting one is for root."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(place)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("a small file system can only be mounted by root")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_a_really_full_disk_is_reported_and_passes(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(100_000))
    with Journal(small_disk / "journal") as journal:
        kept, refused = appended_until_full(journal)
        assert "free space" in refused.remedy
        with pytest.raises(StorageError):
            journal.append([uplink(-1, received_at=NOON + timedelta(days=1))])
        with Journal.reader(small_disk / "journal") as reader:
            assert [entry.message for entry in reader.read(0, 10_000)] == kept
        ballast.unlink()
        journal.append([uplink(-1)])
        assert [entry.message for entry in journal.read(0, 10_000)] == [*kept, uplink(-1)]
        assert journal.damage() == []
    with Journal(small_disk / "journal") as journal:
        assert [entry.message for entry in journal.read(0, 10_000)] == [*kept, uplink(-1)]


def test_a_reader_sees_whole_batches_while_another_process_appends(tmp_path: Path) -> None:
    script = f"""
        from datetime import UTC, datetime
        from pathlib import Path
        from gruenpuls.domain.uplink import RawMessage
        from ingest.journal import Journal
        now = datetime.now(UTC)
        with Journal(Path({str(tmp_path)!r})) as journal:
            for number in range(300):
                size = number % 7 + 1
                journal.append([RawMessage("mqtt", f"{{number}}/{{size}}", now, bytes(50))] * size)
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)]) as writer:
        with Journal.reader(tmp_path) as reader:
            seen: list[str] = []
            done = False
            while not done:
                done = writer.poll() is not None
                entries = reader.read(len(seen), 10_000)
                assert [entry.offset for entry in entries] == list(range(len(seen), len(seen) + len(entries)))
                seen += [entry.message.topic for entry in entries]
                assert_whole_batches(seen)
                assert reader.end >= len(seen)
        assert writer.returncode == 0
    assert len(seen) == sum(number % 7 + 1 for number in range(300))


def assert_whole_batches(topics: Sequence[str]) -> None:
    if topics:
        size = int(topics[-1].split("/")[1])
        assert topics[-size:] == [topics[-1]] * size


def appended_until_full(journal: Journal) -> tuple[list[RawMessage], StorageError]:
    for number in range(10_000):
        try:
            journal.append([uplink(number)])
        except StorageError as error:
            return uplinks(0, number), error
    pytest.fail("the disk never got full")


def incompressible() -> RawMessage:
    return RawMessage("mqtt", "t", NOON, random.Random(1).randbytes(200_000))


def full(journal: Journal, pages: int = 1) -> None:
    """Let SQLite meet the same error as on a full disk; `pages` below the present size means no growth."""
    assert journal._current
    journal._current[1]._connection.execute(f"PRAGMA max_page_count={pages}")
