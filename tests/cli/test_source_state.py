from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from command_line import CommandLine

from gruenpuls.cli.source_state import source_complaints, source_remarks
from gruenpuls.service.registry import open_registry
from gruenpuls.settings import settings_from

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def source(**differing: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return what the collecting process says of a source that is well."""
    well = {
        "name": "lora",
        "connected_since": (NOON - 60 * MINUTE).isoformat(),
        "last_message_at": NOON.isoformat(),
        "unacknowledged": 0,
        "reconnects": 2,
        "refused": 0,
        "last_error": None,
        "last_error_at": None,
        "queue_lost_at": None,
        "dropped_by_broker": None,
        "dropped_at": None,
        "doing": None,
        "remark": None,
    }
    return {**well, **{key: it.isoformat() if isinstance(it, datetime) else it for key, it in differing.items()}}


@pytest.mark.parametrize(
    ("differing", "complaints"),
    [
        ({}, []),
        ({"connected_since": None}, ["lora: not connected"]),
        ({"connected_since": None, "last_error": "refused", "last_error_at": NOON - 9 * MINUTE}, ["lora: refused"]),
        ({"last_error": "lost", "last_error_at": NOON - MINUTE}, ["lora, 60 s ago: lost"]),
        ({"last_error": "lost", "last_error_at": NOON - 2 * MINUTE}, []),
        ({"dropped_by_broker": 7}, []),
        ({"dropped_by_broker": 7, "dropped_at": NOON - timedelta(hours=25)}, []),
    ],
)
def test_only_what_is_wrong_now_or_was_a_moment_ago_is_complained_of(
    differing: dict[str, Any], complaints: list[str]
) -> None:
    assert source_complaints([source(**differing)], NOON) == complaints


def test_what_a_broker_throws_away_is_a_complaint_for_a_day_and_a_remark_then() -> None:
    said = source(dropped_by_broker=7, dropped_at=NOON)
    (complaint,) = source_complaints([said], NOON + timedelta(hours=23))
    assert "7 since it started" in complaint
    assert "2026-07-01 12:00:00Z" in complaint
    assert source_remarks([said], NOON) == []
    (remark,) = source_remarks([said], NOON + timedelta(hours=24))
    assert "2026-07-01 12:00:00Z" in remark
    (before_us,) = source_remarks([source(dropped_by_broker=7)], NOON)
    assert "none of them since we look" in before_us


def test_when_a_queue_was_lost_is_told_long_after() -> None:
    (remark,) = source_remarks([source(queue_lost_at=NOON)], NOON + timedelta(days=9))
    assert remark == "lora: the broker had kept no queue for us at 2026-07-01 12:00:00Z"


def test_what_a_source_is_at_and_what_it_did_are_told() -> None:
    said = source(doing="closing a gap", remark="gap closed: 3 uplinks")
    assert source_remarks([said], NOON) == ["lora: closing a gap", "lora: gap closed: 3 uplinks"]


def test_status_lists_every_source_with_its_last_trouble(gruenpuls: CommandLine) -> None:
    gruenpuls("site", "list")
    registry = open_registry(settings_from())
    away = source(name="ttn", connected_since=None, last_error="wrong password", last_error_at=NOON)
    registry.health.report("collect", {"sources": [source(), away], "journal": {"error": None}})
    registry.close()
    said = gruenpuls("status")
    assert "2026-07-01 12:00:00Z wrong password" in said
    assert "connected" in said
    assert "away" in said
    assert [it["name"] for it in gruenpuls.json("status")["sources"]] == ["lora", "ttn"]
