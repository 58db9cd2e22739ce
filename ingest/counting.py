"""What became of messages, counted by device and source."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from gruenpuls.domain.ports import DeviceTally, Tally
from gruenpuls.domain.uplink import RawMessage, Uplink

_HOUR: Final = 3600


class _Count:
    __slots__ = ("dead_lettered", "decoded", "duplicates", "heard", "last_uplink_at")

    def __init__(self) -> None:
        self.decoded = 0
        self.dead_lettered = 0
        self.duplicates = 0
        self.last_uplink_at: datetime | None = None
        self.heard: set[tuple[tuple[str, ...], int]] = set()

    def heard_through(self) -> frozenset[tuple[str, int]]:
        """Return which gateways passed messages on in which hours; an empty name is the source itself."""
        return frozenset((name, hour) for gateways, hour in self.heard for name in ("", *gateways))


class Counts:
    """Counts of one batch."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], _Count] = {}

    def _of(self, device: str, source: str) -> _Count:
        key = device, source
        return self._counts.get(key) or self._counts.setdefault(key, _Count())

    def arrived(self, raw: RawMessage, uplink: Uplink) -> None:
        """Count an uplink as a duplicate, until `decided` knows better."""
        count = self._of(uplink.device, raw.source)
        count.duplicates += 1
        heard_at = min(uplink.measured_at, raw.received_at)
        if count.last_uplink_at is None or heard_at > count.last_uplink_at:
            count.last_uplink_at = heard_at
        count.heard.add((uplink.radio.heard_by, int(heard_at.timestamp()) // _HOUR))

    def decided(self, device: str, source: str, step: int, *, dead: bool) -> None:
        """Count an uplink as what it proved to be; with a step of -1 take that back."""
        count = self._of(device, source)
        count.duplicates -= step
        if dead:
            count.dead_lettered += step
        else:
            count.decoded += step

    def unreadable(self, device: str, source: str, step: int) -> None:
        """Count a message that is no uplink; with a step of -1 take that back."""
        self._of(device, source).dead_lettered += step

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
