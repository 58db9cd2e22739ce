from __future__ import annotations

import threading
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from decoding_bench import DEVICE, PROFILES, after, helium, plain
from memory_ports import MemoryJournal, MemoryRegistry, MemoryStore
from scripting import AT, payload, sample, temperature_profile

from gruenpuls.domain.device import Device
from gruenpuls.domain.uplink import DeadLetterReason
from ingest.decode import Decoder
from ingest.javascript import Codec, CodecError, CodecPool, Fault
from ingest.uplink_index import UplinkIndex

# What the engine stops by itself, ...
INTERRUPTED = {
    "endless": "function decodeUplink() { while (true); }",
    "stubborn": "function decodeUplink() { try { while (true); } finally { while (true); } }",
    "to-json": "function decodeUplink() { return { data: { toJSON() { while (true); } } }; }",
    "at-load": "while (true); function decodeUplink() {}",
    "regex": "function decodeUplink() { return { data: { a: /^(a+)+b$/.test('a'.repeat(64)) } }; }",
    "hoard": "var kept = []; function decodeUplink() { for (;;) kept.push(new Array(1000).fill(1)); }",
    "long-text": "function decodeUplink() { return { data: { a: 'x'.repeat(2e8) } }; }",
    "long-list": "function decodeUplink() { return { data: new Array(2e8).fill().sort() }; }",
}
# ... and what only the end of its process stops.
UNSTOPPABLE = {
    "reverse": "function decodeUplink() { [].reverse.call({ length: 2 ** 53 - 1 }); }",
    "join": "function decodeUplink() { [].join.call({ length: 2 ** 53 - 1 }, ''); }",
    "thrown": "throw { toString() { while (true); } };",
}
BROKEN = {
    "recursion": "function decodeUplink() { (function deeper() { deeper(); })(); }",
    "output": "function decodeUplink() { return { data: { a: 'x'.repeat(1e6) } }; }",
}
POLLUTING = {
    "prototypes": """
        Object.prototype.temperature = 99; Array.prototype.toJSON = function () { return 99; };
        Number.prototype.toJSON = function () { return 99; }; JSON.stringify = function () { return '99'; };
        JSON.parse = function () { return 99; }; Array.isArray = function () { return true; };
        String.prototype.slice = function () { return '99'; }; Date.now = function () { return 99; };
        Math.random = function () { return 99; }; globalThis.Date = null; Function.prototype.bind = null;
        function decodeUplink() { return { data: { temperature: 99 } }; }""",
    "promise": """
        function again() { return Promise.resolve().then(again); }
        function decodeUplink() { again(); queueMicrotask(again); return { data: { temperature: 99 } }; }""",
}
HOSTILE = INTERRUPTED | UNSTOPPABLE | BROKEN


def test_a_hostile_codec_costs_its_own_messages_and_nothing_else(tmp_path: Path) -> None:
    scripted = {name: temperature_profile(name, source) for name, source in (HOSTILE | POLLUTING).items()}
    scripted["good"] = temperature_profile("good", sample("decoder"))
    devices = {name: Device(name, name) for name in scripted} | {DEVICE: Device(DEVICE, "bench-probe")}
    messages = []
    for number, name in enumerate(scripted):
        # One of each before and after a hostile one, by JavaScript and by layout.
        for turn in range(2):
            at = after(10 * (2 * number + turn))
            messages += [
                plain("good", at, payload=bytes.fromhex("00d741"), port=2),
                plain(name, at + timedelta(seconds=5), payload=b"\x00\xd7\x41", port=2),
                helium(2 * number + turn + 1, at),
            ]
    registry, store = MemoryRegistry(devices), MemoryStore()
    with CodecPool(deadline=timedelta(seconds=0.4)) as pool:
        index = UplinkIndex(tmp_path / "uplinks.db")
        decoder = Decoder(
            MemoryJournal(messages), index, (scripted | PROFILES).get, registry, store, limit=45, codecs=pool
        )
        while decoder.step() is not None:
            pass
        index.close()
    letters = Counter((letter.device, letter.reason) for letter in registry.letters.values())
    assert letters == Counter({(name, DeadLetterReason.DECODER_FAILED): 2 for name in HOSTILE})
    assert all((letter.device or "") in letter.detail for letter in registry.letters.values())
    readings = Counter(
        key.owner_key for (number, _) in store.rows for key, known in registry.series.items() if known == number
    )
    # The good one's own line among the profiles makes one turn more.
    turns = 2 * len(scripted)
    assert readings["good/soil_temperature"] == turns + 2
    assert readings[f"{DEVICE}/soil_temperature"] == turns
    assert {name: readings[f"{name}/soil_temperature"] for name in POLLUTING} == dict.fromkeys(POLLUTING, 2)
    good = next(number for key, number in registry.series.items() if key.owner_key == "good/soil_temperature")
    assert {row[0] for (number, _), row in store.rows.items() if number == good} == {21.5}
    assert store.done.tally.total == len(messages)
    assert store.done.tally.dead_lettered == 2 * len(HOSTILE)


