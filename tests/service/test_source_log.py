from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import structlog
from structlog.testing import LogCapture

from gruenpuls.service import source_log
from gruenpuls.service.source_log import SourceLog
from ingest.collect import CollectHealth, CommitHealth, SourceHealth
from ingest.webhook_port import ANSWERED

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LORA = SourceHealth("lora", connected_since=NOON)


class Listener:
    """Notes states of one source, and returns what the log hears of each."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._capture = LogCapture()
        monkeypatch.setattr(source_log, "_log", structlog.wrap_logger(None, processors=[self._capture]))
        self._log = SourceLog()

    def __call__(self, source: SourceHealth, journal_error: str | None = None) -> list[tuple[str, str]]:
        self._capture.entries.clear()
        self._log.note(CollectHealth((source,), CommitHealth(error=journal_error)))
        return [(entry["log_level"], entry["event"]) for entry in self._capture.entries]

    @property
    def last(self) -> dict[str, object]:
        return dict(self._capture.entries[-1])


@pytest.fixture
def note(monkeypatch: pytest.MonkeyPatch) -> Listener:
    return Listener(monkeypatch)


def failed(error: str, at: datetime) -> SourceHealth:
    return replace(LORA, connected_since=None, last_error=error, last_error_at=at)


def test_a_connection_that_comes_goes_and_comes_again_is_told_once_each(note: Listener) -> None:
    assert note(replace(LORA, connected_since=None)) == []
    assert note(LORA) == [("info", "source connected")]
    assert note(replace(LORA, received=9, last_message_at=NOON)) == []
    lost = failed("the connection was lost", NOON + MINUTE)
    assert note(lost) == [("warning", "trouble with a source"), ("warning", "source not connected")]
    assert note(lost) == []
    again = replace(lost, connected_since=NOON + 2 * MINUTE, reconnects=1)
    assert note(again) == [("info", "source connected")]
    assert note.last["reconnects"] == 1
    assert note.last["source"] == "lora"


def test_a_connection_lost_and_back_between_two_looks_is_told(note: Listener) -> None:
    note(LORA)
    back = replace(LORA, connected_since=NOON + MINUTE, reconnects=1, last_error="lost", last_error_at=NOON + MINUTE)
    assert note(back) == [("warning", "trouble with a source"), ("info", "source connected")]


TOLD = [("warning", "trouble with a source")]


def test_the_same_trouble_is_told_again_after_ten_minutes_another_one_at_once(note: Listener) -> None:
    assert note(failed("refused", NOON)) == TOLD
    assert note(failed("refused", NOON + 9 * MINUTE)) == []
    assert note(failed("wrong password", NOON + 9 * MINUTE)) == TOLD
    assert note(failed("wrong password", NOON + 18 * MINUTE)) == []
    assert note(failed("wrong password", NOON + 19 * MINUTE)) == TOLD


def test_troubles_that_take_turns_are_told_once_each(note: Listener) -> None:
    turns = [failed(f"trouble {second // 10 % 2}", NOON + timedelta(seconds=second)) for second in range(600)]
    assert sum(len(note(turn)) for turn in turns) == 2
    assert note(failed("trouble 0", NOON + 10 * MINUTE)) == TOLD


def test_strangers_without_a_token_are_one_trouble_wherever_they_knock_from(note: Listener) -> None:
    knocks = [failed(f"203.0.113.{one}{ANSWERED}401: the token is wrong", NOON) for one in range(250)]
    assert [len(note(knock)) for knock in knocks] == [1] + [0] * 249
    assert note(failed(f"203.0.113.1{ANSWERED}415: send the body uncompressed", NOON)) == TOLD


def test_nonsense_that_is_another_each_time_does_not_fill_the_log(note: Listener) -> None:
    nonsense = [failed(f"nonsense {one}", NOON + timedelta(seconds=10 * one)) for one in range(360)]
    assert 10 <= sum(len(note(one)) for one in nonsense) <= 60, "in an hour"


def test_a_clock_that_is_set_back_silences_nothing(note: Listener) -> None:
    assert note(failed("refused", NOON)) == TOLD
    yesterday = NOON - timedelta(days=1)
    assert note(failed("refused", yesterday)) == TOLD
    assert note(failed("wrong password", yesterday + MINUTE)) == TOLD
    assert note(failed("refused", yesterday + MINUTE)) == []


def test_a_closed_gap_is_told_once(note: Listener) -> None:
    note(LORA)
    closed = replace(LORA, remark="gap closed: 312 uplinks")
    assert note(closed) == [("info", "gap closed: 312 uplinks")]
    assert note(closed) == []


def test_what_the_broker_throws_away_is_told_as_it_grows(note: Listener) -> None:
    note(LORA)
    assert note(replace(LORA, dropped_by_broker=7)) == [], "who knows when that was"
    assert note(replace(LORA, dropped_by_broker=10)) == [("warning", "the broker throws messages away")]
    assert (note.last["lately"], note.last["altogether"]) == (3, 10)
    assert note(replace(LORA, dropped_by_broker=0)) == [], "a broker that started anew counts anew"
    assert note(replace(LORA, dropped_by_broker=1)) == [("warning", "the broker throws messages away")]


def test_a_journal_that_cannot_be_written_is_told_at_its_beginning_and_end(note: Listener) -> None:
    note(LORA)
    assert note(LORA, "disk full") == [("error", "the journal cannot be written, nothing is acknowledged")]
    assert note(LORA, "disk still full") == []
    assert note(LORA) == [("info", "the journal can be written again")]
