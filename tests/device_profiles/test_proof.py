from __future__ import annotations

from collections.abc import Callable

from device_profiles.profile import Profile
from device_profiles.proof import proof

Made = Callable[..., Profile]
STRUCT = "kind: layout\nshapes:\n  - form: struct\n    fields: [{name: value, type: u8}]"


def test_a_wrong_example_is_reported_with_what_was_expected_and_what_came(a_profile: Made) -> None:
    profile = a_profile(
        STRUCT,
        examples="""
            - {title: Right, bytes: "05", port: 1, readings: {value: 5}}
            - {title: Wrong number, bytes: "06", port: 1, readings: {value: 7}}
            - {title: Not refused, bytes: "07", port: 1, refused: anything}
            - {title: Refused, bytes: "0708", port: 1, readings: {value: 7}}
            - {title: Refused for another reason, bytes: "", port: 1, refused: too long}
            - {title: Wrong flag, bytes: "65", port: 1, readings: {value: 101}}
            - {title: Right flag, bytes: "65", port: 1, readings: [{channel: value, value: 101, flag: fail}]}
        """,
    )

    report = proof(profile)

    assert not report.passed
    assert [outcome.title for outcome in report.outcomes if not outcome.passed] == [
        "Wrong number", "Not refused", "Refused", "Refused for another reason", "Wrong flag",
    ]  # fmt: skip
    printed = str(report)
    assert "test-device: 2 of 7 examples" in printed
    assert "expected value 7\n    got      value 6" in printed
    assert "got      refused: the payload is empty" in printed
    assert "got      value 101 (fail)" in printed


def test_outcomes_of_every_kind_are_shown_as_they_were_expected(a_profile: Made) -> None:
    profile = a_profile(
        STRUCT.replace("fields: [", "repeat: {list: log, fields: [").replace("}]", "}, {name: age, type: u8}]}"),
        examples="""
            - title: Another age
              bytes: "0505"
              port: 1
              readings: [{channel: value, value: 5, age: 1 min}]
            - title: Another time
              bytes: "0505"
              port: 1
              readings: [{channel: value, value: 5, at: "2026-01-01T00:00:00Z"}]
            - {title: A status frame, bytes: "0505", port: 1, not_a_measurement: status}
            - {title: No status frame, bytes: "", port: 9, readings: {value: 1}}
            - {title: Refused, bytes: "", port: 1, refused: empty}
        """,
        more="timing: [{list: log, age: age}]\nnot_measurements: [{ports: [9], because: the settings}]\n",
    )

    printed = str(proof(profile, damaged=5))

    assert "expected value 5 0:01:00 old\n    got      value 5 0:00:05 old" in printed
    assert "expected value 5 at 2026-01-01T00:00:00Z" in printed
    assert "expected not a measurement: … status …" in printed
    assert "got      not a measurement: the settings" in printed


def test_a_reading_nobody_expected_fails_an_example(a_profile: Made) -> None:
    profile = a_profile(
        STRUCT.replace("[{name: value, type: u8}]", "[{name: value, type: u8}, {name: heat, type: u8}]"),
        "- {name: value, quantity: soil_water_content}\n- {name: heat, quantity: soil_temperature}",
        """
            - {title: Half of it, bytes: "0506", port: 1, readings: {value: 5}}
            - {title: Nothing, bytes: "", port: 1, refused: empty}
        """,
    )

    assert [outcome.passed for outcome in proof(profile).outcomes] == [False, True]


def test_damage_is_counted_and_the_same_every_time(a_profile: Made) -> None:
    profile = a_profile(STRUCT)

    report = proof(profile, damaged=50)

    assert report.passed
    assert report.decoded > 0
    assert report.refused > 0
    assert report == proof(profile, damaged=50)
    assert report != proof(profile, damaged=50, seed=1)


def test_what_escapes_a_decoder_is_caught_and_shown(a_profile: Made) -> None:
    profile = a_profile(STRUCT)

    def broken(payload: bytes, port: int | None) -> tuple[object, ...]:
        raise ZeroDivisionError(payload.hex(), port)

    profile.decode = broken  # type: ignore[assignment,method-assign]  # a decoder that breaks, to see it reported

    report = proof(profile, damaged=1)

    assert not report.passed
    assert "ZeroDivisionError" in str(report)
