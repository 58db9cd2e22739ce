"""The weather a site was given on a day, and what the station has of that day now."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from gruenpuls.domain.local_time import day_start
from gruenpuls.domain.ports import ObservationReader
from gruenpuls.domain.reading import Flag, Values
from gruenpuls.domain.series import AS_IT_CAME
from gruenpuls.domain.site import Site
from gruenpuls.queries.daily_rain import GRID
from gruenpuls.stores.registry import Registry
from gruenpuls.stores.registry.weather_use import WeatherSpan

_DAY: Final = timedelta(days=1)
_INSTANT: Final = timedelta(milliseconds=1)
_BY_STEP: Final[Mapping[str, Callable[[Values], float]]] = {
    "mean": np.mean,
    "sum": np.sum,
    "last": lambda values: float(values[-1]),
    "min": np.min,
    "max": np.max,
    "median": np.median,
}
"""What is made of readings; any other statistic is a series of its own."""


@dataclass(frozen=True, slots=True)
class WeatherTold:
    """A weather quantity the site was given.

    Parameters
    ----------
    span : WeatherSpan
        From where, over how long.
    station_name : str or None
    value : float or None
        Its statistic of the day, as the station has it now [unit of the quantity].
    """

    span: WeatherSpan
    station_name: str | None
    value: float | None


def site_weather(registry: Registry, readings: ObservationReader, site: Site, day: date) -> Iterator[WeatherTold]:
    """Yield what a site was given on a day, by quantity and statistic."""
    spans = registry.weather_use.of_site(site.key, day, day + _DAY)
    stations = registry.places.by_keys({span.station for span in spans if span.station is not None})
    for span in dict.fromkeys(spans):
        station = stations.get(span.station or "")
        value = None if station is None else _value(registry, readings, span, station, ZoneInfo(site.time_zone), day)
        yield WeatherTold(span, None if station is None else station.name, value)


def _value(
    registry: Registry, readings: ObservationReader, span: WeatherSpan, station: Site, zone: ZoneInfo, day: date
) -> float | None:
    """Return what the station has of a day, the mean of its series."""
    from_at, to_at = day_start(day, zone), day_start(day + _DAY, zone)
    made = _BY_STEP.get(span.statistic)
    found = []
    for one in registry.resolution.site_series(station.key, from_at, to_at):
        if (one.quantity, one.statistic, one.depth) != (span.quantity, "" if made else span.statistic, None):
            continue
        if (one.origin == GRID) != (span.source == "grid"):
            continue
        # A sum is told at the end of its hour, but by processors at the beginning.
        late = _INSTANT if span.statistic == "sum" and one.origin in AS_IT_CAME else timedelta(0)
        rows = readings.read([one.series], from_at + late, to_at + late)
        rows = rows.where((rows.flag != Flag.FAIL) & (rows.flag != Flag.MISSING))
        if len(rows):
            found.append(float((made or np.mean)(rows.value)))
    return float(np.mean(found)) if found else None
