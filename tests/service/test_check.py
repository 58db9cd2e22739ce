from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import structlog
from msgspec import structs
from structlog.testing import LogCapture

from gruenpuls.domain.device import Device
from gruenpuls.domain.ports import Commit, Tally
from gruenpuls.domain.reading import ReadingBatch, to_stored
from gruenpuls.domain.uplink import RawMessage
from gruenpuls.queries.intake import WORK, intake
from gruenpuls.queries.self_check import CHECK, Discrepancy, Fault, Holding, self_check
from gruenpuls.service import check
from gruenpuls.service.balance import balanced
from gruenpuls.service.check import SelfChecking, held
from gruenpuls.service.workshop import Workshop, workshop
from gruenpuls.settings import Settings
from gruenpuls.source_settings import MqttSource
from gruenpuls.stores.embedded import EmbeddedStore
from ingest.journal import Journal

NOW = datetime(2026, 7, 14, 12, tzinfo=UTC)
UPLINKS = 5


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "var")


@pytest.fixture
def tools(settings: Settings) -> Iterator[Workshop]:
    settings.data_dir.mkdir()
    with Journal(settings.journal_dir) as journal:
        bodies = [b'{"device": "bed", "payload_hex": "00", "counter": %d}' % count for count in range(UPLINKS)]
        journal.append([RawMessage("lora", "t", NOW, body) for body in bodies])
    with workshop(settings) as opened:
        while opened.decoder.step():
            pass
        yield opened


def found_by(tools: Workshop, settings: Settings, looks: int = 2) -> tuple[Discrepancy, ...]:
    """Return what a new check finds after so many looks."""
    checking = SelfChecking(tools, settings, lambda: NOW)
    for _ in range(looks):
        checking._next = 0.0
        checking.look()
    assert checking.last is not None
    return checking.last.discrepancies


def test_numbers_that_agree_are_no_fault(tools: Workshop, settings: Settings) -> None:
    assert found_by(tools, settings) == ()


def test_the_check_tells_how_long_sources_may_be_silent(tools: Workshop, settings: Settings) -> None:
    tools.registry.devices.add(Device("bed", "elsys-ems", "", ()), actor="test")
    sources = settings.model_copy(update={"sources": (MqttSource(name="lora"),)})
    checking = SelfChecking(tools, sources, lambda: NOW)
    checking.look()
    assert checking.last is not None
    profile = tools.profiles.named("elsys-ems")
    assert profile
    assert checking.last.silent_after == {"lora": 6 * profile.expected_interval.total_seconds()}
    later = SelfChecking(tools, sources, lambda: NOW + timedelta(days=4))
    later.look()
    assert later.last is not None
    assert later.last.silent_after == checking.last.silent_after, "still expected after four days"
    taken_out = SelfChecking(tools, settings, lambda: NOW + timedelta(days=4))
    taken_out.look()
    assert taken_out.last is not None
    assert taken_out.last.silent_after == {}, "nobody expects it any more"


def test_what_waits_is_no_fault(tools: Workshop, settings: Settings) -> None:
    with Journal(settings.journal_dir) as journal:
        journal.append([RawMessage("lora", "t", NOW, b"{}")])
    checking = SelfChecking(tools, settings, lambda: NOW)
    checking.look()
    assert checking.last is not None
    assert (checking.last.waiting, checking.last.missing, checking.last.discrepancies) == (1, 0, ())


def test_readings_that_nobody_journalled_are_told(tools: Workshop, settings: Settings) -> None:
    progress = tools.store.progress()
    more = replace(progress, tally=progress.tally + Tally(decoded=2))
    tools.store.write(Commit(ReadingBatch.empty(), progress=more))
    assert Discrepancy(Fault.NUMBERS, -2) in found_by(tools, settings)


def test_a_registry_behind_the_store_is_told_and_not_repaired(tools: Workshop, settings: Settings) -> None:
    progress = tools.store.progress()
    tools.registry.arrivals.recount(
        tools.registry.tallies.all(), replace(progress, tally=Tally(dead_lettered=UPLINKS - 1))
    )
    expected = (Discrepancy(Fault.PROGRESS, 1), Discrepancy(Fault.COUNTERS, -1))
    assert found_by(tools, settings) == expected
    assert found_by(tools, settings) == expected


def test_a_store_that_lost_what_its_writer_wrote_is_told(tools: Workshop, settings: Settings) -> None:
    assert isinstance(tools.store, EmbeddedStore)
    tools.store._lake.try_until_free(lambda cursor: cursor.execute("DELETE FROM lake.progress"))
    assert found_by(tools, settings) == (Discrepancy(Fault.PROGRESS, -UPLINKS),)


def test_counters_that_lack_a_device_are_told(tools: Workshop, settings: Settings) -> None:
    tools.registry.arrivals.recount([], tools.store.progress())
    assert found_by(tools, settings) == (Discrepancy(Fault.COUNTERS, UPLINKS),)


