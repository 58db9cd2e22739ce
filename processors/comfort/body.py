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
    """Return the heat a surface of the body loses to the air.

    Parameters
    ----------
    wind_speed : float64 (...)
        At the body [m/s].
    pressure : float64 (...)
        Of the air [hPa].

    Returns
    -------
    float64 (...)
        Coefficient of convection [W m-2 K-1].

    Notes
    -----
    Valid for a person in winds from 0 to 30 m/s and pressures from 800 to 1100 hPa.

    References
    ----------
    Walther, E., and Goestchel, Q. (2018), Build. Environ. 137, 1-10, doi:10.1016/j.buildenv.2018.03.054,
    equation of convection.

    Examples
    --------
    >>> convection(np.array([0.0, 1.0]), np.array([1013.25])).round(2).tolist()
    [3.0, 9.17]
    """
    thickness = pressure / _STANDARD_PRESSURE
    return np.maximum(2.67 + 6.5 * wind_speed**0.67, 3 * thickness**0.53) * thickness**0.55


def breath(air_temperature: Array, vapour_pressure: Array | float, pressure: Array, heat: float) -> Array:
    """Return the heat breathing brings the body, negative where it loses.

    Parameters
    ----------
    air_temperature : float64 (...)
        [°C]
    vapour_pressure : float64 (...)
        [hPa]
    pressure : float64 (...)
        Of the air [hPa].
    heat : float
        Made by the body [W/m2].

    Returns
    -------
    float64 (...)
        Sensible and latent heat [W/m2].

    Notes
    -----
    Valid for air from -100 to 80 °C, as far as a room has to be thought of.

    References
    ----------
    Walther, E., and Goestchel, Q. (2018), Build. Environ. 137, 1-10, doi:10.1016/j.buildenv.2018.03.054,
    equations of respiration.

    Examples
    --------
    >>> breath(np.array([20.0]), np.array([12.0]), np.array([1013.25]), 85.0).round(1).tolist()
    [-7.0]
    """
    exhaled = 0.47 * air_temperature + 21
    moist = 0.623 * _VAPORISATION / pressure * (vapour_pressure - 10 * saturation_vapour_pressure(exhaled))
    return heat * 1.44e-6 * (1010 * (air_temperature - exhaled) + moist)


def core_temperature(skin: Array, heat: Array) -> tuple[Array, Array]:
    """Return how warm the core is that sends this heat to a skin, and the blood that carries it.

    Parameters
    ----------
    skin : float64 (n,)
        Skin temperature [°C].
    heat : float64 (n,)
        To be carried [W/m2].

    Returns
    -------
    core : float64 (n,)
        [°C]
    blood : float64 (n,)
        [L m-2 h-1]

    Notes
    -----
    Valid for positive heat. Blood flow grows with the core's warmth and shrinks with the skin's cold, so the
    balance is linear in the core's temperature below its set point, quadratic above, linear again at the most
    blood there is.

    References
    ----------
    Walther, E., and Goestchel, Q. (2018), Build. Environ. 137, 1-10, doi:10.1016/j.buildenv.2018.03.054, equations of
    vasomotricity and of the core's balance, here solved for the core.

    Examples
    --------
    >>> core, blood = core_temperature(np.array([34.0, 25.0]), np.array([80.0, 80.0]))
    >>> core.round(2).tolist(), blood.round(1).tolist()
    ([36.82, 36.63], [22.8, 1.6])
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
    """Return the heat sweat would take along.

    Parameters
    ----------
    core, skin : float64 (n,)
        Temperatures [°C].
    blood : float64 (n,)
        Between them [L m-2 h-1].

    Returns
    -------
    float64 (n,)
        Heat of vaporisation of the sweat [W/m2], 0 to 336.

    Notes
    -----
    Valid for the balance of a body at rest or light work.

    References
    ----------
    Walther, E., and Goestchel, Q. (2018), Build. Environ. 137, 1-10, doi:10.1016/j.buildenv.2018.03.054, equations of
    sweating (after Gagge) with the weight of skin and core by blood flow.

    Examples
    --------
    >>> sweat(np.array([36.6, 37.2]), np.array([33.0, 35.5]), np.array([6.3, 40.0])).round().tolist()
    [0.0, 155.0]
    """
    share = 0.0417737 + 0.7451833 / (blood + 0.585417)
    body = core + share * (skin - core)
    grams = np.clip(_SWEAT_PER_DEGREE * (body - _SET_BODY), 0, _MOST_SWEAT)
    return _VAPORISATION / 1000 / 3600 * grams


def evaporation(skin: Array, sweating: Array, vapour_pressure: Array | float, hc: Array, clothes: Clothes) -> Array:
    """Return the heat that water takes from the skin, as sweat and through it.

    Parameters
    ----------
    skin : float64 (n,)
        Skin temperature [°C].
    sweating : float64 (n,)
        What `sweat` gives [W/m2].
    vapour_pressure : float64 (n,)
        Of the air [hPa].
    hc : float64 (n,)
        What `convection` gives [W m-2 K-1].
    clothes : Clothes
        Areas [-] and resistances.

    Returns
    -------
    float64 (n,)
        [W/m2]

    Notes
    -----
    Valid for skin from -60 to 60 °C. Sweat beyond what the air can take up counts as evaporated, as in the
    published routine. Where the air is damper than the skin's surface the balance jumps: there may be no
    solution.

    References
    ----------
    Walther, E., and Goestchel, Q. (2018), Build. Environ. 137, 1-10, doi:10.1016/j.buildenv.2018.03.054, equations of
    vapour diffusion with Woodcock's ratio.

    Examples
    --------
    >>> given = np.array([34.0]), np.array([0.0]), np.array([12.0]), np.array([4.0])
    >>> evaporation(*given, Clothes.of(Person())).round(1).tolist()
    [78.0]
    """
    difference = 10 * saturation_vapour_pressure(skin) - vapour_pressure
    wet = hc * _LEWIS / (1 + 0.92 * hc * clothes.resistance)  # what a wholly wet skin gives off [W m-2 hPa-1]
    barrier = (1 / (clothes.growth * hc) + clothes.resistance) / (_LEWIS * _WOODCOCK)
    drier = np.where(difference > 0, np.maximum(difference - sweating / wet, 0), difference - sweating / wet)
    return sweating + drier / barrier


def radiation(radiant: Array, skin: Array, surface: Array, clothes: Clothes) -> tuple[Array, Array]:
    """Return the radiant heat that bare skin and clothes receive.

    Parameters
    ----------
    radiant : float64 (n,)
        Mean radiant temperature [°C].
    skin, surface : float64 (n,)
        Temperatures of the skin and of the clothes' surface [°C].
    clothes : Clothes
        Areas [-] and resistances.

    Returns
    -------
    bare, clothed : float64 (n,)
        Per surface of the naked body, negative where it loses [W/m2].

    Notes
    -----
    Valid for a sitting person.

    References
    ----------
    Walther, E., and Goestchel, Q. (2018), Build. Environ. 137, 1-10, doi:10.1016/j.buildenv.2018.03.054, equations of
    radiation.

    Examples
    --------
    >>> bare, clothed = radiation(np.array([20.0]), np.array([34.0]), np.array([28.0]), Clothes.of(Person()))
    >>> bare.round(1).tolist(), clothed.round(1).tolist()
    ([-8.5], [-37.4])
    """
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
