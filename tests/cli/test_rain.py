"""Rain by command, in stores opened for real."""

from contextlib import closing
from datetime import UTC, date, datetime

import pytest
from command_line import CommandLine

import processors
from gruenpuls.domain.ports import DirtySpan
from gruenpuls.jobs.recompute import Recomputation
from gruenpuls.service.workshop import workshop
from gruenpuls.settings import settings_from

TABLE = "Dauerstufe;1;2;3;5;10;20;30;50;100\n60;12,5;15;17;19;23;27;30;33;38,1\n1440;30;36;40;45;52;60;65;71;80\n"
STATION = """\
STATIONS_ID;MESS_DATUM;QN_3;  FX;  FM;QN_4; RSK;RSKF; SDK; VPM; TMK; UPM; TXK; TNK;eor
       2667;20230709;   10;  14.1;   3.9;   10;   0.0;   6;  13.533;  15.3;  20.1;  48.00;  33.9;  15.7;eor
       2667;20230710;   10;  -999;   3.2;   10;  52.4;   6;   9.500;  16.0;  22.4;  61.00;  27.8;  16.9;eor
       2667;20230711;   10;  -999;   3.2;   10;   5.0;   6;   9.500;  16.0;  22.4;  61.00;  27.8;  16.9;eor
"""


@pytest.fixture
def city(gruenpuls: CommandLine) -> CommandLine:
    place = ("--latitude", "50.86", "--longitude", "7.16")
    gruenpuls("site", "add", "station", "--kind", "weather_station", *place)
    gruenpuls("site", "add", "roof", "--kind", "green_roof", "--district", "Mitte", *place)
    gruenpuls("site", "add", "tank", "--kind", "cistern")
    return gruenpuls


def computed() -> None:
    """Compute what is due, as the service does."""
    settings = settings_from()
    with workshop(settings) as tools, closing(tools.registry):
        spans = [DirtySpan("station", date(2023, 7, 9), 1), DirtySpan("roof", date(2023, 7, 9), 1)]
        Recomputation(tools.registry, tools.store, processors.ALL).compute(spans, datetime(2023, 7, 12, 6, tzinfo=UTC))


def test_the_sponge_is_told_for_people_programs_and_offices(city: CommandLine) -> None:
    (city.directory / "produkt.txt").write_text(STATION, encoding="utf-8")
    city("weather", "import", "produkt.txt", "--station", "station")
    computed()
    span = ("--from", "2023-07-09", "--to", "2023-07-11")
    told = city.json("rain", "sponge", *span)
    [roof] = told["sites"]
    assert roof["whole"]["mm"]["rain"] == pytest.approx(57.4)
    assert roof["whole"]["mm"]["ran_off"] > 0
    assert roof["whole"]["m3"]["held_back"] == pytest.approx(roof["whole"]["mm"]["held_back"] / 10)
    assert [(it["first"], it["last"]) for it in roof["events"]] == [("2023-07-10", "2023-07-11")]
    assert [it["district"] for it in told["districts"]] == ["Mitte"]
    assert [it["key"] for it in told["cisterns"]] == ["tank"]
    csv = city("rain", "sponge", "roof", *span, "--csv", "--german")
    assert csv.startswith("Standort;Name;Stadtteil;")
    assert "57,4" in csv
    for by in ("site", "district", "year", "event"):
        assert "57.4" in city("rain", "sponge", *span, "--by", by)
    assert "tank" in city("rain", "sponge", "tank", *span)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("sponge", "nobody"), "there is no site 'nobody'"),
        (("sponge", "station"), "no water balance"),
        (("sponge", "--from", "gestern"), "no day"),
        (("sponge", "--by", "person"), "are not made"),
        (("event", "nobody"), "there is no site 'nobody'"),
        (("event", "station"), "has no record of rain"),
        (("kostra", "show"), "no table of rare rain"),
        (("kostra", "import", "nowhere.csv"), "cannot be read"),
    ],
)
def test_what_cannot_be_is_answered_with_a_remedy(city: CommandLine, words: tuple[str, ...], said: str) -> None:
    with workshop(settings_from()):
        pass
    answer = city("rain", *words, status=2)
    assert said in answer
    assert "→" in answer


def test_a_table_of_rare_rain_is_checked_kept_and_shown(city: CommandLine) -> None:
    (city.directory / "kostra.csv").write_text(TABLE, encoding="utf-8")
    assert "the table is sound" in city("rain", "kostra", "import", "kostra.csv", "--dry-run")
    city("rain", "kostra", "show", status=2)
    assert "Kept." in city("rain", "kostra", "import", "kostra.csv")
    assert "38.1" in city("rain", "kostra", "show")
    assert city.json("rain", "kostra", "show")["durations"] == [60, 1440]
    assert "38.1" in city("rain", "kostra", "show", "--site", "roof")
    assert "nobody knows where tank is" in city("rain", "kostra", "show", "--site", "tank", status=2)


def test_the_rains_of_a_gauge_are_listed_and_the_gauge_itself(city: CommandLine) -> None:
    hours = [
        f"       2667;20230710{hour:02};  3;{fell:6.1f};   1;  6;eor" for hour, fell in ((14, 6.5), (15, 12.0), (16, 0))
    ]
    record = "\n".join(["STATIONS_ID;MESS_DATUM;QN_8;  R1;RS_IND;WRTR;eor", *hours, ""])
    (city.directory / "stunden.txt").write_text(record, encoding="utf-8")
    city("weather", "import", "stunden.txt", "--station", "station")
    [rain] = city.json("rain", "event", "station", "--from", "2023-07-09", "--to", "2023-07-11")
    assert rain["depth"] == pytest.approx(18.5)
    assert rain["heaviest"]["60"] == pytest.approx(12.0)
    assert rain["index"] is None
    told = city("rain", "event", "station", "--from", "2023-07-09", "--to", "2023-07-11", "--german")
    assert "Die Regen von station" in told
    assert "18.5" in told
    [gauge] = city.json("rain", "gauge", "--days", "7")
    assert (gauge["key"], gauge["days"], gauge["witnesses"]) == ("station", 0, 0)
    assert "station" in city("rain", "gauge")
    assert "nicht gefangen" in " ".join(city("rain", "gauge", "--exposure", "free", "--german").split())
    assert "no gauge stands 'windy'" in city("rain", "gauge", "--exposure", "windy", status=2)
