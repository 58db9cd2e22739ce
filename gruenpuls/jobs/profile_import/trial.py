"""Runs a published codec's examples, to see whether it gives what its publisher says and whether it keeps state."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gruenpuls.jobs.profile_import.published import PublishedExample
from ingest.javascript import Codec, CodecError, CodecPool, Fault
from ingest.javascript.pool import Outcome

_INSTANT: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,3})?\d*(Z|[+-]\d\d:\d\d)")


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of a codec's examples.

    Parameters
    ----------
    examples : tuple of PublishedExample
    outcomes : tuple
        Of each, in a context of its own.
    differing : tuple of int
        Which gave something else in a long-lived context, forward or backward: the codec keeps state.
    """

    examples: tuple[PublishedExample, ...]
    outcomes: tuple[Outcome, ...]
    differing: tuple[int, ...]

    @property
    def keeps_state(self) -> bool:
        """Whether each message needs a context of its own."""
        return bool(self.differing)

    @property
    def wrong(self) -> tuple[int, ...]:
        """Which examples gave something else than published."""
        pairs = zip(self.examples, self.outcomes, strict=True)
        return tuple(at for at, (example, outcome) in enumerate(pairs) if not as_published(example, outcome))


def trial(source: str, examples: Sequence[PublishedExample], codecs: CodecPool) -> Trial:
    """Return what a codec makes of its examples: each alone, then all in one context forward and backward."""
    alone = [_run(source, example, codecs, fresh=True) for example in examples]
    forward = [_run(source, example, codecs, fresh=False) for example in examples]
    backward = [_run(source, example, codecs, fresh=False) for example in reversed(examples)][::-1]
    differing = [
        at
        for at, outcomes in enumerate(zip(alone, forward, backward, strict=True))
        if len({_comparable(outcome) for outcome in outcomes}) > 1
    ]
    return Trial(tuple(examples), tuple(alone), tuple(differing))


def as_published(example: PublishedExample, outcome: Outcome) -> bool:
    """Return whether an outcome is what its publisher says; null counts as absent, an error as an error."""
    if isinstance(outcome, CodecError):
        return example.errors and outcome.fault in {Fault.REFUSED, Fault.BROKE}
    if example.errors:
        return False
    if example.normalized is not None and not same(outcome.get("normalized"), list(example.normalized)):
        return False
    if example.expected is None:
        return True
    given = {key: value for key, value in outcome.items() if key != "normalized" or key in example.expected}
    return same(given, example.expected)


def same(one: object, other: object) -> bool:
    """Return whether two decoded values say the same."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        keys = {key for value in (one, other) for key in value if value[key] is not None}
        return all(same(one.get(key), other.get(key)) for key in keys)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
    if isinstance(one, str) and isinstance(other, str):
        return one == other or _instant(one) == _instant(other)
    return one == other


def _instant(text: str) -> str:
    found = _INSTANT.fullmatch(text)
    return found[1] + f"{float(found[2] or 0):.3f}" + found[3].replace("+00:00", "Z") if found else text


def _run(source: str, example: PublishedExample, codecs: CodecPool, *, fresh: bool) -> Outcome:
    codec = Codec.of(source, fresh=fresh, variables=example.variables)
    return codecs.decode(codec, [example.payload])[0]


def _comparable(outcome: Outcome) -> str:
    return f"{outcome.fault}" if isinstance(outcome, CodecError) else repr(outcome)
