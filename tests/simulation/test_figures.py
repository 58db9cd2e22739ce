import csv
import gzip
import json
from datetime import UTC, datetime, timedelta
from importlib import resources

from requirement import real_data

FIGURES = resources.files("gruenpuls.simulation").joinpath("figures")


def figures(name: str) -> list[dict[str, str]]:
    lines = FIGURES.joinpath(name).read_text(encoding="utf-8").splitlines()
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))


def test_every_table_names_its_source_and_licence() -> None:
    for table in ("weierbach_2017.csv", "tour_perret_2023.csv"):
        head = FIGURES.joinpath(table).read_text(encoding="utf-8").split("\ntime,")[0]
        assert "licence" in head
        assert "Drawn from" in head


def test_the_soil_water_is_the_records_own() -> None:
    with real_data("soil/weierbach_beech/soilmoisture.csv").open(encoding="utf-8") as lines:
        record = {row["TIMESTAMP"]: row for row in csv.DictReader(lines)}
    rows = figures("weierbach_2017.csv")
    assert rows[0]["time"] == "2017-04-05T12:00Z"
    assert rows[-1]["time"] == "2017-12-05T00:00Z"
    compared = 0
    for row in rows:
        measured = record[row["time"].replace("Z", ":00")]
        for column, text in row.items():
            stand, _, depth = column.partition("_")
            if not depth.isdigit():
                continue
            published = measured[f"{stand.capitalize()}_SM_{depth}"]
            assert bool(text) == bool(published)
            if text:
                assert abs(float(text) - float(published)) <= 0.005 + 1e-9
                compared += 1
    assert compared > 14_000


def test_the_rain_is_the_sum_of_the_records_six_hours() -> None:
    with real_data("soil/weierbach_beech/precip_radiation.csv").open(encoding="utf-8") as lines:
        hours = {datetime.fromisoformat(row["TIMESTAMP"]): row for row in csv.DictReader(lines)}
    for row in figures("weierbach_2017.csv"):
        end = datetime.fromisoformat(row["time"]).replace(tzinfo=None) - timedelta(minutes=10)
        for stand in ("sand", "slate"):
            column = f"{stand.capitalize()}_Precip"
            parts = [hours.get(end - timedelta(hours=hour), {}).get(column, "") for hour in range(6)]
            if "" in parts:
                assert row[f"{stand}_rain"] == ""
            else:
                assert abs(float(row[f"{stand}_rain"]) - sum(map(float, parts))) <= 0.05 + 1e-9


def test_the_tower_is_the_records_own() -> None:
    earliest: dict[str, tuple[int, dict[str, object]]] = {}
    with gzip.open(real_data("traffic/ems-tourperret-A81758FFFE04B1C1.ndjson.gz"), "rt", encoding="utf-8") as lines:
        for line in lines:
            message = json.loads(line)
            heard = min(hotspot["reported_at"] for hotspot in message["hotspots"])
            frame = message["raw_packet"]
            if frame not in earliest or heard < earliest[frame][0]:
                earliest[frame] = (heard, message)
    begin, end = datetime(2023, 8, 14, tzinfo=UTC), datetime(2023, 8, 29, tzinfo=UTC)
    wanted = {
        heard: message
        for heard, message in earliest.values()
        if begin <= datetime.fromtimestamp(heard / 1000, UTC) < end
    }
    rows = figures("tour_perret_2023.csv")
    assert len(rows) == len(wanted) == 980
    for row in rows:
        message = wanted[round(datetime.fromisoformat(row["time"]).timestamp() * 1000)]
        payload = message["decoded"]["payload"]  # type: ignore[index]
        assert float(row["air_temperature"]) == payload["temperature"]
        assert float(row["relative_humidity"]) == payload["humidity"]
        assert round(float(row["battery_voltage"]) * 1000) == payload["vdd"]
        assert int(row["counter"]) == message["fcnt"]
    assert max(float(row["air_temperature"]) for row in rows) == 43.8
