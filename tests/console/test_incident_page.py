"""The page of one incident, and what lists say of one whose probes fell silent."""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from console.conftest import Console
from notified import firing, site
from queries.city import NOW, City, opened

from alerts.rule_file import shipped_rules
from gruenpuls.domain.incident import IncidentState, Severity
from gruenpuls.domain.ports import Run
from gruenpuls.domain.reading import Flag, ReadingBatch
from gruenpuls.domain.series import Owner, SeriesKey
from gruenpuls.domain.watering import Watering
from gruenpuls.stores.registry.incident_settling import WateredBefore

RULE = "drought_stress"
DAY = timedelta(days=1)


def _furnish(city: City) -> None:
    """One that nobody hears of, one that a watering ended, one that never was."""
    registry = city.registry
    registry.places.add_all([site("lime"), site("oak"), site("plane")], actor="test")
    silent = replace(firing(RULE, "lime", NOW - 9 * DAY, Severity.ALARM), last_at=NOW - 5 * DAY)
    began = NOW - 20 * DAY
    ended = replace(
        firing(RULE, "oak", began),
        state=IncidentState.RESOLVED,
        resolved_at=began + 6 * DAY,
        last_at=began + 6 * DAY,
        steps=((began + DAY, Severity.WARNING), (began + 6 * DAY, None)),
        saw=(("soil_water_status", 0.0),),
    )
    registry.waterings.add(Watering("oak", began + 4 * DAY, 80.0), actor="ada")
    registry.incidents.settle(RULE, ["oak"], began, [ended], watered=WateredBefore(DAY, DAY))
    registry.incidents.keep([silent, firing(RULE, "plane", began)])
    registry.incidents.comment(3, "looks <green> to me", actor="ada")
    registry.incidents.settle(RULE, ["plane"], began, [])
    run = registry.arrivals.run_id(Run("processor", "water_balance", "1", ""))
    names = ("p10", "p50", "p90")
    keys = [SeriesKey(Owner.SITE, "lime", "plant_available_water", None, name, "water_balance") for name in names]
    moments, values = [NOW - DAY] * 3, [12.0, 21.4, 33.0]
    registry.latest.keep(
        ReadingBatch.of(registry.arrivals.series_ids(keys), moments, values, [Flag.GOOD] * 3, [run] * 3)
    )


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    with opened(tmp_path_factory.mktemp("incidents")) as city:
        _furnish(city)
        yield Console.of(city, rules=shipped_rules())


def page(console: Console, path: str, language: str = "en") -> str:
    answer = console.get(path, accept_language=language)
    assert answer.status_code == 200
    return html.unescape(answer.text)


@pytest.mark.parametrize("path", ["/incidents", "/incidents/2", "/sites/lime"])
def test_a_tree_nobody_hears_of_says_since_when_and_what_the_balance_has_left(console: Console, path: str) -> None:
    text = page(console, path)
    assert "Last seen 5 days ago; the sensor has been silent since." in text
    assert "By the water balance 21 % nFK are left now (about 12 to 33 %)" in text
    german = page(console, path, "de")
    assert "Zuletzt gesehen vor 5 Tagen; seitdem schweigt der Sensor." in german
    assert "beenden können die Warnung nur Messwerte" in german


def test_an_incident_shows_what_it_saw_how_it_went_and_what_ended_it(console: Console) -> None:
    text = page(console, "/incidents/1")
    for said in (
        "Incident 1",
        "Baum oak",
        "Watered before that: 28 June 2026, 14:00, 80 l.",
        "Soil water status",
        "below every level",
        "6.0 days",
        "resolved, warning",
    ):
        assert said in text, said
    assert "Davor gegossen" in page(console, "/incidents/1", "de")
    assert "Watered before that" in page(console, "/incidents")
    assert "Watered before that" in page(console, "/sites/oak")


def test_one_that_never_was_stays_with_a_note_and_what_people_said(console: Console) -> None:
    text = page(console, "/incidents/3")
    assert "withdrawn, warning: readings that came late say that it never was" in text
    assert "looks <green> to me" in text
    assert "looks <green>" not in console.get("/incidents/3").text
    assert 'href="/incidents/3"' in page(console, "/incidents")


@pytest.mark.parametrize(("path", "status"), [("/incidents/99", 404), ("/incidents/0", 422), ("/incidents/x", 422)])
def test_what_is_no_incident_is_told(console: Console, path: str, status: int) -> None:
    assert console.get(path).status_code == status
