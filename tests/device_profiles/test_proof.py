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
