"""The source that closes gaps: what came while another source was away is fetched from the network."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from gruenpuls.domain.clock import Clock, wall_clock
from gruenpuls.domain.errors import StorageError
from gruenpuls.domain.uplink import RawMessage
from ingest.backfill import Keeper, Span
from ingest.backfill_fetch import Address, NotNowError, pages
from ingest.backfill_orders import ClosedGap, GapOrders
from ingest.collect import Intake, Source, SourceHealth

GAP_MARGIN = timedelta(minutes=1)
"""Before and after a gap: clocks differ, what was under way when the connection broke may be lost, and the network
may store an uplink a little later than it sends it."""

_NOTE_EVERY = timedelta(seconds=30)
_LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Watched:
    """Whose gaps are closed, and where from.

    Parameters
    ----------
    source : Source
    address : Address
    keeper : Keeper
    orders : GapOrders
    longest_absence : timedelta
        Shorter ones are no gap; no less than a minute, since the presence is noted only twice in that.
    """

    source: Source
    address: Address
    keeper: Keeper
    orders: GapOrders
    longest_absence: timedelta


class GapCloser:
    """A source beside another one, with its own count of messages.

    What it fetches is journalled as any uplink is; what came after all is a duplicate then. A gap is ordered on disk
    before its end is noted, so that it is closed even if the process ends meanwhile.

    Parameters
    ----------
    watched : Watched
    margin : timedelta
        What is fetched before and after an absence, too.
    clock : Clock
    """

    def __init__(self, watched: Watched, *, margin: timedelta = GAP_MARGIN, clock: Clock = wall_clock) -> None:
        self._watched = watched
        self._margin = margin
        self._clock = clock
        self._noted_at: datetime | None = None
        self._healthy_since: datetime | None = None
        self._last_message_at: datetime | None = None
        self._received = self._journalled = 0
        self._last_error: tuple[str, datetime] | None = None
        self._doing: str | None = None
        self._last_closed = next(iter(watched.orders.closed()[-1:]), None)

    @property
    def name(self) -> str:
        """What the source is called."""
        return f"{self._watched.source.name} (gaps)"

    def health(self) -> SourceHealth:
        """Return how it is doing; it counts as not connected while a network refuses to answer."""
        error, error_at = self._last_error or (None, None)
        return SourceHealth(
            name=self.name,
            connected_since=self._healthy_since,
            last_message_at=self._last_message_at,
            received=self._received,
            journalled=self._journalled,
            acknowledged=self._journalled,
            unacknowledged=self._received - self._journalled,
            last_error=error,
            last_error_at=error_at,
            doing=self._doing,
            gap=self._last_closed,
            remark=said_of(self._last_closed) if self._last_closed else None,
        )

    def run(self, intake: Intake, stop: threading.Event) -> None:
        """Watch and close until told to stop; see `ingest.collect.Source`."""
        while not stop.is_set():
            try:
                self._be_healthy()
                self._watch()
                for order, span in self._watched.orders.open():
                    if span.end <= self._clock() and not stop.is_set():
                        self._close(order, span, intake, stop)
            except StorageError as error:
                self._note(str(error))
            self._doing = None
            stop.wait(_LOOK_SECONDS)
        self._healthy_since = None

    def _watch(self) -> None:
        """Order what the other source has missed, once it is back."""
        now = self._clock()
        health = self._watched.source.health()
        connected_since = health.connected_since
        if connected_since is None or (self._noted_at and now - self._noted_at < _NOTE_EVERY):
            return
        covered = self._watched.orders.covered_until()
        if covered and covered < connected_since:
            # A broker that keeps the queue sends what came meanwhile; one that has lost it, or keeps none, never does.
            was_long = connected_since - covered > self._watched.longest_absence
            if was_long or (health.queue_lost_at is not None and health.queue_lost_at > covered):
                self._watched.orders.place(Span(covered - self._margin, connected_since + self._margin))
        self._watched.orders.note_covered(now)
        self._noted_at = now

    def _close(self, order: Path, span: Span, intake: Intake, stop: threading.Event) -> None:
        """Fetch a span; its order stays if told to stop before it was complete."""
        count = 0
        complete = True

        def on_trouble(error: NotNowError, wait: float) -> bool:
            nonlocal complete
            self._note(str(error))
            self._healthy_since = None
            until = time.monotonic() + wait
            while complete and (left := until - time.monotonic()) > 0:
                complete = not stop.wait(min(left, _LOOK_SECONDS)) and order.exists()
            return complete

        for messages in pages(self._watched.address, self._watched.keeper, span, on_trouble):
            self._be_healthy()
            if not self._journal(messages, intake, stop):
                return
            count += len(messages)
            self._doing = f"closing a gap from {_shown(span)}: {count} uplinks so far"
        if complete:
            self._last_closed = ClosedGap(span, count, self._clock())
            self._watched.orders.note_closed(self._last_closed)
            self._watched.orders.drop(order)

    def _journal(self, messages: tuple[bytes, ...], intake: Intake, stop: threading.Event) -> bool:
        now = self._clock()
        self._received += len(messages)
        self._last_message_at = now
        durable = threading.Event()
        raw = [RawMessage(self.name, "gap", now, message) for message in messages]
        intake.submit(raw, sum(map(len, messages)), durable.set)
        while not durable.wait(_LOOK_SECONDS):
            if stop.is_set():
                return False
        self._journalled += len(messages)
        return True

    def _be_healthy(self) -> None:
        self._healthy_since = self._healthy_since or self._clock()

    def _note(self, what: str) -> None:
        self._last_error = what, self._clock()


def said_of(gap: ClosedGap) -> str:
    """Return what a person reads of a gap that was closed."""
    if not gap.uplinks:
        return f"gap closed: the network has nothing from {_shown(gap.span)}; does it store uplinks, and that long?"
    return f"gap closed: {gap.uplinks} uplinks from {_shown(gap.span)}"


def _shown(span: Span) -> str:
    return f"{span.start:%Y-%m-%d %H:%M:%S} to {span.end:%Y-%m-%d %H:%M:%S} UTC"
