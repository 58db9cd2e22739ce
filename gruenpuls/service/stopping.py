"""How a process learns that it shall stop."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from types import FrameType


def stop_on_request(*, with_parent: bool) -> threading.Event:
    """Return an event that is set by SIGTERM, SIGINT, SIGHUP, or by the parent's end.

    A terminal that closes sends SIGHUP; where that is ignored (nohup), it stays so.

    Parameters
    ----------
    with_parent : bool
        Whether standard input is a pipe from the parent that closes when the parent goes, however it goes.
    """
    stop = threading.Event()
    asked, ask = os.pipe()
    os.set_blocking(ask, False)

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        # Nothing that takes a lock: a second signal may come while the first one holds it.
        with contextlib.suppress(BlockingIOError):
            os.write(ask, b"\0")

    def set_when_readable(descriptor: int) -> None:
        os.read(descriptor, 1)
        stop.set()

    def set_at_end(descriptor: int) -> None:
        while os.read(descriptor, 1024):
            pass
        stop.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, on_signal)
    threading.Thread(target=set_when_readable, args=(asked,), name="await-signal", daemon=True).start()
    if with_parent:
        threading.Thread(target=set_at_end, args=(sys.stdin.fileno(),), name="await-parent", daemon=True).start()
    return stop
