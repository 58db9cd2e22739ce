"""Retention curves: how hard soil holds its water, and how much it holds at a tension (van Genuchten)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from gruenpuls.domain.processor import Array
from processors.soil.texture import TREE_PIT_SUBSTRATE, texture_name

CENTIMETRES_PER_KPA: Final = 10.197
"""Height of the water column that presses as much [cm/kPa]."""
FIELD_CAPACITY_PF: Final = 1.8
WILTING_POINT_PF: Final = 4.2

CURVE_ATTRIBUTES: Final = ("residual_water", "saturated_water", "curve_alpha", "curve_n")
"""Under what `gruenpuls.domain.processor.Fleet.attributes` holds the fields of `Retention`, in their order."""

_DRIEST, _WETTEST = 1e-6, 1 - 1e-9
_PERCENT: Final = 100.0


def tension_at_pf(pf: Array | float) -> Array:
    """Return the tension at a pF, the decimal logarithm of the suction head in cm of water.

    Parameters
    ----------
    pf : float64 (...)
        [-]

    Returns
    -------
    float64 (...)
        [kPa]

    Notes
    -----
    Valid for any pF; soil is described from 0 (saturated) to 7 (dried in the oven).

    References
    ----------
    The definition of pF: tension = 10 ** pF cm of water. No equation beyond it.

    Examples
    --------
    >>> tension_at_pf(1.8).round(2).item(), tension_at_pf(4.2).round().item()
    (6.19, 1554.0)
    """
    return np.asarray(10.0 ** np.asarray(pf, np.float64) / CENTIMETRES_PER_KPA)


def pf_at_head(head: Array | float) -> Array:
    """Return the pF of a suction head.

    Parameters
    ----------
    head : float64 (...)
        [cm of water], or in [hPa], which differ by 2 %.

    Returns
    -------
    float64 (...)
        [-]; NaN at 0 and below.

    Notes
    -----
    Valid for heads above 0: saturated soil has no pF.

    References
    ----------
    The definition of pF as the decimal logarithm of the head. No equation beyond it.

    Examples
    --------
    >>> pf_at_head(1000.0).item()
    3.0
    """
    above = np.asarray(head, np.float64)
    return np.asarray(np.log10(np.where(above > 0, above, np.nan)))


@dataclass(frozen=True, slots=True)
class Retention:
    """Van Genuchten curves; the fields have the shape of what they are asked about, or broadcast to it.

    Field capacity and wilting point are read from the curve itself and can not be handed in: capacities
    of the KA5 table lie several per cent by volume elsewhere and have no way in here.

    Parameters
    ----------
    residual, saturated : float64
        Volumetric water content [%].
    alpha : float64
        [1/cm].
    n : float64
        Above 1 [-].

    References
    ----------
    van Genuchten, M. T. (1980), Soil Sci. Soc. Am. J. 44, 892-898, equations 3 and 22, with m = 1 - 1/n.

    Examples
    --------
    >>> sl3 = CURVES["Sl3"]
    >>> sl3.available_water(np.array([33.0, 81.0])).round().tolist()
    [50.0, 32.0]
    """

    residual: Array
    saturated: Array
    alpha: Array
    n: Array

    def water_content(self, tension: Array | float) -> Array:
        """Return the volumetric water content [%] at a tension [kPa]; NaN below 0 kPa."""
        given = np.asarray(tension, np.float64)
        head = np.where(given >= 0, given, np.nan) * CENTIMETRES_PER_KPA
        filled = (1 + (self.alpha * head) ** self.n) ** (1 / self.n - 1)
        return np.asarray(self.residual + (self.saturated - self.residual) * filled)

    def tension(self, water_content: Array | float) -> Array:
        """Return the tension [kPa] at a volumetric water content [%].

        The share of filled pores is held within 1e-6 and 1 - 1e-9, so that a probe that reads more than
        saturation or less than the residual gives the end of the curve; NaN outside 0 to 100 %.
        """
        given = np.asarray(water_content, np.float64)
        content = np.where((given >= 0) & (given <= _PERCENT), given, np.nan)
        filled = np.clip((content - self.residual) / (self.saturated - self.residual), _DRIEST, _WETTEST)
        head = (filled ** (self.n / (1 - self.n)) - 1) ** (1 / self.n) / self.alpha
        return np.asarray(head / CENTIMETRES_PER_KPA)

    @property
    def field_capacity(self) -> Array:
        """Volumetric water content at pF 1.8 [%]."""
        return self.water_content(tension_at_pf(FIELD_CAPACITY_PF))

    @property
    def wilting_point(self) -> Array:
        """Volumetric water content at pF 4.2 [%]."""
        return self.water_content(tension_at_pf(WILTING_POINT_PF))

    def available_water(self, tension: Array | float) -> Array:
        """Return the plant-available water [% nFK] at a tension [kPa]; above 100 while water still drains."""
        dry, full = self.wilting_point, self.field_capacity
        return np.asarray(_PERCENT * (self.water_content(tension) - dry) / (full - dry))

    def by_depth(self) -> Retention:
        """Return the curves of sites (site,) ready for arrays (time, site, depth) or (site, depth)."""
        return Retention(self.residual[:, None], self.saturated[:, None], self.alpha[:, None], self.n[:, None])


_PARAMETERS: Final = {
    "Ss": (0, 0.3879, 0.26437, 1.35154),
    "fS": (0, 0.4095, 0.15041, 1.33576),
    "mS": (0, 0.3886, 0.26188, 1.3533),
    "gS": (0, 0.37676, 0.22065, 1.46574),
    "Sl2": (0, 0.3949, 0.11647, 1.25425),
    "Sl3": (0.0519, 0.3952, 0.07097, 1.35096),
    "Sl4": (0, 0.4101, 0.10486, 1.18427),
    "Slu": (0, 0.4138, 0.08165, 1.17695),
    "St2": (0, 0.4049, 0.48458, 1.18828),
    "St3": (0, 0.4214, 0.18023, 1.1323),
    "Su2": (0, 0.3786, 0.20387, 1.23473),
    "Su3": (0, 0.3765, 0.08862, 1.21398),
    "Su4": (0, 0.3839, 0.06005, 1.22228),
    "Ls2": (0.1406, 0.4148, 0.04052, 1.32416),
    "Ls3": (0.07284, 0.4091, 0.06835, 1.20501),
    "Ls4": (0.0463, 0.4129, 0.09955, 1.18213),
    "Lt2": (0.1492, 0.438, 0.07013, 1.24572),
    "Lt3": (0.1629, 0.453, 0.04947, 1.17003),
    "Lts": (0.1154, 0.4325, 0.03401, 1.19442),
    "Lu": (0.0534, 0.4284, 0.04321, 1.16518),
    "Us": (0, 0.3946, 0.02747, 1.22393),
    "Uu": (0, 0.403, 0.0142, 1.21344),
    "Uls": (0, 0.4003, 0.02513, 1.19338),
    "Ut2": (0.0101, 0.4001, 0.01868, 1.22068),
    "Ut3": (0.0053, 0.4031, 0.01679, 1.20668),
    "Ut4": (0.0276, 0.4162, 0.01697, 1.20483),
    "Tu2": (0, 0.4971, 0.07242, 1.06062),
    "Tu3": (0, 0.4589, 0.055, 1.08166),
    "Tu4": (0.017, 0.4372, 0.04538, 1.12039),
    "Tl": (0, 0.4931, 0.07339, 1.06254),
    "Tt": (0, 0.5238, 0.06612, 1.05215),
    "Ts2": (0, 0.4836, 0.08402, 1.07669),
    "Ts3": (0.07841, 0.4374, 0.06194, 1.14565),
    "Ts4": (0, 0.4355, 0.20919, 1.11419),
}
"""Residual and saturated water content [-], alpha [1/cm], n [-]."""


def _curve(residual: float, saturated: float, alpha: float, n: float) -> Retention:
    return Retention(
        *(np.float64(value) for value in (_PERCENT * residual, _PERCENT * saturated, alpha, n))  # type: ignore[arg-type] # scalars broadcast like arrays
    )


CURVES: Final[Mapping[str, Retention]] = MappingProxyType(
    {symbol: _curve(*parameters) for symbol, parameters in _PARAMETERS.items()}
    | {TREE_PIT_SUBSTRATE: _curve(*_PARAMETERS["Sl3"])}
)
"""The curve of every KA5 texture by Wessolek et al. (2009).

Tree pit substrate has the one of Sl3, whose share of fine soil and capacities are nearest (assumption).
Technogenic soil and roof substrates have none: nobody measured one that would hold for them.
"""


def curves(textures: Sequence[str | None]) -> Retention:
    """Return the retention curves of many sites by what people call their soil.

    Parameters
    ----------
    textures : sequence of str or None
        KA5 symbols, substrate names or their spellings [-], as `processors.soil.texture.texture_name` reads them.

    Returns
    -------
    Retention
        Arrays (site,) of water contents [%], alpha [1/cm] and shape [-]; NaN where there is no curve.

    Notes
    -----
    Valid for the mineral soils of KA5 and, by assumption, tree pit substrate; nothing else has a curve.

    References
    ----------
    Wessolek et al. (2009), table 10, as in `CURVES`.

    Examples
    --------
    >>> curves(["Sl3", "Bauschutt", None]).available_water(33.0).round().tolist()
    [50.0, nan, nan]
    """
    found = [CURVES.get(texture_name(text) or "") for text in textures]
    columns = [
        np.array([np.nan if curve is None else getattr(curve, name) for curve in found], np.float64)
        for name in Retention.__slots__
    ]
    return Retention(*columns)
