"""Equally likely futures: a small fixed set of courses the next days may take, chosen evenly instead of at random.

Every future has its own luck with what is uncertain: the water that is there today and the description of the
site, the warmth of the days to come, and the rain of each of them. The set is the same for all sites and at every
run, so a result can be repeated to the last digit.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np

from gruenpuls.domain.processor import Array
from processors import normal_distribution
from processors.water.weather_ahead import AMOUNTS, WeatherAhead

COUNT: Final = 41
"""How many: with one more than a multiple of ten the 10th, 50th and 90th percentile are futures of their own."""
PERSISTENCE: Final = 0.52
"""Correlation of one day's luck with rain and the next day's [-].

At Köln/Bonn, April to October 1981 to 2010 (DWD station 02667), days with over 0.2 mm follow one another as in a
normal process with correlations of 0.51, 0.30, 0.19 and 0.13 after one to four days, those with over 1 mm with 0.44,
0.27, 0.15 and 0.13. That the errors of a forecast do so, too, is our assumption.
"""
_GENERATOR: Final = 30
"""Of the sixteen that could be taken the one whose sums of usual rain over ten days came nearest to those measured at
Köln/Bonn, April to September 1958 to 1980."""
_ROUNDS: Final = 20
_LEAST_FACTOR, _FACTOR_RANGE = 0.375, 1.25
"""A lone amount is taken half at the 10th, once at the 50th and one and a half times at the 90th percentile."""


def _evened(scores: Array) -> Array:
    """Return normal scores by rank: each column then holds every 41st of the distribution once."""
    ranks = scores.argsort(axis=0).argsort(axis=0)
    return normal_distribution.score((ranks + 0.5) / len(scores))


@cache
def luck(days: int) -> tuple[Array, Array, Array]:
    """Return what each future draws, in standard deviations: of the site, of demand, and of each day's rain.

    Parameters
    ----------
    days : int
        At most 18 [d].

    Returns
    -------
    site, demand : float64 (future,)
        [-]
    rain : float64 (future, day)
        [-]; correlated by `PERSISTENCE` from day to day, the rest by less than 0.12.

    Notes
    -----
    Valid for up to 18 days: what it draws is the same at every call, each column holds every 41st of the normal
    distribution once.

    References
    ----------
    Korobov's lattice for the start; Iman and Conover (1982), Commun. Stat. B11, 311-334, for taking out the
    correlations by ranks. No equation.

    Examples
    --------
    >>> site, demand, rain = luck(10)
    >>> site.shape, rain.shape, float(abs(np.corrcoef(site, demand)[0, 1]).round(1))
    ((41,), (41, 10), 0.0)
    """
    powers = np.array([pow(_GENERATOR, place, COUNT) for place in range(days + 2)])
    half = COUNT // 2
    # Each future but the middle one has a counterpart of opposite luck throughout.
    lattice = (np.arange(-half, half + 1)[:, np.newaxis] * powers + half) % COUNT
    scores = normal_distribution.score((lattice + 0.5) / COUNT)
    for _ in range(_ROUNDS):
        mixing = np.linalg.cholesky(np.corrcoef(scores.T))
        scores = _evened(scores @ np.linalg.inv(mixing).T)
    rain = scores[:, 2:].copy()
    for day in range(1, days):
        rain[:, day] = PERSISTENCE * rain[:, day - 1] + np.sqrt(1 - PERSISTENCE**2) * scores[:, day + 2]
    return scores[:, 0], scores[:, 1], _evened(rain)


def demands(weather: WeatherAhead) -> Array:
    """Return each future's reference evapotranspiration.

    Parameters
    ----------
    weather : WeatherAhead
        [mm/d]

    Returns
    -------
    float64 (future, day, place)
        [mm/d], 0 or more.

    Notes
    -----
    A future is too warm or too cool throughout: errors of demand last for days, and the spread is of their
    mean. Valid for relative spreads below 1.

    References
    ----------
    Our assumption; the spread comes with the weather. No equation.

    Examples
    --------
    >>> from processors.water.weather_ahead import HourlyForecast, weather_ahead
    >>> days = np.arange("2026-07-01", "2026-07-04", dtype="datetime64[D]")
    >>> usual = weather_ahead(HourlyForecast.nothing(np.array([51.5])), days[:2], days.astype("datetime64[ms]"))
    >>> np.percentile(demands(usual)[:, 0, 0], [10, 50, 90]).round(1).tolist()
    [2.9, 3.9, 4.9]
    """
    _, warmth, _ = luck(len(weather.days))
    return np.maximum(weather.demand * (1.0 + warmth[:, np.newaxis, np.newaxis] * weather.demand_spread), 0.0)


def rains(weather: WeatherAhead) -> Array:
    """Return each future's rain.

    Parameters
    ----------
    weather : WeatherAhead
        [mm]

    Returns
    -------
    float64 (future, day, place)
        [mm]

    Notes
    -----
    Between the amounts whose chances are known straight lines are drawn; beyond 5 mm the distribution falls off
    exponentially. Where only one amount is known it is taken times 0.5, 1 and 1.5 at the 10th, 50th and 90th
    percentile, and on a straight line through these between and beyond them; a dry forecast then stays dry.

    Valid for chances that fall with the amount.

    References
    ----------
    Chances: DWD, MOSMIX elements Rd00, Rd02, Rd10, Rd50. No equation.

    Examples
    --------
    >>> one = np.ones((1, 1))
    >>> day = WeatherAhead(np.array(["2026-06-01"], "datetime64[D]"), one, one, one * np.array([0.6, 0.5, 0.4, 0.1]
    ...     )[:, np.newaxis, np.newaxis], 5 * one, one, one, one)
    >>> np.sort(rains(day).ravel())[[4, 20, 36]].round(1).tolist()
    [0.0, 0.2, 4.9]
    """
    _, _, score = luck(len(weather.days))
    rank = normal_distribution.probability(score)[:, :, np.newaxis]
    over = 1.0 - rank
    amount = weather.excess * np.log(np.maximum(weather.chance[-1], 1e-9) / over) + AMOUNTS[-1]
    for place in range(len(AMOUNTS) - 2, -1, -1):
        upper, lower = weather.chance[place], weather.chance[place + 1]
        share = np.divide(
            upper - over, upper - lower, out=np.zeros(over.shape[:2] + upper.shape[1:]), where=upper > lower
        )
        step = AMOUNTS[place] + share * (AMOUNTS[place + 1] - AMOUNTS[place])
        amount = np.where(over > lower, step, amount)
    amount = np.where(over >= weather.chance[0], 0.0, amount)
    scaled = (_LEAST_FACTOR + _FACTOR_RANGE * rank) * weather.amount
    return np.where(np.isnan(weather.chance[0]), scaled, amount)
