"""Decode first: while much waits in the journal, what follows from readings can wait as well."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

LONGEST: Final = 60.0
"""How long something is put off at most [s]."""


class CatchingUp:
    """Puts off what the uplinks that still wait would cause anew.

    Parameters
    ----------
    many : int
        So many waiting uplinks are a backlog.
    longest : float
        How long something is put off at most [s].
    monotonic : callable
        Seconds of a clock that is never set.
    """

    def __init__(self, many: int, longest: float = LONGEST, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._many = many
        self._longest = longest
        self._monotonic = monotonic
        self._behind = False

    def note(self, waiting: int) -> None:
        """Tell how many uplinks wait to be decoded."""
        self._behind = waiting >= self._many

    def put_off(self, action: Callable[[], object]) -> Callable[[], object]:
        """Return an action that does nothing while there is a backlog, unless it has not been done for long."""
        done_at = self._monotonic()

        def patient() -> object:
            nonlocal done_at
            if self._behind and self._monotonic() - done_at < self._longest:
                return None
            result = action()
            done_at = self._monotonic()
            return result

        return patient
