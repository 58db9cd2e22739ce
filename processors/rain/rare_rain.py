"""Rare rain: how much falls within some minutes once in so many years, from a table such as KOSTRA-DWD-2020."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np

from gruenpuls.domain.distance import distance
from gruenpuls.domain.processor import Array

PERIODS: Final = (1, 2, 3, 5, 10, 20, 30, 50, 100)
"""Return periods of KOSTRA-DWD-2020 [a]."""
HOURLY: Final = (60, 120, 180, 240, 360, 540, 720, 1080, 1440, 2880, 4320)
"""Durations an hourly record can be judged by [min]."""


@dataclass(frozen=True, slots=True)
class RareRain:
    """A table of rare rain.

    Parameters
    ----------
    cells : tuple of str
        Names of its grid cells.
    latitude, longitude : float64 (cell,)
        Of their centres [°]; NaN where there is one cell for all.
    durations : tuple of int
        Rising [min].
    periods : tuple of int
        Rising [a].
    depths : float64 (cell, duration, period)
        [mm]; NaN is missing.
    """

    cells: tuple[str, ...]
    latitude: Array
    longitude: Array
    durations: tuple[int, ...]
    periods: tuple[int, ...]
    depths: Array

    def plain(self) -> dict[str, Any]:
        """Return it as what JSON can hold."""
        return {
            "cells": list(self.cells),
            "latitude": _plain(self.latitude),
            "longitude": _plain(self.longitude),
            "durations": list(self.durations),
            "periods": list(self.periods),
            "depths": [[_plain(row) for row in cell] for cell in self.depths],
        }

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Return what `plain` was made of."""
        return cls(
            tuple(plain["cells"]),
            np.array(plain["latitude"], np.float64),
            np.array(plain["longitude"], np.float64),
            tuple(plain["durations"]),
            tuple(plain["periods"]),
            np.array(plain["depths"], np.float64),
        )

    def nearest(self, latitude: Array, longitude: Array) -> tuple[np.ndarray[Any, np.dtype[np.int64]], Array]:
        """Return each place's cell and how far its centre is [km]; NaN where nobody knows, then it is the first."""
        away = distance(latitude[:, None], longitude[:, None], self.latitude[None], self.longitude[None])
        cell = np.where(np.isnan(away), np.inf, away).argmin(axis=1) if len(latitude) else np.empty(0, np.int64)
        return cell, away[np.arange(len(latitude)), cell]


def _plain(values: Array) -> list[float | None]:
    return [None if np.isnan(value) else float(value) for value in values]


def column(duration: int, period: int) -> str:
    """Return under which name a site's attributes hold a depth.

    Parameters
    ----------
    duration : int
        [min]
    period : int
        [a]

    Returns
    -------
    str
        [-]

    Notes
    -----
    Valid for any two numbers.

    References
    ----------
    A name, without an equation.

    Examples
    --------
    >>> column(60, 100)
    'rain_60_min_100_a'
    """
    return f"rain_{duration}_min_{period}_a"


def rare_rain_of(table: RareRain | None, latitude: Array, longitude: Array) -> dict[str, Array]:
    """Return what falls at each site once in so many years, as columns of site attributes.

    Parameters
    ----------
    table : RareRain or None
        [mm]; None where nobody loaded one.
    latitude, longitude : float64 (site,)
        [°]

    Returns
    -------
    dict of float64 (site,)
        By `column`, for `HOURLY` and `PERIODS` [mm]; NaN where the table has none. A site takes the nearest cell.

    Notes
    -----
    Valid within the table's region; with a single cell without a place for all sites.

    References
    ----------
    DWD, KOSTRA-DWD-2020, table of depths by duration and return period.

    Examples
    --------
    >>> one = RareRain(("C",), np.array([np.nan]), np.array([np.nan]), (60,), (1, 100), np.array([[[16.0, 52.1]]]))
    >>> found = rare_rain_of(one, np.array([51.5]), np.array([7.0]))
    >>> found["rain_60_min_100_a"].tolist(), found["rain_120_min_1_a"].tolist()
    ([52.1], [nan])
    """
    found = {column(duration, period): np.full(len(latitude), np.nan) for duration in HOURLY for period in PERIODS}
    if table is None:
        return found
    cell, _ = table.nearest(latitude, longitude)
    for row, duration in enumerate(table.durations):
        for place, period in enumerate(table.periods):
            if column(duration, period) in found:
                found[column(duration, period)] = table.depths[cell, row, place]
    return found


def rain_yield(depth: Array, minutes: Array) -> Array:
    """Return a depth of rain as drainage engineers give it: litres a second on a hectare.

    Parameters
    ----------
    depth : float64 (...)
        [mm]
    minutes : float64 (...)
        In which it fell [min]; above 0.

    Returns
    -------
    float64 (...)
        [L/(s ha)]

    Notes
    -----
    Valid for any duration.

    References
    ----------
    KOSTRA-DWD, definition: r = 10000 h / (60 D). Without an equation number.

    Examples
    --------
    >>> rain_yield(np.array([40.0]), np.array([60.0])).round(1).tolist()
    [111.1]
    """
    return depth * 10_000.0 / (60.0 * np.where(minutes > 0, minutes, np.nan))


def return_period(depth: Array, periods: Array, depths: Array) -> Array:
    """Return how often a depth of rain is reached.

    Parameters
    ----------
    depth : float64 (...)
        [mm]
    periods : float64 (period,)
        Of the table, rising [a].
    depths : float64 (..., period)
        What falls within the same duration once in so many years, rising [mm].

    Returns
    -------
    float64 (...)
        [a]; 0 below the table's first depth, the table's last period from its last depth on; missing where
        anything is.

    Notes
    -----
    Valid within the table; between its columns the depth is linear in the logarithm of the period, as KOSTRA's
    distribution is.

    References
    ----------
    DWA-A 531 (2012), partial series: equation h = u + w ln T.

    Examples
    --------
    >>> table = np.array([[20.0, 30.0, 50.0]])
    >>> return_period(np.array([25.0]), np.array([1.0, 10.0, 100.0]), table).round(2).tolist()
    [3.16]
    """
    logs = np.log(periods)
    count = np.sum(depth[..., None] >= depths, axis=-1)
    low = np.clip(count - 1, 0, max(len(periods) - 2, 0))
    high = np.minimum(low + 1, len(periods) - 1)
    below = np.take_along_axis(depths, low[..., None], axis=-1)[..., 0]
    above = np.take_along_axis(depths, high[..., None], axis=-1)[..., 0]
    way = np.divide(depth - below, above - below, out=np.ones_like(depth), where=above > below)
    between = np.exp(logs[low] + np.clip(way, 0.0, 1.0) * (logs[high] - logs[low]))
    # rounding must not take a depth of the table below its own period
    at_least = np.maximum(between, periods[np.maximum(count - 1, 0)])
    found = np.where(count == 0, 0.0, np.where(count == len(periods), periods[-1], at_least))
    return np.where(np.isnan(depth) | np.isnan(depths).any(axis=-1), np.nan, found)
