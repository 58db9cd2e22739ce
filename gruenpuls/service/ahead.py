"""The process beside `work` that reads messages while others are stored."""

from __future__ import annotations

import gc
import os
import signal
import socket
import traceback
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Final, NoReturn

from gruenpuls.service.begin import begin
from gruenpuls.service.stopping import STOPPING
from gruenpuls.settings import Settings
from ingest.journal import Journal
from ingest.read_ahead import ReadAhead, read_for

NAME: Final = "read"


@contextmanager
def reading_ahead(settings: Settings) -> Iterator[ReadAhead | None]:
    """Have such a process while this lasts; None where the system cannot make one.

    It is a copy of this one, and shares what is loaded by now: call this before more is.
    """
    if not hasattr(os, "fork"):
        yield None
        return
    ours, theirs = socket.socketpair()
    with ours:
        gc.freeze()
        process = os.fork()
        if process == 0:
            ours.close()
            _read(theirs, settings)
        theirs.close()
        try:
            yield ReadAhead(ours)
        finally:
            # It may be in the middle of something nobody waits for any more, and has nothing to lose.
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)


def _read(line: socket.socket, settings: Settings) -> NoReturn:
    status = 1
    try:
        # It ends with its parent, who may have to be waited for.
        for number in STOPPING:
            signal.signal(number, signal.SIG_IGN)
        begin(NAME, settings)
        with closing(Journal.reader(settings.journal_dir)) as journal:
            read_for(line, journal)
        status = 0
    except BaseException:  # noqa: BLE001 - as the interpreter does with what nobody expects
        traceback.print_exc()
    finally:
        os._exit(status)
