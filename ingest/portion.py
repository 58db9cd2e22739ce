"""How many messages a batch takes: as many as there may be, fewer while one of them breaks decoding."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, TypeVar

from gruenpuls.domain.errors import GruenpulsError
from ingest.message import Read, offset_of
from ingest.uplink_index_file import DamagedIndexError

OF_THE_WORLD: Final = (GruenpulsError, DamagedIndexError, MemoryError, OSError)
"""What a full disk, a server that is away or a machine without memory raises: no message is to blame."""

_Result = TypeVar("_Result")

_log = logging.getLogger(__name__)


class Portion:
    """Finds the one message that breaks a batch, which nobody foresaw, by halving what is tried.

    Parameters
    ----------
    limit : int
        Most messages in one batch.

    Attributes
    ----------
    size : int
        Most messages in the next one.
    poison : Exception or None
        What the message that is tried now, alone, raised the last time.
    end : int
        Where what is tried now ends: the offset after it.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = limit
        self.poison: Exception | None = None
        self.end = 0
        self._taken = 0
        self._first = 0

    def take(self, reads: Iterable[Read]) -> Iterator[tuple[Read, Exception | None]]:
        """Yield which of these messages are tried now: the first alone, with what it raised, if it broke a batch."""
        self._taken = 0
        for read in reads:
            offset = offset_of(read)
            if not self._taken and offset != self._first:
                self._first, self.poison = offset, None
            self._taken += 1
            self.end = offset + 1
            yield read, self.poison
            if self.poison is not None:
                # Others may have come since.
                return

    def narrow(self, error: Exception) -> None:
        """Have the next batch hold half as many messages as the one that raised `error`.

        Raises
        ------
        Exception
            `error`, if it has nothing to do with a message.
        """
        taken, self._taken = self._taken, 0
        if not taken or self.poison is not None:
            self.poison = None
            raise error
        if taken > 1:
            self.size = taken // 2
            _log.warning("a batch of %d messages breaks decoding, trying %d of them: %r", taken, self.size, error)
            return
        self.poison = error
        _log.error("a message breaks decoding and becomes a dead letter", exc_info=error)

    def widen(self) -> None:
        """Note that the batch is done: the next one may be twice as large."""
        self.poison = None
        self._taken = 0
        self.size = min(self.size * 2, self.limit)


def halving(offsets: Sequence[int], act: Callable[[Sequence[int]], _Result]) -> Iterator[_Result | None]:
    """Yield what comes of messages, of all at once if it can be; None for one that raises when it is tried alone."""
    waiting = [offsets]
    while waiting:
        part = waiting.pop()
        try:
            yield act(part)
        except OF_THE_WORLD:
            raise
        except Exception:  # noqa: BLE001  one message never stops the others
            if len(part) == 1:
                _log.exception("the message at offset %d breaks decoding and stays a dead letter", part[0])
                yield None
            else:
                waiting += [part[len(part) // 2 :], part[: len(part) // 2]]
