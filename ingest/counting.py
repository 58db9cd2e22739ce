"""What became of messages, counted by device and source."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import chain
from typing import Final, TypeAlias

from gruenpuls.domain.ports import DeviceTally, Tally
from ingest.message import Message

_HOUR: Final = 3600

_Passed: TypeAlias = tuple[tuple[str, ...], int]
"""Gateways that passed a message on, and in which hour since 1970 UTC."""
_Relays: TypeAlias = tuple[tuple[str, int], ...]
"""Each of them with the hour, and the source itself as an empty name."""


class _Count:
    __slots__ = ("dead_lettered", "decoded", "duplicates", "last_uplink_at", "passed")

    def __init__(self) -> None:
        self.decoded = 0
        self.dead_lettered = 0
        self.duplicates = 0
        self.last_uplink_at: datetime | None = None
        self.passed: set[_Passed] = set()


class Counts:
    """Counts of one batch."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], _Count] = {}
        # Most messages of a batch come the same ways: each is kept once.
        self._passed: dict[_Passed, _Passed] = {}

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
            passed = message.radio.heard_by, int(heard_at.timestamp() // _HOUR)
            count.passed.add(self._passed.setdefault(passed, passed))

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
        relays = {passed: _relays(*passed) for passed in self._passed}
        return [
            DeviceTally(
                device,
                source,
                Tally(count.decoded, count.dead_lettered, count.duplicates),
                count.last_uplink_at,
                _joined([relays[passed] for passed in count.passed]),
            )
            for (device, source), count in self._counts.items()
        ]


def _relays(gateways: Iterable[str], hour: int) -> _Relays:
    return tuple((name, hour) for name in {"", *gateways})


def _joined(parts: Sequence[_Relays]) -> _Relays:
    """Return all of them, each once; those of one way are shared by all devices."""
    return parts[0] if len(parts) == 1 else tuple(set(chain.from_iterable(parts)))
