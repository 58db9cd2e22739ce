"""Hours and days of a series: how many readings, their extremes and mean, and how complete that is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

import numpy as np

from gruenpuls.domain.ports import ObservationReader
from gruenpuls.domain.quantity import QUANTITIES, Aggregation
from gruenpuls.domain.reading import from_stored
from gruenpuls.domain.rollup import HOUR, Rollup, Stretch, completeness, day_edges
from gruenpuls.domain.series import AS_IT_CAME
from gruenpuls.stores.registry.resolution import SiteSeries

By = Literal["hour", "day"]
_A_DAY: Final = np.timedelta64(1, "D")


@dataclass(frozen=True, slots=True)
class Summed:
    """The readings of one hour or day.

    Parameters
    ----------
    begin : datetime
        Aware UTC.
    count, failed : int
        Readings that count, and those flagged fail, which nothing else here counts.
    minimum, mean, maximum : float or None
        [unit of the series]; None where nothing counts, the mean also where directions have none.
    total : float or None
        Of sums such as rain [unit of the series]; None of anything else.
    completeness : float or None
        Share of the readings expected of it [0 to 1]; None where nobody knows how many to expect.
    """

    begin: datetime
    count: int
    failed: int
    minimum: float | None
    mean: float | None
    maximum: float | None
    total: float | None
    completeness: float | None


def summed(
    reader: ObservationReader, series: SiteSeries, by: By, zone: ZoneInfo, interval: timedelta | None
) -> Iterator[Summed]:
    """Yield the hours or days of a series that have readings.

    Parameters
    ----------
    reader : ObservationReader
    series : SiteSeries
        With the span that is asked for; an hour or day it cuts counts what lies within, against what is
        expected of all of it.
    by : str
    zone : ZoneInfo
        Whose days.
    interval : timedelta or None
        How often the series is expected to have a reading.

    Raises
    ------
    GruenpulsError
        If the store cannot be asked.
    """
    aggregation = QUANTITIES[series.quantity].aggregation
    is_sum = aggregation is Aggregation.SUM and series.statistic in {"", "sum"}
    ends = is_sum and not series.statistic and series.origin in AS_IT_CAME
    stretch = Stretch(series.series, series.from_at, series.to_at, ends)
    found = reader.hourly([stretch]) if by == "hour" else reader.daily([stretch], zone)
    shares = completeness(found, _lasts(found, by, zone), interval)
    mean = np.full(len(found), np.nan) if aggregation is Aggregation.CIRCULAR_MEAN else found.mean
    total = found.total if is_sum else np.full(len(found), np.nan)
    columns = (found.minimum, mean, found.maximum, total)
    for place in range(len(found)):
        minimum, middle, maximum, whole = (_known(float(column[place])) for column in columns)
        yield Summed(
            begin=from_stored(found.step[place]),
            count=int(found.count[place]),
            failed=int(found.failed[place]),
            minimum=minimum,
            mean=middle,
            maximum=maximum,
            total=whole,
            completeness=None if shares is None else float(shares[place]),
        )


def _lasts(found: Rollup, by: By, zone: ZoneInfo) -> np.ndarray:
    """Return how long each step lasts: where clocks change a day has 23 or 25 hours."""
    if by == "hour" or not len(found):
        return np.full(len(found), HOUR)
    edges = day_edges(found.step.min(), found.step.max() + _A_DAY, zone)
    place = np.searchsorted(edges, found.step)
    return edges[place + 1] - edges[place]


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value
