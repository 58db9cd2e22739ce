"""Why a site needs so many litres: the whole chain, from what its sensors said to what is to be given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from itertools import groupby
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

import processors
from gruenpuls.domain.errors import InputError
from gruenpuls.domain.local_time import day_start
from gruenpuls.domain.ports import ObservationReader, Run
from gruenpuls.domain.processor import Processor
from gruenpuls.domain.reading import Flag, ReadingBatch, from_stored
from gruenpuls.domain.site import Site
from gruenpuls.queries.lane import MEASURED, OF_DEVICE
from gruenpuls.queries.site_water import OUTLOOK
from gruenpuls.queries.site_weather import WeatherTold, site_weather
from gruenpuls.queries.watering_verdicts import Detected, WateringSeen, seen_waterings
from gruenpuls.stores.registry import Registry
from gruenpuls.stores.registry.resolution import SiteSeries
from processors.soil.judgement import Reason as SoilReason
from processors.water.site_parameters import site_parameters
from processors.water.water_balance import DEMAND_ASSUMED, RAIN_ASSUMED

_DAY: Final = timedelta(days=1)
_LOOK_BACK: Final = timedelta(days=10)
_WATERINGS: Final = timedelta(days=14)
_ORDER: Final = {made.name: place for place, made in enumerate(processors.ALL)}
_INPUTS: Final = {made.name: tuple(dict.fromkeys(it.quantity for it in made.inputs)) for made in processors.ALL}
_SOIL: Final = frozenset({"soil_tension", "soil_water_content", "soil_resistance", "soil_permittivity"})


class Remark(StrEnum):
    """What is missing or out of the ordinary, and was taken into account."""

    NO_POSITION = "no_position"
    NO_RAIN = "no_rain"
    NO_DEMAND = "no_demand"
    NO_SENSOR = "no_sensor"
    SILENT = "silent"
    FLAGGED = "flagged"
    FROZEN = "frozen"
    DISTRUSTED = "distrusted"
    NO_LIMITS = "no_limits"
    TOO_FEW = "too_few"
    UNJUDGED = "unjudged"
    CHECK = "check"
    WINTER = "winter"
    JUST_WATERED = "just_watered"
    NO_SOIL = "no_soil"
    NO_BALANCE = "no_balance"


_BY_SOIL: Final = {
    SoilReason.WINTER: Remark.WINTER,
    SoilReason.JUST_WATERED: Remark.JUST_WATERED,
    SoilReason.FROZEN: Remark.FROZEN,
    SoilReason.DISTRUSTED: Remark.DISTRUSTED,
    SoilReason.NO_LIMITS: Remark.NO_LIMITS,
    SoilReason.TOO_FEW: Remark.TOO_FEW,
}


@dataclass(frozen=True, slots=True)
class Told:
    """What one channel of a device, or an imported series, said on the day.

    Parameters
    ----------
    quantity, unit : str
    depth : float or None
        [cm]
    placement : str or None
    device, channel : str or None
        None for what was imported.
    origin : str
    made_by : Run or None
        The profile that read it from the uplinks.
    count : int
        How many readings there are, of so many uplinks.
    flags : dict of int
        How many have which flag.
    first_at, last_at : datetime
        Aware UTC.
    lowest, mean, highest : float or None
        Of those that count [unit]; None where all are flagged fail.
    """

    quantity: str
    unit: str
    depth: float | None
    placement: str | None
    device: str | None
    channel: str | None
    origin: str
    made_by: Run | None
    count: int
    flags: Mapping[str, int]
    first_at: datetime
    last_at: datetime
    lowest: float | None
    mean: float | None
    highest: float | None


@dataclass(frozen=True, slots=True)
class Result:
    """A value a processor gave."""

    quantity: str
    unit: str
    statistic: str
    depth: float | None
    value: float


@dataclass(frozen=True, slots=True)
class Step:
    """A processor on the way, with what it said last on the day.

    Parameters
    ----------
    name, version : str
    source : str
        Where its method is published.
    inputs : tuple of str
        Quantities.
    at : datetime
        What its values are of; aware UTC.
    results : tuple of Result
    """

    name: str
    version: str
    source: str
    inputs: tuple[str, ...]
    at: datetime
    results: tuple[Result, ...]

    def value(self, quantity: str, statistic: str = "") -> float | None:
        """Return one of its values, None where there is none."""
        found = (it.value for it in self.results if it.quantity == quantity and it.statistic == statistic)
        return next(found, None)


@dataclass(frozen=True, slots=True)
class Assumption:
    """A parameter nobody told us, and what it was taken from."""

    parameter: str
    origin: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number the balance works with; given or assumed."""

    name: str
    value: float


