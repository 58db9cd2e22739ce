"""Messages read in a process beside the decoder: the same ones, whatever comes meanwhile and whatever becomes of it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

import pytest
from decoding_bench import NOON, Bench, after, helium, payload_of
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_ports import MemoryJournal

from gruenpuls.domain.errors import StorageError
from gruenpuls.domain.uplink import DeadLetter, DeadLetterReason, JournalEntry, Radio, RawMessage
from ingest import journal_entries, read_ahead
from ingest.message import Message, Read, offset_of, read_message
from ingest.read_ahead import MessageReader, ReadAhead, Wanted, packed, read_for, unpacked
from ingest.resolve import Copy

LONG = st.integers(-(1 << 63), (1 << 63) - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
MOMENTS = st.datetimes(timezones=st.just(UTC))
MESSAGES = st.builds(
    Message,
    offset=st.just(0),
    source=TEXT,
    topic=TEXT,
    received_at=MOMENTS,
    device=TEXT,
    payload=st.binary(),
    port=st.none() | LONG,
    measured_at=MOMENTS,
    decoded=st.none() | st.binary(),
    radio=st.builds(
        Radio,
        gateways=LONG,
        rssi=st.none() | st.floats(allow_nan=False),
        snr=st.none() | st.floats(allow_nan=False),
        spreading_factor=st.none() | LONG,
        heard_by=st.lists(TEXT).map(tuple),
    ),
)
COPIES = st.builds(Copy, st.just(0), TEXT, LONG, LONG, st.none() | st.binary(), LONG, st.binary())
LETTERS = st.builds(
    DeadLetter, st.just(0), st.sampled_from(DeadLetterReason), TEXT, TEXT, TEXT, st.none() | TEXT, MOMENTS
)
PARTS = st.lists(st.tuples(st.integers(0, 3), st.lists(st.sampled_from(["good", "bad", "copied"]), max_size=9)))


@given(st.lists(st.tuples(MESSAGES, COPIES) | LETTERS, max_size=8))
def test_what_is_read_crosses_the_line_as_it_is(reads: list[Read]) -> None:
    placed: list[Read] = []
    for offset, read in enumerate(reads):
        if isinstance(read, DeadLetter):
            placed.append(DeadLetter(offset, *[getattr(read, name) for name in DeadLetter.__slots__[1:]]))
        else:
            message, copy = read
            placed.append((Message(offset, *_fields(message)[1:]), Copy(offset, *_fields(copy)[1:])))
    assert unpacked(packed(placed)) == placed


def _fields(struct: Message | Copy) -> list[object]:
    return [getattr(struct, name) for name in struct.__struct_fields__]


@settings(max_examples=60, deadline=None)
@given(PARTS, st.integers(1, 7))
def test_whatever_comes_meanwhile_the_readings_are_the_same(parts: list[tuple[int, list[str]]], limit: int) -> None:
    with (
        TemporaryDirectory() as one,
        TemporaryDirectory() as other,
        closing(Bench(Path(one), limit=limit)) as plain,
        closing(Bench(Path(other), limit=limit, reads_ahead=True)) as ahead,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(journal_entries, "_PORTION", 2)
        number = 0
        for gap, kinds in parts:
            messages = []
            for kind in kinds:
                number += kind != "copied"
                messages.append(message(number, kind))
            for bench in (plain, ahead):
                bench.journal.append(messages, gap)
            # Only one step each: what is read ahead may be more by the time it is taken.
            for bench in (plain, ahead):
                bench.decoder.step()
        for bench in (plain, ahead):
            bench.run()
        assert ahead.outcome() == plain.outcome()
        assert ahead.registry.letters == plain.registry.letters
        assert ahead.store.commits == plain.store.commits


def message(number: int, kind: str = "good") -> RawMessage:
    if kind == "bad":
        # No line carries a topic that is no text.
        return RawMessage("test", "\ud800" if number % 2 else "t", NOON, b"{%d" % number)
    return helium(number, after(number), payload_of(number % 40, 65), frame=b"%d" % number)


class Seen(MemoryJournal):
    """The same journal, and whoever reads in it is seen."""

    def __init__(self, journal: MemoryJournal) -> None:
        super().__init__()
        self.kept = journal.kept
        self.asked: list[int] = []

    def read(self, from_offset: int, limit: int, most_bytes: int) -> list[JournalEntry]:
        self.asked.append(from_offset)
        return super().read(from_offset, limit, most_bytes)


class Line:
    """Both ends of a line; the far one reads in a thread, as the service does in a process."""

    def __init__(self, journal: MemoryJournal) -> None:
        self.journal = journal
        self.seen = Seen(journal)
        self.ours, self.theirs = socket.socketpair()
        self.reader = MessageReader(self.seen, ReadAhead(self.ours))
        self.far = Thread(target=read_for, args=(self.theirs, journal))

    def close(self) -> None:
        self.ours.close()
        if self.far.ident is not None:
            self.far.join()
        self.theirs.close()


@pytest.fixture
def line() -> Iterator[Line]:
    with closing(Line(MemoryJournal([message(number) for number in range(20)]))) as found:
        yield found


def offsets(line: Line, *wanted: int) -> list[int]:
    return [offset_of(read) for read in line.reader.reads(Wanted(*wanted))]


def test_the_process_reads_what_is_wanted_next_and_the_decoder_nothing_of_it(line: Line) -> None:
    line.far.start()
    assert offsets(line, 0, 8, 9999) == list(range(8))
    line.seen.asked.clear()
    assert offsets(line, 8, 8, 9999) == list(range(8, 16))
    assert line.seen.asked == []
    # It was to go on at 16: the decoder does, where it is wanted to begin elsewhere.
    assert offsets(line, 9, 3, 9999) == [9, 10, 11]
    assert line.seen.asked == [9]


def test_as_much_is_read_as_is_wanted_and_as_there_is_by_then(line: Line) -> None:
    line.far.start()
    size = sum(len(entry.message.payload) for entry in line.journal.read(0, 8, 9999))
    assert offsets(line, 0, 8, size) == list(range(8))
    assert offsets(line, 8, 8, size) == [entry.offset for entry in line.journal.read(8, 8, size)]
    assert offsets(line, 0, 18, 9999) == list(range(18))
    line.journal.append([message(number) for number in range(20, 22)])
    assert offsets(line, 18, 18, 9999) == [18, 19, 20, 21]
    assert offsets(line, 22, 18, 9999) == []


def test_few_messages_are_read_without_the_process(line: Line) -> None:
    # Nobody is at the far end, so whoever asked it would wait.
    assert offsets(line, 18, 20, 9999) == [18, 19]
    assert offsets(line, 20, 20, 9999) == []


def test_what_cannot_be_said_on_the_line_is_read_by_the_decoder(line: Line) -> None:
    line.journal.append([RawMessage("test", "\ud800", NOON, b"{"), message(30)])
    line.far.start()
    assert offsets(line, 0, 10, 9999) == list(range(10))
    found = list(line.reader.reads(Wanted(10, 12, 9999)))
    assert found == [read_message(entry) for entry in line.journal.read(10, 12, 9999)]


def test_what_the_process_cannot_read_is_read_by_the_decoder(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> list[JournalEntry]:
        what = "it cannot be opened"
        raise StorageError(what, where="the journal")

    monkeypatch.setattr(line.journal, "read", fail)
    line.far.start()
    assert offsets(line, 0, 10, 9999) == list(range(10))
    assert offsets(line, 10, 10, 9999) == list(range(10, 20))


def test_what_is_damaged_is_found_by_the_decoder_itself(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    damage: list[str] = []
    read = line.journal.read

    def read_around(from_offset: int, limit: int, most_bytes: int) -> list[JournalEntry]:
        if from_offset >= 15:
            damage.append("15 to 17")
        return read(max(from_offset, 18) if damage else from_offset, limit, most_bytes)

    monkeypatch.setattr(journal_entries, "_PORTION", 5)
    monkeypatch.setattr(line.journal, "read", read_around)
    monkeypatch.setattr(line.journal, "damage", lambda: list(damage))
    line.far.start()
    assert offsets(line, 0, 10, 9999) == list(range(10))
    assert offsets(line, 10, 10, 9999) == list(range(10, 20))
    assert damage


@pytest.mark.parametrize("portions", [0, 1])
def test_a_process_that_ends_or_is_silent_is_done_without(
    line: Line, portions: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(journal_entries, "_PORTION", 5)
    assert offsets(line, 0, 10, 9999) == list(range(10))
    answers = b"".join(
        read_ahead._REPLY.pack(len(blob)) + blob
        for blob in [packed([read_message(entry) for entry in line.journal.read(10, 5, 9999)])] * portions
    )
    line.theirs.sendall(answers + b"\x01")
    if portions:
        line.theirs.shutdown(socket.SHUT_RDWR)
    else:
        line.ours.settimeout(0.05)
    assert offsets(line, 10, 10, 9999) == list(range(10, 20))
    assert "is lost" in caplog.text
    caplog.clear()
    assert offsets(line, 0, 10, 9999) == list(range(10))
    assert offsets(line, 10, 10, 9999) == list(range(10, 20))
    assert not caplog.text
