"""Rain levels: measured here, in the range of a level of the German weather service. Never its warning."""

from __future__ import annotations

from typing import Final

import numpy as np

from gruenpuls.domain.processor import Array

HEAVY: Final = {1: (15.0, 25.0, 40.0), 6: (20.0, 35.0, 60.0)}
"""Above which depth [mm] within so many hours heavy rain is of level 2, 3 and 4."""
LONG: Final = {12: (25.0, 40.0, 70.0), 24: (30.0, 50.0, 80.0), 48: (40.0, 60.0, 90.0), 72: (60.0, 90.0, 120.0)}
"""The same for long rain."""
LOWEST: Final = 2
"""The lowest level there is for rain."""


def rain_level(depth: Array, hours: int) -> Array:
    """Return in the range of which level of the weather service a depth of rain is.

    Parameters
    ----------
    depth : float64 (...)
        Fallen within so many hours [mm].
    hours : int
        1 or 6 for heavy rain, 12, 24, 48 or 72 for long rain [h].

    Returns
    -------
    float64 (...)
        0, or 2 to 4 [-]; missing where the depth is.

    Raises
    ------
    KeyError
        If there is no level for so many hours.

    Notes
    -----
    Valid for rain that was measured; the service's own warnings are forecasts. A limit itself still counts to
    the level below.

    References
    ----------
    DWD, Warnkriterien (table), heavy rain within 1 and 6 h and long rain within 12 h; long rain within 24, 48 and
    72 h as recalled, to be compared with the table before it is relied on.

    Examples
    --------
    >>> rain_level(np.array([15.0, 15.1, 25.1, 60.0, np.nan]), 1).tolist()
    [0.0, 2.0, 3.0, 4.0, nan]
    """
    limits = {**HEAVY, **LONG}[hours]
    above = np.sum([depth > limit for limit in limits], axis=0).astype(np.float64)
    return np.where(np.isnan(depth), np.nan, np.where(above > 0, above + LOWEST - 1, 0.0))