@dataclass(frozen=True, slots=True)
class SiteExplanation:
    """The chain from uplinks to litres.

    Parameters
    ----------
    site : Site
    day : date
        The site's.
    told : tuple of Told
    weather : tuple of WeatherTold
    steps : tuple of Step
        In the order in which they were computed.
    parameters : tuple of Parameter
    assumptions : tuple of Assumption
    waterings : tuple of WateringSeen
        Of the fortnight before, and of the day, with what the probes say of them.
    detected : tuple of Detected
        Water the probes saw in that time that neither rain nor an entry explains.
    litres : float or None
        What the site is to be given [L]; None where nobody knows.
    remarks : tuple of Remark
    """

    site: Site
    day: date
    told: tuple[Told, ...]
    weather: tuple[WeatherTold, ...]
    steps: tuple[Step, ...]
    parameters: tuple[Parameter, ...]
    assumptions: tuple[Assumption, ...]
    waterings: tuple[WateringSeen, ...]
    detected: tuple[Detected, ...]
    litres: float | None
    remarks: tuple[Remark, ...]

    def step(self, name: str) -> Step | None:
        """Return what a processor said, None where it said nothing."""
        return next((step for step in self.steps if step.name == name), None)


def site_explanation(
    registry: Registry,
    readings: ObservationReader,
    key: str,
    now: datetime,
    day: date | None = None,
    made_by: Sequence[Processor] = processors.ALL,
) -> SiteExplanation:
    """Return why a site needs so much water.

    Parameters
    ----------
    registry : Registry
    readings : ObservationReader
    key : str
    now : datetime
    day : date, optional
        By default the last one the balance knows, else yesterday.
    made_by : sequence of Processor
        The city's, whose sources name its own limits.

    Raises
    ------
    InputError
        If there is no such site, or the day is to come.
    """
    site = registry.places.by_key(key)
    if site is None:
        what = f"there is no site {key!r}"
        raise InputError(what, where="SITE", remedy="`gruenpuls site list` shows which there are")
    zone = ZoneInfo(site.time_zone)
    today = now.astimezone(zone).date()
    if day is not None and day > today:
        what = f"{day} is still to come"
        raise InputError(what, where="DATE", remedy="name a day up to today")
    day = day or _last_day(registry, key, today)
    from_at, to_at = day_start(day, zone), day_start(day + _DAY, zone)
    series = registry.resolution.site_series(key, from_at, to_at)
    batch = readings.read([one.series for one in series], from_at, to_at)
    runs = registry.resolution.runs(np.unique(batch.run).tolist())
    told = tuple(_told(series, batch, runs))
    sources = {made.name: made.source for made in made_by}
    steps = tuple(_steps(series, batch, runs, sources))
    weather = tuple(site_weather(registry, readings, site, day))
    parameters = site_parameters([site], day.year)
    columns = {name: float(values[0]) for name, values in parameters.columns.items()}
    assumed = tuple(Assumption(name, origin.value) for name, origin in parameters.assumed(0).items())
    waterings = seen_waterings(registry, readings, key, from_at - _WATERINGS, to_at)
    need = next((step for step in steps if step.name == "irrigation_need"), None)
    found = SiteExplanation(
        site=site,
        day=day,
        told=told,
        weather=weather,
        steps=steps,
        parameters=tuple(Parameter(name, value) for name, value in columns.items() if np.isfinite(value)),
        assumptions=assumed if np.isfinite(columns.get("capacity", np.nan)) else (),
        waterings=waterings.entered,
        detected=waterings.detected,
        litres=None if need is None else need.value("irrigation_need"),
        remarks=(),
    )
    mounted = any(it.to_at is None or it.to_at > from_at for it in registry.deployments.of_site(key))
    return _with_remarks(found, mounted=mounted, check=bool(waterings.to_check))


def _last_day(registry: Registry, key: str, today: date) -> date:
    spans = registry.weather_use.of_site(key, today - _LOOK_BACK, today + _DAY)
    return min(max((span.to_day for span in spans), default=today), today) - _DAY


