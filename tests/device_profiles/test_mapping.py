from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_profiles.catalogue import Catalogue
from device_profiles.mapping import ABSENT, found, path_steps
from device_profiles.profile import NotAMeasurement, Profile, Refused
from gruenpuls.domain.errors import InputError
from gruenpuls.domain.reading import Flag

Made = Callable[..., Profile]

NESTED = {
    "a": {"b": [{"id": 4097, "v": 1}, {"id": "x", "v": 2}], "c": None},
    "messages": [[{"measurementId": "4097", "measurementValue": 24.4}], [{"measurementId": "4113", "depth": 30}]],
}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.b[1].v", 2),
        ("a.b[id=4097].v", 1),
        ("a.b[id=x].v", 2),
        ("a.c", None),
        ("messages[measurementId=4097].measurementValue", 24.4),
        ("messages[measurementId=4113,depth=30].measurementId", "4113"),
        ("messages[measurementId=4113,depth=60].measurementId", ABSENT),
        ("a.b[2].v", ABSENT),
        ("a.missing.deeper", ABSENT),
        ("a.c.deeper", ABSENT),
        ("a[0]", ABSENT),
        ("a[id=1]", ABSENT),
    ],
)
def test_a_path_leads_into_what_decoders_give(path: str, expected: object) -> None:
    assert found(NESTED, path_steps(path)) == expected


@pytest.mark.parametrize("path", ["", "a[", "a]", "a[b", "[=]x["])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="path"):
        path_steps(path)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (42.5, 42.5),
        (7, 7.0),
        ("42.5", 42.5),
        (" -3,5 kPa ", -3.5),
        ("1e2", 100.0),
        ({"value": 4.5, "unit": "bar"}, 450.0),
        ({"value": "4.5", "unit": None}, 4.5),
        ({"value": 4.5}, 4.5),
        ("25 cbar", 25.0),
    ],
)
def test_numbers_come_in_many_dresses(a_mapping: Made, given: object, expected: float) -> None:
    profile = a_mapping("- {name: tension, quantity: soil_tension, from: [value]}")

    (reading,) = profile.measurements({"value": given})

    assert reading.value == expected
    assert reading.flag is (Flag.GOOD if expected >= 0 else Flag.FAIL)


@pytest.mark.parametrize(
    "given",
    [None, "NULL", "", "NoSensor", True, [1], {"unit": "kPa"}, math.nan, math.inf, 10**400, "nan", 327.67, "327.67",
     "ERR", {"value": 327.67}],
)  # fmt: skip
def test_what_is_no_number_or_stands_for_none_is_missing(a_mapping: Made, given: object) -> None:
    profile = a_mapping("- {name: tension, quantity: soil_tension, from: [value], missing: [327.67, ERR]}")

    (reading,) = profile.measurements({"value": given})

    assert reading.flag is Flag.MISSING
    assert math.isnan(reading.value)


@pytest.mark.parametrize(
    ("quantity", "unit", "given", "expected"),
    [
        ("air_temperature", "°F", 212, 100),
        ("air_temperature", "K", 273.15, 0),
        ("soil_water_content", "m3/m3", 0.25, 25),
        ("soil_electrical_conductivity", "µS/cm", 240, 0.24),
        ("soil_electrical_conductivity", "mS/cm", 2.4, 2.4),
        ("air_pressure", "Pa", 100540, 1005.4),
        ("air_pressure", "kPa", 95.96, 959.6),
        ("distance", "mm", 594, 0.594),
        ("distance", "cm", 79, 0.79),
        ("water_level", "bar", 1, 10.19716),
        ("wind_speed", "km/h", 36, 10),
        ("battery_voltage", "mV", 3412, 3.412),
        ("soil_tension", "bar", 2, 200),
        ("soil_resistance", "Ohm", 5000, 5),
    ],
)
def test_units_become_the_quantitys(a_mapping: Made, quantity: str, unit: str, given: float, expected: float) -> None:
    declared = a_mapping(f"- {{name: it, quantity: {quantity}, from: [value], unit: {unit}}}")
    said = a_mapping(f"- {{name: it, quantity: {quantity}, from: [value]}}")

    assert declared.measurements({"value": given})[0].value == pytest.approx(expected, rel=1e-6)
    assert said.measurements({"value": {"value": given, "unit": unit}})[0].value == pytest.approx(expected, rel=1e-6)


