from __future__ import annotations

import math
import random
import struct
from collections.abc import Callable, Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from device_profiles.catalogue import Catalogue
from device_profiles.profile import DecoderKind, NotAMeasurement, Profile, Refused
from device_profiles.proof import damaged_messages
from gruenpuls.domain.reading import Flag

Made = Callable[..., Profile]
Judged = list[tuple[str, str, bytes, int]]

LAYOUTS = [profile for profile in Catalogue.shipped() if profile.decoder is DecoderKind.LAYOUT]


def one_by_one(profile: Profile, payload: bytes, port: int | None) -> Judged:
    return [
        (one.channel, one.quantity, struct.pack("<d", one.value), int(one.flag))
        for one in profile.decode(payload, port)
        if one.measured_at is None and not one.age
    ]


def at_once(profile: Profile, payloads: Sequence[tuple[bytes, int | None]]) -> list[Judged | None]:
    """Return what selections make of each payload, all with the same fields at once; None where there is none."""
    results: list[Judged | None] = [None] * len(payloads)
    shapes: dict[tuple[str, ...], list[tuple[int, dict[str, object]]]] = {}
    for number, (payload, port) in enumerate(payloads):
        fields = profile.fields(payload, port)
        shapes.setdefault(tuple(fields), []).append((number, fields))
    for names, items in shapes.items():
        selection = profile.selection(names)
        if selection is None:
            continue
        values, flags = selection.judged([raw for _, fields in items for raw in selection.pick(fields)])
        assert values.shape == flags.shape == (len(items), len(selection.routes))
        for (number, _), value, flag in zip(items, values, flags, strict=True):
            results[number] = [
                (route.channel, route.quantity, struct.pack("<d", one), int(said))
                for route, one, said in zip(selection.routes, value.tolist(), flag.tolist(), strict=True)
            ]
    return results


def readable(profile: Profile, payloads: Sequence[tuple[bytes, int | None]]) -> list[tuple[bytes, int | None]]:
    kept = []
    for payload, port in payloads:
        try:
            profile.decode(payload, port)
        except (Refused, NotAMeasurement):
            continue
        kept.append((payload, port))
    return kept


def examples(profile: Profile) -> list[tuple[bytes, int | None]]:
    return [(bytes.fromhex(one.bytes), one.port) for one in profile.examples if one.bytes]


@pytest.mark.parametrize("profile", LAYOUTS, ids=lambda profile: profile.name)
@settings(max_examples=5, deadline=None)
@given(st.integers(0, 2**32))
def test_many_messages_at_once_say_what_each_of_them_says(profile: Profile, seed: int) -> None:
    payloads = [*examples(profile), *damaged_messages(profile, 60, random.Random(seed))]
    payloads = readable(profile, payloads)

    for (payload, port), many in zip(payloads, at_once(profile, payloads), strict=True):
        if many is not None:
            assert sorted(many) == sorted(one_by_one(profile, payload, port)), payload.hex()


@pytest.mark.parametrize("profile", LAYOUTS, ids=lambda profile: profile.name)
def test_every_profile_has_messages_that_are_judged_at_once(profile: Profile) -> None:
    assert any(at_once(profile, readable(profile, examples(profile))))


TIMED = """
    kind: layout
    shapes:
      - form: records
        tag: 1
        records:
          "01": {fields: [{name: value, type: u8}]}
          "02": {fields: [{name: minutes, type: u8}]}
          "03": {list: log, fields: [{name: value, type: u8}, {name: age, type: u8}]}
"""
STRANGE = """
kind: layout
order: big
shapes:
  - form: struct
    fields:
      - {name: real, type: f64}
      - {name: whole, type: u64}
      - {name: doubled, formula: real * 2}
      - {name: either, formula: "real if whole > 5 else whole"}
      - {name: shifted, formula: "(whole << 64) * 1"}
"""
STRANGE_CHANNELS = """
- {name: real, quantity: soil_water_content, missing: [50, 1e300], multiply: 3, divide: 7, add: -1.1}
- {name: whole, quantity: soil_temperature, missing: [255], range: [-10, 40]}
- {name: doubled, quantity: air_temperature, unit: "°F"}
- {name: either, quantity: battery_voltage}
- {name: shifted, quantity: illuminance}
- {name: lacking, quantity: wind_speed, always: true}
"""
STRANGE_EXAMPLES = f"""
- {{title: One, bytes: "{struct.pack(">dQ", 1.0, 1).hex()}", readings: {{real: 1}}}}
- {{title: None, bytes: "", refused: ""}}
"""


@given(st.lists(st.tuples(st.floats(), st.integers(0, 2**64 - 1)), min_size=1, max_size=20))
@example([(50.0, 255), (1e300, 0), (-0.0, 256), (math.inf, 2**64 - 1), (math.nan, 2**53 + 1), (5e-324, 40)])
@settings(max_examples=200)
def test_numbers_of_every_kind_are_judged_at_once_as_one_by_one(numbers: list[tuple[float, int]]) -> None:
    payloads: list[tuple[bytes, int | None]] = [(struct.pack(">dQ", *pair), 1) for pair in numbers]

    assert at_once(_STRANGE, payloads) == [one_by_one(_STRANGE, *payload) for payload in payloads]