def test_messages_counted_for_the_wrong_source_are_told(tools: Workshop, settings: Settings) -> None:
    kept = tools.registry.tallies.all()
    moved = [structs.replace(one, source="other") for one in kept]
    tools.registry.arrivals.recount(moved, tools.store.progress())
    assert found_by(tools, settings) == (Discrepancy(Fault.SOURCES, 2 * UPLINKS),)


def test_what_waits_of_one_source_is_no_debt_of_another(tools: Workshop, settings: Settings) -> None:
    with Journal(settings.journal_dir) as journal:
        journal.append([RawMessage(source, "t", NOW, b"{}") for source in ("lora", "other", "other")])
    assert found_by(tools, settings) == ()
    waiting = balanced(tools.journal, tools.store.progress()).waiting_of
    assert waiting == {"lora": 1, "other": 2}
    while tools.decoder.step():
        pass
    assert found_by(tools, settings) == ()


def test_a_dead_letter_that_is_gone_is_told(tools: Workshop, settings: Settings) -> None:
    tools.registry.arrivals.drop_dead_letters([0, 1])
    assert found_by(tools, settings) == (Discrepancy(Fault.LETTERS, 2),)


def test_a_file_of_the_store_that_is_gone_or_cut_short_is_told_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged = LogCapture()
    monkeypatch.setattr(check, "_log", structlog.wrap_logger(None, processors=[logged]))
    settings = Settings(data_dir=tmp_path / "var")
    settings.data_dir.mkdir()
    with workshop(settings) as tools:
        many = 5_000
        at = to_stored(NOW) + np.arange(many) * np.timedelta64(1, "m")
        tools.store.write(
            Commit(
                ReadingBatch(np.ones(many, np.int64), at, np.ones(many), np.ones(many, np.uint8), np.ones(many, int))
            )
        )
        files = sorted(settings.store_dir.rglob("*.parquet"))
        assert files
        assert found_by(tools, settings) == ()
        content = files[0].read_bytes()
        files[0].write_bytes(content[:-1])
        assert found_by(tools, settings) == (Discrepancy(Fault.FILES, 1),)
        files[0].unlink()
        assert found_by(tools, settings) == (Discrepancy(Fault.FILES, 1),)
        assert [(it["count"], it["files"]) for it in logged.entries] == 2 * [(1, [str(files[0])])]
        files[0].write_bytes(content)
        assert found_by(tools, settings) == ()


def test_what_is_mended_before_the_second_look_was_no_fault(tools: Workshop, settings: Settings) -> None:
    kept = tools.registry.tallies.all()
    checking = SelfChecking(tools, settings, lambda: NOW)
    tools.registry.arrivals.recount([], tools.store.progress())
    for tallies in ([], kept):
        tools.registry.arrivals.recount(tallies, tools.store.progress())
        checking._next = 0.0
        checking.look()
        assert checking.last is not None
        assert checking.last.discrepancies == ()


def test_it_looks_once_a_minute_and_again_soon_after_a_suspicion(
    tools: Workshop, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = 1000.0
    monkeypatch.setattr("gruenpuls.service.check.time.monotonic", lambda: seconds)
    checking = SelfChecking(tools, settings, lambda: NOW)
    checking.look()
    first = checking.last
    tools.registry.arrivals.recount([], tools.store.progress())
    for later, is_new, faults in (
        (59.9, False, 0),
        (60.1, True, 0),
        (64.9, False, 0),
        (65.2, True, 1),
        (125.0, False, 1),
    ):
        before = checking.last
        seconds = 1000.0 + later
        checking.look()
        assert checking.last is not None
        assert (checking.last is not before) == is_new, later
        assert len(checking.last.discrepancies) == faults, later
    assert first is not None


def test_what_was_found_reaches_whoever_reads_the_health(tools: Workshop, settings: Settings) -> None:
    tools.registry.arrivals.recount([], tools.store.progress())
    checking = SelfChecking(tools, settings, lambda: NOW)
    for _ in range(2):
        checking._next = 0.0
        checking.look()
    assert checking.last is not None
    tools.registry.health.report(WORK, {CHECK: checking.last.plain()})
    (said,) = tools.registry.health.all()
    assert self_check(said.body) == checking.last
    assert intake(tools.registry).discrepancies == (Discrepancy(Fault.COUNTERS, UPLINKS),)
    assert checking.last.dead_letters == {"unknown_device": UPLINKS}


def test_a_directory_holds_its_files_and_those_below(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "a").write_bytes(b"12345")
    (tmp_path / "below" / "b").write_bytes(b"67")
    assert held(tmp_path) == Holding(2, 7)
    assert held(tmp_path / "nowhere") == Holding(0, 0)
