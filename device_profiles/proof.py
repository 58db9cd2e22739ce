"""Runs a profile's examples, then throws damaged and random messages at it."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from device_profiles.profile import DecoderKind, Measurement, NotAMeasurement, Profile, Refused
from device_profiles.sheet import Example, Expected
from gruenpuls.domain.reading import Flag

_SEED: Final = 20_260_101
_LONGEST: Final = 60


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one example.

    Parameters
    ----------
    title : str
    passed : bool
    expected, got : str
        For a person; empty where it passed.
    """

    title: str
    passed: bool
    expected: str = ""
    got: str = ""


@dataclass(frozen=True, slots=True)
class Escape:
    """A message at which something else than a refusal happened.

    Parameters
    ----------
    payload : str
        In hexadecimal.
    port : int or None
    what : str
    """

    payload: str
    port: int | None
    what: str


@dataclass(frozen=True, slots=True)
class Report:
    """How a profile proved itself.

    Parameters
    ----------
    profile : str
    outcomes : tuple of Outcome
        One for each example.
    decoded, refused, not_measurements : int
        What became of the damaged and random messages.
    escapes : tuple of Escape
    """

    profile: str
    outcomes: tuple[Outcome, ...]
    decoded: int
    refused: int
    not_measurements: int
    escapes: tuple[Escape, ...]

    @property
    def passed(self) -> bool:
        """Whether all examples gave what they should and nothing escaped."""
        return not self.escapes and all(outcome.passed for outcome in self.outcomes)

    def __str__(self) -> str:
        lines = [f"{self.profile}: {sum(outcome.passed for outcome in self.outcomes)} of {len(self.outcomes)} examples"]
        for outcome in self.outcomes:
            if not outcome.passed:
                lines += [f"  {outcome.title}", f"    expected {outcome.expected}", f"    got      {outcome.got}"]
        lines.append(
            f"  damaged and random messages: {self.decoded} decoded, {self.refused} refused, "
            f"{self.not_measurements} no measurement, {len(self.escapes)} escaped"
        )
        lines += [f"    {escape.payload} on port {escape.port}: {escape.what}" for escape in self.escapes[:5]]
        return "\n".join(lines)


def proof(profile: Profile, *, damaged: int = 200, seed: int = _SEED) -> Report:
    """Return how a profile proves itself.

    Parameters
    ----------
    profile : Profile
    damaged : int
        How many random messages, and how many with flipped bits; every truncation of every example comes on top.
    seed : int
        Makes the random messages repeatable.
    """
    outcomes = tuple(outcome(profile, example) for example in profile.examples if _can_run(profile, example))
    if profile.decoder is not DecoderKind.LAYOUT:
        return Report(profile.name, outcomes, 0, 0, 0, ())
    counts = {"decoded": 0, "refused": 0, "no measurement": 0}
    escapes: list[Escape] = []
    for payload, port in damaged_messages(profile, damaged, random.Random(seed)):  # noqa: S311  repeatable, not secret
        try:
            wrong = _dressed_up(profile.decode(payload, port))
            counts["decoded"] += 1
        except Refused:
            counts["refused"] += 1
            continue
        except NotAMeasurement:
            counts["no measurement"] += 1
            continue
        except Exception as error:  # noqa: BLE001  whatever else escapes is what this looks for
            wrong = f"{type(error).__name__}: {error}"
        if wrong:
            escapes.append(Escape(payload.hex(), port, wrong))
    return Report(
        profile.name, outcomes, counts["decoded"], counts["refused"], counts["no measurement"], tuple(escapes)
    )


