"""A strict reader of Prometheus' text format: what it does not expect fails the test."""

from __future__ import annotations

import re

_NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*"
_HEAD = re.compile(rf"# (HELP|TYPE) ({_NAME}) (.+)")
_PAIR = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
_SAMPLE = re.compile(rf"({_NAME})(?:\{{({_PAIR}(?:,{_PAIR})*)\}})? (-?\d+(?:\.\d+)?(?:e[+-]\d+)?)")
_ENDINGS = {"counter": ("",), "gauge": ("",), "summary": ("_sum", "_count")}


def samples(text: str) -> dict[str, float]:
    """Return the values by name with labels, as written."""
    assert text.endswith("\n")
    found: dict[str, float] = {}
    seen: set[str] = set()
    lines = text.split("\n")[:-1]
    family = kind = ""
    while lines:
        line = lines.pop(0)
        head = _HEAD.fullmatch(line)
        if head:
            family = head[2]
            assert head[1] == "HELP", line
            assert family not in seen, f"{family} comes twice"
            seen.add(family)
            typed = _HEAD.fullmatch(lines.pop(0))
            assert typed, line
            assert typed[1] == "TYPE", line
            assert typed[2] == family
            kind = typed[3]
            assert family.endswith("_total") == (kind == "counter"), line
            continue
        sample = _SAMPLE.fullmatch(line)
        assert sample, f"no sample: {line!r}"
        assert sample[1] in {family + ending for ending in _ENDINGS[kind]}, line
        key = sample[1] + (f"{{{sample[2]}}}" if sample[2] else "")
        assert key not in found, f"{key} comes twice"
        found[key] = float(sample[3])
    return found
