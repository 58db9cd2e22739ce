from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from api.exposition_text import samples
from hypothesis import given
from hypothesis import strategies as st

from gruenpuls.api.exposition import Exposition, Metric
from gruenpuls.api.metrics import METRICS, metrics
from gruenpuls.api.state import Observed
from gruenpuls.domain.device import Channel, Device
from gruenpuls.domain.forecast import ForecastState, ForecastStation, StationForecast
from gruenpuls.domain.ports import DeviceTally, Progress, Tally
from gruenpuls.domain.reading import ReadingBatch
from gruenpuls.queries.readiness import Limits
from gruenpuls.queries.self_check import CHECK, Discrepancy, Fault, Holding, SelfCheck, Silence
from gruenpuls.stores.registry import Registry
from gruenpuls.stores.registry.outbox import NewMessage

NOW = datetime(2026, 7, 14, 12, tzinfo=UTC)
GUIDE = Path(__file__).parents[2] / "docs" / "metrics.md"

SOURCE = {
    "name": 'roof "north"\\\n',
    "connected_since": (NOW - timedelta(hours=1)).isoformat(),
    "last_message_at": (NOW - timedelta(seconds=90)).isoformat(),
    "received": 12,
    "journalled": 11,
    "acknowledged": 10,
    "unacknowledged": 2,
    "reconnects": 3,
    "last_error": None,
    "last_error_at": None,
    "refused": 5,
    "queues_lost": 1,
    "dropped_by_broker": 4,
}
LABEL = r'{source="roof \"north\"\\\n"}'
COLLECT = {
    "sources": [SOURCE],
    "journal": {"commits": 5, "messages": 11, "seconds": 0.25, "longest_seconds": 0.125, "error": None},
    "journalled": {SOURCE["name"]: 100},
    "damage": [],
}
CHECKED = SelfCheck(
    checked_at=NOW - timedelta(seconds=20),
    waiting=7,
    missing=0,
    damaged_segments=0,
    discrepancies=(),
    dead_letters={"refused": 6},
    silences=(Silence("dragino-lse01", 40, {"3600": 5, "86400": 2}),),
    failing_jobs=("compact",),
    journal=Holding(2, 5000),
    store=Holding(9, 70_000),
    refused=3,
)


def work(check: SelfCheck = CHECKED) -> dict[str, object]:
    return {"error": None, "errors": 4, "progress": {}, "waiting": 7, "missing": 0, CHECK: check.plain()}


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    with closing(Registry.open(f"sqlite:///{tmp_path / 'registry.sqlite'}", clock=lambda: NOW)) as opened:
        yield opened


def told(registry: Registry, directory: Path) -> dict[str, float]:
    observed = Observed(registry, directory, Limits({}, 1), lambda: NOW + timedelta(seconds=1.5))
    return samples(metrics(observed.state()))


def test_everything_the_processes_say_is_told(registry: Registry, tmp_path: Path) -> None:
    registry.health.report("collect", COLLECT)
    registry.health.report("work", work())
    essen = ForecastStation("10410", "Essen", 51.4, 6.97, 161.0)
    state = ForecastState((StationForecast(essen, NOW - timedelta(hours=5)),))
    registry.health.report("forecast", state.plain())
    tally = DeviceTally("a", SOURCE["name"], Tally(80, 6, 7), NOW)
    registry.arrivals.note(ReadingBatch.empty(), [tally], Progress(93, tally.tally))
    registry.health.report("notify", {"error": None})
    registry.outbox.put([NewMessage(f"m{number}", "digest", "anna", "mail", {}) for number in range(4)], [])
    sent, failed, given_up, _ = (it.number for it in reversed(registry.outbox.list()))
    registry.outbox.sent(sent)
    registry.outbox.failed(failed, "the server is down", NOW)
    registry.outbox.give_up(given_up, "the server is down")
    found = told(registry, tmp_path)
    free, size = found.pop("gruenpuls_disk_free_bytes"), found.pop("gruenpuls_disk_size_bytes")
    assert 0 < free < size
    found.pop(next(key for key in found if key.startswith("gruenpuls_build_info")))
    assert found == {
        "gruenpuls_ready": 0,
        "gruenpuls_policy_usable": 1,
        'gruenpuls_notifications_sent_total{channel="mail"}': 1,
        'gruenpuls_notifications_waiting{channel="mail"}': 2,
        'gruenpuls_notifications_failing{channel="mail"}': 1,
        'gruenpuls_notifications_failing_seconds{channel="mail"}': 1.5,
        'gruenpuls_notifications_given_up{channel="mail"}': 1,
        'gruenpuls_process_silence_seconds{process="collect"}': 1.5,
        'gruenpuls_process_silence_seconds{process="work"}': 1.5,
        f"gruenpuls_source_connected{LABEL}": 1,
        f"gruenpuls_source_last_message_seconds{LABEL}": 91.5,
        f"gruenpuls_source_received_total{LABEL}": 12,
        f"gruenpuls_source_acknowledged_total{LABEL}": 10,
        f"gruenpuls_source_unacknowledged_messages{LABEL}": 2,
        f"gruenpuls_source_reconnects_total{LABEL}": 3,
        f"gruenpuls_source_refused_total{LABEL}": 5,
        f"gruenpuls_source_queues_lost_total{LABEL}": 1,
        f"gruenpuls_source_dropped_by_broker_total{LABEL}": 4,
        f"gruenpuls_messages_journalled_total{LABEL}": 100,
        f"gruenpuls_messages_decoded{LABEL}": 80,
        f"gruenpuls_messages_dead_lettered{LABEL}": 6,
        f"gruenpuls_messages_duplicates{LABEL}": 7,
        "gruenpuls_messages_waiting": 7,
        "gruenpuls_messages_missing": 0,
        'gruenpuls_dead_letters{reason="refused"}': 6,
        "gruenpuls_numbers_add_up": 1,
        "gruenpuls_registry_agrees": 1,
        "gruenpuls_self_check_age_seconds": 21.5,
        "gruenpuls_journal_commit_seconds_sum": 0.25,
        "gruenpuls_journal_commit_seconds_count": 5,
        "gruenpuls_journal_commit_longest_seconds": 0.125,
        "gruenpuls_journal_committed_messages_total": 11,
        "gruenpuls_journal_writable": 1,
        "gruenpuls_journal_damaged_segments": 0,
        "gruenpuls_journal_bytes": 5000,
        "gruenpuls_store_writable": 1,
        "gruenpuls_store_errors_total": 4,
        "gruenpuls_store_whole": 1,
        "gruenpuls_store_refused_readings": 3,
        "gruenpuls_store_bytes": 70_000,
        "gruenpuls_store_files": 9,
        'gruenpuls_forecast_age_seconds{station="10410"}': 18_000 + 1.5,
        "gruenpuls_sites_to_compute": 0,
        "gruenpuls_jobs_failing": 1,
        'gruenpuls_devices{profile="dragino-lse01"}': 40,
        'gruenpuls_devices_silent{profile="dragino-lse01",silent_for="3600"}': 5,
        'gruenpuls_devices_silent{profile="dragino-lse01",silent_for="86400"}': 2,
    }
    families = {re.sub("_(sum|count)$", "", key.split("{")[0]) for key in found}
    assert families | {"gruenpuls_build_info", "gruenpuls_disk_free_bytes", "gruenpuls_disk_size_bytes"} == set(METRICS)


