from __future__ import annotations

import contextlib
import hashlib
import json
import math
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from device_profiles.catalogue import Catalogue, profile_in
from device_profiles.profile import DecoderKind, NotAMeasurement, Profile, Refused
from device_profiles.sheet import Battery, schema
from gruenpuls.domain.device import Channel, Placement
from gruenpuls.domain.errors import InputError
from gruenpuls.domain.reading import Flag

Text = Callable[..., str]
SHIPPED = Catalogue.shipped()
LAYOUTS = [profile for profile in SHIPPED if profile.decoder is DecoderKind.LAYOUT]
STRUCT = "kind: layout\nshapes:\n  - form: struct\n    fields: [{name: value, type: u8}]"


def test_a_profile_says_what_the_rest_needs_to_know() -> None:
    profile = SHIPPED.profile("decentlab-dl-sht35")

    assert (profile.vendor, profile.model, profile.version) == ("Decentlab", "DL-SHT35", 1)
    assert profile.expected_interval == timedelta(minutes=10)
    assert profile.decoder == "layout"
    assert profile.channels[0] == Channel("air_temperature", "air_temperature", placement=Placement.SHIELDED)
    assert SHIPPED.profile("generic-watermark").channels[1].depth == 40
    assert SHIPPED.profile("decentlab-dl-tbrg").counters["precipitation_total"].wraps_at == 429496729.6


def test_the_digest_is_that_of_the_file() -> None:
    path = Path(__file__).parents[2] / "device_profiles/catalogue/elsys/ems.yaml"

    assert profile_in(path).digest == hashlib.sha256(path.read_bytes()).hexdigest()


def test_each_byte_is_explained() -> None:
    rows = SHIPPED.profile("elsys-ems").explain(bytes.fromhex("01009f024407"), 5)

    assert [(row.start, row.stop, row.hex, row.meaning, row.value, row.unit) for row in rows] == [
        (0, 1, "01", "Temperature", None, ""),
        (1, 3, "009f", "temperature", 15.9, "°C"),
        (3, 4, "02", "Humidity", None, ""),
        (4, 5, "44", "humidity", 68, "%"),
        (5, 6, "07", "Battery", None, ""),
        (6, 6, "", "the message ends within tag 07", None, ""),
    ]


def test_a_settings_frame_is_explained_as_one() -> None:
    (row,) = SHIPPED.profile("elsys-ems").explain(bytes.fromhex("3e4b07"), 6)

    assert (row.start, row.stop, row.meaning) == (0, 3, "the device's settings")


@pytest.mark.parametrize("profile", LAYOUTS, ids=lambda profile: profile.name)
def test_an_explanation_covers_every_byte_of_a_good_example(profile: Profile) -> None:
    for example in profile.examples:
        if example.readings and example.bytes:
            payload = bytes.fromhex(example.bytes)
            covered = {at for row in profile.explain(payload, example.port) for at in range(row.start, row.stop)}
            skipped = "adeunis" in profile.name or "wsc2" in profile.name
            assert covered == set(range(len(payload))) or skipped


@given(st.sampled_from(LAYOUTS), st.binary(max_size=80), st.none() | st.integers(0, 255))
@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
def test_any_bytes_decode_are_flagged_or_are_refused(profile: Profile, payload: bytes, port: int | None) -> None:
    with contextlib.suppress(Refused, NotAMeasurement):
        for reading in profile.decode(payload, port):
            assert math.isnan(reading.value) == (reading.flag is Flag.MISSING)
    assert profile.explain(payload, port) or not payload


@pytest.mark.parametrize(
    ("replace", "by", "line", "why"),
    [
        ("expected_interval: 10 min", "expected_intervall: 10 min", 6, "expected_intervall: this key is not known"),
        ("expected_interval: 10 min\n", "", 1, "expected_interval: Field required"),
        ("expected_interval: 10 min", "expected_interval: ten", 6, "a span of time is a number and"),
        ("version: 1", "version: one", 2, "version: Input should be a valid integer"),
        ("version: 1", "version: 1\nversion: 2", 3, "key 'version' stands twice"),
        ("type: u8", "type: u9", 11, "decoder.shapes.0.fields.0.type: Input should be"),
        ("vendor: Test", "vendor: [", None, "not YAML"),
        ('bytes: "01"', "bytes: 01", 15, "examples.0.bytes: put the bytes in quotation marks"),
        ("readings: {value: 1}", "readings: {other: 1}", None, "there is no channel 'other'"),
        ("port: 1, refused: empty", "port: 1", 16, "an example has one of"),
        ("name: test-device", "name: Test Device", 1, "name: String should match pattern"),
        ("about: {en: A device, de: Ein Gerät}", "about: {en: A device}", 5, "about.de: Field required"),
        ("about: {en: A device, de: Ein Gerät}", "about: {? [a] : b}", 5, "a key is a plain word"),
        ("vendor: Test", "vendor: &a [*a]", None, "not YAML|vendor"),
    ],
)
def test_a_mistake_is_named_with_file_line_and_key(
    profile_text: Text, replace: str, by: str, line: int | None, why: str
) -> None:
    text = profile_text(STRUCT)
    assert replace in text

    with pytest.raises(InputError, match=why) as caught:
        Profile.parse(text.replace(replace, by, 1), "mine.yaml")

    assert caught.value.where.startswith("mine.yaml")
    if line is not None:
        assert caught.value.where == f"mine.yaml:{line}"