def _of(batch: ReadingBatch, one: SiteSeries) -> ReadingBatch:
    rows = batch.where(batch.series == one.series)
    at = rows.measured_at.astype("datetime64[ms]").astype(object)
    inside = [one.from_at <= moment.replace(tzinfo=UTC) < one.to_at for moment in at]
    return rows.where(np.array(inside, np.bool_))


def _told(series: Sequence[SiteSeries], batch: ReadingBatch, runs: Mapping[int, Run]) -> Iterator[Told]:
    for one in series:
        rows = _of(batch, one)
        if one.origin in {*_ORDER, OUTLOOK} or one.quantity in OF_DEVICE or not len(rows):
            continue
        good = rows.value[(rows.flag != Flag.FAIL) & (rows.flag != Flag.MISSING)]
        lowest, mean, highest = (
            (float(good.min()), float(good.mean()), float(good.max())) if len(good) else (None, None, None)
        )
        yield Told(
            one.quantity,
            one.unit,
            one.depth,
            None if one.placement is None else one.placement.value,
            one.device,
            one.channel,
            one.origin,
            runs.get(int(rows.run[-1])),
            len(rows),
            {Flag(flag).name.lower(): count for flag, count in sorted(Counter(rows.flag.tolist()).items())},
            from_stored(rows.measured_at[0]),
            from_stored(rows.measured_at[-1]),
            lowest,
            mean,
            highest,
        )


def _steps(
    series: Sequence[SiteSeries], batch: ReadingBatch, runs: Mapping[int, Run], sources: Mapping[str, str]
) -> Iterator[Step]:
    derived = sorted((one for one in series if one.origin in _ORDER), key=lambda one: _ORDER[one.origin])
    for name, group in groupby(derived, key=lambda one: one.origin):
        results: list[Result] = []
        last: list[tuple[datetime, int]] = []
        for one in group:
            rows = batch.where(batch.series == one.series)
            if len(rows):
                value = float(rows.value[-1])
                results.append(Result(one.quantity, one.unit, one.statistic, one.depth, value))
                last.append((from_stored(rows.measured_at[-1]), int(rows.run[-1])))
        if results:
            at, number = max(last)
            run = runs.get(number)
            version = "" if run is None else run.version
            yield Step(name, version, sources[name], _INPUTS[name], at, tuple(results))


def _with_remarks(found: SiteExplanation, *, mounted: bool, check: bool) -> SiteExplanation:
    soil = [it for it in found.told if it.quantity in _SOIL and it.origin == MEASURED]
    balance, status = found.step("water_balance"), found.step("soil_water_status")
    weather = (balance.value("assumed_weather") if balance else None) or 0.0
    rain_known, demand_known = (
        any(it.span.source for it in found.weather if it.span.quantity == quantity)
        for quantity in ("precipitation", "reference_evapotranspiration")
    )
    reason = None if status is None else status.value("soil_status_reason")
    frozen = None if status is None else status.value("frozen_soil_depths")
    flags = Counter[str]()
    for it in found.told:
        flags.update(it.flags)
    assumed = {it.parameter: it.origin for it in found.assumptions}
    dry_guess = weather in {RAIN_ASSUMED, RAIN_ASSUMED + DEMAND_ASSUMED}
    grows = bool(found.parameters)
    holds = {
        Remark.NO_POSITION: found.site.latitude is None,
        Remark.NO_RAIN: grows and (not rain_known or dry_guess),
        Remark.NO_DEMAND: grows and (not demand_known or weather >= DEMAND_ASSUMED),
        Remark.NO_SENSOR: not mounted,
        Remark.SILENT: mounted and not soil,
        Remark.FLAGGED: bool(flags["suspect"] or flags["fail"]),
        Remark.FROZEN: bool(frozen),
        Remark.NO_SOIL: assumed.get("soil") == "kind",
        Remark.NO_BALANCE: balance is None,
        Remark.CHECK: check,
        Remark.UNJUDGED: bool(soil) and status is None,
    }  # fmt: skip
    remarks = [remark for remark, is_so in holds.items() if is_so]
    by_soil = None if reason is None else _BY_SOIL.get(SoilReason(round(reason)))
    if by_soil is not None and by_soil not in remarks:
        remarks.append(by_soil)
    return replace(found, remarks=tuple(remarks))
