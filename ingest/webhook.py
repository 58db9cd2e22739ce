"""The HTTP source: network servers post uplinks, and get their 200 only once these are in the journal."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

from gruenpuls.domain.clock import Clock, wall_clock
from gruenpuls.domain.uplink import RawMessage
from ingest.collect import Intake, SourceHealth
from ingest.webhook_connection import Patience
from ingest.webhook_port import Port
from ingest.webhook_request import Endpoint, messages_in

__all__ = ["Endpoint", "Patience", "Webhook", "webhooks"]

MOST_CONNECTIONS = 500
MOST_UNACKNOWLEDGED = 20_000
MOST_UNACKNOWLEDGED_BYTES = 64 << 20
ANSWER_WITHIN = 5.0
PATIENCE = Patience()

_LOOK_SECONDS = 0.1


class Webhook:
    """A source that is posted to, at ``/<name>`` of a port it shares with others; see `webhooks`.

    What is posted is journalled as it came, the messages of a list one by one. A sender that hears no 200, for whatever
    reason, sends it again; it is then journalled again, and counted as a duplicate when it is decoded.
    Above a bound of messages in memory it answers 429.

    Parameters
    ----------
    endpoint : Endpoint
    most_unacknowledged : int
        Messages in memory.
    most_unacknowledged_bytes : int
        The same in memory [bytes], those still being received counted with the length they declare.
    stop_within : float
        How long to wait for the journal at the end [s].
    clock : Clock
    """

    port: Port
    """Where it listens."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        most_unacknowledged: int,
        most_unacknowledged_bytes: int,
        stop_within: float,
        clock: Clock,
    ) -> None:
        self._endpoint = endpoint
        self._most = most_unacknowledged
        self._most_bytes = most_unacknowledged_bytes
        self._stop_within = stop_within
        self._clock = clock
        self._intake: Intake
        self._stopping = False
        self._reserved = self._reserved_bytes = 0
        self._received = self._journalled = self._acknowledged = self._refused = 0
        self._connected_since: datetime | None = None
        self._last_message_at: datetime | None = None
        self._last_error: tuple[str, datetime] | None = None

    @property
    def name(self) -> str:
        """What the source is called."""
        return self._endpoint.name

    @property
    def endpoint(self) -> Endpoint:
        """Its path, and who may post to it."""
        return self._endpoint

    def health(self) -> SourceHealth:
        """Return how it is doing; from any thread."""
        error, error_at = self._last_error or (None, None)
        return SourceHealth(
            name=self.name,
            connected_since=self._connected_since,
            last_message_at=self._last_message_at,
            received=self._received,
            journalled=self._journalled,
            acknowledged=self._acknowledged,
            unacknowledged=self._received - self._journalled,
            refused=self._refused,
            last_error=error,
            last_error_at=error_at,
        )

    def run(self, intake: Intake, stop: threading.Event) -> None:
        """Receive until told to stop; see `ingest.collect.Source`.

        Raises
        ------
        UnavailableError
            If the port cannot be listened on.
        """
        self._intake = intake
        self._stopping = False
        with self.port.listening():
            self._connected_since = self._clock()
            stop.wait()
            self._stopping = True
            until = time.monotonic() + self._stop_within
            while self._reserved and time.monotonic() < until:
                time.sleep(_LOOK_SECONDS)
            self._connected_since = None

    def reserve(self, size: int) -> bool:
        """See `ingest.webhook_port.Receiver`, as for the methods below."""
        if self._stopping or self._reserved >= self._most or self._reserved_bytes + size > self._most_bytes:
            return False
        self._reserved += 1
        self._reserved_bytes += size
        return True

    def release(self, size: int) -> None:
        """Give room back."""
        self._reserved -= 1
        self._reserved_bytes -= size

    def take(self, path: str, body: bytes, committed: Callable[[int], None]) -> None:
        """Hand in what a body holds."""
        now = self._last_message_at = self._clock()
        messages = [RawMessage(self.name, path, now, text) for text in messages_in(body)]
        self._received += len(messages)
        # Room for one was kept; what comes next feels the others.
        self._reserved += len(messages) - 1
        self._intake.submit(messages, len(body), partial(committed, len(messages)))

    def note_durable(self, messages: int) -> None:
        """Count messages as journalled."""
        self._journalled += messages
        self._reserved -= messages - 1

    def note_acknowledged(self, messages: int) -> None:
        """Count messages as acknowledged."""
        self._acknowledged += messages

    def note_refusal(self, why: str) -> None:
        """Remember why a request was refused."""
        self._refused += 1
        self._last_error = why, self._clock()


def webhooks(
    endpoints: Sequence[Endpoint],
    host: str,
    port: int,
    *,
    most_unacknowledged: int = MOST_UNACKNOWLEDGED,
    most_unacknowledged_bytes: int = MOST_UNACKNOWLEDGED_BYTES,
    most_connections: int = MOST_CONNECTIONS,
    answer_within: float = ANSWER_WITHIN,
    stop_within: float = 10.0,
    patience: Patience = PATIENCE,
    clock: Clock = wall_clock,
) -> list[Webhook]:
    """Return sources that share a port.

    Parameters
    ----------
    endpoints : sequence of Endpoint
        With different names, none of them ``health``, which tells whether uplinks can be journalled.
    host : str
        Address to listen on.
    port : int
        0 for any that is free: `Webhook.port` then tells which.
    most_unacknowledged, most_unacknowledged_bytes, stop_within, clock
        Of each; see `Webhook`.
    most_connections : int
        Beyond them, the one that has waited longest for a request is closed; where none waits, the new one hears 503.
    answer_within : float
        After which a sender whose message is not durable yet is told to come again [s].
    patience : Patience
        How long senders may take.
    """
    hooks = [
        Webhook(
            endpoint,
            most_unacknowledged=most_unacknowledged,
            most_unacknowledged_bytes=most_unacknowledged_bytes,
            stop_within=stop_within,
            clock=clock,
        )
        for endpoint in endpoints
    ]
    shared = Port(
        host,
        port,
        {path: hook for hook in hooks for path in hook.endpoint.paths},
        most_connections=most_connections,
        answer_within=answer_within,
        patience=patience,
    )
    for hook in hooks:
        hook.port = shared
    return hooks
