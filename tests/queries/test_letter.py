"""What a Monday letter says of a small city in a dry July: one tree in several states each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from jobs.city import City, drying, hourly, probe, tree

from alerts.matcher import Matcher
from alerts.notifiers.letter import Letter
from alerts.policy import AreaLetter
from alerts.rule_file import shipped_rules
from gruenpuls.domain.device import Channel, Device
from gruenpuls.domain.incident import Incident, IncidentState, Severity
from gruenpuls.domain.ports import Run
from gruenpuls.domain.site import Site, SiteKind
from gruenpuls.domain.watering import Watering
from gruenpuls.jobs.new_day import NewDay
from gruenpuls.jobs.outlook import Outlooks
from gruenpuls.queries.letter import LetterDesk
from gruenpuls.queries.present import Present

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 7, 13, 6, tzinfo=BERLIN).astimezone(UTC)
BEGIN = datetime(2026, 7, 1, 22, tzinfo=UTC)
HOURS = int((NOW - BEGIN) / timedelta(hours=1))
RULES = {rule.name: rule for rule in shipped_rules()}
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    made = City.at(tmp_path_factory.mktemp("letters"), NOW)
    registry = made.registry
    registry.arrivals.run_id(Run("profile", "station", "1", "0" * 64))
    quantities = ("air_temperature", "precipitation")
    station = Device("w1", "station", "w1", tuple(Channel(it, it) for it in quantities))
    made.plant(Site("W", "Hafen", SiteKind.WEATHER_STATION, 51.52, 7.44), station, from_at=BEGIN)
    place = {"latitude": 51.51, "longitude": 7.46, "planted_on": "2025-02", "district": "Süd"}
    for key in ("new", "worse", "wet", "watered"):
        made.plant(tree(key, **place), probe(f"p-{key}"), from_at=BEGIN)
    made.plant(tree("reckoned", **place))
    made.plant(tree("elsewhere", **{**place, "district": "Nord"}))
    made.plant(replace(tree("managed", **{**place, "district": "Nord"}), maintenance_area="Bezirk 3"))
    made.plant(tree("nowhere", planted_on="2020-02", district="Süd"))
    hours = np.arange(HOURS)
    warm = 24 + 7 * np.sin(2 * np.pi * (hours - 8) / 24)
    made.arrive(hourly("w1", "air_temperature", warm, BEGIN))
    made.arrive(hourly("w1", "precipitation", np.zeros(HOURS), BEGIN))
    week_ago = HOURS - 7 * 24
    for key, values in {
        "new": np.where(hours < week_ago + 40, 5.0, 150.0),
        "worse": np.select([hours < week_ago - 60, hours < HOURS - 60], [5.0, 26.0], 150.0),
        "wet": np.full(HOURS, 5.0),
        "watered": np.where(hours < HOURS - 60, 150.0, 4.0),
    }.items():
        # A probe that always says the same is taken to be stuck.
        made.arrive(drying(f"p-{key}", values * (1 + 0.02 * np.sin(hours)), BEGIN))
    for key, back in (("watered", 2 * DAY), ("watered", 9 * DAY), ("elsewhere", DAY)):
        registry.waterings.add(Watering(key, NOW - back, 100.0), actor="test")
    registry.dirty.mark({site.key: BEGIN.date() for site in registry.places.list()})
    NewDay(registry, lambda: NOW, "Europe/Berlin").mark()
    made.refresh.work_off()
    Outlooks(registry, made.store, lambda: NOW, "Europe/Berlin").tell_days()
    yield made
    made.close()


def written(city: City, now: datetime = NOW, **values: object) -> Letter:
    given: dict[str, object] = {"area": "Süd", "to": ("anna",)}
    desk = LetterDesk(city.registry, city.store, RULES, BERLIN, Present(now))
    return desk.letter(AreaLetter.model_validate(given | values), "de")


def test_the_area_is_who_is_called_so_or_what_matches(city: City) -> None:
    assert written(city).sites == 6
    assert written(city, area="Nord").sites == 2
    assert written(city, area="Bezirk 3").sites == 1
    assert written(city, area="Alles mit n", match=Matcher(sites=("new", "nowhere"))).sites == 2
    assert written(city, area="Weit weg").sites == 0


def test_who_needs_water_stands_in_it_with_litres_and_reason(city: City) -> None:
    letter = written(city)
    rows = {row.key: row for row in letter.today}
    assert {"new", "worse"} <= rows.keys()
    assert rows["new"].why == "Sensor: 147\u00a0kPa in 30 cm"
    assert rows["wet"].why.startswith("Bilanz: "), "its probes have it wet, the balance has not"
    assert all(row.litres and row.litres > 0 for row in letter.today)
    assert {it.key: it.reason for it in letter.left_out}["nowhere"] == "unknown"
    assert letter.known == letter.sites - 1
    assert letter.as_of == date(2026, 7, 12)


def test_what_changed_is_told_by_what_said_so_a_week_ago_and_now(city: City) -> None:
    letter = written(city)
    assert "Baum new" in letter.ones("new")
    assert letter.ones("worse") == ["Baum worse"]
    marks = {row.key: row.change for row in letter.rows}
    assert (marks["new"], marks["worse"]) == ("new", "worse")
    assert letter.ones("ended") == ["Baum watered"]
    assert "watered" not in marks
    assert letter.compared == letter.sites - 1
    assert written(city, NOW - 9 * DAY).compared < letter.compared, "nobody knew a week before that"


def test_only_waterings_of_the_area_within_the_week_count(city: City) -> None:
    letter = written(city)
    assert (letter.watered, letter.watered_litres) == (1, 100.0)


def test_the_budget_ends_the_list_and_says_so(city: City) -> None:
    whole = written(city)
    first = whole.today[0]
    short = written(city, budget=first.litres)
    assert [row.key for row in short.today] == [first.key]
    assert {it.key for it in short.left_out if it.reason == "budget"} == {row.key for row in whole.today[1:]}


def test_if_nobody_waters_the_early_case_is_no_better_than_the_late_one(city: City) -> None:
    letter = written(city)
    assert letter.below_late <= letter.below_middle <= letter.below_early <= letter.ahead
    assert letter.below <= letter.below_middle
    assert letter.ahead > 0
    for row in letter.rows:
        known = [it for it in (row.days_early, row.days_middle, row.days_late) if it is not None]
        assert known == sorted(known)


def test_who_is_due_in_the_course_of_the_week_comes_with_the_day(city: City) -> None:
    letter = written(city, area="Nord")
    (row,) = letter.later
    assert row.key == "elsewhere"
    assert row.days_middle is not None
    assert row.due_on == date(2026, 7, 12) + timedelta(days=round(row.days_middle))
    assert date(2026, 7, 13) <= row.due_on <= date(2026, 7, 19)
    assert row.litres is not None
    assert row.litres > 0
    assert row.why.startswith("Bilanz: ")
    assert "elsewhere" not in {it.key for it in letter.today}


def test_a_letter_made_on_another_day_is_late_and_about_the_same_week(city: City) -> None:
    monday, wednesday = written(city), written(city, NOW + 2 * DAY)
    assert (monday.week, monday.late) == ("2026-W29", False)
    assert (wednesday.week, wednesday.monday, wednesday.late) == ("2026-W29", date(2026, 7, 13), True)


def test_alerts_that_are_new_worse_or_over_are_named(city: City) -> None:
    def incident(site: str, rule: str, began: timedelta, **values: object) -> Incident:
        at = NOW - began
        made = Incident(rule, site, IncidentState.FIRING, Severity.WARNING, at, at, None, 90.0, 80.0, NOW,
                        ((at, Severity.WARNING),))  # fmt: skip
        return replace(made, **values)  # type: ignore[arg-type]  # passed on

    rising = ((NOW - 20 * DAY, Severity.WARNING), (NOW - DAY, Severity.ALARM))
    ended = {"state": IncidentState.RESOLVED, "resolved_at": NOW - DAY}
    city.registry.incidents.keep(
        [
            incident("wet", "battery_low", 2 * DAY),
            incident("wet", "sensor_silent", 20 * DAY, severity=Severity.ALARM, steps=rising),
            incident("watered", "battery_low", 20 * DAY, **ended),
            incident("watered", "sensor_silent", 60 * DAY, **(ended | {"resolved_at": NOW - 30 * DAY})),
            incident("new", "battery_low", 20 * DAY),
            incident("elsewhere", "battery_low", 2 * DAY),
        ]
    )
    letter = written(city)
    told = {(what, name.partition(":")[0]) for what in ("new", "worse", "ended")
            for name in letter.ones(what, alerts=True) if "Baum" in name}  # type: ignore[arg-type]  # of these three  # fmt: skip
    assert {("new", "wet"), ("worse", "wet"), ("ended", "watered")} <= {
        (what, place) for what, name in told for place in ("wet", "watered", "elsewhere") if f"Baum {place}" in name
    }
    assert not any("elsewhere" in it.name for it in letter.alerts)
    assert letter.alerts_open >= 3
