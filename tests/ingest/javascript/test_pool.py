from __future__ import annotations

import math
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scripting import AT, SAMPLES, codec, payload, sample

from ingest.javascript import Codec, CodecError, CodecPool, Fault, Payload

STYLES = {
    "ts013": (
        "ce2900f107a5099b6e2890",
        {
            "Bat": 3.625,
            "temp_SOIL": "24.59",
            "water_SOIL": "19.57",
            "conduct_SOIL": 28200,
            "received": "2026-07-01T13:02:44.000Z",
            "normalized": [{"soil": {"moisture": 19.57, "temperature": 24.59, "ec": 28.2}, "battery": 3.625}],
        },
    ),
    "decoder": ("ff9c32", {"temperature": -10, "humidity": 50, "port": 2}),
    "decode": ("0fa0", {"vwc": 40, "fPort": 2}),
    "exported": ("aabb670a00", {"temperature": {"value": 1, "unit": "°C"}, "serial": "aabb", "text": "Grün"}),
    "driver": ("0fa0", {"distance": {"value": 40, "unit": "m"}}),
    "list": (
        "d719",
        {
            "messages": [
                [
                    {"measurementId": "4102", "type": "Soil Temperature", "measurementValue": 21.5},
                    {"measurementId": "4103", "type": "Soil Moisture", "measurementValue": 25},
                ]
            ]
        },
    ),
}


@pytest.fixture(scope="module")
def pool() -> Iterator[CodecPool]:
    with CodecPool() as opened:
        yield opened


@pytest.mark.parametrize("style", STYLES)
def test_a_codec_is_understood_in_whatever_style_it_is_written(pool: CodecPool, style: str) -> None:
    text, expected = STYLES[style]
    assert pool.decode(codec(style), [payload(text)]) == [expected]


def test_what_a_codec_refuses_is_refused_in_its_own_words(pool: CodecPool) -> None:
    good, refused = pool.decode(codec("ts013"), [payload("ce2900f107a5099b6e2890"), payload("00", 42)])
    assert isinstance(good, dict)
    assert isinstance(refused, CodecError)
    assert (refused.fault, refused.detail) == (Fault.REFUSED, "unknown FPort 42")


def test_an_error_costs_its_own_message_only(pool: CodecPool) -> None:
    found = pool.decode(
        codec("ts013"), [payload("ce2900f107a5099b6e2890"), payload("00"), payload("ce2900f107a5099b6e2890")]
    )
    assert [isinstance(one, dict) for one in found] == [True, False, True]
    assert isinstance(found[1], CodecError)
    assert found[1].fault is Fault.BROKE
    assert "RangeError" in found[1].detail


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("function decodeUplink(", "SyntaxError"),
        ("var nothing = 1;", "none of decodeUplink, Decoder, Decode"),
        ("throw new Error('not today')", "not today"),
        ("function decodeUplink() { throw { toString() { throw 1; } }; }", "{}"),
        ("function decodeUplink() { return { data: 1n }; }", "TypeError"),
        ("function decodeUplink() { var a = {}; a.a = a; return { data: a }; }", "TypeError"),
        ("function decodeUplink() { return { data: { a: 'x'.repeat(70000) } }; }", "longer than 64 KB"),
        ("function decodeUplink() { return { data: { a: '\\ud800' } }; }", "cannot be read"),
        ("function decodeUplink() { require('crypto'); }", "no module"),
        ("function decodeUplink() { (function deeper() { deeper(); })(); }", "call stack"),
    ],
)
def test_a_codec_that_breaks_says_how(pool: CodecPool, source: str, said: str) -> None:
    found = pool.decode(Codec.of(source), [payload("00"), payload("01")])
    for one in found:
        assert isinstance(one, CodecError)
        assert one.fault is Fault.BROKE
        assert said in one.detail


@pytest.mark.parametrize(
    "result",
    ["undefined", "null", "5", "{}", "{ data: null }", "{ data: 5 }", "{ data: undefined }", "Promise.resolve({})"],
)
def test_a_codec_that_gives_no_object_refuses(pool: CodecPool, result: str) -> None:
    found = pool.decode(Codec.of(f"function decodeUplink() {{ return {result}; }}"), [payload("00")])
    assert isinstance(found[0], CodecError)
    assert found[0].fault is Fault.REFUSED


def test_a_list_stands_under_items(pool: CodecPool) -> None:
    assert pool.decode(Codec.of("function Decoder(b) { return [b[0]]; }"), [payload("07")]) == [{"items": [7]}]


def test_clock_and_chance_are_those_of_the_message(pool: CodecPool) -> None:
    first, again, later = pool.decode(
        codec("clock"), [payload("00"), payload("00"), payload("00", at=AT + timedelta(hours=14, seconds=1))]
    )
    assert isinstance(first, dict)
    assert isinstance(later, dict)
    assert first == again
    assert first["now"] == AT.timestamp() * 1000
    assert (first["at"], first["said"]) == ("2026-07-01T13:02:44.000Z", "7/1/2026, 1:02:44 PM")
    assert (first["day"], first["time"], first["local"]) == ("7/1/2026", "13:02:44", "2026-07-01T00:00:00.000Z")
    assert (first["same"], first["text"], first["timer"]) == (True, "string", "undefined")
    assert later["said"] == "7/2/2026, 3:02:45 AM"
    assert isinstance(first["chance"], float)
    assert 0 <= first["chance"] < 1
    assert first["chance"] != later["chance"]


def test_a_byte_order_mark_and_nul_do_not_hinder(pool: CodecPool) -> None:
    source = "\ufefffunction decodeUplink() { return { data: { length: 'a\0b'.length } }; } // \0"
    assert pool.decode(Codec.of(source), [payload("00")]) == [{"length": 3}]


