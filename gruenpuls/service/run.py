"""`gruenpuls run`: everything in one process tree."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import structlog

from gruenpuls.domain.errors import ConfigurationError
from gruenpuls.service.logs import set_up_logs
from gruenpuls.service.registry import open_registry
from gruenpuls.service.rooms import keep_replay_spans, prepare, replay_spans
from gruenpuls.service.stopping import stop_on_request
from gruenpuls.service.supervise import supervise
from gruenpuls.settings import Settings

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


def run(settings: Settings, file: Path | None) -> None:
    """Run collect, work and serve until asked to stop.

    Raises
    ------
    ConfigurationError
        If there is no source to listen to.
    ChildEndedError
        If a process ends with an error that starting it again does not mend.
    """
    set_up_logs(settings.log.level, settings.log.form, "run")
    if not (settings.sources or settings.webhooks):
        what = "there is no source to listen to"
        remedy = "fill a [[sources]] or [[webhooks]] table of gruenpuls.toml, or try `gruenpuls demo`"
        raise ConfigurationError(what, where="sources", remedy=remedy)
    prepare(settings)
    _end_replay(settings)
    stop = stop_on_request(with_parent=False)
    _log.info("starting", page=f"http://{settings.console.host}:{settings.console.port}")
    supervise(["--settings", str(file)] if file else [], stop)
    _log.info("stopped")


def _end_replay(settings: Settings) -> None:
    """Go back to the present: a replay that was killed, or cut off by a power failure, left its clock behind."""
    with closing(open_registry(settings)) as registry:
        left = replay_spans(registry)
        if left:
            keep_replay_spans(registry, [], actor="gruenpuls run")
            _log.warning("the clock of a replay was left behind, going on with the present", replay=left[0].name)
