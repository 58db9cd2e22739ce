"""Physiological equivalent temperature: the room in which a body would be as warm as it is outdoors."""

from __future__ import annotations

from typing import Final

import numpy as np

from gruenpuls.domain.processor import Array, Cadence, Fleet, Input, Output, Processor
from processors.comfort.body import (
    Body,
    Clothes,
    Person,
    breath,
    convection,
    core_temperature,
    evaporation,
    radiation,
    sweat,
)
from processors.comfort.portion import in_portions
from processors.comfort.reason import Judgement, Reason, above, humid, judged, reasons
from processors.comfort.root import roots
from processors.comfort.wind_profile import BODY_HEIGHT, site_wind
from processors.water.humidity import saturation_vapour_pressure

STANDARD: Final = Person()
"""A man of 35 years, 1.75 m and 75 kg at light work in 0.9 clo: whom PET is defined for."""
_ROOM_WIND: Final = 0.1
_ROOM_VAPOUR: Final = 12.0
_STATISTICS: Final = ("shade", "sun")
_COLDEST, _HOTTEST = -40.0, 50.0
_STRONGEST_WIND: Final = 30.0
_LOWEST_PRESSURE, _HIGHEST_PRESSURE = 800.0, 1100.0
_LEAST_ABOVE_AIR, _MOST_ABOVE_AIR = -30.0, 70.0
_COLD_SKIN, _HOT_SKIN = -55.0, 55.0
_TOLERANCE: Final = 1e-6
"""Of temperatures [K]."""
_REMAINDER: Final = 0.05
"""What a solved balance may be out by [W/m2]."""


def _surface_skin(surface: Array, air: Array, radiant: Array, hc: Array, clothes: Clothes) -> tuple[Array, Array]:
    """Return the skin [°C] behind clothes of this surface [°C], and the heat the surface receives [W/m2]."""
    _, radiated = radiation(radiant, surface, surface, clothes)
    received = radiated + hc * clothes.area * (air - surface)
    return np.clip(surface - received / clothes.conductance, _COLD_SKIN, _HOT_SKIN), received


def _state(surface: Array, air: Array, radiant: Array, vapour: Array, hc: Array, heat: Array, clothes: Clothes) -> Body:
    """Return the body whose clothes have this surface temperature [°C]: all else follows from it."""
    skin, received = _surface_skin(surface, air, radiant, hc, clothes)
    core, blood = core_temperature(skin, heat)
    sweating = sweat(core, skin, blood)
    bare, _ = radiation(radiant, skin, surface, clothes)
    dry = bare + hc * clothes.bare * (air - skin) + received
    return Body(skin, surface, sweating, heat + dry - evaporation(skin, sweating, vapour, hc, clothes))


def _outdoors(air: Array, radiant: Array, vapour: Array, hc: Array, pressure: Array, person: Person) -> Body:
    """Return the body in balance outdoors; what is left of the balance says where there is none."""
    clothes = Clothes.of(person)
    heat = person.heat + breath(air, vapour, pressure, person.heat)
    low = np.minimum(np.minimum(air, radiant), 20.0) - 5
    high = np.maximum(np.maximum(air, radiant), 40.0) + 5

    def remainder(surface: Array, air: Array, radiant: Array, vapour: Array, hc: Array, heat: Array) -> Array:
        return _state(surface, air, radiant, vapour, hc, heat, clothes).remainder

    surface = roots(remainder, low, high, (air, radiant, vapour, hc, heat), _TOLERANCE)
    return _state(surface, air, radiant, vapour, hc, heat, clothes)


def _room(body: Body, pressure: Array, person: Person) -> Array:
    """Return how warm a room leaves the body in balance as it is [°C]."""
    clothes = Clothes.of(person)
    hc = convection(np.full(pressure.shape, _ROOM_WIND), pressure)
    evaporated = evaporation(body.skin, body.sweating, _ROOM_VAPOUR, hc, clothes)

    def surplus(room: Array, skin: Array, surface: Array, evaporated: Array, hc: Array, pressure: Array) -> Array:
        bare, clothed = radiation(room, skin, surface, clothes)
        dry = bare + clothed + hc * (clothes.bare * (room - skin) + clothes.area * (room - surface))
        return evaporated - dry - person.heat - breath(room, _ROOM_VAPOUR, pressure, person.heat)

    low, high = np.full(pressure.shape, -100.0), np.full(pressure.shape, 80.0)
    return roots(surplus, low, high, (body.skin, body.clothes, evaporated, hc, pressure), _TOLERANCE)


def _equivalent(air: Array, radiant: Array, wind: Array, humidity: Array, pressure: Array, person: Person) -> Array:
    vapour = 10 * saturation_vapour_pressure(air) * np.minimum(humidity, 100.0) / 100
    body = _outdoors(air, radiant, vapour, convection(wind, pressure), pressure, person)
    room = _room(body, pressure, Person(person.age, person.height, person.weight))
    return np.where(np.abs(body.remainder) <= _REMAINDER, room, np.nan)


