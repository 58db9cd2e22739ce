"""The supervisor of `run`, in a process of its own without the command line, once everything is prepared."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from threading import Event
from typing import Final

import structlog

from gruenpuls.domain.errors import UnavailableError
from gruenpuls.service.begin import begin
from gruenpuls.service.stopping import Requests
from gruenpuls.service.supervise import Tell, supervise
from gruenpuls.settings import Settings, settings_from

PROCESSES: Final = ("collect", "work", "serve")
AS_PREPARED: Final = "--as-prepared"
"""After `run`: registry and stores are there."""
WITH_PARENT: Final = "--with-parent"
"""Behind it: it ends when its standard input closes, since its parent has gone."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


def program(file: Path | None, *words: str) -> list[str]:
    """Return how the supervisor is started.

    Parameters
    ----------
    file : Path or None
        With settings.
    words : str
        `WITH_PARENT`, or nothing.

    Raises
    ------
    UnavailableError
        If this system cannot copy a process.
    """
    if not hasattr(os, "fork"):
        what = "the processes of `run` are copies of one, which this system cannot make"
        raise UnavailableError(what, where=sys.platform, remedy="start collect, work and serve each by itself")
    settings_file = ["--settings", str(file)] if file else []
    return [sys.executable, "-m", "gruenpuls", *settings_file, "run", AS_PREPARED, *words]


def start(words: Sequence[str], tell: Tell) -> None:
    """Run collect, work and serve until asked to stop.

    Parameters
    ----------
    words : sequence of str
        What `program` returned, from the settings on.
    tell : callable
        Given an error that ends one of the three, in that process.

    Raises
    ------
    ChildEndedError
        If a process ends with an error that starting it again does not mend.
    """
    file = Path(words[1]) if words[0] == "--settings" else None
    settings = settings_from(file)
    begin("run", settings)
    requests = Requests(os.dup(0) if words[-1] == WITH_PARENT else None)
    _close_input()
    _load()
    _log.info("starting", page=f"http://{settings.console.host}:{settings.console.port}")
    supervise({name: partial(run_process, name, settings) for name in PROCESSES}, requests, tell)
    _log.info("stopped")


def _close_input() -> None:
    """Let nothing be read from the terminal."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    if nothing != 0:
        os.dup2(nothing, 0)
        os.close(nothing)


def _load() -> None:
    """Load what at least two of the three need, without a thread left from it."""
    # Before numpy is loaded: its algebra would keep a thread for each processor.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    import duckdb  # noqa: PLC0415 - see above

    import gruenpuls.queries.intake  # noqa: PLC0415 - see above
    import gruenpuls.service.rooms  # noqa: PLC0415 - see above
    import gruenpuls.service.soil  # noqa: F401, PLC0415 - see above
    import ingest.read_ahead  # noqa: F401, PLC0415 - see above

    # Loading it starts an engine of its own that nobody asks anything, with a thread.
    duckdb.close()


def run_process(process: str, settings: Settings, stop: Event) -> None:
    """Do what one of `PROCESSES` does until asked to stop."""
    # Each loads what only it needs: the collector neither the console nor what is computed.
    match process:
        case "collect":
            from gruenpuls.service.collect import run_collector  # noqa: PLC0415 - see above

            run_collector(settings, stop)
        case "work":
            from gruenpuls.service.ahead import reading_ahead  # noqa: PLC0415 - see above

            with reading_ahead(settings) as ahead:
                from gruenpuls.service.work import run_work  # noqa: PLC0415 - see above

                run_work(settings, stop, ahead)
        case "serve":
            from gruenpuls.service.serve import run_console  # noqa: PLC0415 - see above

            run_console(settings, stop)
