"""The human body's heat balance: core, skin and clothes in air, wind and radiation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from gruenpuls.domain.processor import Array
from processors.water.humidity import saturation_vapour_pressure

KELVIN: Final = 273.15
_STEFAN_BOLTZMANN: Final = 5.67e-8
_SKIN_EMISSIVITY: Final = 0.99
_CLOTHES_EMISSIVITY: Final = 0.95
_RADIATING_SHARE: Final = 0.725
"""Of the body's surface; legs and arms face each other [-]."""
_VAPORISATION: Final = 2.42e6
"""[J/kg]"""
_BLOOD: Final = 3640 / 3600
"""What a litre of blood an hour carries [W/K]."""
_TISSUE: Final = 5.28
"""Conductance of skin without any blood [W m-2 K-1]."""
_SET_CORE: Final = 36.6
_SET_SKIN: Final = 34.0
_SET_BODY: Final = 0.1 * _SET_SKIN + 0.9 * _SET_CORE
_BLOOD_AT_REST: Final = 6.3
_BLOOD_PER_DEGREE: Final = 75.0
_MOST_BLOOD: Final = 90.0
"""Blood through the skin [L m-2 h-1]."""
_SWEAT_PER_DEGREE: Final = 304.94
_MOST_SWEAT: Final = 500.0
"""[g m-2 h-1]"""
_LEWIS: Final = 1.67
"""Vapour transfer to heat transfer at a surface [K/hPa]."""
_WOODCOCK: Final = 0.38
"""How well vapour passes through clothes compared with heat [-]."""
_STANDARD_PRESSURE: Final = 1013.25
_COLDEST_SKIN: Final = -60.0
_HOTTEST_SKIN: Final = 60.0


@dataclass(frozen=True, slots=True)
class Person:
    """Whose heat is balanced; by default the person PET is defined for.

    Parameters
    ----------
    age : float
        [a]
    height : float
        [m]
    weight : float
        [kg]
    work : float
        Heat made by what the person does, beside the metabolism at rest [W].
    clothing : float
        Insulation, above 0.6 and below 2 [clo].
    """

    age: float = 35
    height: float = 1.75
    weight: float = 75
    work: float = 80
    clothing: float = 0.9

    @property
    def area(self) -> float:
        """Surface of the naked body after DuBois and DuBois (1916) [m2]."""
        return float(0.202 * self.weight**0.425 * self.height**0.725)

    @property
    def heat(self) -> float:
        """Heat the body makes, at rest and at work [W/m2 of naked body]."""
        build = self.height * 100 / self.weight ** (1 / 3)
        rest = 3.45 * self.weight**0.75 * (1 + 0.004 * (30 - self.age) + 0.01 * (build - 43.4))
        return float((rest + self.work) / self.area)


class Clothes(NamedTuple):
    """What clothes are to heat, per surface of the naked body.

    Parameters
    ----------
    area : float
        Outer surface of the clothed parts [-].
    bare : float
        Skin without clothes [-].
    growth : float
        How much larger clothes make the body [-].
    resistance : float
        [m2 K/W]
    conductance : float
        From skin to the clothes' surface, per outer surface [W m-2 K-1].
    """

    area: float
    bare: float
    growth: float
    resistance: float
    conductance: float

    @classmethod
    def of(cls, person: Person) -> Clothes:
        """Return a person's clothes: a cylinder's wall, whose length and radius cancel out."""
        clo = person.clothing
        growth = 1 + 0.31 * clo
        covered = (-2.36 + 173.51 * clo - 100.76 * clo**2 + 19.28 * clo**3) / 100
        inside, thickness, resistance = min(covered, 1.0), growth - 1, clo / 6.45
        area = covered + thickness
        wall = thickness / (resistance * np.log1p(thickness / inside) * area)
        return cls(area, 1 - inside, growth, resistance, float(wall))


def convection(wind_speed: Array, pressure: Array) -> Array:
    """Return the heat a surface of the body loses to the air [W m-2 K-1], from wind [m/s] and pressure [hPa]."""
    thickness = pressure / _STANDARD_PRESSURE
    return np.maximum(2.67 + 6.5 * wind_speed**0.67, 3 * thickness**0.53) * thickness**0.55


