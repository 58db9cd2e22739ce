"""The serving process: the console and the interfaces for machines, on the stores and the registry."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import closing
from zoneinfo import ZoneInfo

import structlog

from gruenpuls.api.routes import machine_router
from gruenpuls.api.state import Observed
from gruenpuls.console.app import console_app
from gruenpuls.console.server import ConsoleServer
from gruenpuls.console.settings import BaseMap, ConsoleSettings
from gruenpuls.domain.clock import wall_clock
from gruenpuls.domain.errors import GruenpulsError, UnavailableError
from gruenpuls.service.begin import begin
from gruenpuls.service.ready import ready_limits
from gruenpuls.service.registry import open_registry
from gruenpuls.service.rooms import clock, known_rules, reading_store, replay_spans
from gruenpuls.service.soil import limit_table
from gruenpuls.settings import Settings
from gruenpuls.simulation.measured import NOTICES
from gruenpuls.stores.registry import Registry

_log: structlog.stdlib.BoundLogger = structlog.get_logger()

_REPORT_EVERY = 5.0


def run_console(settings: Settings, stop: threading.Event) -> None:
    """Serve the console until asked to stop.

    Raises
    ------
    UnavailableError
        If the port is taken or may not be used.
    StorageError
        If the registry or the readings cannot be opened.
    """
    begin("serve", settings)
    listener = _listener(settings.console.host, settings.console.port)
    with (
        listener,
        closing(open_registry(settings)) as registry,
        closing(reading_store(settings, registry.judgements)) as readings,
    ):
        app = console_app(
            registry=registry,
            readings=readings,
            clock=clock(registry),
            replay=lambda: replay_spans(registry),
            settings=_presentation(settings),
            rules=known_rules(settings),
        )
        app.include_router(machine_router(Observed(registry, settings.data_dir, ready_limits(settings), wall_clock)))
        server = ConsoleServer(app, settings.console.host, settings.console.port)
        # Not in the main thread, so that signals reach `stop`, as in the other processes.
        thread = threading.Thread(target=server.run, args=([listener],), name="server")
        thread.start()
        _log.info("serving", page=f"http://{settings.console.host}:{settings.console.port}")
        report_at = 0.0
        while thread.is_alive() and not stop.wait(0.2):
            if time.monotonic() >= report_at:
                _report(registry)
                report_at = time.monotonic() + _REPORT_EVERY
        server.should_exit = True
        thread.join()


def _report(registry: Registry) -> None:
    try:
        registry.health.report("serve", {"error": None})
    except GruenpulsError as error:
        # The pages go on whatever becomes of the report.
        _log.warning("the state of the console cannot be reported", error=str(error))


def _listener(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), backlog=128)
    except OSError as error:
        what = f"the console cannot listen there: {error.strerror}"
        remedy = "stop what uses the port, or set another console.port"
        raise UnavailableError(what, where=f"{host}:{port}", remedy=remedy) from error


def _presentation(settings: Settings) -> ConsoleSettings:
    console = settings.console
    return ConsoleSettings(
        title=console.title,
        language=console.language,
        zone=ZoneInfo(settings.time_zone),
        limits=limit_table(settings),
        base_maps=tuple(BaseMap(it.kind, it.url, it.layers, it.attribution) for it in console.base_maps),
        notices=NOTICES if console.demo else {},
    )
