"""Soil probes in frozen ground, which take ice for dryness."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.processor import Array

FROZEN_BELOW: Final = 0.5
"""Soil that cold may hold ice at the probe [°C]."""


def frozen_ground(soil_temperature: Array, frozen_below: float = FROZEN_BELOW) -> NDArray[np.bool_]:
    """Return where the soil at a probe is frozen, or about to be.

    Parameters
    ----------
    soil_temperature : float64 (n,)
        At the probe; NaN is not known [°C].
    frozen_below : float
        [°C]

    Returns
    -------
    bool (n,)
        False where nothing is known [-].

    Notes
    -----
    Valid for dielectric and resistance probes: the permittivity of ice is that of dry soil.

    References
    ----------
    Dorigo et al. (2013), Vadose Zone Journal 12(3), table 2, flag D01 (soil below 0 °C); half a degree
    more is our own choice, for the accuracy of the thermometers.

    Examples
    --------
    >>> frozen_ground(np.array([-2.0, 0.4, 3.0, np.nan])).tolist()
    [True, True, False, False]
    """
    return np.asarray(soil_temperature < frozen_below)
