"""What a site's probes say of its waterings: which depths each reached, and which nobody entered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from gruenpuls.domain.ports import ObservationReader
from gruenpuls.domain.processor import Array
from gruenpuls.domain.reading import to_stored
from gruenpuls.domain.watering import Watering
from gruenpuls.stores.registry import Registry
from gruenpuls.stores.registry.resolution import SiteSeries
from processors.soil.soil_tension import FROM_RESISTANCE
from processors.soil.soil_water_content import FROM_PERMITTIVITY
from processors.water.watering import RAIN_BEFORE, WAIT, Pace, Verdict, fronts, unreached, verdicts

_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_NEAR: Final = timedelta(hours=WAIT)
_IMPRECISE: Final = timedelta(hours=12)
"""So much earlier than entered it may have been: often only the day is known."""
_CONTENT: Final = ("soil_water_content", FROM_PERMITTIVITY)
_TENSION: Final = ("soil_tension", FROM_RESISTANCE)


@dataclass(frozen=True, slots=True)
class WateringSeen:
    """A watering as entered, and what each depth says of it.

    Parameters
    ----------
    watering : Watering
    number : int
    verdicts : dict of Verdict
        By depth [cm]; empty where the site has no probes.
    """

    watering: Watering
    number: int
    verdicts: dict[float, Verdict]


@dataclass(frozen=True, slots=True)
class Detected:
    """A wetting front that neither rain nor an entered watering explains.

    Parameters
    ----------
    at : datetime
        Aware UTC.
    depth : float
        Of the probe that saw it first [cm].
    pace : Pace
        A slow one is a watering bag's.
    """

    at: datetime
    depth: float
    pace: Pace


@dataclass(frozen=True, slots=True)
class SeenWaterings:
    """All that is known of a site's waterings in a span.

    Parameters
    ----------
    entered : tuple of WateringSeen
    detected : tuple of Detected
        Of which nobody entered anything.
    to_check : tuple of float
        Depths whose probe missed several waterings in a row: look at the probe, or the pit [cm].
    """

    entered: tuple[WateringSeen, ...]
    detected: tuple[Detected, ...]
    to_check: tuple[float, ...]


def seen_waterings(
    registry: Registry, readings: ObservationReader, site: str, from_at: datetime, to_at: datetime
) -> SeenWaterings:
    """Return a site's waterings in a span and what its probes say of them.

    Raises
    ------
    InputError
        If there is no such site.
    """
    kept = registry.waterings.of_sites([site], from_at, to_at)
    begin = from_at.replace(minute=0, second=0, microsecond=0) - RAIN_BEFORE * _HOUR
    end = to_at.replace(minute=0, second=0, microsecond=0) + _NEAR
    series = registry.resolution.site_series(site, begin, end)
    depths = sorted(
        {one.depth for one in series if one.quantity in {_CONTENT[0], _TENSION[0]} and one.depth is not None}
    )
    if not depths:
        return SeenWaterings(tuple(WateringSeen(it.watering, it.number, {}) for it in kept), (), ())
    content, tension = (
        np.column_stack([_hourly(readings, series, names, depth, begin, end) for depth in depths])
        for names in (_CONTENT, _TENSION)
    )
    entered = []
    history = np.zeros((len(kept), len(depths)), np.int64)
    for place, it in enumerate(kept):
        history[place] = verdicts(content, tension, (it.watering.at - _IMPRECISE - begin) // _HOUR)
        told = {depth: Verdict(code) for depth, code in zip(depths, history[place].tolist(), strict=True)}
        entered.append(WateringSeen(it.watering, it.number, told))
    found = [
        Detected(begin + front.start * _HOUR, depths[front.depth], front.pace)
        for front in fronts(content, tension, _rain(registry, readings, site, begin, end))
    ]
    unknown = [
        it for it in found if from_at <= it.at < to_at and not _is_entered(it.at, [one.watering for one in kept])
    ]
    check = [depth for depth, missed in zip(depths, unreached(history).tolist(), strict=True) if missed]
    return SeenWaterings(tuple(entered), tuple(unknown), tuple(check))


def _is_entered(at: datetime, waterings: Sequence[Watering]) -> bool:
    return any(it.at - _DAY <= at <= it.at + _NEAR for it in waterings)


def _hourly(
    readings: ObservationReader,
    series: Sequence[SiteSeries],
    names: tuple[str, str],
    depth: float,
    begin: datetime,
    end: datetime,
) -> Array:
    """Return the hourly means of a depth, as measured, else as converted; NaN is missing."""
    quantity, converted = names
    found = np.full((end - begin) // _HOUR, np.nan)
    for statistic in ("", converted):
        for one in series:
            if one.quantity != quantity or one.depth != depth or one.statistic != statistic:
                continue
            given = readings.aggregate([one.series], begin, end, _HOUR)
            place = (given.step - to_stored(begin)) // np.timedelta64(_HOUR)
            there = (given.step >= to_stored(one.from_at)) & (given.step < to_stored(one.to_at))
            there &= np.isnan(found[place])
            found[place[there]] = given.mean[there]
    return found


def _rain(registry: Registry, readings: ObservationReader, site: str, begin: datetime, end: datetime) -> Array:
    """Return the hourly rain of the places the balance took it from; NaN is not known."""
    found = np.full((end - begin) // _HOUR, np.nan)
    spans = registry.weather_use.of_site(site, begin.date() - _DAY, end.date() + _DAY)
    stations = {it.station for it in spans if it.quantity == "precipitation" and it.statistic == "sum"} - {None}
    for station in sorted(str(key) for key in stations):
        for one in registry.resolution.site_series(station, begin, end):
            if one.quantity != "precipitation" or one.statistic:
                continue
            # Told at its end: a full hour's belongs to the hour before.
            instant = timedelta(milliseconds=1)
            given = readings.aggregate([one.series], begin + instant, end + instant, _HOUR)
            place = (given.step - to_stored(begin)) // np.timedelta64(_HOUR)
            found[place] = np.where(np.isnan(found[place]), given.total, found[place])
    return found
