"""Heat and cold by command, in stores opened for real."""

from __future__ import annotations

import gzip
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from command_line import CommandLine
from requirement import real_data

from gruenpuls.domain.ports import Commit, Run
from gruenpuls.domain.reading import Flag, ReadingBatch
from gruenpuls.domain.series import Owner, SeriesKey
from gruenpuls.service.workshop import workshop
from gruenpuls.settings import settings_from

FELT = "universal_thermal_climate_index"
FIRST = datetime(2023, 7, 1, tzinfo=UTC)
DAYS = 14
SPAN = ("--from", "2023-07-02", "--to", "2023-07-13")


def put(site: str, quantity: str, values: list[float], since: datetime = FIRST, statistic: str = "") -> None:
    """Write hourly values of a site into the city's own store."""
    with workshop(settings_from()) as tools, closing(tools.registry):
        key = SeriesKey(Owner.SITE, site, quantity, None, statistic, "imported")
        series = tools.registry.arrivals.series_ids([key])[0]
        run = tools.registry.arrivals.run_id(Run("import", "test", "1", "00"))
        count = len(values)
        moments = [since + timedelta(hours=hour) for hour in range(count)]
        batch = ReadingBatch.of([series] * count, moments, values, [Flag.GOOD] * count, [run] * count)
        tools.store.write(Commit(batch))
        tools.registry.latest.keep(batch)


def _summer(gruenpuls: CommandLine) -> None:
    for key, north in (("park", "51.50"), ("square", "51.51"), ("field", "51.60")):
        place = ("--latitude", north, "--longitude", "7.4", "--district", f"Around {key}")
        gruenpuls("site", "add", key, "--kind", "park", *place)
    count = DAYS * 24
    for key, warmer in (("park", 0.0), ("square", 2.0), ("field", -1.0)):
        put(key, "air_temperature", [20 + warmer - (hour - 18) % 24 / 4 for hour in range(count)])
    put("field", "wind_speed", [1.0] * count)
    put("field", "precipitation", [0.0] * count)
    put("park", FELT, [28.0] * count, statistic="shade")
    put("square", FELT, [33.5] * count, statistic="shade")


def _two_days(gruenpuls: CommandLine) -> None:
    for key in ("park", "square", "field"):
        gruenpuls("site", "add", key, "--kind", "park", "--latitude", "51.5", "--longitude", "7.4")
    for key in ("park", "square"):
        put(key, "air_temperature", [20.0] * 48, datetime(2023, 7, 2, tzinfo=UTC))


@pytest.fixture
def city(gruenpuls: CommandLine) -> CommandLine:
    gruenpuls.furnish(_summer)
    return gruenpuls


def test_places_are_compared_for_people_programs_and_offices(city: CommandLine) -> None:
    found = city.json("climate", "cooling", "park", "square", *SPAN)
    assert (found["difference"], found["days"], found["pairs"]) == (pytest.approx(-2.0), 13, 288)
    assert found["low"] <= found["difference"] <= found["high"]
    assert "-2" in city("climate", "cooling", "park", "square", *SPAN, "--hours", "22-6", "--german")
    felt = city("climate", "cooling", "park", "square", *SPAN, "--felt", "--csv", "--german")
    assert felt.splitlines()[1].startswith("-5,5;")
    found = city.json("climate", "island", "square", "--reference", "field", *SPAN)
    assert (found["fit"], found["mean"], found["clouds_known"]) == (12, pytest.approx(3.0), False)
    assert "Nobody observes clouds" in city("climate", "island", "square", "--reference", "field", *SPAN)
    assert "2023-07-02,3.0,3.0" in city("climate", "island", "square", "--reference", "field", *SPAN, "--csv")
    found = city.json("climate", "path", "field", "square", "park", *SPAN)
    assert [it["rate"] for it in found["places"]] == pytest.approx([0.25, 0.25, 0.25])
    assert "0.25" in city("climate", "path", "field", "square", "park", *SPAN)
    assert "0,25" in city("climate", "path", "field", "square", "park", *SPAN, "--csv", "--german")
    found = city.json("climate", "change", "park", "--control", "square", "--at", "2023-07-08", *SPAN)
    assert (found["difference"], found["low"], found["months"]) == (pytest.approx(0.0), None, [7])
    told = city("climate", "change", "park", "--control", "square", "--at", "2023-07-08", *SPAN)
    assert "fewer than ten days" in told


def test_the_ranking_of_an_hour_and_the_sums_of_a_season_are_told(city: CommandLine) -> None:
    found = city.json("climate", "cool-places", "--at", "2023-07-10T15")
    assert found["hour"] == "2023-07-10T13:00:00Z"
    assert [(it["rank"], it["key"], it["felt_class"]) for it in found["places"]] == [
        (1, "park", "moderate_heat_stress"),
        (2, "square", "strong_heat_stress"),
    ]
    assert "strong heat stress" in city(
        "climate", "cool-places", "--at", "2023-07-10T15", "--district", "Around square"
    )
    assert "28,0" in city("climate", "cool-places", "--at", "2023-07-10T15", "--csv", "--german")
    summer = city.json("climate", "season", "park", "--year", "2023")[2]
    assert summer["degree_hours_26"] == pytest.approx(2.0 * DAYS * 24)
    assert "672" in city("climate", "season", "park", "--year", "2023")
    assert "Sommer;2023-06-01;2023-08-31;" in city("climate", "season", "park", "--year", "2023", "--csv", "--german")


