"""Cool places: where in the city a hot hour is easiest to bear (Klimakomforträume)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gruenpuls.domain.processor import Array


class CoolPlaces(NamedTuple):
    """Places in the order of how they are borne.

    Parameters
    ----------
    rank : float64 (site,)
        1 is the coolest; places that feel the same share a rank [-]. Missing where nothing is known.
    cooler : float64 (site,)
        By how much a place feels cooler than the middle one of the city [K], negative where hotter.
    """

    rank: Array
    cooler: Array


def cool_places(felt: Array) -> CoolPlaces:
    """Return the ranking of places in a hot hour.

    Parameters
    ----------
    felt : float64 (site,)
        UTCI in the shade of one hour, or its mean over several: the same hours for all [°C].

    Returns
    -------
    CoolPlaces
        Ranks [-] and differences [K]; missing where the value is.

    Notes
    -----
    Valid for values of the same hours only: a place that was silent at noon must be missing, not judged by its
    morning. Differences below 0.5 K are within the error of sensors and shields.

    References
    ----------
    VDI 3787 part 2 (2008), table of assessment at one time; ranking: our own, no equation.

    Examples
    --------
    >>> found = cool_places(np.array([38.0, 31.0, np.nan, 34.0, 34.0]))
    >>> found.rank.tolist(), found.cooler.tolist()
    ([4.0, 1.0, nan, 2.0, 2.0], [-4.0, 3.0, nan, 0.0, 0.0])
    """
    known = np.isfinite(felt)
    rank, cooler = np.full(felt.shape, np.nan), np.full(felt.shape, np.nan)
    if known.any():
        rank[known] = np.searchsorted(np.sort(felt[known]), felt[known], side="left") + 1
        cooler[known] = np.median(felt[known]) - felt[known]
    return CoolPlaces(rank, cooler)
