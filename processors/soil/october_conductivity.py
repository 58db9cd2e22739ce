"""What a soil conducts before winter: the median of October, against which de-icing salt is told."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.processor import Array, Cadence, Fleet, Input, Output, Processor

OCTOBER: Final = "october"
"""The statistic of the series."""
_MONTH: Final = 10
_FEWEST: Final = 7
"""Fewer days of October say nothing [d]."""


def month(days: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """Return the month of each day.

    Parameters
    ----------
    days : datetime64 (day,)
        Calendar dates [d].

    Returns
    -------
    int64 (day,)
        1 to 12 [-].

    Notes
    -----
    Valid for any date.

    References
    ----------
    The calendar. No equation.

    Examples
    --------
    >>> month(np.array(["2025-10-31", "2026-01-01"], "M8[D]")).tolist()
    [10, 1]
    """
    return days.astype("datetime64[M]").astype(np.int64) % 12 + 1


def highest(by_depth: Array) -> Array:
    """Return the highest value of each site's depths.

    Parameters
    ----------
    by_depth : float64 (time, site, depth)
        [dS/m]; NaN is missing.

    Returns
    -------
    float64 (time, site)
        [dS/m]; NaN where no depth is known.

    Notes
    -----
    Valid for any values: what is missing is left out.

    References
    ----------
    Salt harms roots wherever it is: our own choice. No equation.

    Examples
    --------
    >>> highest(np.array([[[0.2, np.nan], [np.nan, np.nan]]])).tolist()
    [[0.2, nan]]
    """
    known = ~np.isnan(by_depth)
    found = np.where(known, by_depth, -np.inf).max(axis=2, initial=-np.inf)
    return np.where(known.any(axis=2), found, np.nan)


def october_conductivity(days: NDArray[np.datetime64], conductivity: Array) -> Array:
    """Return the median of October so far, on its days.

    Parameters
    ----------
    days : datetime64 (day,)
        Calendar dates, one after the other [d].
    conductivity : float64 (day, site)
        Of each day [dS/m]; NaN is missing.

    Returns
    -------
    float64 (day, site)
        [dS/m]; NaN in other months, and until a week of October is known.

    Notes
    -----
    Valid where the days reach back to the first of October.

    References
    ----------
    The median of October as what a soil is without salt: our own choice. No equation.

    Examples
    --------
    >>> days = np.datetime64("2025-10-01") + np.arange(32)
    >>> said = october_conductivity(days, np.linspace(0.2, 0.51, 32)[:, None]).ravel().round(3)
    >>> said[[5, 6, 30, 31]].tolist()
    [nan, 0.23, 0.35, nan]
    """
    found = np.full(conductivity.shape, np.nan)
    year = days.astype("datetime64[Y]")
    in_october = month(days) == _MONTH
    for day in np.flatnonzero(in_october).tolist():
        so_far = conductivity[: day + 1][(in_october & (year == year[day]))[: day + 1]]
        enough = (~np.isnan(so_far)).sum(axis=0) >= _FEWEST
        if enough.any():
            found[day, enough] = np.nanmedian(so_far[:, enough], axis=0)
    return found


def _compute(fleet: Fleet) -> dict[tuple[str, str], Array]:
    conductivity = highest(fleet.inputs["soil_electrical_conductivity", "median"])
    return {("soil_electrical_conductivity", OCTOBER): october_conductivity(fleet.steps, conductivity)}


OCTOBER_CONDUCTIVITY: Final = Processor(
    name="october_conductivity",
    version="1",
    inputs=(Input("soil_electrical_conductivity", "median", by_depth=True),),
    outputs=(Output("soil_electrical_conductivity", OCTOBER),),
    cadence=Cadence.DAY,
    memory=31,
    compute=_compute,
    source="Median of October's days, the highest of a site's depths; our own choice",
)
