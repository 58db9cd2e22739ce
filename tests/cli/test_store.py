import io
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from command_line import CommandLine

from gruenpuls.domain.ports import Commit
from gruenpuls.domain.reading import ReadingBatch, to_stored
from gruenpuls.domain.uplink import RawMessage
from gruenpuls.queries.self_check import Discrepancy
from gruenpuls.service.check import SelfChecking
from gruenpuls.service.registry import open_registry
from gruenpuls.service.rooms import reading_store, writing_store
from gruenpuls.service.workshop import workshop
from gruenpuls.settings import settings_from
from gruenpuls.simulation.frames import elsys_ems
from gruenpuls.simulation.messages import helium
from ingest.journal import Journal

NOW = datetime.now(UTC)
DAYS = 480


@pytest.fixture
def kept(gruenpuls: CommandLine) -> CommandLine:
    """Return a program whose store holds 480 days of one series every half hour."""
    settings = settings_from()
    count = DAYS * 48
    at = to_stored(NOW - timedelta(days=DAYS)) + np.arange(count) * np.timedelta64(30, "m")
    ones = np.ones(count, np.int64)
    with (
        closing(open_registry(settings)) as registry,
        closing(writing_store(settings, registry.judgements)) as store,
    ):
        store.write(Commit(ReadingBatch(ones, at, np.linspace(0.0, 1.0, count), ones.astype(np.uint8), ones)))
    return gruenpuls


def test_hours_and_days_are_summed_up_anew_on_demand(kept: CommandLine) -> None:
    assert kept.json("store", "rollups")["until"] is None
    said = kept.json("store", "rollups", "--anew")
    assert said["zone"] == "Europe/Berlin"
    assert said["waiting"] == 0
    assert DAYS - 2 <= said["days"] <= DAYS + 1
    assert 24 * (DAYS - 2) <= said["hours"] <= 24 * (DAYS + 1)


