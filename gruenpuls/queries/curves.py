"""A site's values over time, as pictures and tables need them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from math import nan
from typing import Final, Protocol
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.ports import ObservationReader
from gruenpuls.domain.quantity import QUANTITIES, Aggregation
from gruenpuls.domain.reading import Flag, ReadingBatch, Times, Values, to_stored
from gruenpuls.domain.rollup import Rollup, Stretch
from gruenpuls.domain.series import AS_IT_CAME
from gruenpuls.domain.site import Site, growing_season
from gruenpuls.queries.calendar_day import Days, by_day, local_days, sums
from gruenpuls.queries.downsample import extremes_kept, gaps
from gruenpuls.queries.explanation import AVAILABLE_WATER, TENSION, limits, planting
from gruenpuls.queries.lane import OF_DEVICE, OF_METHOD, ROOT_ZONE, Lane, lanes
from gruenpuls.stores.registry import Registry
from processors.soil.limits import LIMITS, LimitTable

POINTS: Final = 2000
_TEMPERATURES: Final = ("air_temperature", "heat_index", "dew_point_temperature")
_ORDER: Final = (
    TENSION,
    AVAILABLE_WATER,
    "precipitation",
    "temperature",
    "relative_humidity",
    "soil_water_content",
    "soil_temperature",
)
_LEADING: Final = {TENSION, AVAILABLE_WATER, "precipitation", "temperature"}
_NOT_DRAWN: Final = {"soil_water_status", "judged_soil_depths", "frozen_soil_depths"}
_LONGEST_GAP: Final = np.timedelta64(3, "h")
_HOURLY_UP_TO: Final = timedelta(days=8)
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_INSTANT: Final = np.timedelta64(1, "ms")
_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
_BY_DAYS_FROM: Final = timedelta(days=180)
"""From here on a picture has few points for a day anyhow: its lowest and its highest value are drawn."""
_LONGEST_DAY: Final = np.timedelta64(25, "h")


@dataclass(frozen=True, slots=True)
class Curve:
    """Values of one lane over time.

    Parameters
    ----------
    lane : Lane
    measured_at : datetime64[ms] (n,)
        UTC; for sums the beginning of the hour or day.
    value : float64 (n,)
        [unit of the quantity]; NaN where a line must break.
    day : datetime64[D] (m,)
        Calendar days of the site.
    day_value : float64 (m,)
        Each day's mean, sum or maximum [unit of the quantity].
    """

    lane: Lane
    measured_at: Times
    value: Values
    day: Days
    day_value: Values


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on a value means water soon, and water now [unit of the quantity]."""

    soon: float
    now: float


@dataclass(frozen=True, slots=True)
class Chart:
    """Curves that share an axis.

    Parameters
    ----------
    name : str
        A quantity, or ``"temperature"`` for those of the air together.
    quantity : str
        Whose unit the axis has.
    curves : tuple of Curve
    sums : timedelta or None
        For rain and the like: over which step the values are summed up.
    limits : Limits or None
        Where the same ones apply to all depths that are judged.
    left_out : int
        How many values are flagged fail and therefore not among the curves.
    leading : bool
        Whether a site is looked at for it.
    """

    name: str
    quantity: str
    curves: tuple[Curve, ...]
    sums: timedelta | None
    limits: Limits | None
    left_out: int
    leading: bool

    @property
    def derived(self) -> bool:
        """Whether all of it was worked out from other values."""
        return all(curve.lane.derived for curve in self.curves)

    def days(self) -> Iterator[tuple[date, list[float]]]:
        """Yield each day with its value of every curve, the newest day first; NaN where there is none."""
        rows: dict[date, list[float]] = {}
        for place, curve in enumerate(self.curves):
            for day, value in zip(curve.day.tolist(), curve.day_value.tolist(), strict=True):
                rows.setdefault(day, [nan] * len(self.curves))[place] = value
        yield from sorted(rows.items(), reverse=True)


