"""Rain gauges beside others near them: dry while it rained all around, or too cold to tell."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from gruenpuls.domain.distance import distance
from gruenpuls.domain.ports import ObservationReader
from gruenpuls.domain.processor import Array
from gruenpuls.domain.reading import to_stored
from gruenpuls.jobs.fleet import stated
from gruenpuls.jobs.quality_among import by_day
from gruenpuls.stores.registry import Registry
from gruenpuls.stores.registry.judgements import Judged, Subject
from processors.quality.criteria import Criteria
from processors.quality.examination import OF_GAUGES
from processors.rain.counter import WRAPS, increments
from processors.rain.gauge_fault import REMEMBERED, blocked_gauge, frozen_gauge

NEAR: Final = 3.0
"""Gauges so near are believed without anybody looking; `gruenpuls rain gauge` asks farther ones, too [km]."""
RAINS: Final = ("precipitation", "precipitation_total", "pulse_total")
"""What gauges say, what is told by the interval first."""
_AIR: Final = "air_temperature"
_GRID: Final = "radolan"
_PER_PULSE: Final = "rain_per_pulse"
_DAY: Final = timedelta(days=1)
_QUARTER: Final = timedelta(hours=6)
_QUARTERS: Final = _DAY // _QUARTER
_INSTANT: Final = timedelta(milliseconds=1)
_BEFORE: Final = 2 * REMEMBERED + 1
"""What is said of a day rests on so many before it, and of the one before that as well [d]."""

LimitsOf = Callable[[Subject], Criteria | None]


@dataclass(frozen=True, slots=True)
class _Told:
    """A series at the place where it is measured, or of the radar's grid there."""

    series: int
    device: str
    quantity: str
    site: str
    latitude: float
    longitude: float
    worth: float
    """What a unit of a counter is [mm]."""


def judged_gauges(
    registry: Registry, reader: ObservationReader, limits_of: LimitsOf, first: Mapping[int, datetime], until: datetime
) -> Judged | None:
    """Return what is said of rain gauges near whatever changed; None where no gauge is concerned.

    Parameters
    ----------
    registry : Registry
    reader : ObservationReader
    limits_of : callable
        Gives the limits of a subject.
    first : mapping of int to datetime
        By series: from which UTC day on it changed.
    until : datetime
        Start of the first day that is not over.
    """
    told = _told(registry)
    changed = [it for it in told if it.series in first and first[it.series] < until]
    gauges: defaultdict[str, list[_Told]] = defaultdict(list)
    for it in sorted(told, key=lambda it: RAINS.index(it.quantity) if it.quantity in RAINS else len(RAINS)):
        if it.quantity in RAINS and it.device:
            gauges[it.device].append(it)
    leads = [some[0] for some in gauges.values()]
    concerned = [lead for lead, near in zip(leads, _near(leads, changed), strict=True) if near]
    if not concerned:
        return None
    since = min(first[it.series] for it in changed) - REMEMBERED * _DAY
    from_at = since - _BEFORE * _DAY
    radar = [it for it in told if not it.device and it.quantity == RAINS[0]]
    thermometers = [it for it in told if it.quantity == _AIR]
    around = [(lead, *_beside(lead, leads, radar, thermometers)) for lead in concerned]
    wanted = {it.series: it for lead, others, _ in around for it in (lead, *others)}
    days = (until - from_at) // _DAY
    rain = _daily_rain(reader, list(wanted.values()), from_at, days)
    warm = _daily_mean(reader, [it for *_, it in around if it is not None], from_at, days)
    subjects = {it.series: it for it in registry.judgements.subjects([lead.device for lead in concerned])}

    def hits() -> Iterator[tuple[int, str, str, np.ndarray]]:
        for lead, others, thermometer in around:
            limits = limits_of(subjects[lead.series])
            if limits is None:
                continue
            mine = rain[lead.series]
            beside = np.stack([rain[it.series] for it in others], axis=1) if others else np.empty((days, 0))
            for series in (it.series for it in gauges[lead.device]):
                if limits.blocked is not None:
                    wet, least = limits.blocked
                    reason = f"dry while gauges within {NEAR:g} km had {wet:g} mm and more"
                    yield series, OF_GAUGES[0], reason, blocked_gauge(mine, beside, wet, int(least))
                if limits.freezing is not None and thermometer is not None:
                    reason = f"dry below {limits.freezing:g} °C, where a gauge without heating is blind"
                    yield series, OF_GAUGES[1], reason, frozen_gauge(mine, warm[thermometer.series], limits.freezing)

    series = [it.series for lead in concerned for it in gauges[lead.device]]
    return by_day(OF_GAUGES, series, since, _BEFORE, hits())


