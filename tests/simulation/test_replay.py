import gzip
import json
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from mosquitto import free_port
from requirement import program

from gruenpuls.domain.clock import ReplaySpan, replayed, wall_clock
from gruenpuls.domain.errors import InputError, UnavailableError
from gruenpuls.simulation.broker import listens, loopback_broker
from gruenpuls.simulation.messages import chirpstack_v4
from gruenpuls.simulation.publish import Publisher
from gruenpuls.simulation.replay import Recorded, extent, play, recording, span_of

BEGIN = datetime(2023, 8, 1, tzinfo=UTC)
DEVICE = "24e1245a00000010"


def line(hour: int) -> bytes:
    at = BEGIN + timedelta(hours=hour)
    return chirpstack_v4(DEVICE, b"\x01\x75\x64", port=85, counter=hour, measured_at=at)


class Noted:
    """Stands where a publisher stands and notes what it is given."""

    def __init__(self) -> None:
        self.messages: list[tuple[datetime, str]] = []

    def publish(self, topic: str, _payload: bytes) -> None:
        self.messages.append((wall_clock(), topic))


def test_a_recording_is_read_plain_or_compressed_with_its_own_topics(tmp_path: Path) -> None:
    wrapped = json.dumps({"topic": "own/topic", "message": json.loads(line(1))}).encode()
    text = b"\n".join([line(0), b"", wrapped, b"no json at all"])
    plain, packed = tmp_path / "a.ndjson", tmp_path / "a.ndjson.gz"
    plain.write_bytes(text)
    packed.write_bytes(gzip.compress(text))
    for path in (plain, packed):
        messages = list(recording(path, "given"))
        assert [message.topic for message in messages] == ["given", "own/topic", "given"]
        assert [message.at for message in messages] == [BEGIN, BEGIN + timedelta(hours=1), None]
        found = extent(messages)
        assert (found.messages, found.without_time) == (3, 1)
        assert (found.first_at, found.last_at) == (BEGIN, BEGIN + timedelta(hours=1))


@pytest.mark.parametrize("content", [None, b"\x1f\x8bno gzip"])
def test_a_recording_that_cannot_be_read_is_said_so(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "broken.gz"
    if content:
        path.write_bytes(content)
    with pytest.raises(InputError, match="cannot be read"):
        list(recording(path, "given"))


def test_no_message_is_played_before_its_moment() -> None:
    messages = [Recorded(BEGIN + timedelta(hours=hour), "t", b"") for hour in range(4)]
    start = wall_clock()
    span = span_of(extent(messages), "test", speed=3 * 3600 / 0.6, played_from=start)
    assert span is not None
    publisher = Noted()
    # One second is the shortest a replay takes.
    assert play(messages, publisher, span, threading.Event()) == 4  # type: ignore[arg-type]
    delays = [(at - start).total_seconds() for at, _topic in publisher.messages]
    assert all(delay >= due - 0.01 for delay, due in zip(delays, (0, 1 / 3, 2 / 3, 1), strict=True))


def test_a_replay_ends_early_when_it_is_stopped() -> None:
    stop = threading.Event()
    messages = [Recorded(BEGIN + timedelta(hours=hour), "t", b"") for hour in range(9)]
    publisher = Noted()
    assert play(messages, publisher, None, stop, lambda _message: stop.set()) == 1  # type: ignore[arg-type]


def test_the_replay_clock_stands_at_the_ends_of_its_spans() -> None:
    wall = datetime(2026, 1, 1, tzinfo=UTC)
    minute, day = timedelta(minutes=1), timedelta(days=1)
    spans = [
        ReplaySpan("drought", BEGIN, BEGIN + day, wall, wall + minute),
        ReplaySpan("heat", BEGIN + 9 * day, BEGIN + 10 * day, wall + 2 * minute, wall + 3 * minute),
    ]
    assert replayed(spans, wall - minute) == (spans[0], BEGIN)
    assert replayed(spans, wall + minute / 2) == (spans[0], BEGIN + day / 2)
    assert replayed(spans, wall + 1.5 * minute) == (spans[0], BEGIN + day)
    assert replayed(spans, wall + 9 * minute) == (spans[1], BEGIN + 10 * day)


@pytest.mark.server
@pytest.mark.parametrize("mosquitto", [True, False])
def test_either_broker_takes_messages_and_goes_away_with_its_block(mosquitto: bool) -> None:
    if mosquitto:
        program("mosquitto", "mosquitto")
    with loopback_broker(prefer_mosquitto=mosquitto) as broker:
        assert broker.program.startswith("mosquitto" if mosquitto else "rumqttd")
        with Publisher(broker.host, broker.port, window=10) as publisher:
            publisher.publish_all(("a/b", b"x" * 300) for _ in range(200))
            assert publisher.drain()
            assert publisher.acknowledged == 200
    assert not listens(broker.host, broker.port)


@pytest.mark.server
def test_a_port_that_is_taken_is_said_so() -> None:
    with (
        loopback_broker() as broker,
        pytest.raises(UnavailableError, match="listens there already"),
        loopback_broker(broker.port),
    ):
        pass


def test_a_broker_that_is_not_there_is_said_so() -> None:
    with pytest.raises(UnavailableError, match="cannot be reached"):
        Publisher("127.0.0.1", free_port())
