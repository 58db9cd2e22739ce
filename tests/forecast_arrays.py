"""A MOSMIX file as the arrays processors take."""

from __future__ import annotations

from pathlib import Path

from ingest.mosmix import read_mosmix
from processors.water.forecast_arrays import hourly_forecast
from processors.water.weather_ahead import HourlyForecast


def forecast_in(path: Path) -> HourlyForecast:
    """Return the forecast of all stations in a file."""
    found = read_mosmix(path)
    return hourly_forecast(found.batch, found.stations)
