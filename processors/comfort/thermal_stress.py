"""Classes of heat and cold: what a temperature that is felt means to people."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.processor import Array

UNKNOWN: Final = -128
"""The code of a missing value."""
Classes = NDArray[np.int8]


class UtciClass(IntEnum):
    """Thermal stress on the UTCI scale; 0 is none."""

    EXTREME_COLD_STRESS = -5
    VERY_STRONG_COLD_STRESS = -4
    STRONG_COLD_STRESS = -3
    MODERATE_COLD_STRESS = -2
    SLIGHT_COLD_STRESS = -1
    NO_THERMAL_STRESS = 0
    MODERATE_HEAT_STRESS = 1
    STRONG_HEAT_STRESS = 2
    VERY_STRONG_HEAT_STRESS = 3
    EXTREME_HEAT_STRESS = 4


class PetClass(IntEnum):
    """How Central Europeans feel on the PET scale; 0 is comfortable."""

    VERY_COLD = -4
    COLD = -3
    COOL = -2
    SLIGHTLY_COOL = -1
    COMFORTABLE = 0
    SLIGHTLY_WARM = 1
    WARM = 2
    HOT = 3
    VERY_HOT = 4


class PerceivedClass(IntEnum):
    """Heat and cold load on the scale of DWD's perceived temperature; 0 is comfort."""

    EXTREME_COLD = -4
    STRONG_COLD = -3
    MODERATE_COLD = -2
    SLIGHT_COLD = -1
    COMFORT = 0
    SLIGHT_HEAT = 1
    MODERATE_HEAT = 2
    STRONG_HEAT = 3
    EXTREME_HEAT = 4


_UTCI_EDGES: Final = np.array([-40.0, -27.0, -13.0, 0.0, 9.0, 26.0, 32.0, 38.0, 46.0])
_PET_EDGES: Final = np.array([4.0, 8.0, 13.0, 18.0, 23.0, 29.0, 35.0, 41.0])
_PERCEIVED_EDGES: Final = np.array([-39.0, -26.0, -13.0, 0.0, 20.0, 26.0, 32.0, 38.0])


def utci_class(universal_thermal_climate_index: Array) -> Classes:
    """Return the UTCI class, the upper edge inclusive.

    Parameters
    ----------
    universal_thermal_climate_index : float64 (...)
        [°C]

    Returns
    -------
    int8 (...)
        `UtciClass`, or `UNKNOWN` where the value is missing [-].

    Notes
    -----
    Valid for any UTCI.

    References
    ----------
    Bröde, P., et al. (2012), Int. J. Biometeorol. 56, 481-494, doi:10.1007/s00484-011-0454-1, table of the
    assessment scale.

    Examples
    --------
    >>> [UtciClass(code).name for code in utci_class(np.array([26.0, 32.1]))]
    ['NO_THERMAL_STRESS', 'STRONG_HEAT_STRESS']
    """
    return _classified(universal_thermal_climate_index, _UTCI_EDGES, UtciClass.EXTREME_COLD_STRESS)


def pet_class(physiological_equivalent_temperature: Array) -> Classes:
    """Return the PET class, the upper edge inclusive.

    Parameters
    ----------
    physiological_equivalent_temperature : float64 (...)
        [°C]

    Returns
    -------
    int8 (...)
        `PetClass`, or `UNKNOWN` where the value is missing [-].

    Notes
    -----
    Valid for people of Central Europe at light work in 0.9 clo.

    References
    ----------
    VDI 3787 part 2 (2008), table of PET and thermal perception; Matzarakis, A., and Mayer, H. (1996), WHO
    Newsletter 18, 7-10, table 1.

    Examples
    --------
    >>> [PetClass(code).name for code in pet_class(np.array([23.0, 42.0]))]
    ['COMFORTABLE', 'VERY_HOT']
    """
    return _classified(physiological_equivalent_temperature, _PET_EDGES, PetClass.VERY_COLD)


def perceived_class(perceived_temperature: Array) -> Classes:
    """Return the class of DWD's perceived temperature, the upper edge inclusive.

    Parameters
    ----------
    perceived_temperature : float64 (...)
        As DWD publishes it; nothing here computes one [°C].

    Returns
    -------
    int8 (...)
        `PerceivedClass`, or `UNKNOWN` where the value is missing [-].

    Notes
    -----
    Valid for DWD's Klima-Michel. A class from UTCI is none of DWD's and no warning of its.

    References
    ----------
    Deutscher Wetterdienst, Wetterlexikon, "Gefühlte Temperatur", table of classes.

    Examples
    --------
    >>> [PerceivedClass(code).name for code in perceived_class(np.array([20.0, 38.1]))]
    ['COMFORT', 'EXTREME_HEAT']
    """
    return _classified(perceived_temperature, _PERCEIVED_EDGES, PerceivedClass.EXTREME_COLD)


def _classified(values: Array, edges: Array, lowest: int) -> Classes:
    codes = np.searchsorted(edges, values, side="left") + lowest
    return np.where(np.isnan(values), UNKNOWN, codes).astype(np.int8)
