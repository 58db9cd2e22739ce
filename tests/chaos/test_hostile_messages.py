"""Whatever anybody sends: no crash, no growth, and every message accounted for."""

from __future__ import annotations

import gc
import json
import os
import random
import statistics
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from chaos.extent import extent
from chaos.fleet import BEGIN, TOPIC, City, children, leave_session, measured_at, message, truth, values
from decoding_bench import payload_of
from mosquitto import Mosquitto, broker, free_port

from gruenpuls.domain.uplink import DeadLetterReason, JournalEntry, RawMessage
from gruenpuls.service.registry import open_registry
from gruenpuls.service.rooms import catalogue, writing_store
from gruenpuls.service.start import PROCESSES
from gruenpuls.simulation.messages import chirpstack_v4, helium, things_stack_v3
from gruenpuls.simulation.publish import Publisher
from ingest.decode import Decoder
from ingest.javascript import CodecPool
from ingest.uplink_index import UplinkIndex

__all__ = ["broker"]

MESSAGES = extent("MESSAGES", 20_000, 1_000_000)
"""How many messages come, two of three of them mutated."""
PUBLISHED = extent("PUBLISHED", 300, 100_000)
"""How many of them go all the way, through a broker."""

_BATCH = 1_000
_COLLECTOR_BYTES = 400 << 20
_LARGE = 10 << 20
_LARGE_EVERY = 1_999
_SAMPLES = [path.read_bytes() for path in sorted((Path(__file__).parents[1] / "samples" / "envelopes").glob("*.json"))]
_HUGE: Sequence[object] = (10**400, -(10**30), 2**63, 2**64, 1e308, -1e-308, 2**31, -1, 1784020000123456789)
_TOPICS = ("$SYS/broker/uptime", "zigbee2mqtt/lamp", "shellies/1/relay/0", "ä/ö/ü", "a" * 65_000, "", "/", "\0")
_FOREIGN = (
    b'{"state": "ON", "brightness": 254, "linkquality": 94}',
    b"on",
    b"21.5",
    b"",
    b"null",
    b"[]",
    b"<xml/>",
    b"\x00\x01\x02\x03",
    b"field1=21.5&field2=7",
)


def own(number: int) -> bytes:
    """Return an uplink of the fleet's sensors in one of three networks' words."""
    network = (chirpstack_v4, things_stack_v3, helium)[number % 3]
    payload = payload_of(*values(number))
    # Not one of the sensors whose readings are held to the truth.
    key = f"b0b0b0b0b0b0{number % 500:04x}"
    return network(key, payload, port=5, counter=number, measured_at=measured_at(number))


def places(document: object) -> list[tuple[Any, Any]]:
    """Return every container of a document with each of its keys or indices."""
    found: list[tuple[Any, Any]] = []
    rest = [document]
    while rest:
        one = rest.pop()
        keys = list(one) if isinstance(one, dict) else range(len(one)) if isinstance(one, list) else ()
        found += ((one, key) for key in keys)
        rest += (one[key] for key in keys)  # type: ignore[index]  # it has keys, so it is a container
    return found


