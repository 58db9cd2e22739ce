"""The MQTT collector: takes messages, and acknowledges them only once they are in the journal."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from random import SystemRandom

from gruenpuls.domain.clock import Clock, wall_clock
from gruenpuls.domain.errors import UnavailableError
from ingest.collect import Intake, SourceHealth
from ingest.mqtt_broker import Broker, RefusedError, Tls
from ingest.mqtt_connection import Burst, Connection

__all__ = ["Broker", "Earlier", "EndsOn", "MqttCollector", "RefusedError", "Tls"]

MOST_UNACKNOWLEDGED = 20_000
MOST_UNACKNOWLEDGED_BYTES = 64 << 20

_MOST_AT_ONCE = 500
_FEW = 50
_PAUSE_SECONDS = 0.003
_LOOK_SECONDS = 0.2
_STEADY_SECONDS = 10.0


class EndsOn(StrEnum):
    """Which failures end a collector that has not yet been connected; later ones never do."""

    NOTHING = "nothing"
    REFUSAL = "refusal"
    """Wrong password, client id, certificate or topic: a person has to correct something."""
    ANYTHING = "anything"
    """Also a broker that cannot be reached."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """What an earlier run has said of a source, as in `ingest.collect.SourceHealth`.

    Parameters
    ----------
    has_queue : bool
        Whether it has left a queue at the broker.
    queue_lost_at : datetime or None
        When it last found none there; aware UTC.
    dropped_by_broker : int or None
    dropped_at : datetime or None
        Aware UTC.
    """

    has_queue: bool = False
    queue_lost_at: datetime | None = None
    dropped_by_broker: int | None = None
    dropped_at: datetime | None = None


_NOTHING_EARLIER = Earlier()


class MqttCollector:
    """A source that listens to a broker, whatever happens to either of them.

    The broker keeps what comes while nobody listens. Messages are acknowledged in the order they came,
    after they are durable; what a lost connection left unacknowledged comes again, and is journalled again.
    Above a bound of messages in memory it stops reading, so that the broker holds the rest.

    Parameters
    ----------
    name : str
        Of the source.
    broker : Broker
    topics : sequence of str
        Topic filters; a shared subscription begins with ``$share/<group>/``.
    ends_on : EndsOn
    most_unacknowledged : int
        Messages in memory; at most 60,000, since packet identifiers repeat after 65,535.
    most_unacknowledged_bytes : int
        About the same in memory [bytes]; a single message may be larger.
    first_wait, longest_wait : float
        Before connecting again; doubled each time, less up to a half by chance [s].
    stop_within : float
        How long to wait for the journal at the end [s].
    watch_drops : bool
        Whether to ask the broker how many messages it threw away.
    earlier : Earlier
    clock : Clock

    Raises
    ------
    ConfigurationError
        If a certificate or key cannot be used.
    """

    def __init__(
        self,
        name: str,
        broker: Broker,
        topics: Sequence[str],
        *,
        ends_on: EndsOn = EndsOn.REFUSAL,
        most_unacknowledged: int = MOST_UNACKNOWLEDGED,
        most_unacknowledged_bytes: int = MOST_UNACKNOWLEDGED_BYTES,
        first_wait: float = 1.0,
        longest_wait: float = 60.0,
        stop_within: float = 10.0,
        watch_drops: bool = True,
        earlier: Earlier = _NOTHING_EARLIER,
        clock: Clock = wall_clock,
    ) -> None:
        self._name = name
        self._broker = broker
        self._topics = tuple(topics)
        self._ends_on = ends_on
        self._most = most_unacknowledged
        self._most_bytes = most_unacknowledged_bytes
        self._first_wait = first_wait
        self._longest_wait = longest_wait
        self._stop_within = stop_within
        self._watch_drops = watch_drops
        self._clock = clock
        self._context = broker.tls.context() if broker.tls else None
        self._chance = SystemRandom()
        self._committed: deque[tuple[Connection, Burst]] = deque()
        self._woken: socket.socket
        self._waker: socket.socket
        self._held = self._held_bytes = 0
        self._received = self._journalled = self._acknowledged = self._connections = 0
        self._started = False
        self._connected_since: datetime | None = None
        self._last_message_at: datetime | None = None
        self._last_error: tuple[str, datetime] | None = None
        self._expects_queue = earlier.has_queue
        self._queues_lost = 0
        self._queue_lost_at = earlier.queue_lost_at
        self._dropped = earlier.dropped_by_broker
        self._dropped_at = earlier.dropped_at

    @property
    def name(self) -> str:
        """What the source is called."""
        return self._name

    def health(self) -> SourceHealth:
        """Return how it is doing; from any thread."""
        error, error_at = self._last_error or (None, None)
        return SourceHealth(
            name=self._name,
            connected_since=self._connected_since,
            last_message_at=self._last_message_at,
            received=self._received,
            journalled=self._journalled,
            acknowledged=self._acknowledged,
            unacknowledged=self._held,
            reconnects=max(0, self._connections - 1),
            last_error=error,
            last_error_at=error_at,
            has_queue=self._expects_queue,
            queues_lost=self._queues_lost,
            queue_lost_at=self._queue_lost_at,
            dropped_by_broker=self._dropped,
            dropped_at=self._dropped_at,
        )

    def run(self, intake: Intake, stop: threading.Event) -> None:
        """Receive until told to stop; see `ingest.collect.Source`.

        Raises
        ------
        UnavailableError
            If the first connection fails in a way that `ends_on` names.
        ConfigurationError
            If a topic is no topic filter.
        """
        self._woken, self._waker = socket.socketpair()
        with self._woken, self._waker:
            self._woken.settimeout(0)
            self._waker.settimeout(0)
            self._run(intake, stop)

    def _run(self, intake: Intake, stop: threading.Event) -> None:
        wait = self._first_wait
        while not stop.is_set():
            if not self._has_room:
                self._idle(stop, _LOOK_SECONDS)
                continue
            connection = Connection(self._name, self._broker, self._context)
            opened_at = time.monotonic()
            try:
                connection.open()
                self._serve(connection, intake, stop)
            except UnavailableError as error:
                self._note(error)
                # Some brokers (rumqttd) end a connection that asks for a topic beginning with $.
                over_drops = self._watch_drops and connection.ended_over_drops
                self._watch_drops = self._watch_drops and not over_drops
                if not self._started and not over_drops and self._is_final(error):
                    raise
                if time.monotonic() - opened_at >= _STEADY_SECONDS:
                    wait = self._first_wait
                self._idle(stop, wait * self._chance.uniform(0.5, 1))
                wait = min(self._longest_wait, 2 * wait)
            finally:
                self._connected_since = None
                connection.close()

    @property
    def _has_room(self) -> bool:
        return self._held < self._most and self._held_bytes < self._most_bytes

    def _note(self, error: UnavailableError) -> None:
        self._last_error = str(error), self._clock()

    def _is_final(self, error: UnavailableError) -> bool:
        if self._ends_on is EndsOn.REFUSAL:
            return isinstance(error, RefusedError)
        return self._ends_on is EndsOn.ANYTHING

    def _serve(self, connection: Connection, intake: Intake, stop: threading.Event) -> None:
        """Work on one connection until told to stop.

        Raises
        ------
        UnavailableError
            When it ends before.
        """
        self._look_after(connection)
        poll = select.poll()
        poll.register(self._woken, select.POLLIN)
        poll.register(connection, 0)
        stop_at: float | None = None
        more = False
        while True:
            if stop_at is None and stop.is_set():
                stop_at = time.monotonic() + self._stop_within
            if stop_at is not None and (not self._held or time.monotonic() > stop_at):
                return
            reading = stop_at is None and self._has_room
            poll.modify(connection, select.POLLIN * reading | select.POLLOUT * connection.wants_write)
            ready = dict(poll.poll(0 if more and reading else _LOOK_SECONDS * 1000))
            state = ready.get(connection.fileno(), 0)
            self._settle(connection)
            connection.flush()
            few = False
            if reading and (more or state & ~select.POLLOUT):
                burst = self._take(connection, intake)
                few = 0 < len(burst.messages) < _FEW
                more = len(burst.messages) == _MOST_AT_ONCE or connection.holds_input
            elif state & (select.POLLHUP | select.POLLERR):
                connection.ended = connection.ended or "closed by the broker"
            connection.keep_alive(reading=reading)
            self._look_after(connection)
            if few and not more:
                # Readers that take every packet alone cost the broker and themselves a system call each.
                self._idle(stop, _PAUSE_SECONDS, connection)

    def _look_after(self, connection: Connection) -> None:
        """Take note of what the broker said besides messages.

        Raises
        ------
        UnavailableError
            If this connection is of no more use.
        """
        failure = connection.failure()
        if failure:
            raise failure
        self._note_dropped(connection.dropped_by_broker)
        if connection.accepted and self._connected_since is None:
            now = self._clock()
            if self._expects_queue and not connection.queue_kept:
                self._queues_lost += 1
                self._queue_lost_at = now
                self._note(connection.lost_queue())
            self._expects_queue = True
            self._connected_since = now
            self._connections += 1
            connection.subscribe(self._topics, watch_drops=self._watch_drops)
        refused = connection.refused_topics()
        if refused:
            if not (self._started and connection.granted):
                raise refused
            self._note(refused)
        self._started = self._started or bool(connection.granted)

    def _note_dropped(self, dropped: int | None) -> None:
        if dropped is None:
            return
        # A broker that started anew counts from 0.
        if self._dropped is not None and dropped > self._dropped:
            self._dropped_at = self._clock()
        self._dropped = dropped

    def _take(self, connection: Connection, intake: Intake) -> Burst:
        room = min(_MOST_AT_ONCE, self._most - self._held)
        burst = connection.read(self._clock(), room, self._most_bytes - self._held_bytes)
        if burst.messages:
            count = len(burst.messages)
            self._received += count
            self._held += count
            self._held_bytes += burst.size
            self._last_message_at = burst.received_at
            intake.submit(burst.messages, burst.size, partial(self._wake, connection, burst))
        return burst

    def _wake(self, connection: Connection, burst: Burst) -> None:
        """Hear that a burst is durable; called from the journal's thread."""
        self._committed.append((connection, burst))
        # Full: it will wake up anyway. Closed: it has ended, and the broker sends these again.
        with suppress(OSError):
            self._waker.send(b"\0")

    def _settle(self, connection: Connection | None) -> None:
        """Acknowledge what has become durable, where it came from."""
        with suppress(BlockingIOError):
            self._woken.recv(4096)
        while self._committed:
            origin, burst = self._committed.popleft()
            self._held -= len(burst.messages)
            self._held_bytes -= burst.size
            self._journalled += len(burst.messages)
            # The broker sends again what a lost connection left open, perhaps under another identifier.
            if origin is connection:
                connection.acknowledge(burst.identifiers)
                self._acknowledged += len(burst.identifiers)

    def _idle(self, stop: threading.Event, seconds: float, connection: Connection | None = None) -> None:
        """Wait, but for nothing that is durable to be acknowledged."""
        poll = select.poll()
        poll.register(self._woken, select.POLLIN)
        until = time.monotonic() + seconds
        while not stop.is_set() and (left := until - time.monotonic()) > 0:
            poll.poll(min(left, _LOOK_SECONDS) * 1000)
            self._settle(connection)
