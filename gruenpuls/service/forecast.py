"""From the settings to what keeps the forecast fresh."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from gruenpuls.domain.clock import wall_clock
from gruenpuls.jobs.forecast import LOOK_EVERY, ForecastPlan, Forecasts, keep_forecast, places_of_sites
from gruenpuls.jobs.ticker import Job
from gruenpuls.service.workshop import Workshop
from gruenpuls.settings import Settings
from ingest.mosmix import read_mosmix

IMPORT_FORECAST: Final = "forecast.import"


def forecasts(settings: Settings, tools: Workshop) -> Forecasts | None:
    """Return what fetches forecasts; None where the settings name none."""
    chosen = settings.forecast
    if chosen.url is None:
        return None
    plan = ForecastPlan(
        url=chosen.url,
        stations=chosen.stations,
        every=timedelta(seconds=chosen.every),
        timeout=chosen.timeout,
        oldest=timedelta(hours=chosen.oldest),
        directory=settings.forecast_dir,
    )
    return Forecasts(plan, tools.registry, tools.store, wall_clock)


def forecast_jobs(fetched: Forecasts | None) -> list[Job]:
    """Return the scheduled work there is for forecasts."""
    return [] if fetched is None else [Job("forecast", LOOK_EVERY, fetched.step)]


def import_forecast(tools: Workshop, arguments: Mapping[str, Any], watch: Callable[[int, int], None]) -> dict[str, Any]:
    """Take over a MOSMIX file; how an order does it.

    Parameters
    ----------
    tools : Workshop
    arguments : mapping
        ``path`` of the file; ``stations``, ids, or none for those nearest to the sites; ``every_station`` for all;
        ``oldest_hours``.
    watch : callable
        Told how far it is.

    Raises
    ------
    InputError
        If the file cannot be used.
    StorageError
        If the forecast cannot be written.
    """
    stations = tuple(arguments["stations"])
    near = None if stations or arguments["every_station"] else places_of_sites(tools.registry)
    found = read_mosmix(Path(arguments["path"]), stations, near, watch=watch)
    oldest = timedelta(hours=arguments["oldest_hours"])
    keep_forecast(tools.registry, tools.store, found, oldest=oldest, now=wall_clock())
    return {
        "issued_at": found.issued_at.isoformat(),
        "stations": [{"key": one.key, "name": one.name} for one in found.stations],
        "values": len(found.batch),
    }
