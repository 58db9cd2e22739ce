"""Where machines ask: `/metrics`, `/health/live`, `/health/ready`."""

from __future__ import annotations

from dataclasses import asdict
from http import HTTPStatus
from typing import Any

import msgspec
from fastapi import APIRouter
from starlette.responses import Response

from gruenpuls.api.exposition import CONTENT_TYPE
from gruenpuls.api.metrics import metrics
from gruenpuls.api.state import Observed
from gruenpuls.domain.errors import GruenpulsError

_FRESH = {"Cache-Control": "no-store"}


def machine_router(observed: Observed) -> APIRouter:
    """Return the routes; all of them only read."""
    router = APIRouter()

    @router.get("/metrics")
    def prometheus() -> Response:
        try:
            return Response(metrics(observed.state()), media_type=CONTENT_TYPE, headers=_FRESH)
        except GruenpulsError as error:
            return Response(f"{error}\n", HTTPStatus.SERVICE_UNAVAILABLE, _FRESH, "text/plain; charset=utf-8")

    @router.get("/health/live")
    async def live() -> Response:
        return _json(HTTPStatus.OK, {"live": True})

    @router.get("/health/ready")
    def ready() -> Response:
        try:
            complaints = [asdict(one) for one in observed.state().complaints()]
        except GruenpulsError as error:
            complaints = [{"code": "state_unknown", "subject": "serve", "what": str(error)}]
        status = HTTPStatus.SERVICE_UNAVAILABLE if complaints else HTTPStatus.OK
        return _json(status, {"ready": not complaints, "complaints": complaints})

    return router


def _json(status: HTTPStatus, content: dict[str, Any]) -> Response:
    return Response(msgspec.json.encode(content), status, _FRESH, "application/json")
