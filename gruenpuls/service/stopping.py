"""How a process learns that it shall stop."""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType


def stop_on_request(*, with_parent: bool) -> threading.Event:
    """Return an event that is set by SIGTERM, SIGINT, or by the parent's end.

    Parameters
    ----------
    with_parent : bool
        Whether standard input is a pipe from the parent that closes when the parent goes, however it goes.
    """
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    if with_parent:

        def await_parent() -> None:
            while os.read(sys.stdin.fileno(), 1024):
                pass
            stop.set()

        threading.Thread(target=await_parent, name="await-parent", daemon=True).start()
    return stop
