"""Whatever comes in: an uplink that keeps its promises, or a refusal; nothing else escapes."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gruenpuls.domain.uplink import DeadLetterReason, RawMessage, Uplink
from ingest.envelopes import EnvelopeError, read_uplink

SAMPLES = sorted((Path(__file__).parents[2] / "samples" / "envelopes").glob("*.json"))
DOCUMENTS = [json.loads(path.read_bytes()) for path in SAMPLES]
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
REASONS = {DeadLetterReason.UNREADABLE, DeadLetterReason.NOT_AN_UPLINK, DeadLetterReason.NOT_A_MEASUREMENT}

HUGE = [2**31, 2**32, 2**53, 2**63, 2**64, 10**400, -1, -(2**63), 1e308, -1e308, 1784020000123456789, 0.5]
TEXTS = ["", "null", "nan", "inf", "-1", "AQ", "!!!!", "ß", "\u0000", "s", "1e999s", "0" * 10_000, "9999-12-31T23:59Z"]
replacements = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.sampled_from(HUGE),
    st.sampled_from(TEXTS),
    st.text(max_size=20),
    st.recursive(
        st.none() | st.integers(0, 9) | st.text(max_size=3),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
        max_leaves=8,
    ),
)
json_documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


def outcome(text: bytes) -> DeadLetterReason | None:
    """Read a message, hold what comes of it to its promises, and return the reason of a refusal."""
    try:
        uplink = read_uplink(RawMessage("test", "any/topic", NOON, text))
    except EnvelopeError as refusal:
        check_refusal(refusal)
        return refusal.reason
    check_uplink(uplink)
    return None


def check_refusal(refusal: EnvelopeError) -> None:
    assert refusal.reason in REASONS
    assert refusal.detail
    assert len(refusal.detail.encode()) < 1_000
    assert refusal.device is None or refusal.device.strip().encode()


def check_uplink(uplink: Uplink) -> None:
    assert uplink.device.strip() == uplink.device
    assert uplink.device.encode()
    assert uplink.payload or uplink.decoded
    assert uplink.port is None or 0 < uplink.port <= 255 or uplink.network == "plain"
    assert uplink.frame_counter is None or 0 <= uplink.frame_counter < 2**32
    assert uplink.measured_at.tzinfo is UTC
    assert uplink.measured_at.year >= 2015
    assert uplink.radio.gateways >= 0
    assert all(value is None or math.isfinite(value) for value in (uplink.radio.rssi, uplink.radio.snr))
    # A database must be able to keep these.
    assert (uplink.deduplication_id or "").encode() is not None
    assert (uplink.session or "").encode() is not None
    if uplink.decoded is not None:
        json.loads(uplink.decoded)


def places(document: Any) -> Iterator[tuple[Any, Any]]:  # noqa: ANN401 # JSON has no narrower type
    """Yield every container of a document with each of its keys or indices."""
    if not isinstance(document, dict | list):
        return
    for key in list(document) if isinstance(document, dict) else range(len(document)):
        yield document, key
        yield from places(document[key])


def retyped(value: Any) -> list[Any]:  # noqa: ANN401 # JSON has no narrower type
    return [str(value), [value], {"value": value}, [], {}, None, True, 0, -1, 1e308, 10**400, "x" * 10_000]


@given(st.binary())
def test_random_bytes(text: bytes) -> None:
    outcome(text)


@given(json_documents)
def test_random_json(document: object) -> None:
    outcome(json.dumps(document).encode())


@pytest.mark.parametrize("document", DOCUMENTS, ids=[path.stem for path in SAMPLES])
def test_every_field_dropped_or_of_another_kind(document: dict[str, object]) -> None:
    count = sum(1 for _ in places(document))
    for number in range(count):
        dropped = copy.deepcopy(document)
        container, key = list(places(dropped))[number]
        value = container.pop(key)
        outcome(json.dumps(dropped).encode())
        for other in retyped(value):
            changed = copy.deepcopy(document)
            container, key = list(places(changed))[number]
            container[key] = other
            outcome(json.dumps(changed, ensure_ascii=False).encode())


@settings(max_examples=300)
@given(st.data())
def test_samples_with_several_fields_replaced(data: st.DataObject) -> None:
    document = copy.deepcopy(data.draw(st.sampled_from(DOCUMENTS)))
    for _ in range(data.draw(st.integers(1, 4))):
        container, key = data.draw(st.sampled_from(list(places(document))))
        container[key] = data.draw(replacements)
    outcome(json.dumps(document).encode())


@settings(max_examples=300)
@given(st.data())
def test_samples_with_bytes_cut_out_and_put_in(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(SAMPLES)).read_bytes()
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(start + 8, len(text))))
    outcome(text[:start] + data.draw(st.binary(max_size=8)) + text[end:])


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_samples_cut_short_anywhere_are_unreadable(path: Path) -> None:
    text = path.read_bytes().rstrip()
    for length in range(0, len(text), 7):
        assert outcome(text[:length]) is DeadLetterReason.UNREADABLE
