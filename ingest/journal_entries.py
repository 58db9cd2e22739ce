"""What decoding asks of the journal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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


def entries_from(journal: JournalEntries, from_offset: int, limit: int, most_bytes: int) -> Iterator[JournalEntry]:
    """Yield what `read` returns, a few at a time: together, their payloads take more memory than what comes of them."""
    while limit > 0 and most_bytes > 0:
        some = journal.read(from_offset, min(limit, _PORTION), most_bytes)
        if not some:
            return
        yield from some
        limit -= len(some)
        most_bytes -= sum(len(entry.message.payload) for entry in some)
        from_offset = some[-1].offset + 1
