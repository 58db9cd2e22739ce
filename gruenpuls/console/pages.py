"""The pages: overview, site, what arrived, incidents and each of them. All of them only show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Literal
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse

from gruenpuls.console.rendering import Rendering
from gruenpuls.console.sources import Sources
from gruenpuls.console.watch import Watch
from gruenpuls.queries.collecting import collecting
from gruenpuls.queries.curves import Chart, site_charts
from gruenpuls.queries.incidents import incident_list, incident_sheet
from gruenpuls.queries.intake import intake
from gruenpuls.queries.overview import Standing
from gruenpuls.queries.site_sheet import site_sheet
from gruenpuls.queries.site_water import site_water

SPANS: Final = (7, 30, 90, 365)
"""Days a chart may show [d]."""

ROWS: Final = 100
"""Sites on one page of the table."""

Column = Literal["site", "status", "last_reading"]
Direction = Literal["ascending", "descending"]
Page = Annotated[int, Query(ge=1)]
Number = Annotated[int, Path(ge=1, le=2**63 - 1)]
Days = Annotated[int, Query(ge=1, le=3660)]


@dataclass(frozen=True, slots=True)
class Order:
    """By which column the sites are sorted."""

    column: Column = "status"
    descending: bool = False

    def by(self, column: Column) -> Order:
        """Return the order a column's heading leads to: that column, or the other way round if it is already."""
        return Order(column, descending=column == self.column and not self.descending)

    def address(self, page: int = 1) -> str:
        """Return the address of the overview in this order."""
        parameters = {"sort": self.column} | ({"order": "descending"} if self.descending else {})
        return f"/?{urlencode(parameters | ({'page': str(page)} if page > 1 else {}))}"

    def sorted(self, standings: tuple[Standing, ...]) -> list[Standing]:
        """Return the sites in this order; by status the worst come first."""
        keys = {
            "site": lambda it: it.site.name.casefold(),
            "status": lambda it: (it.status.rank, -(it.severity or 0), it.site.name.casefold()),
            "last_reading": lambda it: it.last_at.timestamp() if it.last_at else 0.0,
        }
        return sorted(standings, key=keys[self.column], reverse=self.descending)


def span(standing: Standing, days: int) -> tuple[datetime, datetime]:
    """Return the span a site's charts show: so many days up to the present there, from a midnight on."""
    there = standing.now.astimezone(ZoneInfo(standing.site.time_zone)) - timedelta(days=days)
    begin = there.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
    return begin, standing.now + timedelta(minutes=1)


def list_pages(sources: Sources, rendering: Rendering, watch: Watch) -> APIRouter:
    """Return the routes of the pages about the whole city."""
    router = APIRouter(default_response_class=HTMLResponse)

    @router.get("/")
    async def overview_page(
        request: Request, sort: Column = "status", order: Direction = "ascending", page: Page = 1
    ) -> HTMLResponse:
        seen = (await watch.sighting()).overview
        chosen = Order(sort, order == "descending")
        first = (page - 1) * ROWS
        if first and first >= len(seen.sites):
            raise HTTPException(404, str(page))
        return await run_in_threadpool(
            rendering.page,
            request,
            "overview.html",
            area="overview",
            overview=seen,
            standings=chosen.sorted(seen.sites)[first : first + ROWS],
            first=first,
            page=page,
            pages=-(-len(seen.sites) // ROWS),
            order=chosen,
        )

    @router.get("/intake")
    def intake_page(request: Request) -> HTMLResponse:
        return rendering.page(
            request,
            "intake.html",
            area="intake",
            intake=intake(sources.registry),
            collecting=collecting(sources.registry),
        )

    @router.get("/incidents")
    def incidents_page(request: Request) -> HTMLResponse:
        found = incident_list(sources.registry, sources.present())
        return rendering.page(request, "incidents.html", area="incidents", incidents=found)

    @router.get("/incidents/{number}")
    def incident_page(request: Request, number: Number) -> HTMLResponse:
        found = incident_sheet(sources.registry, number, sources.present())
        if found is None:
            raise HTTPException(404, str(number))
        return rendering.page(request, "incident.html", area="incidents", sheet=found)

    return router


def site_pages(sources: Sources, rendering: Rendering, watch: Watch) -> APIRouter:
    """Return the routes of the pages about one site."""
    router = APIRouter(default_response_class=HTMLResponse)

    def charts_of(standing: Standing, days: int) -> tuple[Chart, ...]:
        limits = sources.settings.limits
        return site_charts(sources.registry, sources.readings, standing.site, *span(standing, days), limits)

    @router.get("/sites/{key:path}")
    async def site_page(request: Request, key: str, days: Days = 30) -> HTMLResponse:
        standing = await watch.standing(key)

        def answer() -> HTMLResponse:
            return rendering.page(
                request,
                "site.html",
                area="overview",
                sheet=site_sheet(sources.registry, standing),
                water=site_water(sources.registry, standing, sources.settings.limits),
                charts=charts_of(standing, days),
                spans=SPANS,
                chosen_days=days,
                curves_address=f"/curves/{quote(key)}?days={days}",
            )

        return await run_in_threadpool(answer)

    @router.get("/days/{name}/{key:path}")
    async def days_page(request: Request, name: str, key: str, days: Days = 30) -> HTMLResponse:
        standing = await watch.standing(key)

        def answer() -> HTMLResponse:
            chart = next((chart for chart in charts_of(standing, days) if chart.name == name), None)
            if chart is None:
                raise HTTPException(404, name)
            return rendering.page(
                request, "days.html", area="overview", site=standing.site, chart=chart, chosen_days=days
            )

        return await run_in_threadpool(answer)

    return router
