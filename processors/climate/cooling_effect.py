"""Cooling effect: how much cooler a green place is than its sealed neighbour, or became, and how sure that is."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.processor import Array
from gruenpuls.domain.reading import Times

REPEATS: Final = 2000
CONFIDENCE: Final = 0.95
BLOCK: Final = 3
"""Weather lasts: so many days in a row are drawn together [d]."""
_LEAST_DAYS: Final = 10
"""With fewer an interval would promise more than it holds."""


class Effect(NamedTuple):
    """A difference with its confidence interval.

    Parameters
    ----------
    difference : float
        Negative where it is cooler [K]; NaN where it cannot be said.
    low, high : float
        Bounds of the interval [K]; NaN where there are too few days.
    days : int
        Days compared.
    pairs : int
        Moments at which both places were measured.
    """

    difference: float
    low: float
    high: float
    days: int
    pairs: int


def cooling_effect(
    steps: Times,
    green: Array,
    sealed: Array,
    generator: np.random.Generator,
    *,
    block: int = BLOCK,
    repeats: int = REPEATS,
    confidence: float = CONFIDENCE,
) -> Effect:
    """Return how much cooler a green place is than its sealed neighbour.

    Parameters
    ----------
    steps : datetime64[ms] (time,)
        In order, UTC [ms]; choose the hours before: a hot afternoon and the night are two questions.
    green, sealed : float64 (time,)
        Air temperature, or UTCI, of the two places [°C].
    generator : numpy.random.Generator
        Seeded, so that the same question has the same answer [-].
    block : int
        Days in a row that are drawn together [d].
    repeats : int
        How often the days are drawn again [-].
    confidence : float
        Of the interval, above 0 and below 1 [-].

    Returns
    -------
    Effect
        Mean of the paired differences, green minus sealed, and its interval [K].

    Notes
    -----
    Valid for two places measured alike: same kind of sensor and shield, same height. Hours of one day are not
    independent, nor are days of one spell of weather, so whole blocks of days are drawn. With fewer than ten
    days on which both were measured there is a difference but no interval.

    References
    ----------
    Politis, D. N., and Romano, J. P. (1992), A circular block-resampling procedure for stationary data, in
    Exploring the Limits of Bootstrap, 263-270, Wiley; percentile interval, equation without number.

    Examples
    --------
    >>> steps = np.datetime64("2023-07-01", "ms") + np.arange(480) * np.timedelta64(1, "h")
    >>> noise = np.random.default_rng(1).normal(0, 0.5, 480)
    >>> found = cooling_effect(steps, np.full(480, 24.0) + noise, np.full(480, 26.0), np.random.default_rng(2))
    >>> round(found.difference, 1), found.low < found.difference < found.high, found.days
    (-2.0, True, 20)
    """
    drawn = _drawn(steps, green - sealed, generator, block, repeats)
    return _effect(drawn.mean, drawn.means, drawn.days, drawn.pairs, confidence)


def before_and_after(
    steps: Times,
    changed: Array,
    unchanged: Array,
    changed_at: np.datetime64,
    generator: np.random.Generator,
    *,
    block: int = BLOCK,
    repeats: int = REPEATS,
    confidence: float = CONFIDENCE,
) -> Effect:
    """Return what unsealing or planting did to a place, against one where nothing happened.

    Parameters
    ----------
    steps : datetime64[ms] (time,)
        In order, UTC [ms].
    changed, unchanged : float64 (time,)
        Air temperature, or UTCI, of the two places [°C].
    changed_at : datetime64
        From when on the place was another one, UTC [ms].
    generator : numpy.random.Generator
        Seeded [-].
    block : int
        Days in a row that are drawn together [d].
    repeats : int
        How often the days are drawn again [-].
    confidence : float
        Of the interval, above 0 and below 1 [-].

    Returns
    -------
    Effect
        By how much the difference of the two places changed, and its interval [K]; `days` and `pairs` are those
        of the shorter period.

    Notes
    -----
    Valid where both periods saw comparable weather: the same months, each with ten days and more. A growing
    tree is no single change: compare year by year.

    References
    ----------
    Stewart-Oaten, A., Murdoch, W. W., and Parker, K. R. (1986), Ecology 67, 929-940, doi:10.2307/1939815 (before-after
    control-impact with paired samples, equation 1); interval as in `cooling_effect`.

    Examples
    --------
    >>> steps = np.datetime64("2023-07-01", "ms") + np.arange(960) * np.timedelta64(1, "h")
    >>> after = np.arange(960) >= 480
    >>> noise = np.random.default_rng(1).normal(0, 0.5, 960)
    >>> found = before_and_after(steps, 26.0 - after + noise, np.full(960, 25.0), steps[480], np.random.default_rng(2))
    >>> round(found.difference, 1), found.high < 0, found.days
    (-1.0, True, 20)
    """
    after = steps >= changed_at
    difference = changed - unchanged
    first = _drawn(steps[~after], difference[~after], generator, block, repeats)
    second = _drawn(steps[after], difference[after], generator, block, repeats)
    return _effect(
        second.mean - first.mean,
        second.means - first.means,
        min(first.days, second.days),
        min(first.pairs, second.pairs),
        confidence,
    )


class _Drawn(NamedTuple):
    mean: float
    means: Array
    days: int
    pairs: int


def _drawn(
    steps: Times, difference: NDArray[np.float64], generator: np.random.Generator, block: int, repeats: int
) -> _Drawn:
    """Return the mean of differences, and its means over days drawn again in blocks."""
    known = np.isfinite(difference)
    pairs = int(known.sum())
    if not pairs:
        return _Drawn(np.nan, np.full(repeats, np.nan), 0, 0)
    _, first, count = np.unique(steps[known].astype("datetime64[D]"), return_index=True, return_counts=True)
    total = np.add.reduceat(difference[known], first)
    days = len(first)
    length = min(block, days)
    starts = generator.integers(0, days, (repeats, -(-days // length)))
    chosen = (starts[:, :, None] + np.arange(length)).reshape(repeats, -1)[:, :days] % days
    means = total[chosen].sum(axis=1) / count[chosen].sum(axis=1)
    return _Drawn(float(total.sum() / pairs), means, days, pairs)


def _effect(difference: float, means: Array, days: int, pairs: int, confidence: float) -> Effect:
    if days < _LEAST_DAYS:
        return Effect(float(difference), np.nan, np.nan, days, pairs)
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Effect(float(difference), float(low), float(high), days, pairs)
