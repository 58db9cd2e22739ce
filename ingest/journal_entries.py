"""What decoding asks of the journal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gruenpuls.domain.uplink import JournalEntry


class JournalEntries(Protocol):
    """Messages by their offset."""

    def read(self, from_offset: int, limit: int, most_bytes: int) -> list[JournalEntry]:
        """Return up to `limit` entries from an offset on, in order.

        The one whose payload makes them `most_bytes` long together is the last.
        """
        ...

    def entries(self, offsets: Sequence[int]) -> list[JournalEntry]:
        """Return the entries at these offsets; those that are not there are left out."""
        ...