def broken(text: bytes, chance: random.Random) -> bytes:
    """Cut it short, or change some of its bytes."""
    if chance.random() < 0.5:
        return text[: chance.randrange(len(text))]
    changed = bytearray(text)
    for _ in range(chance.randint(1, 9)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def replaced(text: bytes, chance: random.Random, value: object) -> bytes:
    """Put another value in the place of one of its fields."""
    document = json.loads(text)
    container, key = chance.choice(places(document))
    container[key] = value
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass")


def other_kind(text: bytes, chance: random.Random) -> bytes:
    """Put a value of another type in the place of one."""
    return replaced(text, chance, chance.choice((None, True, 0, "x", [], {}, ["x"], {"x": 1}, "x" * 5_000, "\0")))


def huge_number(text: bytes, chance: random.Random) -> bytes:
    """Put a number no sensor sends in the place of a value."""
    return replaced(text, chance, chance.choice(_HUGE))


def deep(text: bytes, chance: random.Random) -> bytes:
    """Nest it, or one of its fields, deeper than any parser goes."""
    levels = chance.choice((100, 1_000, 100_000))
    nested = chance.choice((b"[" * levels, b"[" * levels + b"]" * levels, b'{"a":' * levels + b"1" + b"}" * levels))
    return nested if chance.random() < 0.3 else text.replace(b":", b":" + nested + b",", 1)


def no_unicode(text: bytes, chance: random.Random) -> bytes:
    """Put bytes into it that are not UTF-8."""
    at = chance.randrange(len(text))
    return text[:at] + chance.choice((b"\xff\xfe", b"\xc3\x28", b"\xed\xa0\x80", b"\xf0\x9f")) + text[at:]


def no_base64(text: bytes, chance: random.Random) -> bytes:
    """Put a text that is no base64 in the place of a text."""
    document = json.loads(text)
    texts = [(container, key) for container, key in places(document) if isinstance(container[key], str)]
    container, key = chance.choice(texts)
    container[key] = chance.choice(("A", "====", "AQ=A", "!!!!", "ÄÖÜß", "A" * 1_001, "AQID\n", ""))
    return json.dumps(document).encode()


def foreign(_text: bytes, chance: random.Random) -> bytes:
    """Return what other things than sensors publish."""
    return chance.choice(_FOREIGN)


_MUTATIONS: Sequence[Callable[[bytes, random.Random], bytes]] = (
    broken,
    other_kind,
    huge_number,
    deep,
    no_unicode,
    no_base64,
    foreign,
)


class Flood:
    """Messages by offset, made when they are asked for, always the same: a million need no room."""

    def __init__(self, count: int) -> None:
        self._count = count

    def read(self, from_offset: int, limit: int, most_bytes: int) -> list[JournalEntry]:
        """Return up to `limit` entries from an offset on, fewer where they are long."""
        found: list[JournalEntry] = []
        for offset in range(from_offset, min(from_offset + limit, self._count)):
            if most_bytes <= 0:
                break
            found.append(self._entry(offset))
            most_bytes -= len(found[-1].message.payload)
        return found

    def entries(self, offsets: Sequence[int]) -> list[JournalEntry]:
        """Return the entries at these offsets."""
        return [self._entry(offset) for offset in offsets]

    def _entry(self, offset: int) -> JournalEntry:
        chance = random.Random(offset)
        if is_genuine(offset):
            topic, payload = message(offset)
        else:
            topic = chance.choice(_TOPICS)
            text = own(offset) if chance.random() < 0.7 else chance.choice(_SAMPLES)
            payload = _MUTATIONS[offset % len(_MUTATIONS)](text, chance)
            if offset % _LARGE_EVERY == 0:
                payload = payload.ljust(_LARGE, b" ") if offset % 2 else b'{"data": "' + b"A" * _LARGE + b'"}'
        return JournalEntry(offset, RawMessage("fleet", topic, BEGIN.replace(year=BEGIN.year + 1), payload))


def is_genuine(offset: int) -> bool:
    """Whether a message is left as its network sent it."""
    return offset % 3 == 0


def resident() -> int:
    """Return the memory this process holds [bytes]."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text("utf-8").split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.timeout(120 + MESSAGES // 100)
def test_a_flood_of_damaged_messages_is_accounted_for_and_leaves_no_trace_in_memory(tmp_path: Path) -> None:
    began = datetime.now(UTC)
    with City(tmp_path / "city") as city:
        held = []
        with (
            closing(open_registry(city.settings)) as registry,
            closing(writing_store(city.settings, registry.judgements)) as store,
            closing(UplinkIndex(city.settings.index_file)) as index,
            CodecPool() as codecs,
        ):
            profiles = catalogue(city.settings).profile
            decoder = Decoder(Flood(MESSAGES), index, profiles, registry.arrivals, store, codecs=codecs, limit=_BATCH)
            while (progress := decoder.step()) is not None:
                held.append(resident())
                assert progress.tally.total == progress.offset == min(len(held) * _BATCH, MESSAGES)
            tally = store.progress().tally
            letters = registry.dead_letters.counts()
        assert tally.total == MESSAGES
        assert sum(letters.values()) == tally.dead_lettered
        assert {
            DeadLetterReason.UNREADABLE,
            DeadLetterReason.NOT_AN_UPLINK,
            DeadLetterReason.UNKNOWN_DEVICE,
        } <= letters.keys()
        genuine = {row: value for row, (value, *_) in city.content().items()}
    expected = {}
    for offset in filter(is_genuine, range(MESSAGES)):
        expected |= truth(range(offset, offset + 1))
    assert genuine == expected
    tenths = [statistics.median(held[at : at + len(held) // 10]) for at in range(0, len(held), len(held) // 10)]
    told = ", ".join(f"{size / 1e6:.0f}" for size in tenths)
    print(  # noqa: T201 - the report of a long run
        f"{MESSAGES} messages in {(datetime.now(UTC) - began).total_seconds():.0f} s: {tally}; "
        f"resident in each tenth of the way [MB]: {told}; at most {max(held) / 1e6:.0f}"
    )
    # The first tenth warms up.
    assert tenths[-1] <= 1.1 * max(tenths[1:5]), told


@pytest.mark.server
@pytest.mark.slow
@pytest.mark.timeout(180 + PUBLISHED // 20)
def test_damaged_messages_pass_broker_collector_and_journal_and_end_no_process(
    broker: Mosquitto, tmp_path: Path
) -> None:
    # One of the first is of 10 MB, and every 1,999th after it.
    offsets = range(_LARGE_EVERY - 9, _LARGE_EVERY - 9 + PUBLISHED)
    flood = Flood(offsets.stop)
    with City(tmp_path / "city", broker.port, free_port()) as city:
        settings = city.directory / "gruenpuls.toml"
        settings.write_text(settings.read_text("utf-8").replace(TOPIC, "#"), "utf-8")
        leave_session(broker.port, topic="#")
        with city.process("run") as service:
            with Publisher(broker.host, broker.port, window=50) as publisher:
                for offset in offsets:
                    (entry,) = flood.entries([offset])
                    publisher.publish(published_topic(entry.message.topic), entry.message.payload)
                assert publisher.drain()
            service.await_true(lambda: city.worked_off().total >= PUBLISHED, "worked off", 120 + PUBLISHED // 100)
            peaks = {name: peak_memory(pid) for name, pid in children(service.process.pid).items()}
            service.process.terminate()
            assert service.ended() == 0
            assert "process ended" not in service.said
        status = city.status()
        assert (status["adds_up"], status["waiting"]) == (True, 0)
        assert status["journalled"] == {"fleet": PUBLISHED}
        assert sum(status["dead_letters_by_reason"].values()) == status["dead_lettered"]
        expected = {}
        for offset in filter(is_genuine, offsets):
            expected |= truth(range(offset, offset + 1))
        assert {row: value for row, (value, *_) in city.content().items()} == expected
        told = ", ".join(f"{name} {size / 1e6:.0f} MB" for name, size in peaks.items())
        print(f"{PUBLISHED} messages published: {status['dead_letters_by_reason']}; at most {told}")  # noqa: T201 - the report of a long run
        assert peaks.keys() == set(PROCESSES)
        # What waits for the disk is bounded; a message of 10 MB is held a few times on its way.
        assert peaks["collect"] < _COLLECTOR_BYTES


def published_topic(topic: str) -> str:
    """Return a topic a broker takes."""
    return topic.replace("\0", "").removeprefix("$SYS/") or "empty"


def peak_memory(pid: int) -> int:
    """Return the most memory a process ever held [bytes]."""
    status = Path(f"/proc/{pid}/status").read_text("utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024
