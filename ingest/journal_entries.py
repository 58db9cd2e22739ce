"""What decoding asks of the journal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from gruenpuls.domain.uplink import JournalEntry

_PORTION: Final = 1_000


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


class Entries:
    """What `read` returns, a few at a time: together, payloads take more memory than what comes of them.

    Parameters
    ----------
    journal : JournalEntries
    from_offset, limit, most_bytes : int
        See `JournalEntries.read`.
    """

    def __init__(self, journal: JournalEntries, from_offset: int, limit: int, most_bytes: int) -> None:
        self._journal = journal
        self._next = from_offset
        self._limit = limit
        self._most_bytes = most_bytes

    def more(self) -> list[JournalEntry]:
        """Return the next few; none where they are as many as there may be, or the journal has no more by now."""
        if self._limit <= 0 or self._most_bytes <= 0:
            return []
        some = self._journal.read(self._next, min(self._limit, _PORTION), self._most_bytes)
        if some:
            self._limit -= len(some)
            self._most_bytes -= sum(len(entry.message.payload) for entry in some)
            self._next = some[-1].offset + 1
        return some
