"""History decoded again by command: on a journal and stores filled for real, some of it with nine real months."""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import signal
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from command_line import CommandLine
from requirement import real_data
from service_process import ServiceProcess

from gruenpuls.domain.device import Device
from gruenpuls.domain.reading import ReadingBatch
from gruenpuls.domain.uplink import RawMessage
from gruenpuls.service.registry import open_registry
from gruenpuls.service.workshop import workshop
from gruenpuls.settings import settings_from
from gruenpuls.simulation.frames import elsys_ems
from gruenpuls.simulation.messages import helium
from gruenpuls.stores.embedded import EmbeddedStore
from gruenpuls.stores.registry import Registry
from ingest.journal import Journal

DEVICE = "a81758fffe04b1c1"
BEGIN = datetime(2023, 8, 14, tzinfo=UTC)
SHIPPED = Path(__file__).parents[2] / "device_profiles" / "catalogue" / "elsys" / "ems.yaml"
LOG = "traffic/ems-tourperret-A81758FFFE04B1C1.ndjson.gz"
SPAN = datetime(2022, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)

Install = Callable[..., None]


def message(device: str, hour: int, temperature: float) -> RawMessage:
    at = BEGIN + timedelta(hours=hour)
    frame = elsys_ems(air_temperature=temperature, relative_humidity=50, battery_voltage=3.6)
    return RawMessage("lora", "helium/x/rx", at, helium(device, frame, port=5, counter=hour, measured_at=at))


def work_off() -> None:
    with workshop(settings_from()) as tools:
        while tools.decoder.step():
            pass


def registry() -> Registry:
    return open_registry(settings_from())


def readings(quantity: str) -> ReadingBatch:
    """Return all there is of a quantity, whichever channel's and device's."""
    with (
        closing(registry()) as known,
        closing(EmbeddedStore.open_reader(settings_from().store_dir, known.judgements)) as store,
    ):
        series = [
            number
            for number, key in known.past.measured_series([it.key for it in known.devices.list()]).items()
            if key.quantity == quantity
        ]
        return store.read(series, *SPAN)


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Return what makes the city's own version of the profile of the Elsys EMS."""
    own = tmp_path / "own"
    own.mkdir()
    monkeypatch.setenv("GRUENPULS_PROFILES_DIR", str(own))

    def made(*changes: tuple[str, str], version: int = 2) -> None:
        text = SHIPPED.read_text(encoding="utf-8")
        for old, new in (("\nversion: 1\n", f"\nversion: {version}\n"), *changes):
            assert old in text
            text = text.replace(old, new)
        (own / "ems.yaml").write_text(text, encoding="utf-8")

    return made


WARMER = (
    "from: [temperature], always: true}",
    "from: [temperature], always: true, add: 0.5}",
)
RENAMED = ("- {name: battery_voltage,", "- {name: supply_voltage,"), ("battery_voltage: 3.", "supply_voltage: 3.")


def _registered(gruenpuls: CommandLine) -> None:
    gruenpuls("site", "add", "park", "--kind", "park")
    gruenpuls("device", "add", DEVICE, "--profile", "elsys-ems", "--site", "park", "--from", "2022-08-01")


@pytest.fixture
def city(gruenpuls: CommandLine) -> CommandLine:
    gruenpuls.furnish(_registered)
    return gruenpuls


def _three_hours(gruenpuls: CommandLine) -> None:
    _registered(gruenpuls)
    with Journal(settings_from().journal_dir) as journal:
        journal.append([message(DEVICE, hour, 20.5 + hour) for hour in range(3)])
    work_off()
    with closing(registry()) as known:
        known.dirty.clear(known.dirty.take())


@pytest.fixture
def three_hours(gruenpuls: CommandLine, install: Install) -> CommandLine:
    install(version=1)
    gruenpuls.furnish(_three_hours)
    return gruenpuls


def test_a_dry_run_shows_what_would_change_and_changes_nothing(three_hours: CommandLine, install: Install) -> None:
    install(WARMER, *RENAMED)
    said = three_hours("redecode", "--all", "--dry-run")
    assert "What would change" in said
    summary = three_hours.json("redecode", "--profile", "elsys-ems", "--dry-run")
    channels = {row.pop("channel"): row for row in summary["channels"]}
    assert channels["air_temperature"] == {
        "quantity": "air_temperature",
        "added": 0,
        "changed": 3,
        "removed": 0,
        "same": 0,
    }
    assert (channels["battery_voltage"]["removed"], channels["supply_voltage"]["added"]) == (3, 3)
    assert [(row["version"], row["before"] > 0, row["after"] > 0) for row in summary["profiles"]] == [
        ("1", True, False),
        ("2", False, True),
    ]
    assert readings("air_temperature").value.tolist() == [20.5, 21.5, 22.5]
    with closing(registry()) as known:
        assert known.dirty.count() == 0
        assert known.requests.list() == []


