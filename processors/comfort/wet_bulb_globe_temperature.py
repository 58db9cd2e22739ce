"""WBGT: what a wet, a black and a dry thermometer say together about work and sport in the heat."""

from __future__ import annotations

from typing import Final

import numpy as np
import thermofeel
from numpy.typing import NDArray

from gruenpuls.domain.processor import Array, Cadence, Fleet, Input, Output, Processor
from processors.climate.diffuse_radiation import possible_radiation, sunlight
from processors.comfort.body import KELVIN
from processors.comfort.portion import in_portions
from processors.comfort.reason import Judgement, Reason, above, humid, judged, reasons
from processors.comfort.site_sun import RADIATION, site_sun
from processors.comfort.wet_bulb_temperature import wet_bulb_temperature
from processors.comfort.wind_profile import BODY_HEIGHT, REFERENCE_HEIGHT, site_wind

_COLDEST, _HOTTEST = -10.0, 55.0
_HOTTEST_GLOBE: Final = 90.0
_LARGEST_DIFFERENCE: Final = 60.0
_LARGEST_DEPRESSION: Final = 40.0
"""No wet thermometer gets farther below the air's temperature, in a desert at 50 °C [K]."""
_STRONGEST_WIND: Final = 30.0
_LOWEST_PRESSURE, _HIGHEST_PRESSURE = 800.0, 1100.0
_LOWEST_SUN: Final = 0.00873
"""Sine of half a degree: below it Liljegren's beam is no more."""
_CALM: Final = 0.62
"""Liljegren's least wind 10 m above ground [m/s]."""
_COOLEST_SIMPLE, _HOTTEST_SIMPLE = 15.0, 50.0
_RADIANT: Final = 4.0
"""From this much warmer than the air a globe means radiant heat [K]."""


def wet_bulb_globe_temperature(
    natural_wet_bulb: Array, globe_temperature: Array, air_temperature: Array, in_sun: NDArray[np.bool_]
) -> Judgement:
    """Return the wet-bulb globe temperature from its thermometers.

    Parameters
    ----------
    natural_wet_bulb : float64 (...)
        Of a wet thermometer in the open, neither shaded nor ventilated [°C].
    globe_temperature : float64 (...)
        Of the black standard globe of 0.15 m [°C].
    air_temperature : float64 (...)
        Of the air in the shade; not needed without sun [°C].
    in_sun : bool (...)
        Whether the sun shines on the globe [-].

    Returns
    -------
    Judgement
        WBGT [°C] and reasons [-].

    Notes
    -----
    Valid for air from -10 to 55 °C, globes up to 90 °C and not 60 K beside the air, and wet bulbs not above
    both nor 40 K below the air. Smaller globes read lower in the sun and must be brought to 0.15 m first.

    References
    ----------
    ISO 7243:2017, equations 1 (without sun) and 2 (with sun).

    Examples
    --------
    >>> given = np.array([25.0, 25.0]), np.array([32.0, 30.0]), np.array([20.0, np.nan]), np.array([True, False])
    >>> wet_bulb_globe_temperature(*given).value.round(1).tolist()
    [25.9, 26.5]
    """
    air = np.where(in_sun, air_temperature, np.where(np.isnan(air_temperature), globe_temperature, air_temperature))
    found = reasons(
        {
            Reason.AIR_TEMPERATURE: (air >= _COLDEST) & (air <= _HOTTEST),
            Reason.GLOBE: (globe_temperature <= _HOTTEST_GLOBE)
            & (np.abs(above(globe_temperature, air)) <= _LARGEST_DIFFERENCE),
            Reason.HUMIDITY: (natural_wet_bulb <= np.maximum(air, globe_temperature))
            & (natural_wet_bulb >= air - _LARGEST_DEPRESSION),
        },
        natural_wet_bulb,
        globe_temperature,
        air,
    )
    wet, globe, dry = (np.where(found > 0, np.nan, values) for values in (natural_wet_bulb, globe_temperature, air))
    return judged(0.7 * wet + np.where(in_sun, 0.2 * globe + 0.1 * dry, 0.3 * globe), found)


