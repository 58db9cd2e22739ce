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
    """Lets threads work one after the other, a piece each: whoever has worked lets those who wait go first.

    Threads that compute at the same time also wait for the interpreter's lock more than they work.
    """

    def __init__(self) -> None:
        self._first = threading.Lock()
        self._at_work = threading.Lock()
        self._over = False

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for one's turn, and have it while the context lasts.

        Raises
        ------
        InterruptedWorkError
            If `end` was called.
        """
        # Who waits for the turn keeps the door, so that who has just had one cannot take the next as well.
        with self._first:
            self._at_work.acquire()
        try:
            if self._over:
                raise InterruptedWorkError
            yield
        finally:
            self._at_work.release()

    def end(self) -> None:
        """Give no more turns."""
        self._over = True