def test_a_whole_number_too_large_for_any_float_is_missing() -> None:
    selection = _STRANGE.selection(tuple(_STRANGE.fields(struct.pack(">dQ", 1.0, 1), 1)))
    assert selection is not None

    values, flags = selection.judged([1.0, 10**400, 3.0, 4.0, None, None, 1.0, 2**70, 3.0, 4.0, None, None])

    assert flags[:, 1].tolist() == [Flag.MISSING, Flag.FAIL]
    assert math.isnan(values[0, 1])
    assert values[1, 1] == 2.0**70


@pytest.mark.parametrize(
    ("field", "why"),
    [
        ("{name: value, type: u8, table: {0: dry, 1: 5}}", "a word"),
        ("{name: value, type: u8, formula: x > 3}", "a truth value"),
        ("{name: value, type: u8, formula: x and 1 < x}", "one of several"),
        ("{name: value, type: u8, formula: 1 if x > 3 else not x}", "a truth value in a branch"),
        ("{name: value, type: u8, formula: 'min(x, x > 3)'}", "the least of a truth value and a number"),
    ],
)
def test_what_may_be_no_number_is_judged_one_by_one(a_struct: Made, field: str, why: str) -> None:
    profile = a_struct(f"- {field}")

    assert profile.selection(("value",)) is None, why
    assert profile.decode(b"\x01", 1)


def test_what_a_formula_hands_on_is_followed_to_where_it_comes_from(a_struct: Made) -> None:
    profile = a_struct("""
        - {name: wet, type: u8, formula: x > 3}
        - {name: value, formula: wet}
    """)

    assert profile.selection(("wet", "value")) is None
    (reading,) = profile.decode(b"\x01", 1)
    assert reading.flag is Flag.MISSING


def test_a_list_is_no_number(a_profile: Made) -> None:
    profile = a_profile(TIMED, "- {name: value, quantity: soil_water_content, from: [log]}")

    assert profile.selection(("log",)) is None
    (reading,) = profile.decode(bytes.fromhex("030501"), 1)
    assert reading.flag is Flag.MISSING


def test_a_sum_of_truth_values_is_a_number(a_struct: Made) -> None:
    assert a_struct("- {name: value, type: u8, formula: (x > 3) + (x > 5)}").selection(("value",)) is not None


def test_a_sentinel_that_several_whole_numbers_round_to_is_looked_for_one_by_one(a_profile: Made) -> None:
    profile = a_profile(
        "kind: layout\nshapes:\n  - form: struct\n    fields: [{name: value, type: u64}]",
        "- {name: value, quantity: soil_water_content, missing: [9007199254740992]}",
    )

    assert profile.selection(("value",)) is None


def test_messages_with_times_of_their_own_are_looked_at_one_by_one(a_profile: Made) -> None:
    profile = a_profile(
        TIMED,
        more="""
            timing:
              - {age: minutes, unit: 1 min, optional: true}
              - {list: log, age: age, unit: 1 min}
        """,
    )

    assert profile.selection(("value",)) is not None
    assert profile.selection(("value", "minutes")) is None
    assert profile.selection(("value", "log")) is None
    required = a_profile(TIMED, more="timing:\n  - {age: minutes, unit: 1 min}\n")
    assert required.selection(("value",)) is None


def test_the_first_of_several_fields_is_the_one_that_is_read(a_profile: Made) -> None:
    profile = a_profile(
        TIMED,
        "- {name: value, quantity: soil_water_content, from: [minutes, 'log[0].value', value]}",
    )

    for payload in ("01050207", "0105", "0207"):
        (judged,) = at_once(profile, [(bytes.fromhex(payload), 1)])
        assert judged == one_by_one(profile, bytes.fromhex(payload), 1)
    assert profile.selection(("value", "log")) is None
    (reading,) = profile.decode(bytes.fromhex("010503090a"), 1)
    assert reading.value == 9


def test_a_message_without_a_channel_has_no_selection(a_struct: Made) -> None:
    assert a_struct("- {name: value, type: u8}").selection(("other",)) is None


def test_of_more_shapes_than_a_device_has_no_more_are_remembered() -> None:
    profile = Catalogue.shipped().profile("generic-cayenne-lpp")
    channels = [(f"temperature_{number}",) for number in range(1, 90)]

    selected = [profile.selection(names) is not None for names in channels]

    assert selected.count(True) == 64
    assert profile.selection(channels[0]) is profile.selection(channels[0])
    assert profile.measurements({"temperature_89": 21.5})[0].value == 21.5


_STRANGE = Profile.parse(
    f"""
name: strange
version: 1
vendor: Test
model: Strange
about: {{en: A device, de: Ein Gerät}}
expected_interval: 10 min
decoder: {"".join(f"{chr(10)}  {line}" for line in STRANGE.strip().splitlines())}
channels: {"".join(f"{chr(10)}  {line}" for line in STRANGE_CHANNELS.strip().splitlines())}
examples: {"".join(f"{chr(10)}  {line}" for line in STRANGE_EXAMPLES.strip().splitlines())}
""",
    "test.yaml",
)