def test_state_is_kept_unless_the_codec_is_to_be_fresh(pool: CodecPool) -> None:
    both = [payload("05"), payload("07")]
    assert [one["step"] for one in pool.decode(codec("stateful"), both) if isinstance(one, dict)] == [5, 2]
    assert [one["step"] for one in pool.decode(codec("stateful", fresh=True), both) if isinstance(one, dict)] == [5, 7]


def test_each_set_of_variables_has_a_context_of_its_own(pool: CodecPool) -> None:
    source = "var kept; function Decode(p, b, v) { kept = kept || v; return { offset: kept.offset }; }"
    for offset in ("1", "2", "1"):
        found = pool.decode(Codec.of(source, variables=(("offset", offset),)), [payload("00")])
        assert found == [{"offset": offset}]
    assert pool.decode(codec("decode", offset="1.5"), [payload("0fa0")]) == [{"vwc": 41.5, "fPort": 2}]


def test_more_codecs_than_a_worker_keeps_all_decode_again_and_again(pool: CodecPool) -> None:
    codecs = [Codec.of(f"var n = {n}; function Decoder() {{ return {{ n: n }}; }}") for n in range(140)]
    for _ in range(2):
        assert [pool.decode(one, [payload("00")]) for one in codecs] == [[{"n": n}] for n in range(140)]


def test_nothing_of_the_service_is_to_be_found(pool: CodecPool) -> None:
    names = "process std os fetch navigator setTimeout WebAssembly performance Buffer"
    source = f"""function Decoder() {{
        return {{ found: '{names}'.split(' ').filter(function (name) {{ return name in globalThis; }}) }};
    }}"""
    assert pool.decode(Codec.of(source), [payload("00")]) == [{"found": ["Buffer"]}]  # named in the source


def test_the_worker_has_no_environment_and_may_write_no_file(pool: CodecPool) -> None:
    pool.decode(codec("decoder"), [payload("000000")])
    process = Path(f"/proc/{_worker(pool)}")
    assert process.joinpath("environ").read_bytes() == b"TZ=UTC\0"
    limits = {
        line[:25].strip(): line.split()[-3:-1] for line in process.joinpath("limits").read_text().splitlines()[1:]
    }
    assert limits["Max file size"][0] == "0"
    assert limits["Max open files"][0] == "8"
    assert limits["Max address space"][0] == str(1 << 30)
    assert {entry.name for entry in process.joinpath("fd").iterdir()} == {"0", "1", "2"}


def test_a_killed_worker_is_replaced_and_costs_nothing() -> None:
    with CodecPool() as pool:
        assert pool.decode(codec("decoder"), [payload("000000")] * 3)
        os.kill(_worker(pool), 9)
        found = pool.decode(codec("decoder"), [payload("ff9c32")] * 3)
        assert found == [{"temperature": -10, "humidity": 50, "port": 2}] * 3


def test_closing_ends_the_processes() -> None:
    with CodecPool() as pool:
        pool.decode(codec("decoder"), [payload("000000")])
        worker = _worker(pool)
    assert not Path(f"/proc/{worker}").exists()


def test_where_no_worker_can_be_started_the_messages_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.javascript.process.sys.executable", "/nowhere/python")
    with CodecPool() as pool:
        found = pool.decode(codec("decoder"), [payload("000000")] * 2)
    assert [one.fault for one in found if isinstance(one, CodecError)] == [Fault.UNAVAILABLE] * 2


def test_long_answers_come_back_whole(pool: CodecPool) -> None:
    source = """function Decoder(bytes) {
        var text = '';
        for (var n = 0; n < 600; n++) text += 'x' + n + ',';
        return { a: text, b: bytes[0] };
    }"""
    found = pool.decode(Codec.of(source), [payload("07")] * 500)
    expected = "".join(f"x{number}," for number in range(600))
    assert found == [{"a": expected, "b": 7}] * 500


def test_a_long_batch_comes_back_in_order(pool: CodecPool) -> None:
    payloads = [Payload(bytes([number >> 8, number & 255]), 2, AT) for number in range(1203)]
    found = pool.decode(Codec.of("function Decoder(b) { return { n: b[0] * 256 + b[1] }; }"), payloads)
    assert found == [{"n": number} for number in range(1203)]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.binary(max_size=60), st.integers(0, 255) | st.none()), min_size=1, max_size=40))
def test_whatever_bytes_come_a_codec_decodes_or_says_why_not(
    pool: CodecPool, messages: list[tuple[bytes, int | None]]
) -> None:
    payloads = [Payload(data, port, AT) for data, port in messages]
    for path in sorted(SAMPLES.glob("*.js")):
        found = pool.decode(Codec.of(path.read_text("utf-8")), payloads)
        assert len(found) == len(payloads)
        for one in found:
            assert isinstance(one, dict) or one.fault in {Fault.REFUSED, Fault.BROKE}
            assert not _has_nan(one)


def test_the_samples_cover_every_style() -> None:
    assert {path.stem for path in SAMPLES.glob("*.js")} == STYLES.keys() | {"clock", "stateful"}
    assert "Buffer" in sample("exported")


def _has_nan(value: object) -> bool:
    if isinstance(value, dict):
        return any(map(_has_nan, value.values()))
    if isinstance(value, list):
        return any(map(_has_nan, value))
    return isinstance(value, float) and math.isnan(value)


def _worker(pool: CodecPool) -> int:
    process = pool._workers[0]._process
    assert process is not None
    return process.pid
