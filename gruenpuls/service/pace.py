"""When to decode next: a commit costs the same whatever is in it, so little may wait a while, and much may not.

What is left of much does not wait for company that does not come: a backlog is over when its last uplink is stored.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

MANY: Final = 5_000
"""So many uplinks are worth a commit of their own at once."""

_LOOK_EVERY: Final = 0.02


class Pace:
    """Begins a commit as soon as something has come, though not oftener than every `pause` unless much has.

    Parameters
    ----------
    pause : float
        [s].
    many : int
        So many uplinks do not wait for it.
    reach : callable
        The offset after the last uplink there is.
    monotonic : callable
        Seconds of a clock that is never set.
    """

    def __init__(
        self, pause: float, many: int, reach: Callable[[], int], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._pause = pause
        self._many = many
        self._reach = reach
        self._monotonic = monotonic
        self._worked_at = self._began_at = float("-inf")
        self._taken = self._reached = 0
        self._took_many = False

    def begin(self) -> None:
        """Tell that an attempt begins.

        Raises
        ------
        StorageError
            If the journal cannot be read.
        """
        self._began_at, self._reached = self._monotonic(), self._reach()

    def note(self, offset: int | None) -> int:
        """Tell up to where the attempt got, None where it found nothing to do; return about how many uplinks wait."""
        if offset is None:
            # Whatever was there, nobody can read it: only more is a reason to look again.
            self._taken, self._took_many = self._reached, False
        else:
            self._took_many = offset - self._taken >= self._many
            self._worked_at, self._taken = self._began_at, offset
        return max(0, self._reached - self._taken)

    def wait(self, stop: threading.Event) -> None:
        """Return once the next attempt is due: at the latest after the pause, or when told to stop.

        Raises
        ------
        StorageError
            If the journal cannot be read.
        """
        until = self._monotonic() + self._pause
        seen = self._reached
        while not stop.is_set():
            now, reach = self._monotonic(), self._reach()
            fresh = reach - self._taken
            is_rest = self._took_many and reach == seen
            if now >= until or fresh >= self._many:
                return
            if fresh > 0 and (is_rest or now >= self._worked_at + self._pause):
                return
            seen = reach
            stop.wait(min(_LOOK_EVERY, until - now))
