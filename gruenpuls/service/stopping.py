"""How a process learns that it shall stop."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import threading
from types import FrameType
from typing import Final

STOPPING: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""Signals that ask a process to stop; the last one comes from a terminal that closes."""


class Requests:
    """Signals that ask this process to end, instead of ending it, from the making of this on.

    Parameters
    ----------
    parent : int or None
        Descriptor of a pipe into which nobody writes, and which closes when the parent goes, however it goes: that
        is a request, too.
    """

    def __init__(self, parent: int | None = None) -> None:
        self._asked, self._ask = os.pipe()
        os.set_blocking(self._ask, False)
        self._sources = [self._asked] if parent is None else [self._asked, parent]
        for number in STOPPING:
            # Where it is ignored (nohup), it stays so.
            if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._on_signal)

    def wait(self, seconds: float | None = None) -> bool:
        """Return whether this process shall end: once it shall, or after so long [s]."""
        return bool(select.select(self._sources, [], [], seconds)[0])

    def close(self) -> None:
        """Let go of the descriptors, in a process that is asked in another way from now on."""
        for descriptor in (*self._sources, self._ask):
            os.close(descriptor)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        # Nothing that takes a lock: a second signal may come while the first one holds it.
        with contextlib.suppress(BlockingIOError):
            os.write(self._ask, b"\0")


def stop_on_request(parent: int | None = None) -> threading.Event:
    """Return an event that is set once this process shall end; for `parent` see `Requests`."""
    stop = threading.Event()
    requests = Requests(parent)

    def set_when_asked() -> None:
        requests.wait()
        stop.set()

    threading.Thread(target=set_when_asked, name="await-request", daemon=True).start()
    return stop
