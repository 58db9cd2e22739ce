"""Keeps the three processes running: collect, work and serve."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from gruenpuls.domain.errors import (
    BusyError,
    ConfigurationError,
    GruenpulsError,
    InputError,
    StorageError,
    UnavailableError,
)
from gruenpuls.service.logs import set_up_logs
from gruenpuls.service.stopping import stop_on_request
from gruenpuls.settings import Settings

PROCESSES: Final = ("collect", "work", "serve")
AS_PREPARED: Final = "--as-prepared"
"""After `run`: registry and stores are there."""
WITH_PARENT: Final = "--with-parent"
"""After another process's name: it ends when its standard input closes, since its parent has gone."""
# Trying again does not mend these.
_FINAL: Final = {error.exit_code for error in (InputError, ConfigurationError, BusyError)}
# These may mend themselves, but not in the first moments after the start: there they are a mistake of the set-up.
_FINAL_AT_START: Final = {error.exit_code for error in (UnavailableError, StorageError)}
_STARTING = 10.0
_GRACE = 20.0
_LONGEST_PAUSE = 30.0

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass
class _Child:
    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    restart_at: float = 0.0
    failures: int = 0

    def start(self) -> None:
        # In a session of its own, so that Ctrl-C reaches the supervisor alone, which stops them in order.
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, start_new_session=True)  # noqa: S603 - our own program
        self.started = time.monotonic()

    def status(self) -> int | None:
        return self.process.poll() if self.process else None


class ChildEndedError(GruenpulsError):
    """A process ended with an error that trying again does not mend; its own message is above."""

    def __init__(self, name: str, status: int) -> None:
        super().__init__(f"the process '{name}' ended with status {status}", remedy="its own message above says why")
        self.exit_code = status


def program(*words: str) -> list[str]:
    """Return how a process of this program is started; `gruenpuls.service.start` understands these words."""
    return [sys.executable, "-m", "gruenpuls", *words]


def run_supervisor(settings: Settings, file: Path | None) -> None:
    """Run collect, work and serve until asked to stop.

    Raises
    ------
    ChildEndedError
        If a process ends with an error that starting it again does not mend.
    """
    set_up_logs(settings.log.level, settings.log.form, "run")
    stop = stop_on_request(with_parent=False)
    _log.info("starting", page=f"http://{settings.console.host}:{settings.console.port}")
    supervise(["--settings", str(file)] if file else [], stop)
    _log.info("stopped")


def supervise(
    arguments: Sequence[str],
    stop: threading.Event,
    *,
    processes: Sequence[str] = PROCESSES,
    started: threading.Event | None = None,
) -> None:
    """Run the processes until `stop`, restarting what crashes; return when all have ended.

    Parameters
    ----------
    arguments : sequence of str
        Options every process gets, such as the settings file.
    stop : threading.Event
    processes : sequence of str
        Their names, which are commands of the program.
    started : threading.Event or None
        Set once every process has been started.

    Raises
    ------
    ChildEndedError
        If one ends with an error that starting it again does not mend.
    """
    children = [_Child(name, program(*arguments, name, WITH_PARENT)) for name in processes]
    try:
        for child in children:
            child.start()
        if started:
            started.set()
        while not stop.wait(0.2):
            for child in children:
                _look_after(child)
    finally:
        _end(children)


def pause_after(failures: int) -> float:
    """Return how long to wait before trying again after so many failures in a row [s]."""
    # Capped before it is raised: after hours of trying the power itself would not fit a number any more.
    return min(2.0 ** min(failures - 1, 10), _LONGEST_PAUSE)


def _look_after(child: _Child) -> None:
    now = time.monotonic()
    if child.process is None:
        if now >= child.restart_at:
            child.start()
        return
    status = child.status()
    if status is None:
        return
    lived = now - child.started
    child.process = None
    if status in _FINAL or (status in _FINAL_AT_START and child.failures == 0 and lived < _STARTING):
        raise ChildEndedError(child.name, status)
    child.failures = 1 if lived > _LONGEST_PAUSE else child.failures + 1
    pause = pause_after(child.failures)
    child.restart_at = now + pause
    _log.warning("process ended, starting it again", child=child.name, status=status, pause_seconds=pause)


def _end(children: Sequence[_Child]) -> None:
    # The collector first, so that nothing new comes in while the others finish.
    for child in children:
        if child.process and child.process.poll() is None:
            child.process.terminate()
    deadline = time.monotonic() + _GRACE
    for child in children:
        if child.process is None:
            continue
        try:
            child.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            _log.warning("process does not end, killing it", child=child.name)
            child.process.kill()
            child.process.wait()
        if child.process.stdin:
            child.process.stdin.close()
