from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from api.test_metrics import CHECKED, NOW, work

from gruenpuls.queries.readiness import Limits, unreadiness
from gruenpuls.queries.self_check import Discrepancy, Fault
from gruenpuls.stores.registry.health import ComponentHealth

FREE = 10**9
LIMITS = Limits({"lora": timedelta(minutes=10)}, FREE)


def source(
    name: str = "lora",
    *,
    connected: timedelta | None = timedelta(hours=1),
    heard: timedelta | None = timedelta(minutes=1),
) -> dict[str, Any]:
    """Return what a source says that was connected and heard so long ago."""
    ago = {"connected_since": connected, "last_message_at": heard}
    return {
        "name": name,
        "last_error": None if connected else "refused: wrong password",
        **{key: (NOW - age).isoformat() if age else None for key, age in ago.items()},
    }


def codes(
    *sources: Mapping[str, Any],
    journal_error: str | None = None,
    work_body: Mapping[str, Any] | None = None,
    heard: Mapping[str, datetime] | None = None,
    free: int = FREE,
) -> list[tuple[str, str]]:
    """Return what is complained of, and whom."""
    collect = {"sources": [*sources], "journal": {"error": journal_error}}
    bodies: dict[str, Mapping[str, Any]] = {"collect": collect, "work": work() if work_body is None else work_body}
    said = [
        ComponentHealth(name, bodies[name], at)
        for name, at in ({"collect": NOW, "work": NOW} if heard is None else heard).items()
    ]
    return [(it.code, it.subject) for it in unreadiness(said, free, LIMITS, NOW)]


def test_all_is_well() -> None:
    assert codes(source()) == []


@pytest.mark.parametrize(
    ("said", "complaints"),
    [
        (source(heard=timedelta(seconds=599)), []),
        (source(heard=timedelta(seconds=600)), [("source_silent", "lora")]),
        (source(connected=timedelta(minutes=9), heard=timedelta(days=1)), []),
        (source(connected=timedelta(minutes=9), heard=None), []),
        (source(connected=timedelta(minutes=11), heard=None), [("source_silent", "lora")]),
        (source("no limit", heard=timedelta(days=9)), []),
        (source(connected=None), [("source_not_connected", "lora")]),
    ],
)
def test_a_source_may_be_silent_for_as_long_as_its_setting_says(
    said: Mapping[str, Any], complaints: list[tuple[str, str]]
) -> None:
    assert codes(said) == complaints


@pytest.mark.parametrize(
    ("after", "heard", "complaints"),
    [
        (3600.0, timedelta(minutes=59), []),
        (3600.0, timedelta(minutes=60), [("source_silent", "other")]),
        (None, timedelta(days=9), []),
    ],
)
def test_without_a_setting_a_source_may_be_silent_for_as_long_as_its_devices(
    after: float | None, heard: timedelta, complaints: list[tuple[str, str]]
) -> None:
    check = replace(CHECKED, silent_after={"other": after} if after else {})
    said = source("other", connected=timedelta(days=10), heard=heard)
    assert codes(said, work_body=work(check)) == complaints


def test_a_setting_goes_before_what_devices_promise() -> None:
    check = replace(CHECKED, silent_after={"lora": 86400.0})
    assert codes(source(heard=timedelta(minutes=10)), work_body=work(check)) == [("source_silent", "lora")]


def test_processes_must_report() -> None:
    assert codes(heard={}) == [("process_never_heard", "collect"), ("process_never_heard", "work")]
    late = {"collect": NOW - timedelta(seconds=29), "work": NOW - timedelta(seconds=30)}
    assert codes(heard=late) == [("process_silent", "work")]


@pytest.mark.parametrize("fault", Fault)
def test_numbers_must_agree(fault: Fault) -> None:
    check = replace(CHECKED, discrepancies=(Discrepancy(fault, -2),))
    assert codes(work_body=work(check)) == [(f"{fault}_disagree", "work")]


def test_the_numbers_must_have_been_checked_lately() -> None:
    assert codes(work_body={"error": None}) == [("never_checked", "work")]
    old = replace(CHECKED, checked_at=NOW - timedelta(minutes=5))
    assert codes(work_body=work(old)) == [("check_is_old", "work")]


def test_a_check_of_another_version_is_none() -> None:
    assert codes(work_body={"error": None, "check": {"ok": True}}) == [("never_checked", "work")]


def test_what_cannot_be_written_is_told() -> None:
    assert codes(journal_error="no space left", work_body={**work(), "error": "read-only"}) == [
        ("journal_failing", "journal"),
        ("work_failing", "work"),
    ]


def test_the_disk_must_have_room() -> None:
    assert codes(free=FREE - 1) == [("disk_nearly_full", "disk")]