def outcome(profile: Profile, example: Example) -> Outcome:
    """Return what became of one example."""
    expected = expectation(example)
    try:
        if example.fields is not None:
            measured = profile.measurements(example.fields)
        else:
            measured = profile.decode(bytes.fromhex(example.bytes or ""), example.port)
    except Refused as error:
        passed = example.refused is not None and example.refused in error.detail
        return Outcome(example.title, passed, *(() if passed else (expected, f"refused: {error.detail}")))
    except NotAMeasurement as error:
        passed = example.not_a_measurement is not None and example.not_a_measurement in error.detail
        return Outcome(example.title, passed, *(() if passed else (expected, f"not a measurement: {error.detail}")))
    except Exception as error:  # noqa: BLE001  a decoder that breaks is what the proof is to show
        return Outcome(example.title, False, expected, f"{type(error).__name__}: {error}")  # noqa: FBT003  a field
    return judged(example, measured)


def judged(example: Example, measured: tuple[Measurement, ...]) -> Outcome:
    """Return whether measurements are what an example expects; for decoders that run elsewhere."""
    left = list(measured)
    for expected in example.expected():
        match = next((found for found in left if _agrees(found, expected, example.tolerance)), None)
        if match is None:
            break
        left.remove(match)
    else:
        if not left and example.readings is not None:
            return Outcome(example.title, passed=True)
    return Outcome(example.title, False, expectation(example), ", ".join(map(_shown, measured)))  # noqa: FBT003  a field


def _can_run(profile: Profile, example: Example) -> bool:
    return profile.decoder is DecoderKind.LAYOUT or example.fields is not None


def _agrees(found: Measurement, expected: Expected, tolerance: float) -> bool:
    if (found.channel, found.flag) != (expected.channel, Flag[expected.flag.upper()]):
        return False
    if expected.age is not None and found.age != expected.age:
        return False
    if found.measured_at != expected.at:
        return False
    if expected.value is None:
        return True
    return math.isclose(found.value, expected.value, rel_tol=tolerance, abs_tol=tolerance)


def expectation(example: Example) -> str:
    """Return what an example expects, for a person."""
    if example.refused is not None:
        return f"refused: … {example.refused} …"
    if example.not_a_measurement is not None:
        return f"not a measurement: … {example.not_a_measurement} …"
    return ", ".join(
        f"{expected.channel} {'missing' if expected.value is None else f'{expected.value:g}'}"
        + (f" ({expected.flag})" if expected.flag == "fail" else "")
        + (f" at {expected.at:%Y-%m-%dT%H:%M:%SZ}" if expected.at else "")
        + (f" {expected.age} old" if expected.age else "")
        for expected in example.expected()
    )


def _shown(measured: Measurement) -> str:
    return (
        f"{measured.channel} {'missing' if measured.flag is Flag.MISSING else f'{measured.value:.12g}'}"
        + (" (fail)" if measured.flag is Flag.FAIL else "")
        + (f" at {measured.measured_at:%Y-%m-%dT%H:%M:%SZ}" if measured.measured_at else "")
        + (f" {measured.age} old" if measured.age > timedelta(0) else "")
    )


def _dressed_up(measured: tuple[Measurement, ...]) -> str:
    for reading in measured:
        if not math.isfinite(reading.value) and reading.flag is not Flag.MISSING:
            return f"{reading.channel} is {reading.value} without being missing"
        if reading.flag is Flag.MISSING and not math.isnan(reading.value):
            return f"{reading.channel} is missing but {reading.value}"
    return ""


def damaged_messages(profile: Profile, count: int, chance: random.Random) -> Iterator[tuple[bytes, int | None]]:
    """Yield a profile's examples cut short, with bits flipped, and random bytes; each with a port."""
    known = [(bytes.fromhex(example.bytes), example.port) for example in profile.examples if example.bytes]
    for payload, port in known:
        for length in range(len(payload)):
            yield payload[:length], port
        yield payload + b"\x00", port
    for _ in range(count):
        yield chance.randbytes(chance.randint(0, _LONGEST)), chance.choice([chance.randint(0, 255), None])
        payload, port = chance.choice(known)
        yield chance.randbytes(len(payload)), port
        flipped = bytearray(payload)
        for _ in range(chance.randint(1, 4)):
            flipped[chance.randrange(len(flipped))] ^= 1 << chance.randrange(8)
        yield bytes(flipped), port