def test_a_copy_to_another_directory_says_how_to_work_with_it(
    kept: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The environment would have the last word in both files; without it the directory is the same by default.
    monkeypatch.delenv("GRUENPULS_DATA_DIR")
    settings = settings_from()
    other = tmp_path / "other.toml"
    other.write_text(f'data_dir = "{tmp_path / "other"}"\nregistry_url = "{settings.registry_address}"\n', "utf-8")
    said = kept("store", "copy", "--to-settings", str(other))
    assert f"start the service with --settings {other}" in said
    assert "store.kind" not in said
    assert "0 of them in 0 parts would be copied" in kept("store", "copy", "--to-settings", str(other), "--dry-run")
    (tmp_path / "foreign.toml").write_text(f'data_dir = "{tmp_path / "foreign"}"\n', "utf-8")
    assert "different registries" in kept("store", "copy", "--to-settings", str(tmp_path / "foreign.toml"), status=3)


def test_by_default_everything_is_kept_for_ever(kept: CommandLine) -> None:
    assert kept.json("store", "retention") == {"dry_run": False, "tiers": []}
    assert kept("store", "retention", "--dry-run").count("for ever") == 4


def test_what_is_too_old_is_shown_and_goes_only_when_asked_for(
    kept: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRUENPULS_RETENTION__RAW_DAYS", "400")
    (shown,) = kept.json("store", "retention", "--dry-run")["tiers"]
    assert shown["rows"] == 0, "nothing is rolled up yet"
    kept("store", "rollups", "--anew")
    rows = kept.json("store", "info")["rows"]
    (shown,) = kept.json("store", "retention", "--dry-run")["tiers"]
    assert (DAYS - 400 - 31) * 48 < shown["rows"] < (DAYS - 400 + 1) * 48
    assert shown["size"] > 0
    assert kept.json("store", "info")["rows"] == rows
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert "raw" in kept("store", "retention", status=1)
    assert kept.json("store", "info")["rows"] == rows
    kept("store", "retention", "--yes")
    assert kept.json("store", "info")["rows"] == rows - shown["rows"]
    said = kept.json("store", "rollups")
    assert said["days"] >= DAYS - 2
    assert said["raw_from"] is not None
    assert "taken away" in kept("store", "rollups", "--anew", status=2)


@pytest.mark.parametrize(("key", "value"), [("RAW_DAYS", "30"), ("DAILY_DAYS", "500"), ("HOURLY_DAYS", "399")])
def test_a_retention_that_would_lose_days_is_refused(
    gruenpuls: CommandLine, monkeypatch: pytest.MonkeyPatch, key: str, value: str
) -> None:
    monkeypatch.setenv(f"GRUENPULS_RETENTION__{key}", value)
    assert "retention" in gruenpuls("store", "retention", "--dry-run", status=3)


def test_an_influxdb_has_its_own_retention(gruenpuls: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRUENPULS_STORE__KIND", "influxdb")
    assert "retention policy" in gruenpuls("store", "retention", "--dry-run", status=3)
    assert "embedded" in gruenpuls("store", "rollups", status=3)


@pytest.fixture
def messages(gruenpuls: CommandLine, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """Return a program that has worked off uplinks of two devices, one of them unknown, in several batches."""
    monkeypatch.setenv("GRUENPULS_WORK__BATCH", "7")
    gruenpuls("site", "add", "park", "--kind", "park")
    gruenpuls("device", "add", DEVICES[0], "--profile", "elsys-ems", "--site", "park", "--from", "2026-07-01")
    with Journal(settings_from().journal_dir) as journal:
        journal.append([uplink(device, hour) for hour in range(20) for device in DEVICES])
        journal.append([uplink(DEVICES[0], 3), RawMessage("lora", "t", BEGIN, b"no json")])
    work_off()
    return gruenpuls


DEVICES = ("a81758fffe04b1c1", "a81758fffe04b1c2")
BEGIN = datetime(2026, 7, 1, tzinfo=UTC)


def uplink(device: str, hour: int) -> RawMessage:
    at = BEGIN + timedelta(hours=hour)
    frame = elsys_ems(air_temperature=20.5 + hour, relative_humidity=50, battery_voltage=3.6)
    return RawMessage("lora", "helium/x/rx", at, helium(device, frame, port=5, counter=hour, measured_at=at))


def work_off() -> list[Discrepancy]:
    """Decode what waits, and return what does not agree then."""
    settings = settings_from()
    with workshop(settings) as tools:
        while tools.decoder.step():
            pass
        checking = SelfChecking(tools, settings, lambda: NOW)
        for _ in range(2):
            checking._next = 0.0
            checking.look()
        assert checking.last is not None
        return list(checking.last.discrepancies)


def stored() -> set[tuple[int, int, float]]:
    settings = settings_from()
    with (
        closing(open_registry(settings)) as registry,
        closing(reading_store(settings, registry.judgements)) as store,
    ):
        found = store.read(list(store.series()), BEGIN, BEGIN + timedelta(days=2))
    columns = (found.series, found.measured_at.astype(int), found.value)
    return set(zip(*(column.tolist() for column in columns), strict=True))


def test_a_store_is_made_again_from_the_journal(messages: CommandLine) -> None:
    before, said = stored(), messages.json("status")
    assert said["dead_letters_by_reason"] == {"unknown_device": 20, "unreadable": 1}
    moved = messages("store", "rebuild", "--yes")
    (aside,) = settings_from().data_dir.glob("readings-*")
    assert str(aside) in moved
    assert work_off() == []
    assert stored() == before
    again = messages.json("status")
    counted = ("journalled", "decoded", "dead_lettered", "duplicates", "waiting", "adds_up", "by_source")
    assert {name: again[name] for name in counted} == {name: said[name] for name in counted}


def test_a_store_made_again_holds_what_is_known_by_now(messages: CommandLine) -> None:
    before = stored()
    messages("device", "add", DEVICES[1], "--profile", "elsys-ems", "--site", "park", "--from", "2026-07-01")
    messages("store", "rebuild", "--yes")
    assert work_off() == [], "counters and dead letters are those of what is decoded now"
    assert len(stored()) == 2 * len(before)
    assert messages.json("status")["dead_letters_by_reason"] == {"unreadable": 1}


def test_a_store_that_is_written_to_is_not_made_again(messages: CommandLine) -> None:
    before = messages.json("deadletter", "list")
    with workshop(settings_from()):
        messages("store", "rebuild", "--yes", status=6)
    assert messages.json("deadletter", "list") == before
    assert not list(settings_from().data_dir.glob("readings-*"))
