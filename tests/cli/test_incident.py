"""Incidents on the command line: what is shown of them, and that people's words reach a service that runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from command_line import CommandLine
from notified import firing, site

from gruenpuls.domain.incident import IncidentState, Severity
from gruenpuls.domain.ports import DeviceTally, Progress, Run, Tally
from gruenpuls.domain.reading import Flag, ReadingBatch
from gruenpuls.domain.relay import RelayKind, SilenceCause
from gruenpuls.domain.series import Owner, SeriesKey
from gruenpuls.domain.watering import Watering
from gruenpuls.stores.registry import Registry
from gruenpuls.stores.registry.incident_settling import WateredBefore

RULE = "drought_stress"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    (tmp_path / "var").mkdir()
    with Registry.open(f"sqlite:///{tmp_path}/var/registry.sqlite") as opened:
        opened.places.add(site("lime"), actor="test")
        yield opened


def rows(shown: str) -> dict[str, str]:
    """Return what tables of two columns say, by the first."""
    cells = [[cell.strip() for cell in line.strip("│").split("│")] for line in shown.splitlines() if "│" in line]
    return {row[0]: row[1] for row in cells if len(row) == 2}


def _balance(registry: Registry, at: datetime) -> None:
    """Let the water balance say what is left."""
    run = registry.arrivals.run_id(Run("processor", "water_balance", "1", ""))
    names = ("p10", "p50", "p90")
    keys = [SeriesKey(Owner.SITE, "lime", "plant_available_water", None, name, "water_balance") for name in names]
    series = registry.arrivals.series_ids(keys)
    registry.latest.keep(ReadingBatch.of(series, [at] * 3, [12.0, 21.4, 33.0], [Flag.GOOD] * 3, [run] * 3))


def test_a_tree_whose_probe_fell_silent_says_so_and_what_the_balance_has_left(
    gruenpuls: CommandLine, registry: Registry
) -> None:
    now = datetime.now(UTC)
    registry.incidents.keep([replace(firing(RULE, "lime", now - 9 * DAY, Severity.ALARM), last_at=now - 5 * DAY)])
    _balance(registry, now - DAY)
    assert "last seen 5 d ago, 21 % nFK by the water balance" in gruenpuls("incident", "list")
    shown = gruenpuls("incident", "show", "1")
    assert "Last seen 5 days ago; the sensor has been silent since." in shown
    assert "By the water balance 21 % nFK are left now (about 12 to 33 %); only readings can end the alert." in shown
    german = gruenpuls("incident", "show", "1", "--german")
    assert "Zuletzt gesehen vor 5 Tagen" in german
    assert "Nach der Wasserbilanz sind jetzt 21 % nFK übrig" in german
    told = gruenpuls.json("incident", "show", "1")
    assert (told["modelled"]["middle"], round(told["silent_hours"])) == (21.4, 120)


def test_a_silent_sensor_says_what_keeps_it_from_being_heard(gruenpuls: CommandLine, registry: Registry) -> None:
    now = datetime.now(UTC)
    heard = frozenset({("", 1), ("north-7", 1)})
    tally = DeviceTally("a1", "city", Tally(1), None, heard)
    registry.arrivals.note(ReadingBatch.empty(), [tally], Progress(1, Tally(1)))
    (gateway,) = [it.relay for it in registry.relays.of_devices(["a1"]) if it.kind is RelayKind.GATEWAY]
    saw = (("silence", 9.0), ("silence_cause", float(SilenceCause.GATEWAY)), ("silent_relay", float(gateway)))
    registry.incidents.keep([replace(firing("sensor_silent", "lime", now - 9 * HOUR), last_at=now, saw=saw)])
    assert "the gateway north-7" in " ".join(gruenpuls("incident", "list").split())
    shown = " ".join(gruenpuls("incident", "show", "1").split())
    assert "the cause is the gateway north-7" in shown
    assert "silent_relay" not in shown
    assert "das Gateway north-7" in " ".join(gruenpuls("incident", "show", "1", "--german").split())
    told = gruenpuls.json("incident", "show", "1")
    assert (told["silence_cause"], told["silent_relay"]) == ("gateway", {"kind": "gateway", "name": "north-7"})


def test_one_that_ended_shows_its_peak_how_long_it_lasted_and_the_watering_before(
    gruenpuls: CommandLine, registry: Registry
) -> None:
    began = datetime(2026, 6, 1, 6, tzinfo=UTC)
    steps = ((began + DAY, Severity.WARNING), (began + 2 * DAY, Severity.ALARM), (began + 6 * DAY, None))
    over = replace(
        firing(RULE, "lime", began, Severity.ALARM),
        state=IncidentState.RESOLVED,
        resolved_at=began + 6 * DAY,
        last_at=began + 6 * DAY,
        peak=2.0,
        last_value=0.0,
        steps=steps,
        saw=(("soil_water_status", 0.0), ("acute", 0.0), ("of_old", 7.5)),
    )
    registry.waterings.add(Watering("lime", began + 4 * DAY, 80.0), actor="ada")
    registry.incidents.settle(RULE, ["lime"], began, [over], watered=WateredBefore(DAY, DAY))
    shown = gruenpuls("incident", "show", "1")
    assert "Watered before that: 5 June 2026, 08:00, 80 l." in shown
    for line in ("6.0 days", "alarm", "below every level", "Soil water status, acute", "of_old", "Baum lime (lime)"):
        assert line in shown, line
    assert rows(shown)["Soil water status"] == "fine"
    assert rows(shown)["Soil water status, acute"] == "no"
    assert "watered before it ended, 80 l" in gruenpuls("incident", "list", "--past")
    told = gruenpuls.json("incident", "show", "1")
    assert (told["lasted_hours"], told["ended_by"]["litres"]) == (144.0, 80.0)


def test_an_old_tree_suffers_acutely_or_not(gruenpuls: CommandLine, registry: Registry) -> None:
    began = datetime(2026, 6, 1, 6, tzinfo=UTC)
    for number, (acute, told) in enumerate(((1.0, "ja"), (0.0, "nein")), start=1):
        saw = (("soil_water_status", 2.0), ("acute", acute))
        registry.places.add(site(f"oak {number}"), actor="test")
        registry.incidents.keep([replace(firing(RULE, f"oak {number}", began, Severity.ALARM), saw=saw)])
        said = rows(gruenpuls("incident", "show", str(number), "--german"))
        assert (said["Bodenwasserstatus"], said["Bodenwasserstatus, akut"]) == ("jetzt gießen", told)


def test_what_late_readings_did_stands_in_its_history(gruenpuls: CommandLine, registry: Registry) -> None:
    began = datetime(2026, 6, 1, 6, tzinfo=UTC)
    first = firing(RULE, "lime", began)
    ended = replace(first, state=IncidentState.RESOLVED, resolved_at=began + DAY, last_at=began + DAY)
    later = firing(RULE, "lime", began + 3 * DAY)
    registry.incidents.keep([replace(first, last_at=began + 4 * DAY)])
    registry.incidents.settle(RULE, ["lime"], began, [ended, later])
    registry.incidents.settle(RULE, ["lime"], began, [ended])
    registry.incidents.settle(RULE, ["lime"], began - DAY, [replace(ended, began_at=began - HOUR), later])
    registry.incidents.settle(RULE, ["lime"], began - DAY, [replace(later, began_at=began)])
    registry.incidents.retire(RULE)
    first_life, second_life = (gruenpuls("incident", "show", number) for number in ("1", "2"))
    for said in ("moved it (before: from 1 June 2026, 08:00, until 2 June 2026, 08:00)", "its rule is off"):
        assert said in first_life, said
    for said in (
        "split it from incident 1",
        "say that it never was",
        "brought it back",
        "made it part of incident 1",
    ):
        assert said in second_life, said
    listed = gruenpuls.json("incident", "list", "--past")
    assert {it["state"] for it in listed} == {"withdrawn"}
    german = gruenpuls("incident", "show", "1", "--german")
    assert "nachgereichte Messwerte" in german


def test_what_somebody_says_is_there_at_once_for_a_service_that_runs(
    gruenpuls: CommandLine, registry: Registry
) -> None:
    """`registry` stays open all the while, as a service's does."""
    registry.incidents.keep([firing(RULE, "lime", datetime.now(UTC) - HOUR)])
    gruenpuls("incident", "assign", "1", "Anna")
    gruenpuls("incident", "comment", "1", "hydrant is frozen")
    gruenpuls("incident", "acknowledge", "1", "--note", "on my way")
    (kept,) = registry.incidents.open()
    assert (kept.assignee, kept.incident.state) == ("Anna", IncidentState.ACKNOWLEDGED)
    registry.incidents.settle(RULE, ["lime"], datetime(2020, 1, 1, tzinfo=UTC), [replace(kept.incident, peak=99.0)])
    told = gruenpuls.json("incident", "show", "1")
    assert (told["state"], told["peak"], told["assignee"]) == ("acknowledged", 99.0, "Anna")
    assert [step["note"] for step in told["history"]] == ["", "→ Anna", "hydrant is frozen", "on my way"]
