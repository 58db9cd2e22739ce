"""Waterings entered and imported, and the questions that stand on the balance, by command."""

from __future__ import annotations

import csv
import io
import xml.etree.ElementTree as ET
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from command_line import CommandLine
from jobs.city import City, hourly, tree

from gruenpuls.domain.device import Channel, Device
from gruenpuls.domain.ports import Run
from gruenpuls.domain.site import Site, SiteKind
from gruenpuls.jobs.new_day import NewDay
from gruenpuls.service.registry import open_registry
from gruenpuls.service.rooms import writing_store
from gruenpuls.settings import settings_from

DAYS = 12


@pytest.fixture
def planted(gruenpuls: CommandLine) -> CommandLine:
    for key, kind in (("B-1", "street_tree"), ("B-2", "street_tree"), ("W", "weather_station")):
        gruenpuls("site", "add", key, "--kind", kind)
    return gruenpuls


@pytest.fixture
def dry(gruenpuls: CommandLine) -> CommandLine:
    """Return a city after twelve dry days with a station, one tree near it, and one nobody can place."""
    gruenpuls.furnish(_twelve_dry_days)
    return gruenpuls


def _twelve_dry_days(_: CommandLine) -> None:
    settings = settings_from(None)
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    begin = (now - timedelta(days=DAYS)).replace(hour=0)
    with (
        closing(open_registry(settings)) as registry,
        closing(writing_store(settings, registry.judgements)) as store,
    ):
        city = City(registry, store, now)
        registry.arrivals.run_id(Run("profile", "station", "1", "0" * 64))
        quantities = ("air_temperature", "precipitation")
        station = Device("w1", "station", "w1", tuple(Channel(it, it) for it in quantities))
        city.plant(Site("W", "Hafen", SiteKind.WEATHER_STATION, 51.52, 7.44), station, from_at=begin)
        for number in range(3):
            # Of the first season, since an older one is not watered in winter.
            planted_on = f"{now.year if now.month < 7 else now.year + 1}-02"
            place = {"latitude": 51.51, "longitude": 7.46, "district": "Mitte" if number else "Nord"}
            city.plant(tree(f"B-{number}", planted_on=planted_on if number < 2 else "1990", **place))
        city.plant(tree("X", planted_on="2020"))
        hours = int((now - begin) / timedelta(hours=1))
        warm = 24 + 7 * np.sin(2 * np.pi * (np.arange(hours) - 8) / 24)
        city.arrive(hourly("w1", "air_temperature", warm, begin))
        city.arrive(hourly("w1", "precipitation", np.zeros(hours), begin))
        registry.dirty.mark({f"B-{number}": begin.date() for number in range(3)})
        NewDay(registry, lambda: now, "Europe/Berlin").mark()
        city.refresh.work_off()


def _table(directory: Path, text: str) -> str:
    path = directory / "tour.csv"
    path.write_text(text, encoding="cp1252")
    return str(path)


def test_a_watering_is_entered_listed_and_taken_back(planted: CommandLine) -> None:
    planted("watering", "add", "B-1", "75,5", "--at", "2026-03-01T08:30", "--bag", "--comment", "Sack")
    (kept,) = planted.json("watering", "list", "--days", "5000")
    assert (kept["site"], kept["litres"], kept["at"], kept["method"], kept["comment"]) == (
        "B-1", 75.5, "2026-03-01T07:30:00Z", "bag", "Sack"
    )  # fmt: skip
    assert "entered already" in planted("watering", "add", "B-1", "75.5", "--at", "2026-03-01T08:30", status=2)
    planted("watering", "remove", str(kept["number"]))
    assert planted.json("watering", "list", "--days", "5000") == []
    assert "no watering" in planted("watering", "remove", "99", status=2)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("B-9", "75"), "no such site"),
        (("B-1", "viel"), "no number"),
        (("B-1", "0"), "cannot be"),
        (("B-1", "75", "--at", "2100-01-01"), "in the future"),
        (("B-1", "75", "--at", "gestern"), "no moment"),
    ],
)
def test_a_watering_that_cannot_be_is_refused(planted: CommandLine, words: tuple[str, ...], complaint: str) -> None:
    assert complaint in planted("watering", "add", *words, status=2)


TOUR = """\
Baumnummer;Datum;Liter;Verfahren
B-1;01.05.2026;75,5;Gießsack
B-2;2026-05-01T09:00;100;
B-1;01.05.2026;75,5;Sack
"""


