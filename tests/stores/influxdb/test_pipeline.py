"""The whole way: journal, decoder, InfluxDB, `gruenpuls status`; then history moves to the embedded store."""

from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from command_line import CommandLine
from decoding_bench import DEVICE, NOON, PROBE_TEXT, helium, payload_of
from influx import Influx

from gruenpuls.domain.device import Device
from gruenpuls.domain.errors import BusyError, UnavailableError
from gruenpuls.queries.intake import WORK
from gruenpuls.queries.self_check import CHECK
from gruenpuls.service.check import SelfChecking
from gruenpuls.service.registry import open_registry
from gruenpuls.service.rooms import prepare
from gruenpuls.service.workshop import workshop
from gruenpuls.settings import Settings, settings_from
from gruenpuls.stores.influxdb import InfluxStore
from ingest.journal import Journal

pytestmark = pytest.mark.server

MESSAGES = 60


@dataclass
class City:
    """A city that keeps its readings in a server of its own."""

    server: Influx
    settings: Settings
    gruenpuls: CommandLine


@pytest.fixture
def city(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> City:
    monkeypatch.chdir(tmp_path)
    server = Influx(tmp_path)
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "bench-probe.yaml").write_text(PROBE_TEXT, "utf-8")
    (tmp_path / "gruenpuls.toml").write_text(
        f'profiles_dir = "profiles"\n[store]\nkind = "influxdb"\n[store.influxdb]\nurl = "{server.url}"\n', "utf-8"
    )
    return City(server, settings_from(), CommandLine(tmp_path, capsys, monkeypatch))


def fill_journal(settings: Settings) -> None:
    """Journal uplinks of a known and an unknown device, every tenth of them twice, and one nobody can read."""
    with closing(open_registry(settings)) as registry:
        registry.devices.add(Device(DEVICE, "bench-probe"), actor="test")
    with closing(Journal(settings.journal_dir)) as journal:
        messages = [helium(n, NOON + timedelta(minutes=10 * n), payload_of(n / 10, 40)) for n in range(MESSAGES)]
        journal.append([*messages, *messages[::10], helium(999, NOON, b"?")])


def work_off(settings: Settings) -> None:
    with workshop(settings) as tools:
        while tools.decoder.step() is not None:
            pass


def test_what_was_journalled_while_the_server_was_away_is_there_once_it_is_back(city: City) -> None:
    prepare(city.settings)
    fill_journal(city.settings)
    with pytest.raises(UnavailableError):
        work_off(city.settings)
    with city.server:
        work_off(city.settings)
        said = city.gruenpuls.json("status")
        assert said["adds_up"]
        assert (said["decoded"], said["dead_lettered"], said["duplicates"], said["waiting"], said["missing"]) == (
            MESSAGES,
            1,
            MESSAGES // 10,
            0,
            0,
        )
        held = city.gruenpuls.json("store", "info")
        assert (held["kind"], held["series"], held["rows"]) == ("influxdb", 4, 4 * MESSAGES)
        city.server.kill()
        city.server.start()
        work_off(city.settings)
        assert city.gruenpuls.json("store", "info") == held

        found = city.gruenpuls.json("store", "copy", "--to-kind", "embedded")
        assert (found["rows"], found["copied_rows"]) == (4 * MESSAGES, 4 * MESSAGES)
        assert "0 of them in 0 parts" in city.gruenpuls("store", "copy", "--to-kind", "embedded", "--dry-run")
    city.gruenpuls.monkeypatch.setenv("GRUENPULS_STORE__KIND", "embedded")
    settings = settings_from()
    work_off(settings)
    assert city.gruenpuls.json("status")["decoded"] == MESSAGES
    assert city.gruenpuls.json("store", "info")["series"] == 4


def test_readings_the_server_does_not_take_are_told(city: City) -> None:
    with city.server:
        fill_journal(city.settings)
        database = city.settings.store.influxdb.database if city.settings.store.influxdb else ""
        city.server.asked(f'CREATE DATABASE "{database}"')
        with workshop(city.settings) as tools:
            # Somebody writes text where our numbers go, into the same week.
            assert isinstance(tools.store, InfluxStore)
            tools.store.prepare()
            city.server.write(database, f'reading,series_id=99 value="text" {int(NOON.timestamp() * 1000)}')
            while tools.decoder.step() is not None:
                pass
            checking = SelfChecking(tools, city.settings, lambda: NOON)
            checking.look()
            assert checking.last is not None
            assert (checking.last.refused, checking.last.discrepancies) == (4 * MESSAGES, ())
            tools.registry.health.report(WORK, {"error": None, CHECK: checking.last.plain()})
        said = city.gruenpuls.json("status")
        assert said["adds_up"]
        assert said["remarks"] == [
            f"The store: its server did not take {4 * MESSAGES} readings; see its measurement `refused`"
        ]


def test_there_is_one_writer_at_a_time(city: City) -> None:
    with city.server, workshop(city.settings) as tools:
        assert isinstance(tools.store, InfluxStore)
        with pytest.raises(BusyError):
            work_off(city.settings)
        city.gruenpuls("store", "copy", "--from-kind", "embedded", status=5)


def test_a_store_is_not_copied_onto_itself(city: City) -> None:
    assert "same store" in city.gruenpuls("store", "copy", status=2)


def test_a_server_that_is_away_is_said_to_be(city: City) -> None:
    assert city.server.url in city.gruenpuls("store", "info", status=4)
