from __future__ import annotations

import struct
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device_profiles.profile import Profile, Refused
from gruenpuls.domain.errors import InputError

Made = Callable[..., Profile]


@pytest.mark.parametrize("order", ["big", "little"])
def test_numbers_of_every_size_and_sign_are_read_in_either_byte_order(a_struct: Made, order: str) -> None:
    sign = "<" if order == "little" else ">"
    packed = struct.pack(f"{sign}BbHhIiQqfd", 200, -3, 60000, -300, 4_000_000_000, -5, 2**63, -7, 1.5, -2.25)
    triples = (0x123456).to_bytes(3, order) + (-2).to_bytes(3, order, signed=True)
    names = ("u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64", "f32", "f64", "u24", "i24")
    profile = a_struct("\n".join(f"- {{name: {name}, type: {name}}}" for name in names), order=order)

    assert list(profile.fields(packed + triples, 1).values()) == [
        200, -3, 60000, -300, 4_000_000_000, -5, 2**63, -7, 1.5, -2.25, 0x123456, -2,
    ]  # fmt: skip


def test_a_field_may_have_a_byte_order_of_its_own(a_struct: Made) -> None:
    profile = a_struct("""
        - {name: a, type: u16}
        - {name: b, type: u16, order: little}
        - {type: skip, length: 2}
        - {name: c, type: u16}
    """)

    assert profile.fields(bytes.fromhex("0001010000000002"), 1) == {"a": 1, "b": 1, "c": 2}


@given(st.integers(-2048, 2047), st.integers(0, 15))
@settings(max_examples=50)
def test_bits_are_cut_out_and_keep_their_sign(number: int, rest: int) -> None:
    profile = _TWELVE_BITS

    fields = profile.fields(((number & 0xFFF) << 4 | rest).to_bytes(2, "big"), 1)

    assert fields == {"twelve": number, "four": rest, "flag": rest & 1}


def test_bits_must_lie_within_their_number(a_struct: Made) -> None:
    with pytest.raises(InputError, match="bits 4-8 do not lie within u8"):
        a_struct("- {type: u8, parts: [{name: a, bits: 4-8}]}")


def test_a_table_a_line_and_a_sentinel(a_struct: Made) -> None:
    profile = a_struct("""
        - {name: state, type: u8, table: {0: dry, 1: wet}}
        - {name: curve, type: u8, points: [[10, 100], [20, 0]]}
        - {name: level, type: u8, divide: 2, missing: [255, {lowest: 0, highest: 3}]}
        - {name: sum, formula: level + 1}
    """)

    assert profile.fields(bytes([1, 15, 10]), 1) == {"state": "wet", "curve": 50, "level": 5, "sum": 6}
    assert profile.fields(bytes([9, 21, 255]), 1) == {"state": None, "curve": None, "level": None, "sum": None}
    assert profile.fields(bytes([0, 10, 2]), 1)["level"] is None


def test_a_formula_without_a_result_is_missing(a_struct: Made) -> None:
    profile = a_struct("""
        - {name: ratio, type: u8, formula: 1 / x}
        - {name: root, type: i8, formula: x ** 0.5}
        - {name: grown, type: u8, formula: 10 ** (x * 1000)}
    """)

    assert profile.fields(bytes([0, 255, 9]), 1) == {"ratio": None, "root": None, "grown": None}
    assert profile.fields(bytes([2, 9, 0]), 1) == {"ratio": 0.5, "root": 3, "grown": 1}


def test_a_field_that_does_not_count_is_absent_and_one_without_value_is_null(a_struct: Made) -> None:
    profile = a_struct("""
        - {name: mode, type: u8}
        - {name: light, type: u8, when: mode == 1}
        - {name: heat, type: u8, missing_when: mode == 2}
    """)

    assert profile.fields(bytes([1, 7, 8]), 1) == {"mode": 1, "light": 7, "heat": 8}
    assert profile.fields(bytes([2, 7, 8]), 1) == {"mode": 2, "heat": None}


def test_a_number_that_must_be_one_refuses_the_others(a_struct: Made) -> None:
    profile = a_struct("- {type: u8, equals: 2, means: the version}\n- {name: value, type: u8}")

    assert profile.fields(b"\x02\x05", 1) == {"value": 5}
    with pytest.raises(Refused, match="the version is 3, not 2"):
        profile.fields(b"\x03\x05", 1)


def test_a_message_of_another_length_is_refused_with_the_known_ones(a_struct: Made) -> None:
    with pytest.raises(Refused, match=r"3 bytes; known lengths are 2"):
        a_struct("- {name: value, type: u16}").fields(b"\x01\x02\x03", 1)


