"""What became of messages, counted by device and source."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from gruenpuls.domain.ports import DeviceTally, Tally
from ingest.message import Message

_HOUR: Final = 3600


class _Count:
    __slots__ = ("dead_lettered", "decoded", "duplicates", "heard", "last_uplink_at")

    def __init__(self) -> None:
        self.decoded = 0
        self.dead_lettered = 0
        self.duplicates = 0
        self.last_uplink_at: datetime | None = None
        self.heard: set[tuple[tuple[str, ...], float]] = set()

    def heard_through(self) -> frozenset[tuple[str, int]]:
        """Return which gateways passed messages on in which hours; an empty name is the source itself."""
        through: set[tuple[str, int]] = set()
        for gateways, since_1970 in self.heard:
            hour = int(since_1970)
            through.add(("", hour))
            for name in gateways:
                through.add((name, hour))
        return frozenset(through)


class Counts:
    """Counts of one batch."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], _Count] = {}

    def _of(self, device: str, source: str) -> _Count:
        key = device, source
        return self._counts.get(key) or self._counts.setdefault(key, _Count())

    def arrived(self, messages: Iterable[Message]) -> None:
        """Count uplinks that came, as duplicates; `decided` takes out what they proved to be, before or after."""
        for message in messages:
            count = self._of(message.device, message.source)
            count.duplicates += 1
            heard_at = min(message.measured_at, message.received_at)
            if count.last_uplink_at is None or heard_at > count.last_uplink_at:
                count.last_uplink_at = heard_at
            count.heard.add((message.radio.heard_by, heard_at.timestamp() // _HOUR))

    def decided(self, device: str, source: str, number: int, *, dead: bool) -> None:
        """Count so many uplinks as what they proved to be; fewer than none take that back."""
        count = self._of(device, source)
        count.duplicates -= number
        if dead:
            count.dead_lettered += number
        else:
            count.decoded += number

    def unreadable(self, device: str, source: str, number: int) -> None:
        """Count so many messages that are no uplinks; fewer than none take that back."""
        self._of(device, source).dead_lettered += number

    def tallies(self) -> list[DeviceTally]:
        """Return what became of the messages."""
        return [
            DeviceTally(
                device,
                source,
                Tally(count.decoded, count.dead_lettered, count.duplicates),
                count.last_uplink_at,
                count.heard_through(),
            )
            for (device, source), count in self._counts.items()
        ]