def site_charts(
    registry: Registry,
    readings: ObservationReader,
    site: Site,
    from_at: datetime,
    to_at: datetime,
    table: LimitTable = LIMITS,
) -> tuple[Chart, ...]:
    """Return the charts of a site in a span, the end exclusive, what people look for first.

    No curve has more than `POINTS` points; extremes survive. Values flagged fail or missing are left out.
    Limits are those of the city's table.

    Raises
    ------
    InputError
        If there is no such site.
    """
    found = [lane for lane in lanes(registry.resolution.site_series(site.key, from_at, to_at)) if _is_drawn(lane)]
    source: _Source = (
        _Days.of(readings, found, ZoneInfo(site.time_zone))
        if to_at - from_at >= _BY_DAYS_FROM
        else _Readings.of(readings, found, from_at, to_at)
    )
    charts: dict[str, list[Lane]] = {}
    for lane in found:
        charts.setdefault(_chart_name(lane), []).append(lane)
    drawn = (_chart(name, grouped, source, site, (from_at, to_at), table) for name, grouped in sorted(charts.items()))
    found_charts = sorted((chart for chart in drawn if chart.curves), key=_rank)
    if found_charts and not any(chart.leading for chart in found_charts):
        found_charts[0] = replace(found_charts[0], leading=True)
    return tuple(found_charts)


def _is_drawn(lane: Lane) -> bool:
    quantity = QUANTITIES[lane.quantity]
    return (
        lane.statistic in {"", ROOT_ZONE}
        and lane.quantity not in _NOT_DRAWN | OF_DEVICE | OF_METHOD
        and quantity.aggregation is not Aggregation.LAST
    )


def _chart_name(lane: Lane) -> str:
    return "temperature" if lane.quantity in _TEMPERATURES else lane.quantity


def _rank(chart: Chart) -> tuple[int, str]:
    return (_ORDER.index(chart.name) if chart.name in _ORDER else len(_ORDER), chart.name)


def _chart(
    name: str,
    grouped: Sequence[Lane],
    source: _Source,
    site: Site,
    span: tuple[datetime, datetime],
    table: LimitTable,
) -> Chart:
    zone = ZoneInfo(site.time_zone)
    quantity = _TEMPERATURES[0] if name == "temperature" else name
    step = None
    if QUANTITIES[quantity].aggregation is Aggregation.SUM:
        step = _HOUR if span[1] - span[0] <= _HOURLY_UP_TO else _DAY
    curves: list[Curve] = []
    left_out = 0
    for lane in sorted(grouped, key=_place):
        curve, failed = source.curve(lane, zone, step)
        left_out += failed
        if curve is not None:
            curves.append(curve)
    return Chart(
        name,
        quantity,
        tuple(curves),
        step,
        _common_limits(quantity, grouped, site, span[1], table),
        left_out,
        name in _LEADING,
    )


def _place(lane: Lane) -> tuple[int, float, str]:
    order = _TEMPERATURES.index(lane.quantity) if lane.quantity in _TEMPERATURES else 0
    return (order, -1.0 if lane.depth is None else lane.depth, lane.statistic)


class _Source(Protocol):
    """Where curves are taken from."""

    def curve(self, lane: Lane, zone: ZoneInfo, step: timedelta | None) -> tuple[Curve | None, int]:
        """Return a lane's curve, None where it has no value, and how many values are flagged fail."""
        ...


@dataclass(frozen=True, slots=True)
class _Readings:
    """Every reading of a span."""

    batch: ReadingBatch

    @classmethod
    def of(cls, readings: ObservationReader, found: Sequence[Lane], from_at: datetime, to_at: datetime) -> _Readings:
        return cls(readings.read({one.series for lane in found for one in lane.series}, from_at, to_at))

    def curve(self, lane: Lane, zone: ZoneInfo, step: timedelta | None) -> tuple[Curve | None, int]:
        measured_at, value, failed = _values(lane, self.batch)
        if not len(value):
            return None, failed
        if step and not _came_so(lane):
            # What came is stamped with the end of its interval, what was computed with its beginning.
            measured_at = measured_at + _INSTANT
        drawn = sums(measured_at, value, zone, step) if step else _line(measured_at, value)
        days = by_day(measured_at, value, zone, QUANTITIES[lane.quantity].aggregation)
        return Curve(lane, *drawn, *days), failed