def test_others_decode_while_a_worker_hangs() -> None:
    with CodecPool(2, deadline=timedelta(seconds=1.5)) as pool:
        good, bad = Codec.of(sample("decoder")), Codec.of(UNSTOPPABLE["reverse"])
        pool.decode(good, [payload("00d741")])
        hanging = threading.Thread(target=pool.decode, args=(bad, [payload("00")]))
        started = time.monotonic()
        hanging.start()
        decoded = 0
        while hanging.is_alive():
            assert pool.decode(good, [payload("00d741")]) == [{"temperature": 21.5, "humidity": 65, "port": 2}]
            decoded += 1
        assert time.monotonic() - started >= 1.4
        assert decoded > 5


@pytest.mark.parametrize("name", ["endless", "reverse"])
def test_after_three_stops_a_codec_is_not_run_until_its_time_is_over(name: str) -> None:
    now = 0.0
    bad, good = Codec.of(HOSTILE[name]), Codec.of(sample("decoder"))
    with CodecPool(deadline=timedelta(seconds=0.4), clock=lambda: now) as pool:
        faults = _faults(pool, bad, 5)
        # The batch and two of its messages alone are three.
        assert faults == [Fault.STOPPED] * 2 + [Fault.QUARANTINED] * 3
        now = 3599
        started = time.monotonic()
        assert _faults(pool, bad, 100) == [Fault.QUARANTINED] * 100
        # Run and stopped, they would have taken a hundred times 0.4 s.
        assert time.monotonic() - started < 10
        assert isinstance(pool.decode(good, [payload("00d741")])[0], dict)
        assert _faults(pool, Codec.of(bad.source + " // changed"), 1) == [Fault.STOPPED]
        now = 3601
        assert _faults(pool, bad, 1) == [Fault.STOPPED]


def test_one_message_that_hangs_costs_the_others_of_its_batch_nothing() -> None:
    source = "function Decoder(bytes) { while (bytes[0] === 7); return { n: bytes[0] }; }"
    with CodecPool() as pool:
        found = pool.decode(Codec.of(source), [payload(f"{number:02x}") for number in range(20)])
    assert [number for number, one in enumerate(found) if isinstance(one, CodecError)] == [7]
    assert found[8] == {"n": 8}


def test_a_codec_that_leaks_starts_anew_and_loses_no_message() -> None:
    source = (
        "var kept = []; function Decoder(bytes) { kept.push('x'.repeat(1e6) + kept.length); return { n: bytes[0] }; }"
    )
    with CodecPool() as pool:
        for _ in range(3):
            found = pool.decode(Codec.of(source), [payload(f"{number:02x}") for number in range(30)])
            assert found == [{"n": number} for number in range(30)]


def test_a_codec_that_falsifies_its_answer_is_no_danger() -> None:
    source = """
        String.prototype.slice = Array.prototype.push = function () { return '}{'; };
        Object.defineProperty(Object.prototype, 'r', { set() { while (true); } });
        function decodeUplink(input) { return { data: { get a() { throw { name: '"', message: '\\u0000' }; } } }; }"""
    with CodecPool() as pool:
        found = pool.decode(Codec.of(source), [payload("00", at=AT)] * 2)
    assert all(isinstance(one, CodecError) and one.fault is Fault.BROKE for one in found)


def _faults(pool: CodecPool, codec: Codec, count: int) -> list[Fault]:
    found = pool.decode(codec, [payload("00")] * count)
    return [one.fault for one in found if isinstance(one, CodecError)]
