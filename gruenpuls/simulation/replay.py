"""Plays recorded messages into a broker, at the pace of their own time or as fast as it goes."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from gruenpuls.domain.clock import ReplaySpan, wall_clock
from gruenpuls.domain.errors import InputError
from gruenpuls.domain.uplink import RawMessage
from gruenpuls.simulation.publish import Publisher
from ingest.envelopes import EnvelopeError, read_uplink


@dataclass(frozen=True, slots=True)
class Recorded:
    """A message and the moment it was recorded, None where it does not say one."""

    at: datetime | None
    topic: str
    payload: bytes


class _Wrapped(msgspec.Struct):
    """A line that carries its topic beside the message."""

    topic: str
    message: msgspec.Raw


def recording(path: Path, topic: str) -> Iterator[Recorded]:
    """Yield the messages of a recording: one JSON message a line, plain or gzip.

    Parameters
    ----------
    path : Path
        Lines are network messages as published, or ``{"topic": …, "message": …}``.
    topic : str
        Where lines without a topic of their own are published.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    wrapped = msgspec.json.Decoder(_Wrapped)
    now = wall_clock()
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as lines:
            for line in lines:
                text = line.strip()
                if not text:
                    continue
                try:
                    outer = wrapped.decode(text)
                except (msgspec.DecodeError, msgspec.ValidationError):
                    place, payload = topic, text
                else:
                    place, payload = outer.topic, bytes(outer.message)
                try:
                    at = read_uplink(RawMessage("recording", place, now, payload)).measured_at
                except EnvelopeError:
                    at = None
                yield Recorded(at, place, payload)
    except (OSError, EOFError) as error:
        what = f"the recording cannot be read: {error}"
        raise InputError(what, where=str(path), remedy="give an NDJSON file, plain or .gz") from error


@dataclass(frozen=True, slots=True)
class Extent:
    """What a recording holds."""

    messages: int
    without_time: int
    first_at: datetime | None
    last_at: datetime | None


def extent(messages: Iterable[Recorded]) -> Extent:
    """Return how many messages there are and what time they span."""
    count = without = 0
    first: datetime | None = None
    last: datetime | None = None
    for message in messages:
        count += 1
        if message.at is None:
            without += 1
            continue
        first = message.at if first is None else min(first, message.at)
        last = message.at if last is None else max(last, message.at)
    return Extent(count, without, first, last)


def span_of(found: Extent, name: str, speed: float, played_from: datetime) -> ReplaySpan | None:
    """Return when a recording is played at a speed; None for one without times."""
    if found.first_at is None or found.last_at is None:
        return None
    length = max((found.last_at - found.first_at) / speed, timedelta(seconds=1))
    return ReplaySpan(name, found.first_at, found.last_at, played_from, played_from + length)


def play(
    messages: Iterable[Recorded],
    publisher: Publisher,
    span: ReplaySpan | None,
    stop: threading.Event,
    on_message: Callable[[Recorded], None] = lambda _message: None,
) -> int:
    """Publish messages in order, none before its moment has come; return how many were sent.

    Parameters
    ----------
    messages : iterable of Recorded
    publisher : Publisher
    span : ReplaySpan or None
        Says when each recorded moment is played; None sends as fast as the broker takes it.
    stop : threading.Event
        Ends the replay early.
    on_message : callable
        Told of each message sent.
    """
    sent = 0
    for message in messages:
        if span is not None and message.at is not None:
            length = span.recorded_to - span.recorded_from
            share = (message.at - span.recorded_from) / length if length else 0.0
            due = span.played_from + share * (span.played_to - span.played_from)
            wait = (due - wall_clock()).total_seconds()
            if wait > 0 and stop.wait(wait):
                break
        if stop.is_set():
            break
        publisher.publish(message.topic, message.payload)
        sent += 1
        on_message(message)
    return sent