def test_a_profile_without_a_fault_among_its_examples_is_refused(profile_text: Text) -> None:
    examples = """
        - {title: One, bytes: "01", port: 1, readings: {value: 1}}
        - {title: Two, bytes: "02", port: 1, readings: {value: 2}}
    """

    with pytest.raises(InputError, match="at least one must be refused or flagged"):
        Profile.parse(profile_text(STRUCT, examples=examples), "mine.yaml")


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ("not_measurements: [{because: settings}]\n", "name the ports or the first bytes"),
        ("timing: [{list: log}]\n", "name either the time or the age"),
        ("battery: {kind: cell, curve: [[3, 0], [2, 100]]}\n", "the curve's voltages rise"),
        ("settling_time: 2 weeks\n", "a span of time"),
        ("radio: {device_class: D}\n", "Input should be 'A', 'B' or 'C'"),
        ("links: [{title: Sheet, url: ftp://x, read: true}]\n", "String should match pattern"),
    ],
)
def test_a_fact_that_makes_no_sense_is_refused(profile_text: Text, more: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        Profile.parse(profile_text(STRUCT, more=more), "mine.yaml")


@pytest.mark.parametrize(
    ("examples", "why"),
    [
        ("- {title: A, bytes: '01', readings: {value: 1}}\n- {title: B, refused: x}", "has bytes, or fields"),
        (
            "- {title: A, bytes: '01', readings: [{channel: value}]}\n- {title: B, bytes: '', refused: x}",
            "a value, unl",
        ),
        ("- {title: A, bytes: '', refused: x}\n- {title: B, bytes: '', refused: x}", "at least one must give"),
        ("- {title: A, fields: {}, readings: {value: 1}}\n- {title: B, bytes: '', refused: x}", "proven by bytes"),
    ],
)
def test_an_example_that_proves_nothing_is_refused(profile_text: Text, examples: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        Profile.parse(profile_text(STRUCT, examples=examples), "mine.yaml")


def test_a_profile_of_javascript_has_no_bytes_to_explain(profile_text: Text) -> None:
    profile = Profile.parse(profile_text("kind: lns", examples=LNS_EXAMPLES), "mine.yaml")

    with pytest.raises(TypeError, match="decoded by lns"):
        profile.explain(b"\x01", 1)
    assert "test-device 1" in repr(profile)


LNS_EXAMPLES = """
    - {title: One, fields: {value: 1}, readings: {value: 1}}
    - {title: Nothing, fields: {}, not_a_measurement: no channel}
"""


@pytest.mark.parametrize("content", ["", "- a\n- b\n", "just words", "\x00"])
def test_a_file_that_is_no_profile_at_all_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(content, "utf-8")

    with pytest.raises(InputError, match=r"mine\.yaml"):
        profile_in(path)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(b"name: \xff\xfe")

    with pytest.raises(InputError, match="cannot be read"):
        profile_in(path)


JS = "kind: js\nfile: codec.js\nsha256: '%s'"
JS_EXAMPLES = """
    - {title: One, bytes: "01", port: 1, readings: {value: 1}}
    - {title: Nothing, bytes: "", port: 1, refused: empty}
"""


def test_a_codec_beside_the_profile_is_read_and_pinned(profile_text: Text, tmp_path: Path) -> None:
    codec = "function decodeUplink(input) { return {data: {value: input.bytes[0]}}; }\n"
    digest = hashlib.sha256(codec.encode()).hexdigest()
    (tmp_path / "codec.js").write_bytes(codec.encode())
    (tmp_path / "mine.yaml").write_text(profile_text(JS % digest, examples=JS_EXAMPLES), "utf-8")

    profile = profile_in(tmp_path / "mine.yaml")

    assert profile.decoder is DecoderKind.JS
    assert profile.script == codec
    assert profile.measurements({"value": 12})[0].value == 12
    with pytest.raises(TypeError, match="decoded by js"):
        profile.fields(b"\x01", 1)

    (tmp_path / "codec.js").write_text(codec + "// changed\n", "utf-8")
    with pytest.raises(InputError, match="not the codec this profile was written for"):
        profile_in(tmp_path / "mine.yaml")


@pytest.mark.parametrize("name", ["../codec.js", "/etc/codec.js", "codec.py", ".js"])
def test_a_codec_lies_beside_its_profile_and_nowhere_else(profile_text: Text, name: str, tmp_path: Path) -> None:
    text = profile_text((JS % ("0" * 64)).replace("codec.js", name), examples=JS_EXAMPLES)
    (tmp_path / "mine.yaml").write_text(text, "utf-8")

    with pytest.raises(InputError, match=r"decoder\.(js\.)?file"):
        profile_in(tmp_path / "mine.yaml")


def test_a_missing_codec_is_named(profile_text: Text, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(profile_text(JS % ("0" * 64), examples=JS_EXAMPLES), "utf-8")

    with pytest.raises(InputError, match=r"its codec codec\.js cannot be read"):
        profile_in(tmp_path / "mine.yaml")


def test_a_battery_says_what_is_left() -> None:
    battery = Battery(kind="two cells", curve=((2.0, 0.0), (3.0, 80.0), (3.2, 100.0)))

    assert [battery.charge(voltage) for voltage in (1.5, 2.5, 3.2, 4.0)] == [0, 40, 100, 100]


def test_the_schema_describes_every_key_of_a_profile() -> None:
    described = schema()

    properties = described["properties"]
    assert isinstance(properties, dict)
    assert {"name", "decoder", "channels", "examples", "mounting", "trigger_uplink"} <= properties.keys()
    assert '"from"' in json.dumps(described)
    assert described["additionalProperties"] is False