@dataclass(frozen=True, slots=True)
class _Days:
    """The days of a span, each with its lowest and its highest value; what days do not tell is read."""

    days: Rollup
    readings: _Readings

    @classmethod
    def of(cls, readings: ObservationReader, found: Sequence[Lane], zone: ZoneInfo) -> _Days:
        stretches = [
            Stretch(one.series, one.from_at, one.to_at, ends=_is_sum(lane) and _came_so(lane))
            for lane in found
            if _is_told_by_days(lane)
            for one in lane.series
        ]
        other = [one for lane in found if not _is_told_by_days(lane) for one in lane.series]
        span = min((one.from_at for one in other), default=_NEVER), max((one.to_at for one in other), default=_NEVER)
        batch = readings.read({one.series for one in other}, *span)
        return cls(readings.daily(stretches, zone), _Readings(batch))

    def curve(self, lane: Lane, zone: ZoneInfo, step: timedelta | None) -> tuple[Curve | None, int]:
        if not _is_told_by_days(lane):
            return self.readings.curve(lane, zone, step)
        rows = self.days.where(np.isin(self.days.series, [one.series for one in lane.series]))
        failed = int(rows.failed.sum())
        rows = rows.where(rows.count > 0)
        if not len(rows):
            return None, failed
        # On the day of a swap both sensors tell.
        days, group = np.unique(local_days(rows.step, zone), return_inverse=True)
        total: Values = np.bincount(group, rows.total).astype(np.float64)
        if step:
            midnights = np.full(len(days), rows.step.max())
            np.minimum.at(midnights, group, rows.step)
            return Curve(lane, midnights, total, days, total), failed
        if QUANTITIES[lane.quantity].aggregation is Aggregation.MAX:
            value = np.full(len(days), -np.inf)
            np.maximum.at(value, group, rows.maximum)
        else:
            value = total / np.bincount(group, rows.count)
        at = np.concatenate([rows.minimum_at, rows.maximum_at])
        at, first = np.unique(at, return_index=True)
        drawn = np.concatenate([rows.minimum, rows.maximum])[first]
        steps = np.sort(rows.step)
        after_gaps = steps[gaps(steps, _LONGEST_DAY)]
        return Curve(lane, *_broken(at, drawn, np.searchsorted(at, after_gaps)), days, value), failed


def _is_sum(lane: Lane) -> bool:
    return QUANTITIES[lane.quantity].aggregation is Aggregation.SUM


def _is_told_by_days(lane: Lane) -> bool:
    """Return whether days say what a lane's values become; of directions they do not."""
    return QUANTITIES[lane.quantity].aggregation is not Aggregation.CIRCULAR_MEAN


def _came_so(lane: Lane) -> bool:
    return any(one.origin in AS_IT_CAME for one in lane.series)


def _values(lane: Lane, batch: ReadingBatch) -> tuple[Times, Values, int]:
    """Return a lane's usable values in order of time, and how many are flagged fail."""
    parts: list[NDArray[np.int64]] = []
    failed = 0
    for one in lane.series:
        first, last = np.searchsorted(batch.series, [one.series, one.series + 1])
        span = batch.measured_at[first:last]
        here = (span >= to_stored(one.from_at)) & (span < to_stored(one.to_at))
        flag = batch.flag[first:last]
        failed += int((here & (flag == Flag.FAIL)).sum())
        parts.append(first + np.flatnonzero(here & (flag != Flag.FAIL) & (flag != Flag.MISSING)))
    rows = np.concatenate(parts)
    return batch.measured_at[rows], batch.value[rows], failed


def _line(measured_at: Times, value: Values) -> tuple[Times, Values]:
    return _broken(measured_at, value, gaps(measured_at, _LONGEST_GAP))


def _broken(measured_at: Times, value: Values, breaks: NDArray[np.int64]) -> tuple[Times, Values]:
    """Return a line of at most so many points as are drawn, broken before these places."""
    kept = extremes_kept(measured_at, value, POINTS // 2 if len(breaks) else POINTS)
    place, first = np.unique(np.searchsorted(kept, breaks), return_index=True)
    before = measured_at[breaks[first]] - np.timedelta64(1, "ms")
    return np.insert(measured_at[kept], place, before), np.insert(value[kept], place, np.nan)


def _common_limits(
    quantity: str, grouped: Sequence[Lane], site: Site, to_at: datetime, table: LimitTable
) -> Limits | None:
    if quantity not in {TENSION, AVAILABLE_WATER}:
        return None
    season = growing_season(site.planted_on, to_at.year)
    planted = planting(site, to_at.year)
    there = (
        limits(quantity, lane.depth, season, planted, site.soil.texture, table)
        for lane in grouped
        if lane.depth is not None
    )
    found = {pair for pair in there if pair is not None}
    return Limits(*found.pop()) if len(found) == 1 else None
