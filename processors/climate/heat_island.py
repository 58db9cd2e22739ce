"""Heat island: how much warmer the city stays than the country on clear, calm nights."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.processor import Array
from gruenpuls.domain.reading import Times

_FIRST_HOUR: Final = 21
_HOURS: Final = 8
_DAY: Final = 24
_CALM: Final = 3.0
_CLEAR: Final = 50.0
_WET: Final = 0.1
_COMPLETENESS: Final = 0.75


class HeatIsland(NamedTuple):
    """How much warmer each site was than the country, night by night.

    Parameters
    ----------
    nights : datetime64[D] (night,)
        The date of its evening.
    fit : bool (night,)
        Whether the night was clear, calm and dry: what all else is limited to.
    mean, largest : float64 (night, site)
        Over the night's hours [K]; missing in nights that are not fit or hold too few hours.
    """

    nights: NDArray[np.datetime64]
    fit: NDArray[np.bool_]
    mean: Array
    largest: Array


def heat_island(
    steps: Times,
    urban: Array,
    rural: Array,
    wind_speed: Array,
    precipitation: Array,
    cloud_cover: Array | None = None,
) -> HeatIsland:
    """Return the intensity of the heat island by night.

    Parameters
    ----------
    steps : datetime64[ms] (time,)
        Start of each hour, one after the other without a gap, UTC [ms].
    urban : float64 (time, site)
        Air temperature of the sites [°C].
    rural : float64 (time,)
        Of the chosen place in the country, at the same height above ground [°C].
    wind_speed : float64 (time,)
        In the country [m/s].
    precipitation : float64 (time,)
        In the country [mm] an hour.
    cloud_cover : float64 (time,) or None
        [%]; None where nobody observes it: then calm and dry must do.

    Returns
    -------
    HeatIsland
        Differences of the nights from 21 to 5 UTC [K].

    Notes
    -----
    Valid for nights of which three quarters of the hours are known at both places. Fit is a night with a mean
    wind below 3 m/s, a mean cloud cover of 50 % at most, and not 0.1 mm of rain in the 24 hours before its end;
    what is not known of wind or rain is not fit.

    References
    ----------
    Oke, T. R. (1973), Atmos. Environ. 7, 769-779 (intensity on clear calm nights; equation 1 is not used here);
    bounds of the screening: our own choice.

    Examples
    --------
    >>> steps = np.datetime64("2023-08-14T05:00", "ms") + np.arange(24) * np.timedelta64(1, "h")
    >>> calm, dry = np.full(24, 1.0), np.zeros(24)
    >>> found = heat_island(steps, np.full((24, 1), 22.0), np.full(24, 18.0), calm, dry)
    >>> found.nights.astype(str).tolist(), found.mean.tolist()
    (['2023-08-14'], [[4.0]])
    """
    hour = (steps - steps.astype("datetime64[D]")) // np.timedelta64(1, "h")
    place = np.arange(len(steps))
    starts = np.flatnonzero((hour == _FIRST_HOUR) & (place >= _DAY - _HOURS) & (place + _HOURS <= len(steps)))
    night = starts[:, None] + np.arange(_HOURS)
    before = starts[:, None] + np.arange(_HOURS - _DAY, _HOURS)
    fit = (_mean(wind_speed[night]) < _CALM) & (_mean(precipitation[before]) * _DAY < _WET)
    if cloud_cover is not None:
        fit &= _mean(cloud_cover[night]) <= _CLEAR
    difference = (urban - rural[:, None])[night]
    known = np.isfinite(difference)
    count = known.sum(axis=1)
    enough = fit[:, None] & (count >= _COMPLETENESS * _HOURS)
    mean = np.where(known, difference, 0.0).sum(axis=1) / np.maximum(count, 1)
    largest = np.where(known, difference, -np.inf).max(axis=1, initial=-np.inf)
    return HeatIsland(
        steps[starts].astype("datetime64[D]"), fit, np.where(enough, mean, np.nan), np.where(enough, largest, np.nan)
    )


def _mean(values: Array) -> Array:
    """Return the mean of each row, missing where a quarter or more of it is."""
    known = np.isfinite(values)
    count = known.sum(axis=1)
    total = np.where(known, values, 0.0).sum(axis=1)
    return np.where(count >= _COMPLETENESS * values.shape[1], total / np.maximum(count, 1), np.nan)
