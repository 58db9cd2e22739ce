"""The windows in which a span is decoded again: few enough uplinks for one transaction, short enough for one read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from ingest.uplink_index import UplinkIndex

LONGEST: Final = 31 * 86_400_000
"""Of a window [ms]."""
BACK: Final = 400 * 86_400_000
"""No device's log goes back further than this from its uplink [ms]."""
AHEAD: Final = 31 * 86_400_000
"""No device's clock is ahead of its network's any further [ms]."""

_STEP: Final = 600_000


class Window(NamedTuple):
    """A stretch of time, milliseconds since 1970 UTC, the end exclusive, and about how many uplinks it has."""

    start: int
    end: int
    uplinks: int = 0

    def holds(self, moment: int) -> bool:
        """Return whether a moment lies in it."""
        return self.start <= moment < self.end


def windows(index: UplinkIndex, devices: Sequence[str], start: int, end: int, most: int) -> list[Window]:
    """Return the windows of a span, one after the other, as far as these devices can have readings in it.

    Parameters
    ----------
    index : UplinkIndex
    devices : sequence of str
    start, end : int
        Milliseconds since 1970 UTC, the end exclusive.
    most : int
        Uplinks in a window, unless more come within ten minutes.
    """
    extent = index.extent(devices)
    if extent is None:
        return []
    start, end = max(start, extent[0] - BACK), min(end, extent[1] + AHEAD)
    found: list[Window] = []
    held = 0
    counts = index.counts(devices, start, end, _STEP)
    for step, count in [*sorted(counts.items()), (end, 0)]:
        while step - start >= LONGEST:
            found.append(Window(start, start + LONGEST, held))
            start, held = start + LONGEST, 0
        if held and held + count > most:
            found.append(Window(start, step, held))
            start, held = step, 0
        held += count
    return [*found, Window(start, end, held)] if start < end else found
