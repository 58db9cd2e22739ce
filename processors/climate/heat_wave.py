"""Heat waves: three and more hot days in a row, hot for the place and time of year or simply hot."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.processor import Array
from processors.water.sun import day_of_year

HOT_DAY: Final = 30.0
"""Of the simple definition, inclusive [°C]."""
_AT_LEAST: Final = 28.0
"""Of DWD's definition, exclusive: the warmest April is no heat wave [°C]."""
_QUANTILE: Final = 0.98
_HALF_WINDOW: Final = 15
_DAYS: Final = 3
_LEAST_VALUES: Final = 300
"""Of the 930 that 31 days of 30 years have: ten years and some."""
_CALENDAR: Final = 366


def heat_threshold(
    days: NDArray[np.datetime64], maximum: Array, *, first_year: int = 1961, last_year: int = 1990
) -> Array:
    """Return how warm the warmest days of each time of year were: the 98th percentile of a window of 31 days.

    Parameters
    ----------
    days : datetime64 (day,)
        Calendar days of a long record [d].
    maximum : float64 (day, site)
        Highest air temperature of each [°C].
    first_year, last_year : int
        Of the reference period, both inclusive [a].

    Returns
    -------
    float64 (366, site)
        By day of the year, 1 January first [°C]; missing where fewer than 300 days are known.

    Notes
    -----
    Valid for records of at least ten years within the reference period.

    References
    ----------
    Deutscher Wetterdienst, Wetterlexikon, "Hitzewelle", definition without equation: 98th percentile of the
    maxima of 1961 to 1990, window of 15 days to either side.

    Examples
    --------
    >>> days = np.arange("1961-01-01", "1991-01-01", dtype="datetime64[D]")
    >>> heat_threshold(days, np.full((len(days), 1), 20.0))[:2].tolist()
    [[20.0], [20.0]]
    """
    years = days.astype("datetime64[Y]").astype(np.int64) + 1970
    within = (years >= first_year) & (years <= last_year)
    number = day_of_year(days[within].astype("datetime64[ms]"))
    record = maximum[within]
    result = np.full((_CALENDAR, maximum.shape[1]), np.nan)
    for day in range(1, _CALENDAR + 1):
        away = np.abs(number - day)
        window = record[np.minimum(away, _CALENDAR - away) <= _HALF_WINDOW]
        enough = np.isfinite(window).sum(axis=0) >= _LEAST_VALUES
        if enough.any():
            result[day - 1, enough] = np.nanquantile(window[:, enough], _QUANTILE, axis=0)
    return result


def heat_wave_days(maximum: Array, hot: NDArray[np.bool_]) -> Array:
    """Return which days belong to a heat wave: to at least three hot days in a row.

    Parameters
    ----------
    maximum : float64 (day, site)
        Highest air temperature of consecutive days [°C].
    hot : bool (day, site)
        Which of them were hot, by `hot_for_the_season` or simply from 30 °C on [-].

    Returns
    -------
    float64 (day, site)
        1 or 0 [d]; missing where the maximum is. A missing day ends a wave.

    Notes
    -----
    Valid for consecutive days. A day becomes part of a wave only when the third has come, so the last two days
    of a running season may still change.

    References
    ----------
    Deutscher Wetterdienst, Wetterlexikon, "Hitzewelle", definition without equation; from 30 °C on: the simple
    form used where there is no record.

    Examples
    --------
    >>> warm = np.array([[31.0], [30.0], [33.0], [29.0], [30.0]])
    >>> heat_wave_days(warm, warm >= HOT_DAY).ravel().tolist()
    [1.0, 1.0, 1.0, 0.0, 0.0]
    """
    hot = hot & np.isfinite(maximum)
    third = np.zeros(hot.shape, np.bool_)
    third[_DAYS - 1 :] = hot[: len(hot) - _DAYS + 1]
    for back in range(1, _DAYS):
        third[_DAYS - 1 :] &= hot[back : len(hot) - _DAYS + 1 + back]
    wave = third.copy()
    for back in range(1, _DAYS):
        wave[: len(wave) - back] |= third[back:]
    return np.where(np.isfinite(maximum), wave.astype(np.float64), np.nan)


def hot_for_the_season(days: NDArray[np.datetime64], maximum: Array, threshold: Array) -> NDArray[np.bool_]:
    """Return which days were hot by DWD's definition: above the 98th percentile and above 28 °C.

    Parameters
    ----------
    days : datetime64 (day,)
        Calendar days [d].
    maximum : float64 (day, site)
        [°C]
    threshold : float64 (366, site)
        What `heat_threshold` gives [°C].

    Returns
    -------
    bool (day, site)
        [-]; false where the maximum or the threshold is missing.

    Notes
    -----
    Valid for places whose threshold is known, by their own record or a station's.

    References
    ----------
    Deutscher Wetterdienst, Wetterlexikon, "Hitzewelle", definition without equation.

    Examples
    --------
    >>> hot_for_the_season(np.array(["2023-07-01"], "datetime64[D]"), np.array([[33.0]]), np.full((366, 1), 32.0))
    array([[ True]])
    """
    season = threshold[day_of_year(days.astype("datetime64[ms]")).astype(np.int64) - 1]
    return (maximum > season) & (maximum > _AT_LEAST)
