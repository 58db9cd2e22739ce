from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from scripting import sample

from device_profiles.catalogue import Catalogue
from gruenpuls.domain.errors import InputError
from gruenpuls.jobs.profile_import import proposal, survey
from gruenpuls.jobs.profile_import.mapping_proposal import proposed_mapping
from gruenpuls.jobs.profile_import.plain_yaml import plain_yaml
from gruenpuls.jobs.profile_import.trial import same
from ingest.javascript import CodecPool
from ingest.javascript.prove import proven

TTN_CODEC = """
uplinkDecoder:
  fileName: grove.js
  examples:
    - description: Moist soil
      input: {fPort: 2, bytes: [0xCE, 0x29, 0x00, 0xF1, 0x07, 0xA5, 0x09, 0x9B, 0x00, 0xC8, 0x90]}
      output:
        data: {Bat: 3.625, temp_SOIL: "24.59", water_SOIL: "19.57", conduct_SOIL: 200, received: 2026-01-01T00:00:00Z}
      normalizedOutput:
        data: [{soil: {moisture: 19.57, temperature: 24.59, ec: 0.2}, battery: 3.625}]
    - description: Unknown FPort
      input: {fPort: 42, bytes: [1]}
      output: {errors: [unknown]}
"""
TTN_DEVICE = """
name: Grove 1 - Soil probe
description: Soil moisture, temperature and conductivity
firmwareVersions:
  - {version: '1.1', numeric: 2, profiles: {EU863-870: {id: eu, codec: grove-codec}}}
  - {version: '1.0', numeric: 1, profiles: {EU863-870: {id: eu, codec: old-codec}}}
productURL: https://example.org/grove
"""
PLAIN = """// SPDX-License-Identifier: MIT
function Decode(fPort, bytes, variables) {
  return { TempC_SHT: bytes[0], Hum_SHT: bytes[1], BatV: 3.1, TempC_DS: 5, Work_mode: 2, secret: 7 };
}
"""


@pytest.fixture(scope="module")
def pool() -> Iterator[CodecPool]:
    with CodecPool() as opened:
        yield opened


@pytest.fixture
def ttn(tmp_path: Path) -> Path:
    folder = tmp_path / "ttn" / "vendor" / "garten"
    folder.mkdir(parents=True)
    (tmp_path / "ttn" / "LICENSE").write_text("\n   Some Licence, version 2\n")
    (folder.parent / "index.yaml").write_text("vendors:\n  - {id: garten, name: Garten GmbH}\n")
    (folder / "grove.yaml").write_text(TTN_DEVICE)
    (folder / "grove-codec.yaml").write_text(TTN_CODEC)
    (folder / "grove.js").write_text(sample("ts013"))
    return folder / "grove.yaml"


@pytest.fixture
def chirpstack(tmp_path: Path) -> Path:
    folder = tmp_path / "chirpstack" / "vendors" / "wetter"
    for name in ("codecs", "devices"):
        (folder / name).mkdir(parents=True)
    (folder / "vendor.toml").write_text('[vendor]\nname = "Wetter"\nid = 1\ndevices = ["one.toml"]\n')
    (folder / "devices" / "one.toml").write_text(
        '[device]\nname = "One"\ndescription = "Air"\n[[device.firmware]]\nversion = "1"\n'
        'profiles = ["EU868.toml"]\ncodec = "one.js"\n[device.metadata]\nproduct_url = "https://example.org/one"\n'
    )
    (folder / "codecs" / "one.js").write_text(PLAIN)
    (folder / "codecs" / "test_decode_one.json").write_text(
        """[{"name": "Mild", "input": {"fPort": 0x02, "bytes": [21, 55]},
             "expected": {"data": {"TempC_SHT": 21, "Hum_SHT": 55, "BatV": 3.1, "TempC_DS": 5, "Work_mode": 2,
                                   "secret": 7, "nothing": null}}},
            {"name": "Hot", "input": {"fPort": 0x02, "bytes": [99, 55]}, "expected": {"data": {"TempC_SHT": 98}}}]"""
    )
    return folder / "devices" / "one.toml"