def natural_wet_bulb(
    air_temperature: Array, relative_humidity: Array, globe_temperature: Array, wind_speed: Array
) -> Array:
    """Return what a wet thermometer in the open would show beside a globe.

    Parameters
    ----------
    air_temperature : float64 (...)
        [°C]
    relative_humidity : float64 (...)
        [%]
    globe_temperature : float64 (...)
        Of the black standard globe [°C].
    wind_speed : float64 (...)
        At the globe [m/s].

    Returns
    -------
    float64 (...)
        [°C]; missing where an input is missing or outside the validity range.

    Notes
    -----
    Valid for winds above 0 up to 30 m/s and where the wet-bulb temperature is known; to about 1 K.

    References
    ----------
    Bernard, T. E., and Pourmoghani, M. (1999), Appl. Occup. Environ. Hyg. 14, 126-134,
    doi:10.1080/104732299303296, equations for natural wet bulb with and without radiant heat.

    Examples
    --------
    >>> natural_wet_bulb(*(np.array([value]) for value in (30.0, 50.0, 45.0, 1.5))).round(1).tolist()
    [25.9]
    """
    wet = wet_bulb_temperature(air_temperature, relative_humidity).value
    wind = np.where((wind_speed > 0) & (wind_speed <= _STRONGEST_WIND), wind_speed, np.nan)
    ventilation = np.clip(0.96 + 0.069 * np.log10(wind), 0.85, 1.0)
    stillness = np.where(wind > 1, -0.1, 0.10 / np.maximum(wind, 0.1) ** 1.1 - 0.2)
    radiant = above(globe_temperature, air_temperature)
    warmed = np.where(
        radiant > _RADIANT,
        wet + 0.25 * radiant + stillness,
        air_temperature - ventilation * (air_temperature - wet),
    )
    return np.where(np.isnan(wind) | np.isnan(radiant), np.nan, warmed)


def wet_bulb_globe_temperature_from_weather(
    air_temperature: Array,
    relative_humidity: Array,
    pressure: Array,
    wind_speed: Array,
    global_radiation: Array,
    direct_share: Array,
    elevation: Array,
) -> Judgement:
    """Return the wet-bulb globe temperature without a globe, by Liljegren's heat balances.

    Parameters
    ----------
    air_temperature : float64 (...)
        [°C]
    relative_humidity : float64 (...)
        [%]
    pressure : float64 (...)
        Of the air [hPa].
    wind_speed : float64 (...)
        10 m above ground [m/s].
    global_radiation : float64 (...)
        What reaches a level plane there [W/m2].
    direct_share : float64 (...)
        What share of it comes from the sun's disc, 0 to 1 [-].
    elevation : float64 (...)
        Of the sun [°].

    Returns
    -------
    Judgement
        WBGT [°C] and reasons [-].

    Notes
    -----
    Valid for air from -10 to 55 °C, winds above 0 up to 30 m/s (less than 0.62 m/s counts as that, which
    `Reason.CALM` says), pressures from 800 to 1100 hPa and radiation possible under that sun. Wind is brought
    to 2 m by the stability of the air.

    References
    ----------
    Liljegren, J. C., et al. (2008), J. Occup. Environ. Hyg. 5, 645-655, doi:10.1080/15459620802310770, equations
    4 to 17, by thermofeel.

    Examples
    --------
    >>> given = (32.0, 35.0, 1012.0, 2.5, 900.0, 0.97, 71.8)
    >>> wet_bulb_globe_temperature_from_weather(*(np.array([value]) for value in given)).value.round(1).tolist()
    [28.1]
    """
    found = reasons(
        {
            Reason.AIR_TEMPERATURE: (air_temperature >= _COLDEST) & (air_temperature <= _HOTTEST),
            Reason.HUMIDITY: humid(relative_humidity),
            Reason.PRESSURE: (pressure >= _LOWEST_PRESSURE) & (pressure <= _HIGHEST_PRESSURE),
            Reason.WIND: (wind_speed > 0) & (wind_speed <= _STRONGEST_WIND),
            Reason.RADIATION: possible_radiation(global_radiation, elevation)
            & (direct_share >= 0)
            & (direct_share <= 1),
        },
        air_temperature,
        relative_humidity,
        pressure,
        wind_speed,
        global_radiation,
        direct_share,
        elevation,
    )
    calm = (found == 0) & (wind_speed < _CALM)
    value = in_portions(
        _liljegren,
        found == 0,
        air_temperature,
        np.minimum(relative_humidity, 100.0),
        pressure,
        wind_speed,
        np.maximum(global_radiation, 0),
        direct_share,
        elevation,
    )
    return judged(value, found | np.where(calm, int(Reason.CALM), 0).astype(np.uint16))