def test_how_hot_it_feels_is_told_in_words_and_what_lacks_too(city: CommandLine) -> None:
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    for site in ("park", "square"):
        # Of the present hour as well, which may be over before the last question.
        put(site, "air_temperature", [31.0] * 2, hour)
        put(site, "relative_humidity", [40.0] * 2, hour)
    put("park", FELT, [38.5], hour, "shade")
    put("park", "wet_bulb_globe_temperature", [27.4], hour, "sun")
    put("park", "dew_point_temperature", [15.8], hour)
    park, square = city.json("climate", "now")
    assert {(it["quantity"], it["statistic"]): it["value"] for it in park["more"]} == {
        ("wet_bulb_globe_temperature", "sun"): 27.4,
        ("dew_point_temperature", ""): 15.8,
    }
    more = city("climate", "now", "--more", "--csv", "--german")
    assert "in der Sonne;27,4;°C" in more
    assert "Taupunkt" in more
    assert "27.4" in city("climate", "now", "park", "--more")
    assert (park["shade"], park["shade_class"], park["reasons"]) == (38.5, "very_strong_heat_stress", [])
    assert (square["shade"], square["missing"][0]) == (None, "wind_speed")
    assert "very strong heat stress" in city("climate", "now", "--csv")
    assert "Es fehlt: Windgeschwindigkeit" in city("climate", "now", "square", "--csv", "--german")
    assert "38.5" in city("climate", "now", "--district", "Around park")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("season", "nobody"), "there is no site 'nobody'"),
        (("season", "field", "--year", "1980"), "nothing is known of the air temperature"),
        (("now", "nobody"), "there is no site"),
        (("cool-places", "--at", "noon"), "is no moment"),
        (("cooling", "park", "square", "--hours", "12-30"), "no hours of a day"),
        (("cooling", "park", "square", "--from", "2023-07-09", "--to", "2023-07-01"), "after the last day"),
        (("island", "park", "--reference", "square", *SPAN), "square has no hourly wind_speed"),
        (("change", "park", "--control", "square", "--at", "soon"), "is no day"),
        (("change", "park", "--control", "square", "--at", "2199-01-01"), "does not lie between"),
        (("path", "park"), "two different places"),
    ],
)
def test_what_cannot_be_is_answered_with_a_remedy(gruenpuls: CommandLine, words: tuple[str, ...], said: str) -> None:
    gruenpuls.furnish(_two_days)
    answer = gruenpuls("climate", *words, status=2)
    assert said in answer
    assert "→" in answer


def test_the_summer_of_2003_is_as_the_record_of_koeln_bonn_has_it(gruenpuls: CommandLine) -> None:
    source = real_data("weather/koeln_bonn_02667/weather-dwd-2667_daily_1957_2014.csv.gz")
    lines = gzip.decompress(source.read_bytes()).decode("ascii").splitlines()
    heading = lines[0].split(",")
    day, high, low = (
        heading.index(f"{it}") for it in ("Mess_Datum", "LUFTTEMPERATUR_MAXIMUM", "LUFTTEMPERATUR_MINIMUM")
    )
    kept = [line for line in lines[1:] if "1961" <= line[:4] <= "1990" or "20021201" <= line[:8] <= "20031130"]
    path = gruenpuls.directory / "record.csv"
    path.write_text("\n".join([lines[0], *kept]) + "\n", encoding="ascii")
    gruenpuls("site", "add", "dwd-02667", "--kind", "weather_station", "--latitude", "50.86", "--longitude", "7.16")
    gruenpuls("weather", "import", str(path), "--station", "dwd-02667")
    found = gruenpuls.json("climate", "season", "dwd-02667", "--year", "2003")
    rows = [line.split(",") for line in kept if line[:8] >= "20021201"]
    year = found[-1]
    assert year["known_days"] == len(rows)
    assert year["hot_days"] == sum(float(row[high]) >= 30 for row in rows)
    assert year["summer_days"] == sum(float(row[high]) >= 25 for row in rows)
    assert year["frost_days"] == sum(float(row[low]) < 0 for row in rows)
    assert year["ice_days"] == sum(float(row[high]) < 0 for row in rows)
    assert (year["tropical_nights"], year["known_nights"]) == (None, 0)  # needs hours, which a daily record lacks
    august = [float(row[high]) >= 30 for row in rows if row[day][:6] == "200308"]
    assert year["heat_wave_days"] >= 10
    assert sum(august) >= 10
    assert year["heat_wave_days_dwd"] >= 10
    assert found[2]["hot_days"] == year["hot_days"] - found[1]["hot_days"] - found[3]["hot_days"]
