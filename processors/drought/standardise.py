"""Standardised indices: how unusual a sum is, in standard deviations of a normal distribution."""

from __future__ import annotations

from typing import Final

import numpy as np

from gruenpuls.domain.processor import Array
from processors import special_functions as special

YEARS_NEEDED: Final = 30
"""Fewer years say too little about rare ones: WMO-No. 1090, section 5."""
_ROUNDING: Final = 1e-6
_DECIMALS: Final = 6
EXTREME: Final = 3.09
"""Beyond one in a thousand a sample of decades says nothing [-]."""

CLASSES: Final[tuple[tuple[float, str], ...]] = (
    (-2.0, "extremely dry"),
    (-1.5, "severely dry"),
    (-1.0, "moderately dry"),
    (1.0, "near normal"),
    (1.5, "moderately wet"),
    (2.0, "very wet"),
)
"""McKee et al. (1993), WMO-No. 1090 table 1: dry up to and including the first three, wet from the others on."""


def category(index: float) -> str:
    """Return what an index is called.

    Parameters
    ----------
    index : float
        [-]

    Returns
    -------
    str
        Its class [-]; "unknown" where it is missing.

    Notes
    -----
    Valid for SPI and SPEI alike.

    References
    ----------
    McKee et al. (1993); WMO-No. 1090 (2012), table 1.

    Examples
    --------
    >>> category(-1.0), category(-0.99), category(1.5), category(2.0)
    ('moderately dry', 'near normal', 'very wet', 'extremely wet')
    """
    if np.isnan(index):
        return "unknown"
    for limit, name in CLASSES:
        if index < limit or (limit < 0 and index == limit):
            return name
    return "extremely wet"


def gamma_index(value: Array, sample: Array) -> Array:
    """Return the standardised precipitation index of sums within samples of the same months of other years.

    Parameters
    ----------
    value : float64 (...)
        Precipitation of the months in question [mm].
    sample : float64 (year, ...)
        The same of other years [mm]; NaN is missing.

    Returns
    -------
    float64 (...)
        [-], -3.09 to 3.09; missing where fewer than 30 years are known, or it never rained differently.

    Notes
    -----
    Valid for sums of a month or more. A gamma distribution fitted to the years with rain by Thom's
    approximation of maximum likelihood, mixed
    with the share of years without.

    References
    ----------
    McKee, Doesken & Kleist (1993), 8th Conf. on Applied Climatology, 179-184; Thom (1958), Mon. Weather Rev.
    86(4), 117-122, equation 22; WMO-No. 1090 (2012).

    Examples
    --------
    >>> years = np.linspace(20.0, 130.0, 40)[:, np.newaxis]
    >>> gamma_index(np.array([75.0]), years).round(1).tolist(), gamma_index(np.array([75.0]), years[:29]).tolist()
    ([0.2], [nan])
    """
    known = ~np.isnan(sample)
    wet = known & (sample > 0)
    count, wet_count = known.sum(axis=0), wet.sum(axis=0)
    divisor = np.maximum(wet_count, 1)
    mean = np.where(wet, sample, 0.0).sum(axis=0) / divisor
    logarithms = np.log(np.where(wet, sample, 1.0)).sum(axis=0) / divisor
    spread = np.log(np.where(mean > 0, mean, 1.0)) - logarithms
    fitted = (count >= YEARS_NEEDED) & (wet_count > 1) & (spread > _ROUNDING) & (value >= 0)
    spread = np.where(fitted, spread, 1.0)
    shape = (1 + np.sqrt(1 + 4 * spread / 3)) / (4 * spread)
    dry = 1 - wet_count / np.maximum(count, 1)
    below = special.gammainc(shape, np.where(fitted, value / np.where(mean > 0, mean / shape, 1.0), 0.0))
    return _standardised(dry + (1 - dry) * below, fitted)


def log_logistic_index(value: Array, sample: Array) -> Array:
    """Return the standardised precipitation-evapotranspiration index of climatic water balances.

    Parameters
    ----------
    value : float64 (...)
        Precipitation less reference evapotranspiration of the months in question [mm].
    sample : float64 (year, ...)
        The same of other years [mm]; NaN is missing.

    Returns
    -------
    float64 (...)
        [-], -3.09 to 3.09; missing where fewer than 30 years are known, or all are the same.

    Notes
    -----
    Valid for sums of a month or more. A three-parameter log-logistic distribution, written as the generalised
    logistic one so that samples
    leaning either way fit, by unbiased L-moments.

    References
    ----------
    Vicente-Serrano, Beguería & López-Moreno (2010), J. Climate 23, 1696-1718; unbiased moments: Beguería et al.
    (Hosking & Wallis (1997), appendix A.7, equations of the L-moments.

    Examples
    --------
    >>> years = np.linspace(-120.0, 60.0, 41)[:, np.newaxis]
    >>> log_logistic_index(np.array([-20.0, -110.0]), years).round(1).tolist()
    [0.2, -1.5]
    """
    count = np.sum(~np.isnan(sample), axis=0)
    years = np.maximum(count, 3)
    rank = np.arange(len(sample)).reshape(-1, *[1] * (sample.ndim - 1))
    # Sorting puts NaN last, so that the first `count` are the known ones, smallest first.
    ordered = np.where(rank < count, np.sort(sample, axis=0), 0.0)
    b0 = ordered.sum(axis=0) / years
    b1 = (ordered * rank / (years - 1)).sum(axis=0) / years
    b2 = (ordered * rank * (rank - 1) / ((years - 1) * (years - 2))).sum(axis=0) / years
    spread = 2 * b1 - b0
    fitted = (count >= YEARS_NEEDED) & (spread > _ROUNDING) & ~np.isnan(value)
    # A shape of exactly 0, the logistic distribution, would divide by itself; its neighbour does as well.
    lean = np.where(fitted, -(6 * b2 - 6 * b1 + b0) / np.where(fitted, spread, 1.0), _ROUNDING)
    lean = np.where(np.abs(lean) < _ROUNDING, _ROUNDING, lean)
    turn = np.pi / np.sin(np.pi * lean)
    scale = np.where(fitted, spread, 1.0) / (lean * turn)
    centre = b0 - scale * (1 / lean - turn)
    within = 1 - lean * (np.where(fitted, value, centre) - centre) / scale
    beyond = np.where(lean > 0, np.inf, -np.inf)
    with np.errstate(divide="ignore", invalid="ignore"):
        logit = np.where(within > 0, -np.log(within) / lean, beyond)
    return _standardised(special.expit(logit), fitted)


def _standardised(probability: Array, fitted: Array) -> Array:
    index: Array = np.clip(special.ndtri(np.clip(probability, 0.0, 1.0)), -EXTREME, EXTREME)
    # The last bits of a sum over the years depend on how many sites are computed together.
    return np.where(fitted, index, np.nan).round(_DECIMALS)
