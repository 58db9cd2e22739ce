"""What a processor said of many sites, as columns: a day of a city is hundreds of thousands of values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from gruenpuls.domain.processor import Array, Output, Processor
from gruenpuls.domain.reading import Flag, Ids, ReadingBatch, Times
from gruenpuls.domain.series import Owner, SeriesKey
from gruenpuls.stores.registry.resolution import FleetSeries
from gruenpuls.stores.registry.weather_use import WeatherSpan

_NONE: Final = 0
"""In place of a series that is not there yet; the registry counts from 1."""


@dataclass(slots=True)
class Results:
    """What a processor said of some sites, piece by piece.

    Parameters
    ----------
    processor : Processor

    Attributes
    ----------
    spans : list of WeatherSpan
        Where the weather is from that it was said with.
    count : int
        How many values it said.
    new : dict of int
        Series that are not there yet, numbered.
    """

    processor: Processor
    spans: list[WeatherSpan] = field(default_factory=list)
    count: int = 0
    new: dict[SeriesKey, int] = field(default_factory=dict)
    _parts: list[tuple[Ids, Times, Array]] = field(default_factory=list)

    def add(self, output: Output, rows: FleetSeries, depths: Array, starts: Times, values: Array) -> None:
        """Add the values of an output; what is missing is not said.

        Parameters
        ----------
        output : Output
        rows : FleetSeries
            All series of the sites, those of the processor among them.
        depths : float64 (site, depth)
            [cm]; NaN where a site has fewer.
        starts : datetime64[ms] (time,)
        values : float64 (time, site), or (time, site, depth) where the output has one
        """
        known = ~np.isnan(values)
        if output.by_depth:
            known &= ~np.isnan(depths)
        places = depths.shape[1] if output.by_depth else 1
        series = self._series(output, rows, depths).ravel()
        column, step = np.nonzero(known.reshape(len(values), len(series)).T)
        for place in np.unique(column[series[column] == _NONE]).tolist():
            site, depth = rows.sites[place // places], float(depths.flat[place]) if output.by_depth else None
            key = SeriesKey(Owner.SITE, site, output.quantity, depth, output.statistic, self.processor.name)
            series[place] = -1 - self.new.setdefault(key, len(self.new))
        value = values.reshape(len(values), len(series))[step, column]
        self._parts.append((series[column], starts[step], value))
        self.count += len(value)

    def readings(self, series_ids: Callable[[Sequence[SeriesKey]], Sequence[int]], run: int) -> ReadingBatch:
        """Return all there are, those of a series in order, if each was added in order.

        Parameters
        ----------
        series_ids : callable
            Gives new series their ids.
        run : int
            What made them.
        """
        series, at, value = (np.concatenate(column) for column in zip(*self._parts, strict=True))
        if self.new:
            ids = np.array(series_ids(list(self.new)), np.int64)
            fresh = series < _NONE
            series[fresh] = ids[-1 - series[fresh]]
        flag, runs = np.full(len(series), Flag.GOOD, np.uint8), np.full(len(series), run, np.int64)
        return ReadingBatch(series, at, value, flag, runs)

    def _series(self, output: Output, rows: FleetSeries, depths: Array) -> Ids:
        """Return the series of an output by site and depth, `_NONE` where there is none."""
        mine = (rows.quantity == output.quantity) & (rows.statistic == output.statistic)
        own = rows.where(mine & (rows.origin == self.processor.name) & (np.isnan(rows.depth) != output.by_depth))
        if not output.by_depth:
            found = np.full(len(rows.sites), _NONE, np.int64)
            found[own.site] = own.series
            return found
        found = np.full(depths.shape, _NONE, np.int64)
        row, layer = np.nonzero(depths[own.site] == own.depth[:, None])
        found[own.site[row], layer] = own.series[row]
        return found