def test_a_german_table_is_taken_over_once_however_often_it_is_imported(planted: CommandLine) -> None:
    file = _table(planted.directory, TOUR)
    told = planted.json("watering", "import", file, "--dry-run")
    assert told["counts"] == {"new": 2, "known": 1, "error": 0}
    assert planted.json("watering", "list", "--days", "5000") == []
    planted("watering", "import", file)
    planted("watering", "import", file)
    first, second = planted.json("watering", "list", "--days", "5000")
    assert {first["at"], second["at"]} == {"2026-05-01T07:00:00Z", "2026-05-01T10:00:00Z"}, "a day is its noon"
    assert {first["litres"], second["litres"]} == {75.5, 100.0}


def test_one_wrong_row_keeps_the_whole_table_out(planted: CommandLine) -> None:
    file = _table(planted.directory, TOUR + "B-9;01.05.2026;75;\nB-1;01.05.2026;;\nB-1;01.05.2100;1;\n")
    assert "3 of 6 rows" in planted("watering", "import", file, status=2)
    assert planted.json("watering", "list", "--days", "5000") == []


def test_the_status_is_worst_first_in_every_form(dry: CommandLine) -> None:
    told = dry.json("site", "status")
    assert {it["key"] for it in told} == {"B-0", "B-1", "B-2", "X"}
    judged = [it for it in told if it["available_water"]["p50"] is not None]
    assert {it["key"] for it in judged} == {"B-0", "B-1", "B-2"}
    for it in judged:
        band = it["available_water"]
        assert 0 <= band["p10"] <= band["p50"] <= band["p90"]
    assert [it["key"] for it in dry.json("site", "status", "--district", "Nord")] == ["B-0"]
    assert "Linde" not in dry("site", "status", "--german")
    rows = list(csv.reader(io.StringIO(dry("site", "status", "--csv", "--german")), delimiter=";"))
    assert rows[0][0] == "Standort"
    assert any("," in cell and cell.replace(",", "").isdigit() for cell in rows[1])


def test_the_plan_keeps_to_its_budget(dry: CommandLine) -> None:
    whole = dry.json("watering", "plan")
    for it in whole["given"]:
        assert it["litres"] > 0
        assert it["reason"] in {"sensor", "balance"}
    assert [it["reason"] for it in whole["left_out"] if it["key"] == "X"] == ["unknown"]
    nothing = dry.json("watering", "plan", "--budget", "0,001m3")
    assert nothing["given"] == []
    assert len(nothing["left_out"]) == len(whole["given"]) + len(whole["left_out"])
    assert "kein Wetter in der Nähe" in dry("watering", "plan", "--german")
    assert "no amount" in dry("watering", "plan", "--budget", "viel", status=2)


def test_a_site_explains_itself_to_people_and_machines(dry: CommandLine) -> None:
    text = dry("site", "explain", "B-1", "--german")
    for expected in ("Hafen, 1,8 km entfernt", "water_balance", "angenommen aus", "Gießmenge", "Kein Sensor"):
        assert expected in text
    for line in ("Lufttemperatur, Mittel", "Niederschlag, Summe", "keine Vorhersage"):
        assert line in text
    assert "nirgends" not in text, "that nothing was forecast says nothing of where it is measured"
    told = dry.json("site", "explain", "B-1")
    value = {(it["span"][1], it["span"][2]): it["value"] for it in told["weather"]}
    assert value["air_temperature", "mean"] == pytest.approx(24, abs=0.1)
    assert (value["precipitation", "sum"], value["precipitation", "forecast_2d"]) == (0, None)
    assert {it["name"] for it in told["steps"]} >= {"water_balance", "irrigation_need"}
    assert told["remarks"] == ["no_sensor"]
    assert "still to come" in dry("site", "explain", "B-1", "2100-01-01", status=2)
    assert "no day" in dry("site", "explain", "B-1", "gestern", status=2)
    assert "no site" in dry("site", "explain", "B-9", status=2)


@pytest.mark.parametrize(("ending", "language"), [("png", "de"), ("svg", "en")])
def test_a_season_becomes_a_picture(dry: CommandLine, ending: str, language: str) -> None:
    file = dry.directory / f"b1.{ending}"
    dry("site", "plot", "B-1", "--out", str(file), "--language", language)
    octets = file.read_bytes()
    if ending == "png":
        assert octets.startswith(b"\x89PNG")
    else:
        assert ET.fromstring(octets).tag == "{http://www.w3.org/2000/svg}svg"
    assert "no kind of picture" in dry("site", "plot", "B-1", "--out", "b1.gif", status=2)
    assert "has not begun" in dry("site", "plot", "B-1", "--season", "2199", status=2)
