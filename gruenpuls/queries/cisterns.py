"""Cisterns: how full they are, and how much was drawn from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from gruenpuls.domain.local_time import day_start
from gruenpuls.domain.ports import ObservationReader
from gruenpuls.domain.reading import Flag, from_stored
from gruenpuls.domain.site import Site, SiteKind
from gruenpuls.stores.registry import Registry
from gruenpuls.stores.registry.places import SiteFilter
from gruenpuls.stores.registry.resolution import SiteSeries
from processors.rain.water_account import drawn_and_filled

_LEVEL: Final = "water_level"
_HUNDRED: Final = 100.0


@dataclass(frozen=True, slots=True)
class Cistern:
    """A cistern over some days.

    Parameters
    ----------
    key, name : str
    district : str or None
    area : float or None
        Of its water's surface, as the site says [m²].
    capacity : float or None
        As the site says [m³].
    level : float or None
        Above its bottom, last measured [m].
    measured_at : datetime or None
    volume : float or None
        In it then [m³]; None where the area is unknown.
    full : float or None
        [%]; None where area or capacity are unknown.
    drawn, filled : float or None
        Taken from it and run into it [m³]; None where the area is unknown.
    """

    key: str
    name: str
    district: str | None
    area: float | None
    capacity: float | None
    level: float | None
    measured_at: datetime | None
    volume: float | None
    full: float | None
    drawn: float | None
    filled: float | None


def cisterns(
    registry: Registry,
    readings: ObservationReader,
    first: date,
    end: date,
    *,
    keys: Sequence[str] = (),
    district: str | None = None,
) -> Sequence[Cistern]:
    """Return the cisterns, by key, from a day to another, exclusive; of several gauges in one the first counts."""
    sites = registry.places.list(SiteFilter(kind=SiteKind.CISTERN, district=district))
    return [_cistern(registry, readings, site, first, end) for site in sites if not keys or site.key in keys]


def _cistern(registry: Registry, readings: ObservationReader, site: Site, first: date, end: date) -> Cistern:
    zone = ZoneInfo(site.time_zone)
    from_at, to_at = day_start(first, zone), day_start(end, zone)
    series = [it for it in registry.resolution.site_series(site.key, from_at, to_at) if it.quantity == _LEVEL]
    area, capacity = (_positive(site.attributes.get(name)) for name in ("area", "cistern_capacity"))
    level = at = None
    drawn = filled = 0.0
    # One device after another may have measured it; two at once would count twice.
    same = [it for it in series if (it.channel, it.statistic, it.origin) == _kind(series[0])]
    for one in sorted(same, key=lambda it: it.from_at):
        read = readings.read([one.series], one.from_at, one.to_at)
        read = read.where((read.flag != Flag.FAIL) & (read.flag != Flag.MISSING))
        if len(read):
            level, at = float(read.value[-1]), from_stored(read.measured_at[-1])
            fell, rose = drawn_and_filled(read.value)
            drawn, filled = drawn + fell, filled + rose
    volume = None if area is None or level is None else area * max(level, 0.0)
    return Cistern(
        site.key,
        site.name,
        site.district,
        area,
        capacity,
        level,
        at,
        volume,
        None if volume is None or capacity is None else _HUNDRED * volume / capacity,
        None if area is None or level is None else drawn * area,
        None if area is None or level is None else filled * area,
    )


def _kind(one: SiteSeries) -> tuple[str | None, str, str]:
    return one.channel, one.statistic, one.origin


def _positive(value: object) -> float | None:
    try:
        found = float(str(value).replace(",", "."))
    except ValueError:
        return None
    return found if found > 0 else None
