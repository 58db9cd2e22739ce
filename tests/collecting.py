"""What tests of collecting share: a publisher that knows what arrived at the broker, and a collector in a thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from ingest.collect import CollectHealth, Source, SourceHealth, collect
from ingest.journal import Journal

TOPIC = "city/+/up"


def until(condition: Callable[[], object], within: float = 60.0, every: float = 0.01) -> None:
    """Wait for something to become true, looked at every so many seconds."""
    end = time.monotonic() + within
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(every)


class Publisher:
    """Publishes numbers at QoS 1, and remembers which ones are under way and which ones the broker acknowledged.

    Connects again by itself; what was under way is then sent again.
    """

    def __init__(self, port: int, username: str | None = None, password: str | None = None) -> None:
        self.acknowledged: set[int] = set()
        self.under_way: dict[int, int] = {}
        self._early: set[int] = set()
        self._client = Client(CallbackAPIVersion.VERSION2)
        # Without a limit nothing is queued, so that the order is the one of `publish`.
        self._client.max_inflight_messages = 0
        self._client.reconnect_delay_set(1, 1)
        if username:
            self._client.username_pw_set(username, password)
        self._client.on_publish = self._on_publish
        self._client.connect("127.0.0.1", port)

    def __enter__(self) -> Self:
        self._client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def publish(self, number: int, size: int = 100) -> None:
        """Send a number, the payload filled up to a size [bytes]."""
        info = self._client.publish(f"city/{number % 7}/up", f"{number} ".encode().ljust(size, b"."), 1)
        self.under_way[info.mid] = number
        if info.mid in self._early:
            self._settle(info.mid)

    def publish_all(self, numbers: range, size: int = 100) -> None:
        """Send numbers, and wait until the broker has them all."""
        for number in numbers:
            self.publish(number, size)
        until(lambda: self.acknowledged.issuperset(numbers))

    def _on_publish(self, _client: Client, _data: object, mid: int, *_: object) -> None:
        # Without a lock, which paho would hold another one around. The answer may come before `publish` has noted the
        # number: each of both says its own first and then looks for the other's, so that at least one finds both.
        self._early.add(mid)
        self._settle(mid)

    def _settle(self, mid: int) -> None:
        number = self.under_way.get(mid)
        if number is not None:
            self.acknowledged.add(number)
            self._early.discard(mid)
            self.under_way.pop(mid, None)


class Collecting:
    """`collect` in a thread, and how it is doing."""

    def __init__(self, sources: list[Source], journal: Journal) -> None:
        self.sources = sources
        self._journal = journal
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._collect, daemon=True)
        self.reports: list[CollectHealth] = []
        self.error: Exception | None = None

    @property
    def health(self) -> SourceHealth:
        """The first source's."""
        return self.sources[0].health()

    def start(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """End properly."""
        self._stop.set()
        self.wait()

    def wait(self) -> None:
        """Wait for the end."""
        self._thread.join(60)
        assert not self._thread.is_alive(), "collecting does not end"

    def _collect(self) -> None:
        try:
            collect(self.sources, self._journal, self._stop, self.reports.append, health_seconds=0.1)
        except Exception as error:  # noqa: BLE001 - for the test to look at
            self.error = error


@contextmanager
def collecting(source: Source, journal: Journal) -> Iterator[Collecting]:
    """Collect while the block runs; an error of the collector is the test's."""
    running = Collecting([source], journal).start()
    try:
        yield running
    finally:
        running.stop()
    if running.error:
        raise running.error


def numbers(journal: Journal) -> list[int]:
    """Return the numbers in the journal, in order of arrival."""
    return [int(entry.message.payload.split()[0]) for entry in journal.read(0, 10_000_000)]
