"""The usual rain and what the usual weather does not tell: what to expect of days nobody has forecast."""

from __future__ import annotations

from typing import Final

import numpy as np

from gruenpuls.domain.processor import Array

_CHANCE: Final = (
    (0.556, 0.534, 0.563, 0.473, 0.486, 0.493, 0.494, 0.449, 0.511, 0.506, 0.587, 0.603),
    (0.500, 0.470, 0.502, 0.410, 0.432, 0.457, 0.451, 0.411, 0.457, 0.442, 0.517, 0.541),
    (0.370, 0.357, 0.373, 0.311, 0.334, 0.367, 0.366, 0.325, 0.367, 0.330, 0.393, 0.406),
    (0.131, 0.137, 0.157, 0.131, 0.161, 0.184, 0.178, 0.144, 0.173, 0.137, 0.150, 0.159),
)
_EXCESS: Final = (4.74, 4.43, 4.02, 4.46, 6.24, 8.35, 7.32, 8.00, 6.06, 6.44, 5.10, 4.74)
_SPREAD: Final = (0.42, 0.38, 0.27, 0.26, 0.25, 0.20, 0.21, 0.21, 0.24, 0.22, 0.34, 0.43)
_MIDDLES: Final = (15.5, 45.0, 74.5, 105.0, 135.5, 166.0, 196.5, 227.5, 258.0, 288.5, 319.0, 349.5)


def _on(day: Array, monthly: tuple[float, ...]) -> Array:
    result: Array = np.interp(day, _MIDDLES, monthly, period=365.25)
    return result


def expected_rain_chances(day: Array) -> tuple[Array, Array]:
    """Return how likely more than 0, 0.2, 1 and 5 mm of rain are, and the mean beyond 5 mm on days with more.

    Parameters
    ----------
    day : float64 (day,)
        Day of the year [-].

    Returns
    -------
    chance : float64 (amount, day)
        [-]
    excess : float64 (day,)
        [mm]

    Notes
    -----
    Valid for the Rhineland and the Ruhr; straight lines between the middles of months.

    References
    ----------
    Days of DWD station 02667 Köln/Bonn, 1981 to 2010 (839 mm a year), own counts; Deutscher Wetterdienst,
    GeoNutzV. No equation.

    Examples
    --------
    >>> chance, excess = expected_rain_chances(np.array([196.5]))
    >>> chance.round(2).ravel().tolist(), excess.round(1).tolist()
    ([0.49, 0.45, 0.37, 0.18], [7.3])
    """
    return np.stack([_on(day, monthly) for monthly in _CHANCE]), _on(day, _EXCESS)


def expected_demand_spread(day: Array) -> Array:
    """Return how far ten days' mean of the reference evapotranspiration usually lies off its expectation.

    Parameters
    ----------
    day : float64 (...)
        Day of the year [-].

    Returns
    -------
    float64 (...)
        Relative standard deviation [-].

    Notes
    -----
    Valid for the Rhineland and the Ruhr; between the middles of the months along straight lines.

    References
    ----------
    DWD station 02667 Köln/Bonn, 1981 to 2010, own statistics. No equation.

    Examples
    --------
    >>> expected_demand_spread(np.array([196.5])).tolist()
    [0.21]
    """
    return _on(day, _SPREAD)