@pytest.mark.parametrize(
    ("fault", "metric"),
    [
        (Fault.NUMBERS, "gruenpuls_numbers_add_up"),
        (Fault.PROGRESS, "gruenpuls_registry_agrees"),
        (Fault.COUNTERS, "gruenpuls_registry_agrees"),
        (Fault.SOURCES, "gruenpuls_registry_agrees"),
        (Fault.LETTERS, "gruenpuls_registry_agrees"),
        (Fault.FILES, "gruenpuls_store_whole"),
    ],
)
def test_a_failed_self_check_shows(registry: Registry, tmp_path: Path, fault: Fault, metric: str) -> None:
    registry.health.report("work", work(replace(CHECKED, discrepancies=(Discrepancy(fault, 3),))))
    found = told(registry, tmp_path)
    assert found[metric] == 0
    sound = ("gruenpuls_numbers_add_up", "gruenpuls_registry_agrees", "gruenpuls_store_whole")
    assert sum(found[name] for name in sound) == 2
    assert found["gruenpuls_ready"] == 0


def test_what_is_not_known_is_absent_and_not_0(registry: Registry, tmp_path: Path) -> None:
    silent = {**SOURCE, "connected_since": None, "last_message_at": None, "dropped_by_broker": None}
    registry.health.report("collect", {**COLLECT, "sources": [silent]})
    registry.health.report("work", {"error": "no space left", "waiting": None, CHECK: None})
    found = told(registry, tmp_path)
    assert found[f"gruenpuls_source_connected{LABEL}"] == 0
    assert found["gruenpuls_store_writable"] == 0
    unknown = ("last_message", "dropped", "waiting", "missing", "add_up", "agrees", "check", "store_bytes", "devices")
    assert not [key for key in found if any(part in key for part in unknown)]


def test_nothing_said_yet_is_told_as_such(registry: Registry, tmp_path: Path) -> None:
    assert told(registry, tmp_path)["gruenpuls_ready"] == 0


def test_devices_are_counted_by_profile_and_silence_also_those_never_heard(registry: Registry) -> None:
    for key, profile in (("a", "one"), ("b", "one"), ("c", "one"), ("d", "other")):
        registry.devices.add(Device(key, profile, key, (Channel("soil", "soil_tension"),)), actor="test")
    heard = {"a": timedelta(minutes=1), "b": timedelta(hours=2), "stranger": timedelta(days=9)}
    tallies = [DeviceTally(key, "lora", Tally(decoded=1), NOW - age) for key, age in heard.items()]
    again = DeviceTally("b", "other way", Tally(duplicates=1), NOW - timedelta(hours=5))
    registry.arrivals.note(ReadingBatch.empty(), [*tallies, again], Progress(4, Tally(3, 0, 1)))
    moments = [NOW - timedelta(hours=1), NOW - timedelta(hours=3)]
    assert registry.tallies.silent_since(moments) == {"one": (3, 2, 1), "other": (1, 1, 1)}


def test_the_guide_lists_every_metric_as_it_is() -> None:
    listed = re.findall(r"^\| `(gruenpuls_\w+)` \| (\w+) \| (.+?) \| (.+) \|$", GUIDE.read_text("utf-8"), re.MULTILINE)
    assert listed == [
        (name, it.kind, ", ".join(f"`{label}`" for label in it.labels) or "–", it.meaning)
        for name, it in METRICS.items()
    ]


@given(st.text(max_size=40), st.floats(allow_nan=False, allow_infinity=False))
def test_any_label_and_number_can_be_read_back(label: str, value: float) -> None:
    exposition = Exposition({"a": Metric("gauge", "Of the test.", ("name",))})
    exposition.tell("a", value, label)
    ((key, read),) = samples(exposition.text()).items()
    escapes = {r"\\": "\\", r"\"": '"', r"\n": "\n"}
    inner = key.removeprefix('a{name="').removesuffix('"}')
    assert re.sub(r"\\.", lambda found: escapes[found[0]], inner) == label
    assert read == value