def physiological_equivalent_temperature(
    air_temperature: Array,
    mean_radiant_temperature: Array,
    wind_speed: Array,
    relative_humidity: Array,
    pressure: Array,
    person: Person = STANDARD,
) -> Judgement:
    """Return the physiological equivalent temperature, by the corrected model of 2018.

    Parameters
    ----------
    air_temperature : float64 (...)
        [°C]
    mean_radiant_temperature : float64 (...)
        [°C]
    wind_speed : float64 (...)
        At the body, 1.1 m above ground [m/s].
    relative_humidity : float64 (...)
        Over water [%].
    pressure : float64 (...)
        Of the air [hPa].
    person : Person
        By default a man of 35 years, 1.75 m and 75 kg, at light work [80 W] in 0.9 clo.

    Returns
    -------
    Judgement
        PET [°C] and reasons [-].

    Notes
    -----
    Valid for air from -40 to 50 °C, radiant temperatures from 30 K below to 70 K above it, winds above 0 up
    to 30 m/s, humidities above 0 and up to 100 % (100.5 % in fog) and pressures from 800 to 1100 hPa. Where
    hot air is about as damp as the skin, the model's evaporation jumps and the body has no balance: there is
    no value and `Reason.UNSOLVED` says so; the same where the room would have to be hotter than 80 °C.

    The published routine solves core, skin and clothes as three unknowns. Here everything follows from the
    temperature of the clothes' surface: its balance with air and radiation gives the skin, the heat that must
    flow to the skin gives the core (a quadratic at most), and both give sweat and evaporation. What is left of
    the whole body's balance falls monotonously with it and is brought to zero between two bounds; a second
    equation of one unknown then gives the room.

    References
    ----------
    Walther, E., and Goestchel, Q. (2018), Build. Environ. 137, 1-10, doi:10.1016/j.buildenv.2018.03.054, equations
    of the corrected MEMI; Höppe, P. (1999), Int. J. Biometeorol. 43, 71-75, doi:10.1007/s004840050118.

    Examples
    --------
    >>> given = np.array([30.0, 21.0]), np.array([60.0, 21.0]), np.array([1.0, 0.1]), np.array([80.0, 50.0])
    >>> physiological_equivalent_temperature(*given, np.array([1013.25])).value.round(1).tolist()
    [44.6, 21.1]
    """
    excess = above(mean_radiant_temperature, air_temperature)
    found = reasons(
        {
            Reason.AIR_TEMPERATURE: (air_temperature >= _COLDEST) & (air_temperature <= _HOTTEST),
            Reason.RADIANT_TEMPERATURE: (excess >= _LEAST_ABOVE_AIR) & (excess <= _MOST_ABOVE_AIR),
            Reason.WIND: (wind_speed > 0) & (wind_speed <= _STRONGEST_WIND),
            Reason.HUMIDITY: humid(relative_humidity),
            Reason.PRESSURE: (pressure >= _LOWEST_PRESSURE) & (pressure <= _HIGHEST_PRESSURE),
        },
        air_temperature,
        mean_radiant_temperature,
        wind_speed,
        relative_humidity,
        pressure,
    )

    def solved(air: Array, radiant: Array, wind: Array, humidity: Array, pressure: Array) -> Array:
        return _equivalent(air, radiant, wind, humidity, pressure, person)

    inputs = (air_temperature, mean_radiant_temperature, wind_speed, relative_humidity, pressure)
    return judged(in_portions(solved, found == 0, *inputs), found)


def _compute(fleet: Fleet) -> dict[tuple[str, str], Array]:
    weather = (
        site_wind(fleet, BODY_HEIGHT),
        fleet.inputs["relative_humidity", "mean"],
        fleet.inputs["air_pressure", "mean"],
    )
    return {
        ("physiological_equivalent_temperature", statistic): physiological_equivalent_temperature(
            fleet.inputs["air_temperature", "mean"], fleet.inputs["mean_radiant_temperature", statistic], *weather
        ).value
        for statistic in _STATISTICS
    }


PHYSIOLOGICAL_EQUIVALENT_TEMPERATURE: Final = Processor(
    name="physiological_equivalent_temperature",
    version="1",
    inputs=(
        Input("air_temperature"),
        Input("relative_humidity"),
        Input("air_pressure", weather=True),
        Input("wind_speed", weather=True),
        *(Input("mean_radiant_temperature", of=statistic) for statistic in _STATISTICS),
    ),
    outputs=tuple(Output("physiological_equivalent_temperature", statistic) for statistic in _STATISTICS),
    cadence=Cadence.HOUR,
    memory=0,
    compute=_compute,
    source="Walther and Goestchel (2018), doi:10.1016/j.buildenv.2018.03.054; VDI 3787 part 2",
)
