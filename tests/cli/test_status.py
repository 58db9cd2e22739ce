"""`gruenpuls status --devices`, on a journal and stores filled for real."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from command_line import CommandLine
from mosquitto import free_port
from msgspec import structs

from gruenpuls.cli.status import _span
from gruenpuls.domain.uplink import RawMessage
from gruenpuls.service.registry import open_registry
from gruenpuls.service.workshop import workshop
from gruenpuls.settings import settings_from
from gruenpuls.simulation.frames import elsys_ems
from gruenpuls.simulation.messages import helium
from gruenpuls.stores.registry import Registry
from ingest.journal import Journal

OLD, FRESH, STRANGER, UNHEARD = (f"a81758fffe04b1c{digit}" for digit in range(4))
NOW = datetime.now(UTC)


def message(device: str, age: timedelta, source: str = "lora") -> RawMessage:
    at = NOW - age
    frame = elsys_ems(air_temperature=20, relative_humidity=50, battery_voltage=3.6)
    return RawMessage(source, "helium/x/rx", at, helium(device, frame, port=5, counter=1, measured_at=at))


def _four_messages(gruenpuls: CommandLine) -> None:
    gruenpuls("site", "add", "park", "--kind", "park")
    for device in (OLD, FRESH, UNHEARD):
        gruenpuls("device", "add", device, "--profile", "elsys-ems", "--site", "park", "--from", "2023-08-01")
    hour = timedelta(hours=1)
    with Journal(settings_from().journal_dir) as journal:
        journal.append(
            [message(FRESH, hour), message(OLD, 50 * hour), message(OLD, 50 * hour), message(STRANGER, hour)]
        )
    with workshop(settings_from()) as tools:
        while tools.decoder.step():
            pass


@pytest.fixture(autouse=True)
def _messages(gruenpuls: CommandLine) -> None:
    gruenpuls.furnish(_four_messages)


def test_devices_without_readings_come_first_then_those_silent_longest(gruenpuls: CommandLine) -> None:
    found = gruenpuls.json("status", "--devices")["by_device"]
    assert [it["device"] for it in found] == [UNHEARD, STRANGER, OLD, FRESH]
    unheard, stranger, old, _ = found
    assert (unheard["last_uplink_at"], unheard["silent_seconds"], unheard["profile"]) == (None, None, "elsys-ems")
    assert (stranger["profile"], stranger["decoded"], stranger["dead_lettered"]) == (None, 0, 1)
    assert (old["decoded"], old["dead_lettered"], old["duplicates"]) == (1, 0, 1)
    assert old["silent_seconds"] == pytest.approx(50 * 3600, abs=3600)
    table = gruenpuls("status", "--devices")
    assert table.index(STRANGER) < table.index(OLD) < table.index(FRESH)
    assert "2 d 2 h" in table


def test_each_source_adds_up_with_what_waits_of_it(gruenpuls: CommandLine) -> None:
    with Journal(settings_from().journal_dir) as journal:
        journal.append([message(FRESH, timedelta(0), source) for source in ("lora", "roof", "roof")])
    found = gruenpuls.json("status")["by_source"]
    last = found["lora"].pop("last_uplink_at")
    assert NOW - datetime.fromisoformat(last) < timedelta(hours=2)
    assert found == {
        "lora": {"journalled": 5, "decoded": 2, "dead_lettered": 1, "duplicates": 1, "waiting": 1},
        "roof": {
            "journalled": 2,
            "decoded": 0,
            "dead_lettered": 0,
            "duplicates": 0,
            "waiting": 2,
            "last_uplink_at": None,
        },
    }
    table = gruenpuls("status")
    assert "waiting" in table
    assert "missing" not in table


def test_a_source_whose_numbers_do_not_add_up_is_named(gruenpuls: CommandLine) -> None:
    registry = open_registry(settings_from())
    kept = registry.tallies.all()
    registry.arrivals.recount([structs.replace(one, source="roof") for one in kept], registry.arrivals.noted())
    _report(registry, [{"fault": "sources", "count": 8}])
    found = gruenpuls.json("status")["by_source"]
    assert {name: it["missing"] for name, it in found.items()} == {"lora": 4, "roof": -4}
    assert "missing" in gruenpuls("status", "--check", status=1)
    registry.close()


def test_the_sum_and_the_sources_miss_the_same_where_a_segment_is_damaged(gruenpuls: CommandLine) -> None:
    with Journal(settings_from().journal_dir) as journal:
        for days in (1, 2):
            journal.append([message(FRESH, -timedelta(days=days), source) for source in ("lora", "roof", "roof")])
    segment = sorted(settings_from().journal_dir.glob("*.sqlite"))[1]
    segment.write_bytes(b"\0" * 100 + segment.read_bytes()[100:])
    with workshop(settings_from()) as tools:
        while tools.decoder.step():
            pass
        _report(tools.registry, [])
    found = gruenpuls.json("status")
    assert (found["missing"], found["adds_up"]) == (3, True)
    assert {name: it["missing"] for name, it in found["by_source"].items()} == {"lora": 1, "roof": 2}


def test_a_store_that_is_away_is_told_once(gruenpuls: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRUENPULS_STORE__KIND", "influxdb")
    url = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setenv("GRUENPULS_STORE__INFLUXDB__URL", url)
    registry = open_registry(settings_from())
    _report(registry, [])
    said = gruenpuls("status", "--check", status=1)
    assert said.count(url) == 1
    assert [it["code"] for it in gruenpuls.json("status")["complaints"]] == ["store_away"]
    _report(registry, [], error=f"{url}: it does not answer")
    registry.close()
    assert gruenpuls("status", "--check", status=1).count(url) == 1
    assert gruenpuls.json("status")["complaints"] == []


def test_devices_are_listed_only_when_asked_for(gruenpuls: CommandLine) -> None:
    assert "by_device" not in gruenpuls.json("status")
    assert OLD not in gruenpuls("status")


def test_a_failed_self_check_is_told_and_fails_the_check(gruenpuls: CommandLine) -> None:
    registry = open_registry(settings_from())
    _report(registry, [])
    gruenpuls("status", "--check")
    _report(registry, [{"fault": "counters", "count": 3}])
    said = gruenpuls("status", "--check", status=1)
    registry.close()
    assert "the counters of devices are not the registry's totals, 3 messages apart" in said
    assert gruenpuls.json("status")["complaints"][0]["code"] == "counters_disagree"


def _report(registry: Registry, discrepancies: Sequence[Mapping[str, object]], *, error: str | None = None) -> None:
    held = {"files": 0, "bytes": 0}
    check = {
        "checked_at": datetime.now(UTC).isoformat(),
        "waiting": 0,
        "missing": 0,
        "damaged_segments": 0,
        "discrepancies": discrepancies,
        "dead_letters": {},
        "silences": [],
        "failing_jobs": [],
        "journal": held,
        "store": held,
        "refused": None,
    }
    registry.health.report("collect", {"sources": [], "journal": {"error": None}})
    registry.health.report("work", {"error": error, "check": check})


@pytest.mark.parametrize(
    ("silence", "text"),
    [
        (timedelta(seconds=59), "0 min"),
        (timedelta(minutes=59), "59 min"),
        (timedelta(hours=23, minutes=5), "23 h 5 min"),
        (timedelta(days=3, hours=4, minutes=59), "3 d 4 h"),
    ],
)
def test_a_silence_is_told_in_its_two_largest_units(silence: timedelta, text: str) -> None:
    assert _span(silence) == text
