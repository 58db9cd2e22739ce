"""When to decode next: a commit costs the same whatever is in it, so little may wait a while, and much may not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

MANY: Final = 5_000
"""So many uplinks are worth a commit of their own at once."""

_LOOK_EVERY: Final = 0.05


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
            self._taken = self._reached
        else:
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
        while not stop.is_set():
            now = self._monotonic()
            fresh = self._reach() - self._taken
            if now >= until or fresh >= self._many or (fresh > 0 and now >= self._worked_at + self._pause):
                return
            stop.wait(min(_LOOK_EVERY, until - now))
