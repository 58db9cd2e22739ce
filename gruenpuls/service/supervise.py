"""Keeps processes running that share what this one has loaded."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Event
from typing import Final, NoReturn

import structlog

from gruenpuls.domain.errors import (
    BusyError,
    ConfigurationError,
    GruenpulsError,
    InputError,
    StorageError,
    UnavailableError,
)
from gruenpuls.service.memory import give_back
from gruenpuls.service.stopping import STOPPING, Requests, stop_on_request

# Trying again does not mend these.
_FINAL: Final = {error.exit_code for error in (InputError, ConfigurationError, BusyError)}
# These may mend themselves, but not in the first moments after the start: there they are a mistake of the set-up.
_FINAL_AT_START: Final = {error.exit_code for error in (UnavailableError, StorageError)}
# All load at once, which takes a small or busy machine long.
_STARTING = 60.0
_LOOK_EVERY = 0.2
_ENDING_EVERY = 0.02
_GRACE = 20.0
_LONGEST_PAUSE = 30.0

Act = Callable[[Event], None]
"""What a process does until the event is set."""
Tell = Callable[[GruenpulsError], None]
"""Says an error to the person who started the program."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass
class _Child:
    name: str
    act: Act
    process: int | None = None
    started: float = 0.0
    restart_at: float = 0.0
    failures: int = 0

    def ended_with(self) -> int | None:
        """Return the status, negative after a signal, of one that has just ended; None while it runs."""
        if self.process is None:
            return None
        ended, status = os.waitpid(self.process, os.WNOHANG)
        if not ended:
            return None
        self.process = None
        return os.waitstatus_to_exitcode(status)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, if it runs."""
        if self.process is not None:
            os.kill(self.process, number)


class ChildEndedError(GruenpulsError):
    """A process ended with an error that trying again does not mend; its own message is above."""

    def __init__(self, name: str, status: int) -> None:
        super().__init__(f"the process '{name}' ended with status {status}", remedy="its own message above says why")
        self.exit_code = status


def supervise(processes: Mapping[str, Act], requests: Requests, tell: Tell) -> None:
    """Run processes until asked to stop, starting again what crashes; return when all have ended.

    They are copies of this one, so what it has loaded is in memory once, as long as nobody changes it. It must not
    have threads, which are not copied.

    Parameters
    ----------
    processes : mapping of str to callable
        What each does, by name; the first is the first to be stopped.
    requests : Requests
        To stop.
    tell : callable
        Given an error that ends a process, in that process.

    Raises
    ------
    ChildEndedError
        If one ends with an error that starting it again does not mend.
    """
    # Whoever started this one may ignore it, which is handed on: then how a child ended could not be learnt.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    children = [_Child(name, act) for name, act in processes.items()]
    # Nobody else holds the second end: where it closes, this process has gone.
    lifeline, held = os.pipe()
    gc.collect()
    gc.freeze()
    give_back()

    def start(child: _Child) -> None:
        # Held back until the child has handlers of its own: this one's would ask the supervisor to stop.
        signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
        try:
            child.process = os.fork()
            if child.process == 0:
                _be(child, lifeline, held, requests, tell)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
        child.started = time.monotonic()

    try:
        while not requests.wait(_LOOK_EVERY):
            for child in children:
                _look_after(child, start)
    finally:
        _end(children)
        os.close(lifeline)
        os.close(held)


def pause_after(failures: int) -> float:
    """Return how long to wait before trying again after so many failures in a row [s]."""
    # Capped before it is raised: after hours of trying the power itself would not fit a number any more.
    return min(2.0 ** min(failures - 1, 10), _LONGEST_PAUSE)


def _be(child: _Child, lifeline: int, held: int, requests: Requests, tell: Tell) -> NoReturn:
    """Do what a child does, and end as it ends; nothing of the supervisor goes on in it."""
    status = 1
    try:
        os.close(held)
        requests.close()
        stop = stop_on_request(lifeline)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
        # In a session of its own, so that Ctrl-C reaches the supervisor alone, which stops them in order.
        os.setsid()
        child.act(stop)
        status = 0
    except GruenpulsError as error:
        status = error.exit_code
        tell(error)
    except BaseException:  # noqa: BLE001 - as the interpreter does with what nobody expects
        traceback.print_exc()
    finally:
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _look_after(child: _Child, start: Callable[[_Child], None]) -> None:
    now = time.monotonic()
    if child.process is None:
        if now >= child.restart_at:
            start(child)
        return
    status = child.ended_with()
    if status is None:
        return
    lived = now - child.started
    if status in _FINAL or (status in _FINAL_AT_START and child.failures == 0 and lived < _STARTING):
        raise ChildEndedError(child.name, status)
    child.failures = 1 if lived > _LONGEST_PAUSE else child.failures + 1
    pause = pause_after(child.failures)
    child.restart_at = now + pause
    _log.warning("process ended, starting it again", child=child.name, status=status, pause_seconds=pause)


def _end(children: Sequence[_Child]) -> None:
    # The collector first, so that nothing new comes in while the others finish.
    for child in children:
        child.send(signal.SIGTERM)
    deadline = time.monotonic() + _GRACE
    for child in children:
        while child.process is not None and child.ended_with() is None:
            if time.monotonic() > deadline:
                _log.warning("process does not end, killing it", child=child.name)
                child.send(signal.SIGKILL)
                os.waitpid(child.process, 0)
                break
            time.sleep(_ENDING_EVERY)
