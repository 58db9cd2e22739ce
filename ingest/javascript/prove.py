"""Runs the examples of a profile whose decoder is JavaScript."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from device_profiles.profile import NotAMeasurement, Profile, Refused
from device_profiles.proof import Outcome, expectation, judged, outcome
from device_profiles.sheet import Example
from ingest.javascript.codec import Codec, CodecError, Fault, Payload
from ingest.javascript.pool import CodecPool

EXAMPLE_AT: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""When the bytes of an example count as received."""


def proven(profile: Profile, codecs: CodecPool) -> tuple[Outcome, ...]:
    """Return what became of each example of a profile.

    Raises
    ------
    TypeError
        If the profile's decoder is no JavaScript.
    """
    codec = Codec.of_profile(profile)
    return tuple(
        outcome(profile, example) if example.fields is not None else _run(profile, codec, example, codecs)
        for example in profile.examples
    )


def _run(profile: Profile, codec: Codec, example: Example, codecs: CodecPool) -> Outcome:
    payload = bytes.fromhex(example.bytes or "")
    try:
        profile.ensure_measurement(payload, example.port)
        found = codecs.decode(codec, [Payload(payload, example.port, EXAMPLE_AT)])[0]
        if isinstance(found, CodecError):
            raise found
        return judged(example, profile.measurements(found))
    except CodecError as error:
        wanted = example.refused if error.fault in {Fault.REFUSED, Fault.BROKE} else None
        got, detail = f"{error.fault}: {error.detail}", error.detail
    except Refused as error:
        wanted, got, detail = example.refused, f"refused: {error.detail}", error.detail
    except NotAMeasurement as error:
        wanted, got, detail = example.not_a_measurement, f"not a measurement: {error.detail}", error.detail
    if wanted is not None and wanted in detail:
        return Outcome(example.title, passed=True)
    return Outcome(example.title, False, expectation(example), got)  # noqa: FBT003  a field
