"""The console as a web application."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import HTMLResponse

from alerts.rule import Rule
from gruenpuls.console.assets import FOLDER, Assets, KeptFiles
from gruenpuls.console.data import data_router
from gruenpuls.console.events import events_router
from gruenpuls.console.pages import list_pages, site_pages
from gruenpuls.console.rendering import Rendering
from gruenpuls.console.security import SecurityHeaders, content_security_policy
from gruenpuls.console.settings import ConsoleSettings
from gruenpuls.console.sources import Sources
from gruenpuls.console.watch import Watch
from gruenpuls.domain.clock import Clock, ReplaySpan
from gruenpuls.domain.errors import GruenpulsError
from gruenpuls.domain.ports import ObservationReader
from gruenpuls.stores.registry import Registry

_WORTH_COMPRESSING: Final = 1000


def console_app(
    *,
    registry: Registry,
    readings: ObservationReader,
    clock: Clock,
    replay: Callable[[], Sequence[ReplaySpan]],
    settings: ConsoleSettings,
    rules: Sequence[Rule] = (),
) -> FastAPI:
    """Return the console; it answers GET only, since nobody can log in yet.

    Parameters
    ----------
    registry : Registry
    readings : ObservationReader
    clock : Clock
        The present, or where a replay has got to.
    replay : callable
        What is being replayed; nothing outside a replay.
    settings : ConsoleSettings
    rules : sequence of Rule
        Alert rules, for the texts of their incidents.

    Raises
    ------
    ConfigurationError
        If the browser parts were never built.
    """
    sources = Sources(registry, readings, clock, replay, settings)
    rendering = Rendering(sources, Assets.of(FOLDER), {rule.name: rule for rule in rules})
    watch = Watch(sources)
    app = FastAPI(title=settings.title, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.watch = watch
    app.mount("/static", KeptFiles(directory=FOLDER), name="static")
    for router in (
        list_pages(sources, rendering, watch),
        site_pages(sources, rendering, watch),
        data_router(sources, rendering, watch),
        events_router(sources, watch),
    ):
        app.include_router(router)
    _answer_errors(app, rendering)
    app.add_middleware(GZipMiddleware, minimum_size=_WORTH_COMPRESSING)
    app.add_middleware(SecurityHeaders, policy=content_security_policy(settings.base_maps))
    return app


def _answer_errors(app: FastAPI, rendering: Rendering) -> None:
    """Answer with a page, in words, whatever goes wrong."""

    @app.exception_handler(HTTPException)
    def refused(request: Request, error: HTTPException) -> HTMLResponse:
        status = HTTPStatus(error.status_code)
        return rendering.error(
            request, status, "error.not_found" if status == HTTPStatus.NOT_FOUND else "error.refused"
        )

    @app.exception_handler(RequestValidationError)
    def misunderstood(request: Request, _: RequestValidationError) -> HTMLResponse:
        return rendering.error(request, HTTPStatus.UNPROCESSABLE_ENTITY, "error.refused")

    @app.exception_handler(GruenpulsError)
    def unavailable(request: Request, error: GruenpulsError) -> HTMLResponse:
        return rendering.error(request, HTTPStatus.SERVICE_UNAVAILABLE, "error.unavailable", error.what)

    @app.exception_handler(Exception)
    def broken(request: Request, _: Exception) -> HTMLResponse:
        # The server logs the exception itself; people get a page in words.
        return rendering.error(request, HTTPStatus.INTERNAL_SERVER_ERROR, "error.broken")