def test_a_unit_of_something_else_refuses_the_message(a_mapping: Made) -> None:
    profile = a_mapping("- {name: tension, quantity: soil_tension, from: [value]}")

    with pytest.raises(Refused, match="'%', which is no unit of soil_tension"):
        profile.measurements({"value": {"value": 3, "unit": "%"}})


def test_scale_offset_and_unit_work_in_this_order(a_mapping: Made) -> None:
    profile = a_mapping("- {name: level, quantity: water_level, from: [value], multiply: -1, add: 250, unit: cm}")

    assert profile.measurements({"value": 100})[0].value == pytest.approx(1.5)


def test_a_value_outside_its_range_is_kept_and_flagged(a_mapping: Made) -> None:
    profile = a_mapping("- {name: it, quantity: soil_water_content, from: [value], range: [0, 60]}")

    assert [profile.measurements({"value": value})[0].flag for value in (-0.1, 0, 60, 60.1)] == [
        Flag.FAIL, Flag.GOOD, Flag.GOOD, Flag.FAIL,
    ]  # fmt: skip


def test_the_first_path_that_leads_somewhere_counts(a_mapping: Made) -> None:
    profile = a_mapping("- {name: it, quantity: soil_tension, from: [corrected, value]}")

    assert profile.measurements({"corrected": 5, "value": 1})[0].value == 5
    assert profile.measurements({"value": 1})[0].value == 1
    assert profile.measurements({"corrected": None, "value": 1})[0].flag is Flag.MISSING


TWO = """
- {name: always, quantity: soil_tension, from: [a], always: true}
- {name: sometimes, quantity: soil_temperature, from: [value]}
"""


def test_what_is_always_sent_is_missing_where_it_lacks(a_mapping: Made) -> None:
    measured = a_mapping(TWO, more="").measurements({"value": 12})

    assert [(reading.channel, reading.flag) for reading in measured] == [
        ("always", Flag.MISSING),
        ("sometimes", Flag.GOOD),
    ]
    assert len(a_mapping(TWO).measurements({"a": 12})) == 1


def test_an_object_without_any_channel_is_no_measurement(a_mapping: Made) -> None:
    with pytest.raises(NotAMeasurement):
        a_mapping(TWO).measurements({"door": "open"})


ONE = "- {name: it, quantity: soil_tension, from: [value]}"


def test_each_record_of_a_log_has_its_own_time_or_age(a_mapping: Made) -> None:
    more = "timing: [{list: log, time: at}, {list: old, age: minutes, unit: 1 min}]\n"
    profile = a_mapping(ONE, more)

    measured = profile.measurements(
        {
            "value": 1,
            "log": [{"value": 2, "at": 1661462010}, {"value": 3, "at": "2022-08-25T21:20:42Z"}],
            "old": [{"value": 4, "minutes": 90}],
        }
    )

    assert [(reading.value, reading.measured_at, reading.age) for reading in measured] == [
        (1, None, timedelta(0)),
        (2, datetime(2022, 8, 25, 21, 13, 30, tzinfo=UTC), timedelta(0)),
        (3, datetime(2022, 8, 25, 21, 20, 42, tzinfo=UTC), timedelta(0)),
        (4, None, timedelta(minutes=90)),
    ]


@pytest.mark.parametrize("at", [0, 100, -1, "yesterday", None, True, 10**30, math.nan, {}])
def test_a_time_that_cannot_be_is_refused(a_mapping: Made, at: object) -> None:
    profile = a_mapping(ONE, "timing: [{list: log, time: at}]\n")

    with pytest.raises(Refused, match="time cannot be read"):
        profile.measurements({"log": [{"value": 2, "at": at}]})