def test_a_ttn_device_becomes_a_profile_that_decodes_its_own_examples(
    pool: CodecPool, ttn: Path, tmp_path: Path
) -> None:
    steps: list[str] = []
    proposed = proposal(ttn, pool, progress=steps.append)
    assert len(steps) == 4
    assert not (tmp_path / "profiles").exists()
    path = proposed.written(tmp_path / "profiles")
    catalogue = Catalogue.read(tmp_path / "profiles")
    profile = catalogue.profile("garten-gmbh-grove-1")
    assert profile.sheet.decoder.kind == "js"
    assert profile.sheet.decoder.sha256 == hashlib.sha256(sample("ts013").encode()).hexdigest()
    assert not profile.sheet.decoder.fresh
    assert {channel.quantity for channel in profile.channels} == {
        "soil_water_content",
        "soil_temperature",
        "soil_electrical_conductivity",
        "battery_voltage",
    }
    assert all(channel.path.startswith("normalized[0].") for channel in proposed.channels)
    outcomes = proven(profile, pool)
    assert [(one.title, one.passed) for one in outcomes] == [("Moist soil", True), ("Unknown FPort", True)]
    assert profile.examples[0].readings == {
        "soil_water_content": 19.57,
        "soil_temperature": 24.59,
        "soil_electrical_conductivity": 0.2,
        "battery_voltage": 3.625,
    }
    assert "Some Licence, version 2" in path.read_text("utf-8")
    assert any("different codecs (old-codec, grove-codec); this is grove-codec" in doubt for doubt in proposed.doubts)
    with pytest.raises(InputError, match="imported before"):
        proposed.written(tmp_path / "profiles")


def test_what_is_normalized_is_compared_too(pool: CodecPool, ttn: Path) -> None:
    codec = ttn.with_name("grove-codec.yaml")
    codec.write_text(TTN_CODEC.replace("ec: 0.2}", "ec: 200}"))
    doubts = proposal(codec, pool).doubts
    assert any("'Moist soil' gives something else than published" in doubt for doubt in doubts)


def test_a_chirpstack_device_says_what_it_could_not_map_and_where_its_examples_err(
    pool: CodecPool, chirpstack: Path, tmp_path: Path
) -> None:
    proposed = proposal(chirpstack, pool)
    assert {channel.path: channel.quantity for channel in proposed.channels} == {
        "TempC_SHT": "air_temperature",
        "Hum_SHT": "relative_humidity",
        "BatV": "battery_voltage",
    }
    assert {field.path: field.because for field in proposed.unmapped} == {
        "TempC_DS": "not clear what it measures",
        "Work_mode": "not clear what it measures",
        "secret": "its name is not known",
    }
    assert any("'Hot' gives something else than published" in doubt for doubt in proposed.doubts)
    assert "its licence: MIT" in proposed.text
    proposed.written(tmp_path / "profiles")
    profile = Catalogue.read(tmp_path / "profiles").profile("wetter-one")
    assert all(outcome.passed for outcome in proven(profile, pool))
    flagged = profile.examples[1].expected()[0]
    assert (flagged.channel, flagged.value, flagged.flag) == ("air_temperature", 99, "fail")


def test_a_lone_codec_is_imported_with_messages_of_the_device(pool: CodecPool, tmp_path: Path) -> None:
    path = tmp_path / "somebody" / "probe.js"
    path.parent.mkdir()
    path.write_text(sample("exported"))
    with pytest.raises(InputError, match="without examples"):
        proposal(path, pool)
    proposed = proposal(path, pool, vendor="Ändern & Söhne", payloads=[(bytes.fromhex("aabb67d700"), 1)])
    assert proposed.profile.name == "aendern-soehne-probe"
    (channel,) = proposed.channels
    assert (channel.quantity, channel.path, channel.sure) == ("air_temperature", "temperature", False)
    assert all(outcome.passed for outcome in proven(proposed.profile, pool))


def test_a_codec_that_keeps_state_is_marked(pool: CodecPool, tmp_path: Path) -> None:
    path = tmp_path / "somebody" / "state.js"
    path.parent.mkdir()
    path.write_text(sample("stateful"))
    proposed = proposal(path, pool, payloads=[(b"\x05", 1), (b"\x07", 1)])
    assert proposed.trial.keeps_state
    assert "fresh: true" in proposed.text
    assert proposed.profile.sheet.decoder.fresh