def _told(registry: Registry) -> Sequence[_Told]:
    """Return what tells of rain and air temperature, where it was last; a place nobody knows is near nothing."""
    rows = registry.resolution.fleet_series([*RAINS, _AIR])
    plain = (rows.statistic == "") & np.isnan(rows.depth)
    rows = rows.where(plain & ((rows.origin == "measured") | (rows.origin == _GRID)))
    keys = registry.resolution.keys(rows.series.tolist())
    sites = registry.places.by_keys(sorted({rows.sites[place] for place in rows.site.tolist()}))
    found: dict[int, _Told] = {}
    for row in np.argsort(rows.from_at, kind="stable").tolist():
        site = sites[rows.sites[rows.site[row]]]
        quantity, number = rows.quantity[row], int(rows.series[row])
        worth = stated(site, _PER_PULSE) if quantity == RAINS[2] else 1.0
        if worth is not None:
            device = keys[number].owner_key.split("/", 1)[0] if rows.origin[row] == "measured" else ""
            latitude, longitude = (np.nan if it is None else it for it in (site.latitude, site.longitude))
            found[number] = _Told(number, device, quantity, site.key, latitude, longitude, worth)
    return list(found.values())


def _near(these: Sequence[_Told], those: Sequence[_Told]) -> Sequence[Sequence[_Told]]:
    """Return of each which of the others are near it, the nearest first; at its own site whatever it is."""
    if not these or not those:
        return [[] for _ in these]
    here, there = (np.array([(it.latitude, it.longitude) for it in some]).T for some in (these, those))
    away = distance(here[0][:, None], here[1][:, None], there[0], there[1])
    same = np.array([it.site for it in these])[:, None] == np.array([it.site for it in those])
    away = np.where(same, 0.0, away)
    return [[those[place] for place in np.argsort(row, kind="stable").tolist() if row[place] <= NEAR] for row in away]


def _beside(
    lead: _Told, leads: Sequence[_Told], radar: Sequence[_Told], thermometers: Sequence[_Told]
) -> tuple[Sequence[_Told], _Told | None]:
    """Return a gauge's witnesses, and the nearest thermometer."""
    others = [it for it in _near([lead], leads)[0] if it.device != lead.device]
    grid = [it for it in radar if it.site == lead.site]
    return [*others, *grid[:1]], next(iter(_near([lead], thermometers)[0]), None)


def _daily_rain(reader: ObservationReader, told: Sequence[_Told], from_at: datetime, days: int) -> dict[int, Array]:
    """Return what fell on each UTC day by each series [mm]; missing where it may have rained unheard for six hours."""
    found: dict[int, Array] = {}
    for quantity in sorted({it.quantity for it in told}):
        some = sorted((it for it in told if it.quantity == quantity), key=lambda it: it.series)
        numbers = np.array([it.series for it in some])
        # A sum is told at the end of its interval, and the count before the first day is where it begins.
        begin = from_at + _INSTANT - _QUARTER
        sums = reader.aggregate(numbers.tolist(), begin, begin + days * _DAY + _QUARTER, _QUARTER)
        column = np.searchsorted(numbers, sums.series)
        quarter = ((sums.step - to_stored(begin)) / np.timedelta64(_QUARTER)).astype(np.int64)
        fell = np.full((days * _QUARTERS + 1, len(some)), np.nan)
        if quantity in WRAPS:
            worth = np.array([it.worth for it in some])[column]
            fell[quarter, column] = increments(column, sums.step, sums.last, worth, WRAPS[quantity]).amount
        else:
            fell[quarter, column] = sums.total
        quarters = fell[1:].reshape(days, _QUARTERS, len(some))
        total = np.nansum(quarters, axis=1)
        whole = ~np.isnan(quarters).any(axis=1)
        daily = np.where(whole | (total > 0), total, np.nan)
        found |= {number: daily[:, place] for place, number in enumerate(numbers.tolist())}
    return found


def _daily_mean(reader: ObservationReader, told: Sequence[_Told], from_at: datetime, days: int) -> dict[int, Array]:
    """Return the mean of each UTC day by each series."""
    found = {it.series: np.full(days, np.nan) for it in told}
    sums = reader.aggregate(sorted(found), from_at, from_at + days * _DAY, _DAY)
    steps = ((sums.step - to_stored(from_at)) / np.timedelta64(1, "D")).astype(np.int64)
    for number, step, mean in zip(sums.series.tolist(), steps.tolist(), sums.mean.tolist(), strict=True):
        found[number][step] = mean
    return found