def breath(air_temperature: Array, vapour_pressure: Array | float, pressure: Array, heat: float) -> Array:
    """Return the heat breathing brings the body, negative when it loses [W/m2].

    From air temperature [°C], vapour pressure and air pressure [hPa] and the heat the body makes [W/m2].
    """
    exhaled = 0.47 * air_temperature + 21
    moist = 0.623 * _VAPORISATION / pressure * (vapour_pressure - 10 * saturation_vapour_pressure(exhaled))
    return heat * 1.44e-6 * (1010 * (air_temperature - exhaled) + moist)


def core_temperature(skin: Array, heat: Array) -> tuple[Array, Array]:
    """Return how warm the core is that sends this heat [W/m2] to a skin [°C], and the blood that carries it.

    Returns
    -------
    core : float64 (n,)
        [°C]
    blood : float64 (n,)
        [L m-2 h-1]

    Notes
    -----
    Blood flow grows with the core's warmth and shrinks with the skin's cold, so the balance is linear in
    the core's temperature below its set point, quadratic above, linear again at the most blood there is.
    """
    constriction = 1 + 0.5 * np.maximum(_SET_SKIN - skin, 0)
    at_rest = _BLOOD_AT_REST / constriction
    core = skin + heat / (_BLOOD * at_rest + _TISSUE)
    slope, gap = _BLOOD * _BLOOD_PER_DEGREE / constriction, _SET_CORE - skin
    still = _BLOOD * at_rest + _TISSUE
    half = (still + slope * gap) / 2
    excess = np.sqrt(np.maximum(half * half - slope * (still * gap - heat), 0)) - half
    warm = core > _SET_CORE
    core = np.where(warm, _SET_CORE + excess / slope, core)
    blood = at_rest + np.where(warm, excess / _BLOOD, 0)
    flushed = blood > _MOST_BLOOD
    core = np.where(flushed, skin + heat / (_BLOOD * _MOST_BLOOD + _TISSUE), core)
    return core, np.minimum(blood, _MOST_BLOOD)


def sweat(core: Array, skin: Array, blood: Array) -> Array:
    """Return the heat sweat takes along [W/m2], from core and skin [°C] and the blood between them [L m-2 h-1]."""
    share = 0.0417737 + 0.7451833 / (blood + 0.585417)
    body = core + share * (skin - core)
    grams = np.clip(_SWEAT_PER_DEGREE * (body - _SET_BODY), 0, _MOST_SWEAT)
    return _VAPORISATION / 1000 / 3600 * grams


def evaporation(skin: Array, sweating: Array, vapour_pressure: Array | float, hc: Array, clothes: Clothes) -> Array:
    """Return the heat that water takes from the skin, as sweat and through it [W/m2].

    From skin [°C], sweating [W/m2], vapour pressure [hPa] and convection `hc` [W m-2 K-1].

    Notes
    -----
    Sweat beyond what the air can take up counts as evaporated, as in the published routine. Where the
    air is damper than the skin's surface the balance jumps: there may be no solution.
    """
    difference = 10 * saturation_vapour_pressure(skin) - vapour_pressure
    wet = hc * _LEWIS / (1 + 0.92 * hc * clothes.resistance)  # what a wholly wet skin gives off [W m-2 hPa-1]
    barrier = (1 / (clothes.growth * hc) + clothes.resistance) / (_LEWIS * _WOODCOCK)
    drier = np.where(difference > 0, np.maximum(difference - sweating / wet, 0), difference - sweating / wet)
    return sweating + drier / barrier


def radiation(radiant: Array, skin: Array, surface: Array, clothes: Clothes) -> tuple[Array, Array]:
    """Return the radiant heat bare skin and clothes receive [W/m2], from temperatures [°C] around and on them."""
    around = (radiant + KELVIN) ** 4
    bare = _SKIN_EMISSIVITY * clothes.bare * (around - (skin + KELVIN) ** 4)
    clothed = _CLOTHES_EMISSIVITY * clothes.area * (around - (surface + KELVIN) ** 4)
    return _RADIATING_SHARE * _STEFAN_BOLTZMANN * bare, _RADIATING_SHARE * _STEFAN_BOLTZMANN * clothed


class Body(NamedTuple):
    """A body in balance with what surrounds it.

    Parameters
    ----------
    skin, clothes : float64 (n,)
        Temperatures of skin and of the clothes' surface [°C].
    sweating : float64 (n,)
        [W/m2]
    remainder : float64 (n,)
        What the balance is out by [W/m2].
    """

    skin: Array
    clothes: Array
    sweating: Array
    remainder: Array