@pytest.mark.parametrize("age", [-1, None, "old", 1e300, math.inf, 5000, True])
def test_an_age_that_cannot_be_is_refused(a_mapping: Made, age: object) -> None:
    profile = a_mapping(ONE, "timing: [{age: age, unit: 1 d}]\n")

    with pytest.raises(Refused, match="time cannot be read"):
        profile.measurements({"value": 2, "age": age})


@pytest.mark.parametrize("given", [[], "text", 5, None])
def test_what_is_no_object_is_refused(a_mapping: Made, given: object) -> None:
    with pytest.raises(Refused, match="no object"):
        a_mapping(ONE).measurements(given)


def test_lists_in_lists_as_deep_as_anybody_sends_them_end_in_no_error() -> None:
    deep: list[object] = [{"id": "1", "value": 5}]
    for _ in range(20_000):
        deep = [deep]

    assert found({"list": deep}, path_steps("list[id=1].value")) == 5


def test_a_text_as_long_as_a_book_is_no_number_and_costs_nothing(a_mapping: Made) -> None:
    (reading,) = a_mapping(ONE).measurements({"value": "1 x" + " " * 200_000 + "y"})

    assert reading.flag is Flag.MISSING


def test_a_record_without_a_channel_needs_no_time(a_mapping: Made) -> None:
    profile = a_mapping(ONE, "timing: [{list: log, time: at}]\n")

    assert len(profile.measurements({"value": 1, "log": [{"door": "open"}, 5, None]})) == 1


def test_a_time_with_another_zone_is_told_in_utc(a_mapping: Made) -> None:
    profile = a_mapping(ONE, "timing: [{time: at}]\n")

    (reading,) = profile.measurements({"value": 1, "at": "2026-06-01T12:00:00+02:00"})

    assert reading.measured_at == datetime(2026, 6, 1, 10, tzinfo=UTC)
    assert reading.measured_at.utcoffset() == timedelta(0)


def test_a_numbered_channel_is_one_for_each_number(a_mapping: Made) -> None:
    profile = a_mapping('- {name: "t_{n}", quantity: soil_temperature, numbered: 1-3, from: ["probes[{n}]"]}')

    assert [channel.name for channel in profile.channels] == ["t_1", "t_2", "t_3"]
    assert [reading.value for reading in profile.measurements({"probes": [0, 5, 6]})] == [5, 6]


@pytest.mark.parametrize(
    ("channel", "why"),
    [
        ("- {name: it, quantity: soil_moisture}", "'soil_moisture' is no quantity"),
        ("- {name: it, quantity: soil_tension, unit: °C}", "cannot become 'kPa'"),
        ("- {name: it, quantity: soil_water_content, range: [-5, 60]}", "the range lies within 0 to 100 %"),
        ("- {name: it, quantity: soil_water_content, range: [60, 5]}", "the range lies within"),
        ("- {name: it, quantity: soil_tension, numbered: 1-2}", "has {n} in its name"),
        ("- {name: it, quantity: soil_tension, from: ['a[']}", "not a path"),
        ("- {name: it, quantity: soil_tension}\n- {name: it, quantity: soil_tension}", "'it' stands twice"),
    ],
)
def test_a_channel_that_makes_no_sense_is_refused(a_mapping: Made, channel: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        a_mapping(channel)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
NETWORK = [profile for profile in Catalogue.shipped() if profile.decoder == "lns"]


@given(st.sampled_from(NETWORK), st.data())
def test_whatever_a_network_gives_is_measured_flagged_or_refused(profile: Profile, data: st.DataObject) -> None:
    names = ["soil", "air", "soil_tension", "time", "status", "battery", "soil_water_content_1"]
    status = st.fixed_dictionaries(
        {"last_update": JSON, "last_readings": st.lists(st.dictionaries(st.sampled_from(["type", "value"]), JSON))}
    )
    fields = data.draw(st.dictionaries(st.sampled_from(names), JSON | status, max_size=5))
    try:
        measured = profile.measurements(fields)
    except (Refused, NotAMeasurement):
        return
    for reading in measured:
        assert math.isnan(reading.value) == (reading.flag is Flag.MISSING)
