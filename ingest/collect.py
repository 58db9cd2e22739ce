"""From sources into the journal: one commit for all, and only then the sources' acknowledgements.

What this module imports stays light: it runs in a process of its own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from queue import Empty, SimpleQueue
from typing import Protocol

from gruenpuls.domain.errors import StorageError
from gruenpuls.domain.uplink import RawMessage
from ingest.backfill_orders import ClosedGap
from ingest.journal import Journal

MOST_MESSAGES = 5_000
"""In one commit."""

MOST_BYTES = 16 << 20
"""After which a commit takes no more company; one submission may be larger."""

WAIT_SECONDS = 0.005
"""How long a commit waits for company."""

_FIRST_RETRY_SECONDS = 0.2
_LONGEST_RETRY_SECONDS = 5.0
_LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class SourceHealth:
    """How a source is doing; counts are since the process began.

    Parameters
    ----------
    name : str
    connected_since : datetime or None
        Aware UTC; None while it is not connected.
    last_message_at : datetime or None
        When the last message was received; aware UTC.
    received, journalled, acknowledged : int
        Messages taken from the source, on disk, and acknowledged to it.
    unacknowledged : int
        Messages in memory, not yet on disk.
    reconnects : int
        Connections after the first.
    last_error : str or None
        For a person; it stays when things are well again.
    last_error_at : datetime or None
        Aware UTC.
    refused : int
        Requests of senders that were refused, for whatever reason.
    has_queue : bool
        Whether it was ever connected, in this run or an earlier one, so that the broker should keep a queue for it.
    queues_lost : int
        Connections at which the broker had no queue of ours any more.
    queue_lost_at : datetime or None
        The latest of them, also of an earlier run; aware UTC.
    dropped_by_broker : int or None
        What the broker says it has thrown away, for all its clients; None where it does not say.
    dropped_at : datetime or None
        When that was last seen to grow, also in an earlier run; aware UTC.
    doing : str or None
        What it is at, where that takes time.
    gap : ClosedGap or None
        The gap it has closed last.
    remark : str or None
        What else a person may want to know of it.
    """

    name: str
    connected_since: datetime | None = None
    last_message_at: datetime | None = None
    received: int = 0
    journalled: int = 0
    acknowledged: int = 0
    unacknowledged: int = 0
    reconnects: int = 0
    last_error: str | None = None
    last_error_at: datetime | None = None
    refused: int = 0
    has_queue: bool = False
    queues_lost: int = 0
    queue_lost_at: datetime | None = None
    dropped_by_broker: int | None = None
    dropped_at: datetime | None = None
    doing: str | None = None
    gap: ClosedGap | None = None
    remark: str | None = None


@dataclass(frozen=True, slots=True)
class CommitHealth:
    """How the journal is doing; counts are since the process began.

    Parameters
    ----------
    commits, messages : int
    seconds : float
        Spent in commits [s].
    longest_seconds : float
        The longest commit [s].
    error : str or None
        Why the journal cannot be written at present; None while it can.
    """

    commits: int = 0
    messages: int = 0
    seconds: float = 0.0
    longest_seconds: float = 0.0
    error: str | None = None


@dataclass(frozen=True, slots=True)
class CollectHealth:
    """How collecting is doing."""

    sources: tuple[SourceHealth, ...]
    journal: CommitHealth


class Intake(Protocol):
    """Where a source hands in what it received."""

    def submit(self, messages: Sequence[RawMessage], size: int, committed: Callable[[], None]) -> None:
        """Have messages journalled, in the order they were handed in.

        Parameters
        ----------
        messages : sequence of RawMessage
            Not to be changed afterwards.
        size : int
            About how much memory they take [bytes]. A source bounds what it has handed in itself.
        committed : callable
            Called from another thread once all of them are durable; it must not wait.
            Never called if they could not be journalled before the end.
        """
        ...


class Source(Protocol):
    """Where messages come from: a broker, a webhook."""

    @property
    def name(self) -> str:
        """What it is called in counts and messages; unique."""
        ...

    def run(self, intake: Intake, stop: threading.Event) -> None:
        """Receive until told to stop; then acknowledge what is durable and end within seconds.

        Raises
        ------
        GruenpulsError
            If it cannot go on.
        """
        ...

    def health(self) -> SourceHealth:
        """Return how it is doing; called from another thread."""
        ...


@dataclass(frozen=True, slots=True)
class _Submission:
    messages: Sequence[RawMessage]
    size: int
    committed: Callable[[], None]


class GroupCommit:
    """Commits whatever has been handed in meanwhile in one go, and tells whose it was.

    While the journal cannot be written it tries again and again, and nobody is told anything.

    Parameters
    ----------
    journal : Journal
        Used by the thread in `run` alone.
    most_messages : int
        In one commit, give or take one submission.
    wait_seconds : float
        How long a commit waits for company [s].
    """

    def __init__(
        self, journal: Journal, *, most_messages: int = MOST_MESSAGES, wait_seconds: float = WAIT_SECONDS
    ) -> None:
        self._journal = journal
        self._most_messages = most_messages
        self._wait_seconds = wait_seconds
        self._queue: SimpleQueue[_Submission | None] = SimpleQueue()
        self._ending = threading.Event()
        self._health = CommitHealth()

    @property
    def health(self) -> CommitHealth:
        """How the journal is doing."""
        return self._health

    def submit(self, messages: Sequence[RawMessage], size: int, committed: Callable[[], None]) -> None:
        """See `Intake.submit`."""
        self._queue.put(_Submission(messages, size, committed))

    def end(self) -> None:
        """Commit what has been handed in, and end; a journal that cannot be written is tried once more."""
        self._ending.set()
        self._queue.put(None)

    def run(self) -> None:
        """Commit until the end."""
        more = True
        while more:
            group, more = self._next_group()
            messages = [message for submission in group for message in submission.messages]
            if not self._journalled(messages):
                return
            for submission in group:
                submission.committed()

    def _next_group(self) -> tuple[list[_Submission], bool]:
        """Return what is to be committed together, and whether there may be more."""
        submission = self._queue.get()
        group: list[_Submission] = []
        count = size = 0
        patience = time.monotonic() + self._wait_seconds
        while submission is not None:
            group.append(submission)
            count += len(submission.messages)
            size += submission.size
            if count >= self._most_messages or size >= MOST_BYTES:
                return group, True
            try:
                submission = self._queue.get(timeout=max(0.0, patience - time.monotonic()))
            except Empty:
                return group, True
        return group, False

    def _journalled(self, messages: Sequence[RawMessage]) -> bool:
        pause = _FIRST_RETRY_SECONDS
        while messages:
            started = time.monotonic()
            try:
                self._journal.append(messages)
            except StorageError as error:
                self._note(0, 0, time.monotonic() - started, str(error))
                if self._ending.wait(pause):
                    return False
                pause = min(2 * pause, _LONGEST_RETRY_SECONDS)
            else:
                self._note(1, len(messages), time.monotonic() - started, None)
                break
        return True

    def _note(self, commits: int, messages: int, seconds: float, error: str | None) -> None:
        self._health = CommitHealth(
            self._health.commits + commits,
            self._health.messages + messages,
            self._health.seconds + seconds,
            max(self._health.longest_seconds, seconds),
            error,
        )


class _Worker(threading.Thread):
    """A thread whose error somebody asks for."""

    def __init__(self, name: str, work: Callable[[], None]) -> None:
        super().__init__(name=name, daemon=True)
        self._work = work
        self.error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001 - handed to whoever started the thread
            self.error = error


def collect(
    sources: Sequence[Source],
    journal: Journal,
    stop: threading.Event,
    on_health: Callable[[CollectHealth], None],
    *,
    health_seconds: float = 5.0,
    most_messages: int = MOST_MESSAGES,
    wait_seconds: float = WAIT_SECONDS,
) -> None:
    """Journal what the sources bring until told to stop, or until one of them cannot go on.

    Parameters
    ----------
    sources : sequence of Source
    journal : Journal
        Used by a thread of this function's until it returns.
    stop : threading.Event
        Sources then stop reading, what they have handed in is committed and acknowledged.
    on_health : callable
        Called in this thread every `health_seconds`, and at the end.
    health_seconds : float
        [s].
    most_messages, wait_seconds
        See `GroupCommit`.

    Raises
    ------
    GruenpulsError
        What ended a source, once the others have ended properly.
    """
    commit = GroupCommit(journal, most_messages=most_messages, wait_seconds=wait_seconds)
    halt = threading.Event()
    committer = _Worker("commit", commit.run)
    workers = [_Worker(f"source-{source.name}", partial(source.run, commit, halt)) for source in sources]
    try:
        report_at = 0.0
        while all(worker.is_alive() for worker in (committer, *workers)):
            if time.monotonic() >= report_at:
                on_health(_health(sources, commit))
                report_at = time.monotonic() + health_seconds
            if stop.wait(_LOOK_SECONDS):
                break
    finally:
        halt.set()
        for worker in workers:
            worker.join()
        commit.end()
        committer.join()
    on_health(_health(sources, commit))
    for worker in (*workers, committer):
        if worker.error:
            raise worker.error


def _health(sources: Sequence[Source], commit: GroupCommit) -> CollectHealth:
    return CollectHealth(tuple(source.health() for source in sources), commit.health)
