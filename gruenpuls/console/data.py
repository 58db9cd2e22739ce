"""What the scripts in the browser draw: sites for the map, curves for the charts; columns, with an ETag."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
import numpy as np
from fastapi import APIRouter, Request
from numpy.typing import NDArray
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from gruenpuls.console.pages import Days, span
from gruenpuls.console.rendering import Rendering, site_address
from gruenpuls.console.sources import Sources
from gruenpuls.console.watch import Watch
from gruenpuls.console.wording import Wording
from gruenpuls.domain.quantity import QUANTITIES
from gruenpuls.domain.reading import from_stored
from gruenpuls.language.unit import digits
from gruenpuls.queries.curves import Chart, site_charts
from gruenpuls.queries.explanation import TENSION
from gruenpuls.queries.overview import Overview
from gruenpuls.queries.status import SiteStatus


def data_router(sources: Sources, rendering: Rendering, watch: Watch) -> APIRouter:
    """Return the routes of the data."""
    router = APIRouter()

    @router.get("/sites.json")
    async def sites(request: Request) -> Response:
        return tagged(request, site_columns((await watch.sighting()).overview))

    @router.get("/curves/{key:path}")
    async def curves(request: Request, key: str, days: Days = 30) -> Response:
        standing = await watch.standing(key)
        wording = rendering.wording(request)

        def answer() -> Response:
            from_at, to_at = span(standing, days)
            charts = site_charts(
                sources.registry, sources.readings, standing.site, from_at, to_at, sources.settings.limits
            )
            firsts = (from_stored(curve.measured_at[0]) for chart in charts for curve in chart.curves)
            began = max(from_at, min(firsts, default=from_at))
            columns = [chart_columns(chart, wording) for chart in charts]
            return tagged(request, {"span": [began.timestamp(), to_at.timestamp()], "charts": columns})

        return await run_in_threadpool(answer)

    return router


def tagged(request: Request, content: object) -> Response:
    """Return content as JSON with an ETag, or only the word that the browser has it already."""
    body = msgspec.json.encode(content)
    tag = f'W/"{hashlib.sha256(body).hexdigest()[:24]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": "Cookie, Accept-Language"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


def site_columns(overview: Overview) -> dict[str, list[Any]]:
    """Return the sites a map can show, as columns; statuses as places in a list of their names."""
    shown = [
        standing
        for standing in overview.sites
        if standing.site.latitude is not None and standing.site.longitude is not None
    ]
    statuses = list(SiteStatus)
    return {
        "statuses": [status.value for status in statuses],
        "key": [standing.site.key for standing in shown],
        "name": [standing.site.name for standing in shown],
        "link": [site_address(standing.site.key) for standing in shown],
        "status": [statuses.index(standing.status) for standing in shown],
        "latitude": [standing.site.latitude for standing in shown],
        "longitude": [standing.site.longitude for standing in shown],
    }


def chart_columns(chart: Chart, wording: Wording) -> dict[str, Any]:
    """Return a chart as its script draws it: times in seconds, and null where a line breaks."""
    places = digits(chart.quantity)
    return {
        "name": chart.name,
        "unit": wording.say.unit(chart.quantity),
        "digits": places,
        "bars": chart.sums is not None,
        "daily": chart.sums is not None and chart.sums.days > 0,
        "floor": QUANTITIES[chart.quantity].minimum,
        "mixed": len({curve.lane.derived for curve in chart.curves}) > 1,
        "bands": _bands(chart, wording),
        "curves": [
            {
                "label": label,
                "derived": curve.lane.derived,
                "depth": curve.lane.depth,
                "at": (curve.measured_at.astype(np.int64) / 1000).tolist(),
                "value": _nulls(curve.value.round(places + 1)),
            }
            for label, curve in zip(wording.curves(chart), chart.curves, strict=True)
        ],
    }


def _nulls(values: NDArray[np.float64]) -> list[float | None]:
    return [None if value != value else value for value in values.tolist()]  # noqa: PLR0124 - only NaN differs from itself


def _bands(chart: Chart, wording: Wording) -> list[dict[str, Any]]:
    """Return the spans of the axis that mean a status, from the best to the worst."""
    if chart.limits is None:
        return []
    soon, now = chart.limits.soon, chart.limits.now
    edges: list[tuple[SiteStatus, float | None, float | None]]
    if chart.quantity == TENSION:
        edges = [
            (SiteStatus.FINE, None, soon),
            (SiteStatus.WATER_SOON, soon, now),
            (SiteStatus.WATER_NOW, now, None),
        ]
    else:
        edges = [
            (SiteStatus.FINE, soon, None),
            (SiteStatus.WATER_SOON, now, soon),
            (SiteStatus.WATER_NOW, None, now),
        ]
    return [
        {"status": status.value, "from": low, "to": high, "label": wording.say.text(f"status.{status.value}")}
        for status, low, high in edges
    ]
