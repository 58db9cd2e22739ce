"""Seasons: what hours and days add up to from March to May, June to August and so on."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.processor import Array
from gruenpuls.domain.reading import Times


class SeasonSums(NamedTuple):
    """What a season amounts to at each site.

    Parameters
    ----------
    seasons : datetime64[M] (season,)
        First month of each meteorological season: March, June, September or December.
    total : float64 (season, site)
        Sum of what is known [unit of the values]; missing where nothing is.
    completeness : float64 (season, site)
        Share of the steps given that have a value, 0 to 1 [-].
    """

    seasons: NDArray[np.datetime64]
    total: Array
    completeness: Array


def season_sums(steps: Times, values: Array) -> SeasonSums:
    """Return the sums of values by meteorological season.

    Parameters
    ----------
    steps : datetime64[ms] (time,)
        In order, UTC [ms].
    values : float64 (time, site)
        Such as climate days or degree hours [unit of the sum].

    Returns
    -------
    SeasonSums
        Sums [unit of the values] and completeness [-].

    Notes
    -----
    Valid for steps of any length. A sum over gaps is too small, never extrapolated: the completeness says how
    much is missing of the steps given, not of the calendar's season.

    References
    ----------
    World Meteorological Organization, meteorological seasons (whole months, winter from December); no equation.

    Examples
    --------
    >>> days = np.array(["2023-02-28", "2023-03-01", "2023-03-02"], "datetime64[ms]")
    >>> found = season_sums(days, np.array([[1.0], [1.0], [np.nan]]))
    >>> found.seasons.astype(str).tolist(), found.total.tolist(), found.completeness.tolist()
    (['2022-12', '2023-03'], [[1.0], [1.0]], [[1.0], [0.5]])
    """
    month = steps.astype("datetime64[M]").astype(np.int64)
    opening, first, count = np.unique(month - (month + 1) % 3, return_index=True, return_counts=True)
    seasons = opening.astype("datetime64[M]")
    if not len(steps):
        return SeasonSums(seasons, np.empty((0, values.shape[1])), np.empty((0, values.shape[1])))
    known = np.add.reduceat(np.isfinite(values).astype(np.float64), first, axis=0)
    total = np.add.reduceat(np.nan_to_num(values), first, axis=0)
    return SeasonSums(seasons, np.where(known > 0, total, np.nan), known / count[:, None])


def degree_hours(values: Array, threshold: float) -> Array:
    """Return by how much each hour is above a threshold.

    Parameters
    ----------
    values : float64 (time, site)
        Hourly, such as UTCI in the shade [°C].
    threshold : float
        26 °C for moderate, 32 °C for strong, 38 °C for very strong heat stress [°C].

    Returns
    -------
    float64 (time, site)
        Degree hours of each hour [K h], 0 below the threshold; missing where the value is.

    Notes
    -----
    Valid for hourly means; `season_sums` adds them up.

    References
    ----------
    Thresholds: assessment scale of UTCI, Bröde et al. (2012), table of the scale.

    Examples
    --------
    >>> degree_hours(np.array([[30.0], [20.0], [np.nan]]), 26).tolist()
    [[4.0], [0.0], [nan]]
    """
    return np.maximum(values - threshold, 0.0)
