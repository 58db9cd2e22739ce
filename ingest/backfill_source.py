"""The source that closes gaps: what came while another source was away is fetched from the network."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

from gruenpuls.domain.clock import Clock, wall_clock
from gruenpuls.domain.errors import StorageError
from gruenpuls.domain.uplink import RawMessage
from ingest.backfill import Keeper, Span
from ingest.backfill_fetch import Address, NotNowError, pages
from ingest.backfill_orders import GapOrders
from ingest.collect import Intake, Source, SourceHealth

GAP_MARGIN = timedelta(minutes=1)
"""Before a gap: clocks differ, and what was under way when the connection broke may be lost."""

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
    clock : Clock
    """

    def __init__(self, watched: Watched, *, clock: Clock = wall_clock) -> None:
        self._watched = watched
        self._clock = clock
        self._noted_at: datetime | None = None
        self._healthy_since: datetime | None = None
        self._last_message_at: datetime | None = None
        self._received = self._journalled = 0
        self._last_error: tuple[str, datetime] | None = None
        self._remark: str | None = None

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
            remark=self._remark,
        )

    def run(self, intake: Intake, stop: threading.Event) -> None:
        """Watch and close until told to stop; see `ingest.collect.Source`."""
        self._healthy_since = self._clock()
        while not stop.is_set():
            try:
                self._watch()
                for order, span in self._watched.orders.open():
                    if not self._closed(span, intake, stop):
                        return
                    self._watched.orders.drop(order)
            except StorageError as error:
                self._note(str(error))
            stop.wait(_LOOK_SECONDS)
        self._healthy_since = None

    def _watch(self) -> None:
        """Order what the other source has missed, once it is back."""
        now = self._clock()
        connected_since = self._watched.source.health().connected_since
        if connected_since is None or (self._noted_at and now - self._noted_at < _NOTE_EVERY):
            return
        covered = self._watched.orders.covered_until()
        if covered and connected_since - covered > self._watched.longest_absence:
            self._watched.orders.place(Span(covered - GAP_MARGIN, connected_since))
        self._watched.orders.note_covered(now)
        self._noted_at = now

    def _closed(self, span: Span, intake: Intake, stop: threading.Event) -> bool:
        """Fetch a span; False if told to stop before it was complete."""
        count = 0
        complete = True

        def on_trouble(error: NotNowError, wait: float) -> bool:
            nonlocal complete
            self._note(str(error))
            self._healthy_since = None
            complete = not stop.wait(wait)
            return complete

        for messages in pages(self._watched.address, self._watched.keeper, span, on_trouble):
            self._healthy_since = self._healthy_since or self._clock()
            if messages and not self._journal(messages, intake, stop):
                return False
            count += len(messages)
            self._remark = f"closing a gap from {_shown(span)}: {count} uplinks so far"
        if complete:
            self._remark = f"gap closed: {count} uplinks from {_shown(span)}"
        return complete

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

    def _note(self, what: str) -> None:
        self._last_error = what, self._clock()


def _shown(span: Span) -> str:
    return f"{span.start:%Y-%m-%d %H:%M:%S} to {span.end:%Y-%m-%d %H:%M:%S} UTC"
