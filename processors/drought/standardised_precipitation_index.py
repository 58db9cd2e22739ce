"""SPI: how unusual the rain of the past months is for the time of year, at a station with a long record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from gruenpuls.domain.processor import Array, Cadence, Fleet, Input, Output, Processor
from gruenpuls.domain.reading import Times
from processors.drought.rolling import rolling_sum, same_day_of_earlier_years
from processors.drought.standardise import YEARS_NEEDED, gamma_index

MONTHS: Final[dict[int, int]] = {1: 30, 3: 91, 6: 182, 12: 365}
"""Days of a sum by the months it stands for [d]."""
YEARS: Final = 35
"""How far back the sample reaches; five years may be missing in it: our choice."""
MEMORY: Final = YEARS * 366 + max(MONTHS.values())
STATISTICS: Final = {months: f"month_{months}" for months in MONTHS}


def trailing_index(
    steps: Times, daily: Array, days: int, index: Callable[[Array, Array], Array]
) -> tuple[Array, Array]:
    """Return a standardised index of every day, judged by the same day of the 35 years before.

    Parameters
    ----------
    steps : datetime64[ms] (time,)
        Calendar days, without a gap.
    daily : float64 (time, site)
        [mm]
    days : int
        How many days are summed up [d].
    index : callable
        From sums (time, site) and a sample (year, time, site), both [mm], to the index [-].

    Returns
    -------
    index : float64 (time, site)
        [-]; missing with fewer than 30 comparable years, or too many missing days.
    years : float64 (time, site)
        How many comparable years there are [-]; missing where the sum is.

    Notes
    -----
    Valid for days without a gap in time; a sample of the years before changes from year to year.

    References
    ----------
    WMO-No. 1090 (2012) asks for 30 years or more; which ones is our own choice, without an equation.

    Examples
    --------
    >>> days = np.arange(np.datetime64("1990-01-01"), np.datetime64("2024-01-01")).astype("datetime64[ms]")
    >>> rain = np.random.default_rng(1).gamma(0.3, 7.0, (len(days), 1))
    >>> rain[-91:] = 0.0
    >>> found, years = trailing_index(days, rain, 91, gamma_index)
    >>> found[-1].tolist(), years[-1].tolist()
    ([-3.09], [33.0])
    """
    found, years = np.full(daily.shape, np.nan), np.full(daily.shape, np.nan)
    # Most stations do not measure for as long as one sum yet, and the sample of decades is what costs.
    known = np.flatnonzero((~np.isnan(daily)).any(axis=0))
    sums = rolling_sum(daily[:, known], days)
    summed = ~np.isnan(sums).all(axis=0)
    known, sums = known[summed], sums[:, summed]
    if not len(known):
        return found, years
    sample = same_day_of_earlier_years(steps, sums, YEARS)
    count = np.sum(~np.isnan(sample), axis=0, dtype=np.float64)
    worth = np.flatnonzero(np.any(count >= YEARS_NEEDED, axis=1))
    found[np.ix_(worth, known)] = index(sums[worth], sample[:, worth])
    years[:, known] = np.where(np.isnan(sums), np.nan, count)
    return found, years


def _compute(fleet: Fleet) -> dict[tuple[str, str], Array]:
    rain = fleet.inputs["precipitation", "sum_day"]
    judged = {months: trailing_index(fleet.steps, rain, days, gamma_index) for months, days in MONTHS.items()}
    name = "standardised_precipitation_index"
    found = {(name, STATISTICS[months]): index for months, (index, _) in judged.items()}
    return found | {("comparable_years", "month_3"): judged[3][1]}


STANDARDISED_PRECIPITATION_INDEX: Final = Processor(
    name="standardised_precipitation_index",
    version="1",
    inputs=(Input("precipitation", of="sum_day"),),
    outputs=(
        *(Output("standardised_precipitation_index", statistic) for statistic in STATISTICS.values()),
        Output("comparable_years", "month_3"),
    ),
    cadence=Cadence.DAY,
    memory=MEMORY,
    compute=_compute,
    source="McKee et al. (1993); Thom (1958); WMO-No. 1090 (2012); sample of the 35 years before: our own choice",
)
