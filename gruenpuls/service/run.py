"""`gruenpuls run`: everything in one process tree."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from pathlib import Path
from typing import NoReturn

import structlog

from gruenpuls.domain.errors import ConfigurationError
from gruenpuls.service.logs import set_up_logs
from gruenpuls.service.registry import open_registry
from gruenpuls.service.rooms import keep_replay_spans, prepare, replay_spans
from gruenpuls.service.soil import limit_table
from gruenpuls.service.start import program
from gruenpuls.settings import Settings

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


def run(settings: Settings, file: Path | None) -> NoReturn:
    """Prepare what is kept, and become the supervisor of collect, work and serve.

    This process is replaced, since it would hold on to all it has loaded to prepare the stores.

    Raises
    ------
    ConfigurationError
        If there is no source to listen to, or the settings name limits that cannot be.
    BusyError
        If the service runs already.
    UnavailableError
        If this system cannot copy a process.
    """
    set_up_logs(settings.log.level, settings.log.form, "run")
    command = program(file)
    if not (settings.sources or settings.webhooks):
        what = "there is no source to listen to"
        remedy = "fill a [[sources]] or [[webhooks]] table of gruenpuls.toml, or try `gruenpuls demo`"
        raise ConfigurationError(what, where="sources", remedy=remedy)
    limit_table(settings)  # refused here, before anything starts
    prepare(settings)
    _end_replay(settings)
    os.execv(sys.executable, command)  # noqa: S606 - our own program


def _end_replay(settings: Settings) -> None:
    """Go back to the present: a replay that was killed, or cut off by a power failure, left its clock behind."""
    with closing(open_registry(settings)) as registry:
        left = replay_spans(registry)
        if left:
            keep_replay_spans(registry, [], actor="gruenpuls run")
            _log.warning("the clock of a replay was left behind, going on with the present", replay=left[0].name)