def _liljegren(
    air: Array, humidity: Array, pressure: Array, wind: Array, radiation: Array, direct: Array, elevation: Array
) -> Array:
    kelvin = thermofeel.calculate_wbgt_liljegren(
        air + KELVIN, humidity, pressure, wind, radiation, direct, np.sin(np.radians(elevation))
    )
    return np.asarray(kelvin - KELVIN, np.float64)


def wet_bulb_globe_temperature_simple(air_temperature: Array, relative_humidity: Array) -> Judgement:
    """Return the rough wet-bulb globe temperature of the Australian weather service: moderate sun, light wind.

    Parameters
    ----------
    air_temperature : float64 (...)
        [°C]
    relative_humidity : float64 (...)
        [%]

    Returns
    -------
    Judgement
        WBGT [°C] and reasons [-].

    Notes
    -----
    Valid for air from 15 to 50 °C in moderately strong sun and light wind; it reads too high in the shade, at
    night and in wind. For places that measure nothing else.

    References
    ----------
    Australian Bureau of Meteorology, Thermal comfort observations, "Approximation to the WBGT" (after American
    College of Sports Medicine, 1984), equation without number, by thermofeel.

    Examples
    --------
    >>> wet_bulb_globe_temperature_simple(np.array([30.0, 10.0]), np.array([80.0, 80.0])).value.round(1).tolist()
    [34.2, nan]
    """
    found = reasons(
        {
            Reason.AIR_TEMPERATURE: (air_temperature >= _COOLEST_SIMPLE) & (air_temperature <= _HOTTEST_SIMPLE),
            Reason.HUMIDITY: humid(relative_humidity),
        },
        air_temperature,
        relative_humidity,
    )

    def simple(air: Array, humidity: Array) -> Array:
        return np.asarray(thermofeel.calculate_wbgt_simple(air + KELVIN, humidity) - KELVIN, np.float64)

    return judged(in_portions(simple, found == 0, air_temperature, np.minimum(relative_humidity, 100.0)), found)


def _compute(fleet: Fleet) -> dict[tuple[str, str], Array]:
    air, humidity = fleet.inputs["air_temperature", "mean"], fleet.inputs["relative_humidity", "mean"]
    at = site_sun(fleet)
    light = sunlight(at.radiation, at.elevation, at.distance)
    direct = np.divide(light.direct, at.radiation, out=np.zeros(air.shape), where=at.radiation > 0)
    weather = air, humidity, fleet.inputs["air_pressure", "mean"], site_wind(fleet, REFERENCE_HEIGHT)
    globe = fleet.inputs["globe_temperature", "mean"]
    wet = natural_wet_bulb(air, humidity, globe, site_wind(fleet, BODY_HEIGHT))
    warm = above(globe, air) > _RADIANT
    found = {
        "shade": wet_bulb_globe_temperature_from_weather(*weather, light.diffuse, np.zeros(air.shape), at.elevation),
        "sun": wet_bulb_globe_temperature_from_weather(*weather, at.radiation, direct, at.elevation),
        "globe": wet_bulb_globe_temperature(wet, globe, air, warm),
    }
    return {("wet_bulb_globe_temperature", name): judgement.value for name, judgement in found.items()}


WET_BULB_GLOBE_TEMPERATURE: Final = Processor(
    name="wet_bulb_globe_temperature",
    version="1",
    inputs=(
        Input("air_temperature"),
        Input("relative_humidity"),
        Input("globe_temperature"),
        Input("air_pressure", weather=True),
        Input("wind_speed", weather=True),
        *RADIATION,
    ),
    outputs=tuple(Output("wet_bulb_globe_temperature", statistic) for statistic in ("shade", "sun", "globe")),
    cadence=Cadence.HOUR,
    memory=0,
    compute=_compute,
    source="ISO 7243:2017; Liljegren et al. (2008), doi:10.1080/15459620802310770, by thermofeel",
)
