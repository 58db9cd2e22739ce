"""The journal as decoding sees it, and how much of it makes one batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from gruenpuls.domain.uplink import JournalEntry

_BYTES: Final = 32 << 20
"""A batch ends early where its messages are this long together."""
_PORTION: Final = 1_000
"""Messages read at a time."""


class JournalEntries(Protocol):
    """What decoding asks of the journal."""

    def read(self, from_offset: int, limit: int) -> list[JournalEntry]:
        """Return up to `limit` entries from an offset on, in order."""
        ...

    def entries(self, offsets: Sequence[int]) -> list[JournalEntry]:
        """Return the entries at these offsets; those that are not there are left out."""
        ...


def next_entries(journal: JournalEntries, from_offset: int, limit: int) -> list[JournalEntry]:
    """Return the entries of a batch: up to `limit` from an offset on, fewer where they are long.

    A smaller limit gives the first of what a larger one gives.
    """
    entries: list[JournalEntry] = []
    room = _BYTES
    while room > 0 and len(entries) < limit:
        portion = journal.read(from_offset, min(limit - len(entries), _PORTION))
        if not portion:
            break
        entries += portion
        room -= sum(len(entry.message.payload) for entry in portion)
        from_offset = portion[-1].offset + 1
    return entries