def test_a_codec_of_one_device_keeps_the_constants_of_its_example(pool: CodecPool, tmp_path: Path) -> None:
    path = tmp_path / "somebody" / "constants.js"
    path.parent.mkdir()
    path.write_text(sample("decode"))
    given = {"name": "Dry", "input": {"fPort": 1, "bytes": [7, 208], "variables": {"offset": 1.5}}}
    path.with_name("test_decode_constants.json").write_text(json.dumps([given]))
    proposed = proposal(path, pool)
    assert proposed.profile.sheet.decoder.variables == {"offset": "1.5"}
    assert proposed.profile.examples[0].readings == {"soil_water_content": 21.5}


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("one.txt", "", "neither a TTN device"),
        ("one.yaml", "name: nothing", "neither a device with a codec"),
        ("one.yaml", "uplinkDecoder: {fileName: gone.js}", "cannot be read"),
        ("one.yaml", "a: [", "not YAML"),
        ("one.toml", "[device", "not TOML"),
        ("one.toml", "[device]", "names a codec"),
        ("one.js", "function Decoder() { return { secret: 7 }; }", "none of what it decodes is known: secret"),
        ("one.js", "while (true);", "decodes none of its examples: it took too long"),
    ],
)
def test_what_cannot_be_imported_says_why(pool: CodecPool, tmp_path: Path, name: str, content: str, said: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=said):
        proposal(tmp_path / name, pool, payloads=[(b"\x00", 1)])


@pytest.mark.usefixtures("chirpstack")
def test_a_folder_of_codecs_is_counted(pool: CodecPool, ttn: Path, tmp_path: Path) -> None:
    seen: list[tuple[str, int]] = []
    counted = survey(tmp_path, pool, lambda name, count: seen.append((name, count)))
    assert (counted.codecs, counted.flawless, counted.examples, counted.passed) == (2, 1, 4, 3)
    assert [count for _, count in seen] == [1, 2]
    assert counted.failures == ("chirpstack/vendors/wetter/codecs/one.js, 'Hot': another output",)
    assert str(counted).startswith("1 of 2 codecs and 3 of 4 examples as published")
    with pytest.raises(InputError, match="no codec with examples"):
        survey(ttn.parent.parent.parent / "nothing", pool)


def test_well_known_shapes_are_mapped() -> None:
    output: dict[str, object] = {
        "Battery voltage": {"value": 3012, "unit": "mV"},
        "soil": [{"depth": 10, "moisture": "21.5 %"}, {"depth": 20, "moisture": "25 %"}],
        "messages": [[{"measurementId": "4102", "type": "Soil Temperature", "measurementValue": 18.5}]],
        "wind_speed": {"displayName": "Wind speed", "value": 3.2, "unit": "m⋅s⁻¹"},
        "batteryLevel": 92,
        "conductivity": 1200,
        "pressure": {"value": 3, "unit": "psi"},
        "temperature": 18.4,
    }
    channels, left = proposed_mapping([output], "Probe")
    assert {channel.name: (channel.path, channel.unit) for channel in channels} == {
        "battery_voltage": ("Battery voltage", None),
        "soil_water_content": ("soil[0].moisture", None),
        "soil_water_content_2": ("soil[1].moisture", None),
        "soil_temperature": ("messages[measurementId=4102].measurementValue", None),
        "wind_speed": ("wind_speed", None),
        "battery_level": ("batteryLevel", None),
        "soil_electrical_conductivity": ("conductivity", "uS/cm"),
        "soil_temperature_2": ("temperature", None),
    }
    assert {field.path: field.because for field in left} == {
        "soil[0].depth": "its name is not known",
        "soil[1].depth": "its name is not known",
        "pressure": "'psi' is no unit of air_pressure",
    }


def test_yaml_is_read_as_its_authors_meant_it() -> None:
    text = "{a: off, b: 12:30, c: 2026-01-01, d: 0x0A, e: 1e3, f: 010, g: true, h: ~}"
    assert plain_yaml(text) == {
        "a": "off",
        "b": "12:30",
        "c": "2026-01-01",
        "d": 10,
        "e": 1000.0,
        "f": 10,
        "g": True,
        "h": None,
    }


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ({"a": 1, "b": None}, {"a": 1.0}, True),
        ({"a": True}, {"a": 1}, False),
        ({"at": "2026-01-01T00:00:00.123456Z"}, {"at": "2026-01-01T00:00:00.123Z"}, True),
        ([0.1 + 0.2], [0.3], True),
        ([1], [1, 2], False),
        ({"a": "1"}, {"a": 1}, False),
    ],
)
def test_decoded_values_are_compared_by_what_they_say(one: object, other: object, *, equal: bool) -> None:
    assert same(one, other) is equal