def test_records_of_a_data_log_repeat_and_empty_ones_are_passed_over(a_profile: Made) -> None:
    profile = a_profile("""
        kind: layout
        shapes:
          - form: struct
            fields: [{name: period, type: u8}]
            repeat:
              list: log
              fields:
                - {name: value, type: i8}
                - {name: age, formula: index * period}
              skip_when: value == 0
    """)

    assert profile.fields(bytes([10, 5, 0, 255]), 1) == {
        "period": 10,
        "log": [{"value": 5, "age": 0}, {"value": -1, "age": 20}],
    }


def test_a_counted_repeat_takes_as_many_as_it_says(a_profile: Made) -> None:
    profile = a_profile("""
        kind: layout
        shapes:
          - form: struct
            repeat: {list: log, fields: [{name: value, type: u8}], count: 2}
    """)

    assert profile.fields(b"\x01\x02", 1) == {"log": [{"value": 1}, {"value": 2}]}
    with pytest.raises(Refused):
        profile.fields(b"\x01\x02\x03", 1)


RECORDS = """
    kind: layout
    order: big
    shapes:
      - form: records
        ports: [85]
        tag: 1
        records:
          "01": {fields: [{name: value, type: u16}]}
          "02": {skip: 2}
          "03": {skip_length: true}
          "04": {list: log, fields: [{name: value, type: u8}]}
        computed:
          - {name: double, formula: value * 2}
"""


def test_tags_come_in_any_order_and_what_is_computed_needs_its_inputs(a_profile: Made) -> None:
    profile = a_profile(RECORDS)

    assert profile.fields(bytes.fromhex("02ffff0100050303aabbcc04070408"), 85) == {
        "value": 5,
        "log": [{"value": 7}, {"value": 8}],
        "double": 10,
    }
    assert profile.fields(bytes.fromhex("0407"), 85) == {"log": [{"value": 7}]}


@pytest.mark.parametrize(
    ("payload", "port", "why"),
    [
        ("0100", 85, "ends within tag 01"),
        ("0305aa", 85, "ends within tag 03"),
        ("09", 85, "byte 0: tag 09 is not known"),
        ("", 85, "empty"),
        ("0100", 86, r"port 86 is not one this device measures on \(85\)"),
    ],
)
def test_a_message_that_cannot_be_read_says_why(a_profile: Made, payload: str, port: int, why: str) -> None:
    with pytest.raises(Refused, match=why):
        a_profile(RECORDS).fields(bytes.fromhex(payload), port)


def test_without_a_port_any_shape_may_fit(a_profile: Made) -> None:
    assert a_profile(RECORDS).fields(bytes.fromhex("0407"), None) == {"log": [{"value": 7}]}


def test_an_unknown_tag_that_carries_its_length_is_stepped_over(a_profile: Made) -> None:
    profile = a_profile("""
        kind: layout
        shapes:
          - form: records
            header: [{type: u8, equals: 80, means: the version}]
            tag: 2
            tag_ends_with_length: true
            records:
              "0101": {fields: [{name: value, type: u8}]}
    """)

    assert profile.fields(bytes.fromhex("500903aabbcc010105"), 1) == {"value": 5}
    with pytest.raises(Refused, match="ends within tag 903"):
        profile.fields(bytes.fromhex("500903aabb"), 1)


def test_a_mask_names_the_groups_that_follow(a_profile: Made) -> None:
    profile = a_profile("""
        kind: layout
        shapes:
          - form: groups
            mask: u8
            groups:
              - [{name: a, type: u8}]
              - [{name: b, type: u16}]
    """)

    assert profile.fields(bytes.fromhex("03010002"), 1) == {"a": 1, "b": 2}
    assert profile.fields(bytes.fromhex("020002"), 1) == {"b": 2}
    with pytest.raises(Refused, match="0x4 names groups"):
        profile.fields(bytes.fromhex("0401"), 1)


@pytest.mark.parametrize(("name", "expected"), [("crc16-kermit", 0x2189), ("crc16-modbus", 0x4B37)])
def test_checksums_give_the_published_check_value(a_profile: Made, name: str, expected: int) -> None:
    profile = a_profile(f"""
        kind: layout
        checksum: {{sum: {name}, order: little}}
        shapes:
          - form: struct
            longer: true
            fields: [{{name: value, type: u8}}]
    """)
    payload = b"123456789" + expected.to_bytes(2, "little")

    assert profile.fields(payload, 1) == {"value": 0x31}
    with pytest.raises(Refused, match="checksum is wrong"):
        profile.fields(b"023456789" + payload[-2:], 1)
    with pytest.raises(Refused, match="too short"):
        profile.fields(b"1", 1)


