"""The forecast by command: taken over whether the service runs or not, and shown with its age."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from command_line import CommandLine
from forecast_server import ForecastServer
from mosmix_file import Station, kmz, sunny
from mosquitto import free_port
from requirement import real_data
from service_process import ServiceProcess

HOUR = timedelta(hours=1)


def this_hour() -> datetime:
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


def fresh(directory: Path, *stations: Station, hours: int = 60) -> Path:
    path = directory / "forecast.kmz"
    chosen = stations or (Station("10410", "ESSEN", "6.97,51.40,161.0", sunny(hours, rain=0.5)),)
    path.write_bytes(kmz(this_hour() - 2 * HOUR, chosen, hours))
    return path


def test_a_file_is_taken_over_and_shown(gruenpuls: CommandLine, tmp_path: Path) -> None:
    said = gruenpuls.json("forecast", "import", str(fresh(tmp_path)))
    assert [one["key"] for one in said["stations"]] == ["10410"]
    assert "ESSEN" in gruenpuls("forecast", "show")
    shown = gruenpuls.json("forecast", "show", "10410")
    assert shown["station"]["elevation"] == 161.0
    assert 2 <= shown["age_hours"] < 3.1
    assert shown["stale"] is False
    whole = shown["days"][1]
    assert (whole["minimum"], whole["maximum"]) == (20.0, 20.0)
    assert whole["rain"] == pytest.approx(12.0, rel=0.05)


def test_figures_of_a_real_file_come_out_and_its_age_is_no_secret(gruenpuls: CommandLine) -> None:
    file = real_data("weather/dwd_fixtures/MOSMIX_L_LATEST.kmz")
    gruenpuls("forecast", "import", str(file))
    shown = gruenpuls.json("forecast", "show")
    assert shown["stale"] is True
    assert shown["issued_at"] == "2023-04-12T09:00:00Z"
    day = next(day for day in shown["days"] if day["day"] == "2023-04-17")
    # RRdc for the 24 hours to 6 UTC of 17 and 18 April: 0.5 and 0.0 mm, of which 8 and 16 hours are this day's.
    assert day["rain"] == pytest.approx(0.5 / 3, abs=0.01)
    assert day["source"] == "hourly"
    assert "too old to be used" in gruenpuls("forecast", "show")
    assert gruenpuls.json("status")["forecast"]["stale"] is True
    assert "too old to be used" in gruenpuls("status")


def test_without_a_forecast_the_way_to_one_is_told(gruenpuls: CommandLine) -> None:
    gruenpuls("site", "list")
    assert gruenpuls.json("status")["forecast"] is None
    with_store = gruenpuls("forecast", "import", "nowhere.kmz", status=1)
    assert "nowhere.kmz" in with_store
    assert "forecast import" in gruenpuls("forecast", "show", status=2)


def test_an_unknown_station_is_answered_with_those_there_are(gruenpuls: CommandLine, tmp_path: Path) -> None:
    gruenpuls("forecast", "import", str(fresh(tmp_path)))
    assert "10410" in gruenpuls("forecast", "show", "10400", status=2)
    assert "10400" in gruenpuls("forecast", "import", str(fresh(tmp_path)), "--station", "10400", status=1)


def test_of_many_stations_those_near_the_sites_are_taken_unless_all_are_asked_for(
    gruenpuls: CommandLine, tmp_path: Path
) -> None:
    gruenpuls("site", "add", "T1", "--kind", "street_tree", "--latitude", "51.45", "--longitude", "7.01")
    file = fresh(
        tmp_path,
        Station("10410", "ESSEN", "6.97,51.40,161.0", sunny(60)),
        Station("10384", "BERLIN", "13.4,52.5,40.0", sunny(60)),
    )
    assert [one["key"] for one in gruenpuls.json("forecast", "import", str(file))["stations"]] == ["10410"]
    every = gruenpuls.json("forecast", "import", str(file), "--all")["stations"]
    assert [one["key"] for one in every] == ["10410", "10384"]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ('[forecast]\nurl = "ftp://host/a.kmz"\n', "forecast.url"),
        ('[forecast]\nurl = "http://host/{station}.kmz"\n', "10410"),
        ('[forecast]\nstations = ["10410"]\n', "url"),
        ("[forecast]\nevery = 5\n", "forecast.every"),
    ],
)
def test_a_wrong_setting_is_named(gruenpuls: CommandLine, text: str, part: str) -> None:
    Path("gruenpuls.toml").write_text(text, encoding="utf-8")
    assert part in gruenpuls("status", status=3)


@pytest.mark.server
@pytest.mark.slow
def test_the_service_fetches_by_itself_and_takes_over_what_is_ordered(gruenpuls: CommandLine, tmp_path: Path) -> None:
    with ForecastServer() as server:
        station = Station("10410", "ESSEN", "6.97,51.40,161.0", sunny(60))
        server.files["/10410.kmz"] = kmz(this_hour() - 2 * HOUR, [station], 60)
        (tmp_path / "gruenpuls.toml").write_text(
            f'[forecast]\nurl = "{server.url}/{{station}}.kmz"\nstations = ["10410"]\n'
            f"[console]\nport = {free_port()}\n[work]\npause = 0.1\n",
            encoding="utf-8",
        )
        with ServiceProcess("work", directory=tmp_path) as work:
            work.await_true((tmp_path / "var" / "forecast" / "10410.json").exists, "fetched")
            shown = gruenpuls.json("forecast", "show")
            assert shown["stations"] == ["10410"]
            file = fresh(tmp_path, Station("10404", "KALKAR", "6.27,51.73,26.0", sunny(60)))
            gruenpuls("forecast", "import", str(file))
            assert gruenpuls.json("forecast", "show", "10404")["days"]
            assert gruenpuls.json("status")["forecast"]["stations"] == ["10404", "10410"]
            assert "Traceback" not in work.said
