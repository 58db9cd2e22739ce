import pytest
from command_line import CommandLine

DEVICES = """\
DevEUI;Profil;Bezeichnung;Standort;seit;Tiefe
A8-17-58-FF-FE-04-B1-C1;elsys-ems;Turm;park;01.07.2026 08:30;
24E1245A00000010;milesight-em500-smtc;Sonde;park;2026-07-01;30
"""


@pytest.fixture(autouse=True)
def _a_park(gruenpuls: CommandLine) -> None:
    gruenpuls("site", "add", "park", "--kind", "park")


def table(gruenpuls: CommandLine, text: str) -> str:
    path = gruenpuls.directory / "devices.csv"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_device_is_registered_with_its_place_and_depth(gruenpuls: CommandLine) -> None:
    gruenpuls(
        "device", "add", "24E1245A00000010", "--profile", "milesight-em500-smtc", "--site", "park", "--depths", "30"
    )
    (device,) = gruenpuls.json("device", "list")
    assert (device["key"], device["site"]) == ("24e1245a00000010", "park")
    depths = {channel["quantity"]: channel["depth"] for channel in device["channels"]}
    assert depths["soil_water_content"] == 30.0
    assert "battery_level" not in depths


def test_a_device_for_a_site_that_is_not_there_is_not_registered(gruenpuls: CommandLine) -> None:
    said = gruenpuls("device", "add", "1", "--profile", "elsys-ems", "--site", "nowhere", status=2)
    assert "no site 'nowhere'" in said
    assert gruenpuls.json("device", "list") == []


def test_an_unknown_profile_is_refused_with_near_names(gruenpuls: CommandLine) -> None:
    said = gruenpuls("device", "add", "1", "--profile", "elsys-emss", status=2)
    assert "elsys-ems" in said


def test_a_depth_for_a_channel_that_is_not_there_is_refused(gruenpuls: CommandLine) -> None:
    said = gruenpuls("device", "add", "1", "--profile", "elsys-ems", "--depths", "nowhere=30", status=2)
    assert "no channel 'nowhere'" in said


def test_a_table_of_devices_is_taken_over_and_can_be_run_again(gruenpuls: CommandLine) -> None:
    path = table(gruenpuls, DEVICES)
    assert "2 add" in gruenpuls("device", "import", path, "--dry-run")
    assert gruenpuls.json("device", "list") == []
    gruenpuls("device", "import", path)
    devices = gruenpuls.json("device", "list")
    assert [device["key"] for device in devices] == ["24e1245a00000010", "a81758fffe04b1c1"]
    assert {device["site"] for device in devices} == {"park"}
    assert "2 unchanged" in gruenpuls("device", "import", path)


def test_what_a_row_does_not_say_stays_as_it_is_registered(gruenpuls: CommandLine) -> None:
    gruenpuls("device", "import", table(gruenpuls, DEVICES))
    before = gruenpuls.json("device", "list")
    short = "DevEUI;Profil;Bezeichnung\nA81758FFFE04B1C1;elsys-ems;Neuer Turm\n24E1245A00000010;milesight-em500-smtc;\n"
    assert "1 change, 1 unchanged" in gruenpuls("device", "import", table(gruenpuls, short))
    after = gruenpuls.json("device", "list")
    assert after == [before[0], {**before[1], "name": "Neuer Turm"}]


@pytest.mark.parametrize(
    ("row", "part"),
    [
        ("1;elsys-emss;;;;", "elsys-ems"),
        ("1;elsys-ems;;nowhere;2026-01-01;", "there is no site 'nowhere'"),
        ("1;elsys-ems;;park;;", "moment it was mounted"),
        ("1;elsys-ems;;park;soon;", "is no moment"),
    ],
)
def test_a_wrong_row_keeps_all_out_and_is_named(gruenpuls: CommandLine, row: str, part: str) -> None:
    told = gruenpuls("device", "import", table(gruenpuls, DEVICES + row + "\n"), status=2)
    assert "1 of 3 rows" in told
    assert gruenpuls.json("device", "list") == []
    assert part in told


def test_a_sensor_is_swapped_and_the_site_keeps_its_series(gruenpuls: CommandLine) -> None:
    gruenpuls("device", "add", "0a", "--profile", "elsys-ems", "--site", "park", "--from", "2026-07-01")
    gruenpuls("device", "add", "0b", "--profile", "elsys-ems")
    gruenpuls("device", "swap", "0a", "0b", "--at", "2026-08-01")
    assert {it["key"]: it["site"] for it in gruenpuls.json("device", "list")} == {"0a": None, "0b": "park"}
    gruenpuls("device", "unmount", "0b", "--at", "2026-09-01")
    gruenpuls("device", "mount", "0a", "park", "--from", "2026-09-01")
    assert {it["key"]: it["site"] for it in gruenpuls.json("device", "list")} == {"0a": "park", "0b": None}


def test_a_device_cannot_be_at_two_places(gruenpuls: CommandLine) -> None:
    gruenpuls("device", "add", "0a", "--profile", "elsys-ems", "--site", "park", "--from", "2026-07-01")
    assert "0a" in gruenpuls("device", "mount", "0a", "park", "--from", "2026-08-01", status=2)