def test_cayenne_positions_have_three_numbers_of_three_bytes(a_profile: Made) -> None:
    profile = a_profile("kind: layout\nshapes: [{form: cayenne_lpp}]")

    fields = profile.fields(bytes.fromhex("018806765ff2960a0003e80566c8027101f4fe0c0000"), 1)

    assert fields == {
        "gps_latitude_1": 42.3519,
        "gps_longitude_1": -87.9094,
        "gps_altitude_1": 10.0,
        "presence_5": 200.0,
        "accelerometer_x_2": 0.5,
        "accelerometer_y_2": -0.5,
        "accelerometer_z_2": 0.0,
    }


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ("- {name: a, type: u8, divide: 2, formula: x}", "one of: linear scale, formula, table, points"),
        ("- {name: a, type: u8, points: [[2, 1], [1, 2]]}", "points rise"),
        ("- {name: a, type: skip}", "needs a length"),
        ("- {name: a}", "without a type is computed"),
        ("- {name: a, type: f32, parts: [{name: b, bits: '1'}]}", "only a whole number has bit fields"),
        ("- {name: a, formula: b + 1}", "needs b, which is not read before it"),
        ("- {name: a, formula: x + 1}", "needs x, which is not read before it"),
        ("- {name: A, type: u8}", "String should match pattern"),
        ("- {name: a, type: u8, formula: 'os.system(1)'}", "a formula cannot call"),
        ("- {name: a, type: u7}", "Input should be"),
        ("- {name: a, type: u8, divide: 0}", "greater than 0"),
        ("- {name: a, type: u8, formula: '1 +'}", "not a formula"),
    ],
)
def test_a_layout_that_makes_no_sense_is_refused(a_struct: Made, fields: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        a_struct(fields)


def test_a_value_computed_from_a_field_the_message_never_has_is_refused(a_profile: Made) -> None:
    with pytest.raises(InputError, match="needs nothing, which this message never has"):
        a_profile(RECORDS.replace("value * 2", "nothing * 2"))


@pytest.mark.parametrize(
    ("shape", "why"),
    [
        ("{form: struct, repeat: {list: log, fields: [{name: a, formula: index}]}}", "takes at least one byte"),
        ("{form: struct, fields: [{name: a, type: u8}], computed: [{name: b, type: u8}]}", "a computed value has no"),
        ("{form: records, tag: 1, records: {'zz': {skip: 1}}}", "String should match pattern"),
        ("{form: star}", "Input tag 'star'"),
    ],
)
def test_a_shape_that_makes_no_sense_is_refused(a_profile: Made, shape: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        a_profile(f"kind: layout\nshapes: [{shape}]")


def test_the_first_bytes_tell_one_kind_of_message_from_another(a_profile: Made) -> None:
    profile = a_profile("""
        kind: layout
        shapes:
          - {form: struct, starts_with: "AA01", fields: [{type: skip, length: 2}, {name: value, type: u8}]}
          - {form: struct, where: [{byte: 0, mask: 0xf0, equals: [0xb0]}], longer: true, fields: [{type: u8}]}
    """)

    assert profile.fields(bytes.fromhex("aa0107"), 1) == {"value": 7}
    assert profile.fields(bytes.fromhex("b7ff"), 1) == {}
    with pytest.raises(Refused, match="no known message"):
        profile.fields(bytes.fromhex("aa0207"), 1)


def test_a_tag_of_another_width_is_refused(a_profile: Made) -> None:
    with pytest.raises(InputError, match="tag '0404' is not 1 bytes long"):
        a_profile(RECORDS.replace('"04"', '"0404"'))


HOSTILE = [
    "'); raise SystemExit('",
    '"""; import os; """',
    "{__import__('os')}",
    "\\\\n    raise SystemExit",
    "%s {0} {raw} \\u0027",
]


@pytest.mark.parametrize("means", HOSTILE)
def test_text_of_the_file_never_becomes_code(a_struct: Made, means: str) -> None:
    quoted = means.replace("'", "''")
    profile = a_struct(f"- {{name: value, type: u8, equals: 1, means: '{quoted}', unit: '{quoted}'}}")

    assert profile.fields(b"\x01", 1) == {"value": 1}
    assert [row.meaning for row in profile.explain(b"\x01", 1)] == [means]
    with pytest.raises(Refused) as caught:
        profile.fields(b"\x02", 1)
    assert caught.value.detail == f"{means} is 2, not 1"


_TWELVE_BITS = Profile.parse(
    """
name: twelve
version: 1
vendor: Test
model: Twelve bits
about: {en: A device, de: Ein Gerät}
expected_interval: 10 min
decoder:
  kind: layout
  shapes:
    - form: struct
      fields:
        - type: u16
          parts:
            - {name: twelve, bits: 4-15, signed: true}
            - {name: four, bits: 0-3}
            - {name: flag, bits: "0"}
channels: [{name: value, quantity: soil_water_content, from: [four]}]
examples:
  - {title: One, bytes: "0001", readings: {value: 1}}
  - {title: Short, bytes: "00", refused: no known}
""",
    "twelve.yaml",
)