def test_it_asks_before_it_changes_anything(
    three_hours: CommandLine, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(WARMER)
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert "Change it like this?" in three_hours("redecode", "--device", DEVICE, status=1)
    assert readings("air_temperature").value.tolist() == [20.5, 21.5, 22.5]
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert "What changed" in three_hours("redecode", "--device", DEVICE.upper())
    assert readings("air_temperature").value.tolist() == [21, 22, 23]
    with closing(registry()) as known:
        (dirty,) = known.dirty.take()
        assert (dirty.site, dirty.from_day) == ("park", BEGIN.date())
    assert "Everything is as today's profiles say." in three_hours("redecode", "--all")


def test_only_the_span_is_decoded_again(three_hours: CommandLine, install: Install) -> None:
    install(WARMER)
    span = ("--from", "2023-08-14T01:00Z", "--to", "2023-08-14T02:00Z")
    assert three_hours.json("redecode", "--all", *span, "--yes")["uplinks"] == 1
    assert readings("air_temperature").value.tolist() == [20.5, 22, 22.5]


def test_a_device_that_had_the_wrong_profile_gets_its_readings(three_hours: CommandLine) -> None:
    with closing(registry()) as known:
        (device,) = known.devices.list()
        known.devices.change(replace(device, profile="milesight-em500-smtc"), actor="test")
    became = three_hours.json("redecode", "--device", DEVICE, "--yes")
    assert became["readings_to_dead_letters"] == 3
    assert len(readings("air_temperature")) == 0
    assert three_hours.json("status")["dead_letters_by_reason"] == {"refused": 3}
    with closing(registry()) as known:
        known.devices.change(replace(device, profile="elsys-ems"), actor="test")
    became = three_hours.json("redecode", "--device", DEVICE, "--yes")
    assert became["dead_letters_to_readings"] == 3
    assert readings("air_temperature").value.tolist() == [20.5, 21.5, 22.5]
    status = three_hours.json("status")
    assert (status["decoded"], status["dead_lettered"], status["adds_up"]) == (3, 0, True)
    with closing(registry()) as known:
        (tally,) = known.tallies.all()
        assert (tally.tally.decoded, tally.tally.dead_lettered) == (3, 0)


def test_a_profile_that_is_not_installed_takes_no_readings_away(three_hours: CommandLine) -> None:
    with closing(registry()) as known:
        (device,) = known.devices.list()
        known.devices.change(replace(device, profile="lost"), actor="test")
    said = three_hours("redecode", "--all", "--yes", status=1)
    assert "not installed" in said
    assert "log of `work`" not in said, "it had no part in it"
    assert "lost" in three_hours("redecode", "--all", "--dry-run", status=3)
    assert len(readings("air_temperature")) == 3


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ((), "which devices"),
        (("--all", "--profile", "elsys-ems"), "which devices"),
        (("--device", "nobody"), "no device 'nobody'"),
        (("--profile", "none"), "no device has the profile 'none'"),
        (("--all", "--from", "soon"), "no moment"),
        (("--all", "--from", "2024-01-01", "--to", "2023-01-01"), "ends before it begins"),
        (("--all", "--json"), "nobody can be asked"),
    ],
)
def test_what_makes_no_sense_is_said_so(three_hours: CommandLine, words: tuple[str, ...], part: str) -> None:
    assert part in three_hours("redecode", *words, status=2)


def test_a_running_service_does_it_with_the_profiles_of_now(
    three_hours: CommandLine, install: Install, tmp_path: Path
) -> None:
    environment = {name: value for name, value in os.environ.items() if name.startswith("GRUENPULS_")}
    with ServiceProcess("work", directory=tmp_path / "work", environment=environment) as service:
        with closing(registry()) as known:
            service.await_true(lambda: any(it.name == "work" for it in known.health.all()), "working")
        install(WARMER)
        assert three_hours.json("redecode", "--all", "--dry-run")["channels"][0]["changed"] == 3
        assert three_hours.json("redecode", "--all", "--yes")["channels"][0]["changed"] == 3
        assert readings("air_temperature").value.tolist() == [21, 22, 23]
        with closing(registry()) as known:
            assert [order.result["uplinks"] for order in known.requests.list()] == [3, 3]


