"""Runs the timetables beside this file: what happens, and what is told to whom, to the minute."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from notified import MONDAY, POLICY, Town, policy, site, told_in

from alerts.matcher import Matcher
from alerts.stages.silenced import Silence
from gruenpuls.domain.incident import IncidentState, Severity

FILES = sorted((Path(__file__).parent / "timetables").glob("*.yaml"))


def _moment(text: str) -> datetime:
    """Return a moment written as ``day 2, 08:30``; day 1 is a Monday."""
    day, clock = text.removeprefix("day ").split(", ")
    hour, minute = clock.split(":")
    return (MONDAY + timedelta(days=int(day) - 1)).replace(hour=int(hour), minute=int(minute))


def _happen(town: Town, event: dict[str, Any]) -> None:
    now, rule = _moment(event["at"]), event.get("rule", "drought")
    severity = Severity[event.get("severity", "warning").upper()]
    for place in event.get("fires", []):
        town.fire(rule, place, now, severity)
    for place in event.get("becomes", []):
        town.change(rule, place, now, severity=severity)
    for place in event.get("acknowledged", []):
        town.change(rule, place, now, state=IncidentState.ACKNOWLEDGED)
    for place in event.get("ends", []):
        peak = max(severity for _, severity in town.cases[town.number(rule, place)].incident.steps if severity)
        town.change(rule, place, now, state=IncidentState.RESOLVED, resolved_at=now, severity=peak)
    for place in event.get("withdrawn", []):
        del town.cases[town.number(rule, place)]
    if "silence" in event:
        words = event["silence"]
        until, alarms = _moment(words.pop("until")), words.pop("alarms", False)
        town.silences.append(
            Silence(len(town.silences) + 1, Matcher(**words), now, until, alarms, "ada", "known and worked on")
        )
    if "silence_ends" in event:
        town.silences.clear()
    if "switched_off" in event:
        town.off.add(event["switched_off"])


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_timetable_comes_out_as_written(file: Path) -> None:
    table = yaml.safe_load(file.read_text("utf-8"))
    base = {**yaml.safe_load(POLICY), **table.get("policy", {})}
    town = Town(
        policy("", yaml.safe_dump(base, allow_unicode=True)),
        {key: site(key, **(values or {})) for key, values in table["sites"].items()},
    )
    events = sorted(table["happens"], key=lambda event: _moment(event["at"]))
    now = min(MONDAY, _moment(events[0]["at"]))
    while now <= _moment(table["until"]):
        while events and _moment(events[0]["at"]) <= now:
            _happen(town, events.pop(0))
        town.look(now)
        now += timedelta(minutes=5)
    said = [
        {
            "at": f"day {(digest.made_at - MONDAY).days + 1}, {digest.made_at:%H:%M}",
            "to": digest.receiver,
            **told_in(digest),
        }
        for digest in town.said
    ]
    assert said == table["told"]
    reasons = {dropped.reason.value for dropped in town.dropped}
    assert set(table.get("held_back", [])) <= reasons


def test_there_are_enough_timetables() -> None:
    assert len(FILES) >= 10
