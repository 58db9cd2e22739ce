from pathlib import Path

import pytest
from command_line import CommandLine

TREES = """\
Baumnummer;Bezeichnung;Objektart;Breite;Länge;Stadtteil;Pflanzjahr;Bodenart;Feldkapazität;Welkepunkt;Krone
E-1;Linde vor Nr. 5;Straßenbaum;51,4556;7,0116;Rüttenscheid;2024;Sl3;23;10;4
E-2;Ahorn;Straßenbaum;51,46;7,02;Holsterhausen;2019;;;;
"""


def table(directory: Path, text: str, encoding: str = "utf-8") -> str:
    path = directory / "trees.csv"
    path.write_bytes(text.encode(encoding))
    return str(path)


def test_a_site_that_was_added_is_listed(gruenpuls: CommandLine) -> None:
    gruenpuls("site", "add", "E-7", "--kind", "street_tree", "--name", "Linde", "--species", "Tilia cordata")
    (site,) = gruenpuls.json("site", "list")
    assert (site["key"], site["name"], site["species"], site["time_zone"]) == (
        "E-7",
        "Linde",
        "Tilia cordata",
        "Europe/Berlin",
    )
    assert "Linde" in gruenpuls("site", "list")


def test_a_key_that_is_taken_is_refused(gruenpuls: CommandLine) -> None:
    gruenpuls("site", "add", "E-7", "--kind", "bed")
    assert "E-7" in gruenpuls("site", "add", "E-7", "--kind", "bed", status=2)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_a_german_table_is_taken_over_in_whatever_encoding(gruenpuls: CommandLine, encoding: str) -> None:
    gruenpuls("site", "import", table(gruenpuls.directory, TREES, encoding))
    first, second = gruenpuls.json("site", "list")
    assert (first["key"], first["district"], first["latitude"]) == ("E-1", "Rüttenscheid", 51.4556)
    assert first["soil"]["field_capacity"] == 23.0
    assert second["soil"]["field_capacity"] is None
    assert first["attributes"] == {"Krone": "4"}


def test_a_cell_in_quotes_may_hold_a_line_break(gruenpuls: CommandLine) -> None:
    gruenpuls(
        "site", "import", table(gruenpuls.directory, 'key;kind;name\r\n1;bed;"Linde am\r\nMarkt"\r\n2;bed;Ahorn\r\n')
    )
    assert [site["name"] for site in gruenpuls.json("site", "list")] == ["Linde am\r\nMarkt", "Ahorn"]


def test_a_date_of_planting_nobody_can_read_is_refused(gruenpuls: CommandLine) -> None:
    said = gruenpuls("site", "add", "E-7", "--kind", "street_tree", "--planted-on", "letztes Jahr", status=2)
    assert "no date of planting" in said
    assert gruenpuls.json("site", "list") == []


def test_a_dry_run_changes_nothing(gruenpuls: CommandLine) -> None:
    said = gruenpuls("site", "import", table(gruenpuls.directory, TREES), "--dry-run")
    assert "2 add" in said
    assert "Krone" in said
    assert gruenpuls.json("site", "list") == []


def test_an_import_can_be_run_again(gruenpuls: CommandLine) -> None:
    path = table(gruenpuls.directory, TREES)
    gruenpuls("site", "import", path)
    assert "2 unchanged" in gruenpuls("site", "import", path)
    table(gruenpuls.directory, TREES.replace("2019", "2020"))
    assert "1 change" in gruenpuls("site", "import", path)
    assert gruenpuls.json("site", "list")[1]["planted_on"] == "2020"


def test_one_wrong_row_keeps_all_out_and_is_named(gruenpuls: CommandLine) -> None:
    path = table(gruenpuls.directory, TREES + "E-3;Eiche;Laterne;51;7;;;;;;\n")
    said = gruenpuls("site", "import", path, status=2)
    assert "1 of 3 rows" in said
    assert gruenpuls.json("site", "list") == []


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "empty"),
        ("key;key;kind\n1;2;bed\n", "stands twice"),
        ("key;kind\n1;bed;2\n", "more cells"),
        ('key;kind\n"1;bed\n', "broken"),
    ],
)
def test_a_table_that_is_none_is_said_so(gruenpuls: CommandLine, text: str, part: str) -> None:
    assert part in gruenpuls("site", "import", table(gruenpuls.directory, text), status=2)


def test_a_table_that_is_not_there_is_said_so(gruenpuls: CommandLine) -> None:
    assert "cannot be read" in gruenpuls("site", "import", "nowhere.csv", status=2)
