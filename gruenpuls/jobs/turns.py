"""One large piece of work at a time, in turn: what each needs for a moment is in memory once, not side by side."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

Turn = Callable[[], AbstractContextManager[None]]
"""Gives a context that lasts for one piece of work; none may begin another within it."""


class InterruptedWorkError(Exception):
    """The process is to end; what is left waits for the next one."""


class Turns:
    """Lets threads work one after the other, a piece each: who has just worked lets the one that waits go first.

    That holds for two threads; of several that wait the system chooses.

    Parameters
    ----------
    tidy : callable or None
        What is done at the end of each turn, before the next begins.
    """

    def __init__(self, tidy: Callable[[], None] | None = None) -> None:
        self._tidy = tidy
        self._first = threading.Lock()
        self._at_work = threading.Lock()
        self._whose: int | None = None
        self._over = False

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for one's turn, and have it while the context lasts.

        Raises
        ------
        InterruptedWorkError
            If `end` was called.
        RuntimeError
            If this thread has its turn already: it would wait for itself.
        """
        if self._whose == threading.get_ident():
            message = "a turn within a turn"
            raise RuntimeError(message)
        # Who waits for the turn keeps the door, so that who has just had one cannot take the next as well.
        with self._first:
            self._at_work.acquire()
        try:
            self._whose = threading.get_ident()
            if self._over:
                raise InterruptedWorkError
            yield
            if self._tidy is not None:
                self._tidy()
        finally:
            self._whose = None
            self._at_work.release()

    def end(self) -> None:
        """Give no more turns."""
        self._over = True