# --- nine months of one Elsys EMS on the Tour Perret in Grenoble (CampusIoT, ODbL-1.0) ---


@pytest.fixture(scope="module")
def nine_months(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data directory with the log worked off."""
    log = real_data(LOG)
    directory = tmp_path_factory.mktemp("nine_months") / "var"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRUENPULS_DATA_DIR", str(directory))
        patch.chdir(directory.parent)
        with Journal(settings_from().journal_dir) as journal, gzip.open(log) as lines:
            messages = [
                RawMessage("tour", "rx", datetime.fromtimestamp(json.loads(line)["_timestamp"] / 1000, UTC), line)
                for line in lines
            ]
            for start in range(0, len(messages), 500):
                journal.append(messages[start : start + 500])
        with closing(registry()) as known:
            known.devices.add(Device(DEVICE, "elsys-ems"), actor="test")
        work_off()
    return directory


@pytest.fixture
def tour(gruenpuls: CommandLine, nine_months: Path) -> CommandLine:
    shutil.copytree(nine_months, settings_from().data_dir)
    return gruenpuls


DRIER = (
    "from: [humidity], always: true, range: [0, 100]}",
    "from: [humidity], always: true, range: [0, 100], add: -1.5}",
)


@pytest.mark.slow
def test_nine_months_of_a_mended_profile(tour: CommandLine, install: Install) -> None:
    humidity, voltage = readings("relative_humidity"), readings("battery_voltage")
    before = tour.json("status")
    install(DRIER, *RENAMED)
    foretold = tour.json("redecode", "--all", "--dry-run")
    assert readings("relative_humidity").value.tolist() == pytest.approx(humidity.value.tolist(), nan_ok=True)
    summary = tour.json("redecode", "--all", "--yes")
    assert {**summary, "dry_run": True} == foretold
    assert summary["uplinks"] == 10_631
    now = readings("relative_humidity")
    np.testing.assert_array_equal(now.measured_at, humidity.measured_at)
    np.testing.assert_allclose(now.value, humidity.value - 1.5)
    renamed = readings("battery_voltage")
    np.testing.assert_array_equal(renamed.value, voltage.value)
    assert set(renamed.series.tolist()).isdisjoint(voltage.series.tolist())
    with closing(registry()) as known:
        runs = known.past.profile_runs()
        assert {(runs[number].version, runs[number].name) for number in np.unique(now.run).tolist()} == {
            ("2", "elsys-ems")
        }
        assert known.latest.of(np.unique(voltage.series).tolist()).value.tolist() == []
        assert known.latest.of(np.unique(renamed.series).tolist()).value.tolist() == [renamed.value[-1]]
        tallies = [it.tally for it in known.tallies.all()]
    after = tour.json("status")
    for name in ("decoded", "dead_lettered", "duplicates", "adds_up"):
        assert after[name] == before[name]
    assert sum(tally.decoded for tally in tallies) == after["decoded"]
    again = tour.json("redecode", "--all", "--yes")
    assert all(row["added"] == row["changed"] == row["removed"] == 0 for row in again["channels"])
    assert again["profiles"][-1]["before"] == again["profiles"][-1]["after"]


@pytest.mark.slow
def test_a_kill_in_the_middle_loses_nothing(tour: CommandLine, install: Install, tmp_path: Path) -> None:
    humidity = readings("relative_humidity")
    install(DRIER)
    environment = {name: value for name, value in os.environ.items() if name.startswith("GRUENPULS_")}
    with closing(registry()) as known:

        def begun() -> bool:
            orders = known.requests.list()
            return bool(orders and orders[0].result and orders[0].result["done"] > 0)

        words = ("redecode", "--all", "--yes")
        with ServiceProcess(*words, directory=tmp_path / "killed", environment=environment) as command:
            command.await_true(begun, "under way")
            command.process.send_signal(signal.SIGKILL)
            assert command.ended() == -signal.SIGKILL
        half = np.unique(readings("relative_humidity").run)
        assert len(half) == 2, "it was done before it could be killed"
        with ServiceProcess("work", directory=tmp_path / "work", environment=environment) as service:
            service.await_true(lambda: known.requests.list()[0].finished, "finished what was cut short")
    now = readings("relative_humidity")
    np.testing.assert_allclose(now.value, humidity.value - 1.5)
    assert len(np.unique(now.run)) == 1
    assert tour.json("status")["adds_up"]
