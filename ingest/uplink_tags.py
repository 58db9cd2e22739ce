"""The 64-bit tags by which uplinks are found; more than one uplink can have the same."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np

from ingest.resolve import KEY_BYTES
from ingest.tag_filter import Tags

_SECOND_BITS: Final = 39
_MIDDLE: Final = 1 << 38
"""Lets every second a datetime can hold be a number of 39 bits; the device's number stands before it."""
EVER: Final = (-_MIDDLE * 1000, _MIDDLE * 1000)
"""A span that holds them all [ms since 1970 UTC]."""


def key_tags(keys: Iterable[bytes]) -> Tags:
    """Return the first 64 bits of each key."""
    return np.frombuffer(b"".join(keys), np.int64)[:: KEY_BYTES // 8]


def moment_tags(devices: Iterable[int], measured_at: Iterable[int]) -> Tags:
    """Return what sorts by device and second.

    Parameters
    ----------
    devices : iterable of int
        The index's own numbers.
    measured_at : iterable of int
        Milliseconds since 1970 UTC.
    """
    seconds = np.fromiter(measured_at, np.int64) // 1000
    return (np.fromiter(devices, np.int64) << _SECOND_BITS) + seconds + _MIDDLE


def seconds_of(tags: Tags) -> Tags:
    """Return the seconds since 1970 UTC in such tags."""
    return (tags & ((1 << _SECOND_BITS) - 1)) - _MIDDLE
