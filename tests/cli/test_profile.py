import json
from pathlib import Path

import pytest
from command_line import CommandLine

SOIL = "0175640367190104ca9010057ff000"


def test_the_shipped_profiles_are_listed(gruenpuls: CommandLine) -> None:
    listed = {profile["name"]: profile for profile in gruenpuls.json("profile", "list")}
    assert len(listed) >= 25
    assert "soil_tension" in listed["solidos-teros21"]["quantities"]


@pytest.mark.parametrize("payload", [SOIL, SOIL.upper(), "AXVkA2cZAQTKkBAFf/AA"])
def test_a_payload_is_explained_byte_by_byte(gruenpuls: CommandLine, payload: str) -> None:
    explained = gruenpuls.json("profile", "decode", "milesight-em500-smtc", payload, "--port", "85")
    assert "".join(row["hex"] for row in explained["bytes"]) == SOIL
    values = {reading["channel"]: reading["value"] for reading in explained["readings"]}
    assert (values["soil_water_content"], values["soil_temperature"]) == (42.4, 28.1)
    assert "42.4" in gruenpuls("profile", "decode", "milesight-em500-smtc", payload)


def test_a_failed_probe_is_missing(gruenpuls: CommandLine) -> None:
    explained = gruenpuls.json("profile", "decode", "milesight-em500-smtc", "0367ffff")
    assert [(it["value"], it["flag"]) for it in explained["readings"]] == [(None, 9)]


def test_a_refused_payload_says_why(gruenpuls: CommandLine) -> None:
    assert "ends within" in gruenpuls.json("profile", "decode", "elsys-ems", "0100e202290703")["refused"]


def test_what_is_no_payload_is_said_so(gruenpuls: CommandLine) -> None:
    assert "neither hexadecimal nor base64" in gruenpuls("profile", "decode", "elsys-ems", "xyz!", status=2)


def test_a_profile_proves_itself(gruenpuls: CommandLine) -> None:
    (report,) = gruenpuls.json("profile", "test", "dragino-lse01")
    assert report["passed"] is True
    assert report["decoded"] + report["refused"] + report["not_measurements"] > 100
    assert report["escaped"] == []


def test_a_profile_whose_example_is_wrong_fails_with_expected_and_got(gruenpuls: CommandLine) -> None:
    shipped = Path(__file__).parents[2] / "device_profiles" / "catalogue" / "elsys" / "ems.yaml"
    text = shipped.read_text(encoding="utf-8")
    assert "air_temperature: 15.9" in text
    own = gruenpuls.directory / "ems.yaml"
    own.write_text(text.replace("air_temperature: 15.9", "air_temperature: 99.9"), encoding="utf-8")
    said = gruenpuls("profile", "test", str(own), status=1)
    assert "99.9" in said
    assert "15.9" in said


def test_a_broken_profile_is_named_with_its_line(gruenpuls: CommandLine) -> None:
    own = gruenpuls.directory / "own.yaml"
    own.write_text("name: own\nversion: none\n", encoding="utf-8")
    assert "own.yaml:2" in gruenpuls("profile", "test", str(own), status=2)


def test_the_citys_own_profile_takes_the_place_of_a_shipped_one(
    gruenpuls: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = Path(__file__).parents[2] / "device_profiles" / "catalogue" / "elsys" / "ems.yaml"
    (gruenpuls.directory / "own").mkdir()
    changed = shipped.read_text(encoding="utf-8").replace("model: EMS", "model: Our own EMS")
    (gruenpuls.directory / "own" / "ems.yaml").write_text(changed, encoding="utf-8")
    monkeypatch.setenv("GRUENPULS_PROFILES_DIR", str(gruenpuls.directory / "own"))
    assert "Our own EMS" in gruenpuls("profile", "show", "elsys-ems")


def test_the_schema_is_written_for_an_editor(gruenpuls: CommandLine) -> None:
    gruenpuls("profile", "schema", "profile.schema.json")
    assert json.loads(Path("profile.schema.json").read_text(encoding="utf-8"))["title"] == "Grünpuls device profile"


# Battery, two unused bytes, water content, soil temperature, conductivity.
MESSAGE = "2:0ccb00000af505d8001200"
CODEC = Path(__file__).parents[1] / "samples" / "javascript" / "ts013.js"


def test_a_codec_becomes_a_profile_first_as_a_dry_run(gruenpuls: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    own = gruenpuls.directory / "own"
    monkeypatch.setenv("GRUENPULS_PROFILES_DIR", str(own))
    words = ("profile", "import", str(CODEC), "--vendor", "Ours", "--model", "Probe", "--payload", MESSAGE)
    assert "Nothing was written" in gruenpuls(*words)
    assert not own.exists()
    assert "Written to" in gruenpuls(*words, "--write")
    (name,) = (it["name"] for it in gruenpuls.json("profile", "list") if it["decoder"] == "js")
    (report,) = gruenpuls.json("profile", "test", name)
    assert report["passed"] is True
    port, payload = MESSAGE.split(":")
    assert gruenpuls.json("profile", "decode", name, payload, "--port", port)["readings"]
    assert "imported before" in gruenpuls(*words, "--write", status=2)


def test_a_codec_without_examples_asks_for_a_message(gruenpuls: CommandLine) -> None:
    assert "give a message of the device" in gruenpuls("profile", "import", str(CODEC), status=2)


PUBLISHED = """\
uplinkDecoder:
  fileName: ts013.js
  examples:
    - description: wrong port
      input: {fPort: 9, bytes: [1]}
      output: {errors: [unknown FPort 9]}
    - description: not what it says
      input: {fPort: 9, bytes: [1]}
      output: {data: {Bat: 3.6}}
"""


def test_all_codecs_of_a_folder_are_run_and_counted(gruenpuls: CommandLine) -> None:
    (gruenpuls.directory / "probe-codec.yaml").write_text(PUBLISHED, encoding="utf-8")
    (gruenpuls.directory / "ts013.js").write_text(CODEC.read_text(encoding="utf-8"), encoding="utf-8")
    assert "0 of 1 codecs and 1 of 2 examples" in gruenpuls("profile", "codecs", str(gruenpuls.directory))
