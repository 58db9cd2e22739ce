"""How long a source may be silent: by what the profiles of the devices it lately brought promise."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from itertools import accumulate
from typing import Final

_MOST_MISSED: Final = 6
"""Intervals in a row without a message of any device: one device alone loses so many by chance in 1 of 15,000 cases
where the network loses every fifth message."""
_SHORTEST: Final = timedelta(minutes=10)
HEARD_WITHIN: Final = timedelta(days=3)
"""Before a source's last uplink; devices heard earlier are not expected to be any more."""


def longest_pauses(
    heard: Mapping[tuple[str, str], int],
    sources: Collection[str],
    interval: Callable[[str], timedelta | None],
) -> dict[str, timedelta]:
    """Return by source how long a pause is still none: six intervals of its middle device, at least ten minutes.

    Parameters
    ----------
    heard : mapping of (source, profile) to int
        How many devices of a profile each source lately brought.
    sources : collection of str
        Those of interest.
    interval : callable
        What a profile promises; None where it is not known.
    """
    promised: dict[str, list[tuple[timedelta, int]]] = {}
    for (source, profile), devices in heard.items():
        every = interval(profile)
        if source in sources and every is not None:
            promised.setdefault(source, []).append((every, devices))
    return {source: max(_SHORTEST, _MOST_MISSED * _middle(intervals)) for source, intervals in promised.items()}


def _middle(intervals: list[tuple[timedelta, int]]) -> timedelta:
    """Return what at least half of the devices promise."""
    # Not the fastest one's, since many fleets send all at the full hour.
    ordered = sorted(intervals)
    half = sum(devices for _, devices in ordered) / 2
    counts = accumulate(devices for _, devices in ordered)
    return next(every for (every, _), count in zip(ordered, counts, strict=True) if count >= half)
