"""Mean radiant temperature: how warm sun, sky, walls and ground together are to a body."""

from __future__ import annotations

from typing import Final

import numpy as np
import thermofeel

from gruenpuls.domain.processor import Array, Cadence, Fleet, Input, Output, Processor
from processors.climate.diffuse_radiation import known_radiation, possible_radiation, sunlight
from processors.comfort.body import KELVIN
from processors.comfort.portion import in_portions
from processors.comfort.reason import Judgement, Reason, humid, judged, reasons
from processors.comfort.site_sun import RADIATION, site_sun
from processors.comfort.wind_profile import BODY_HEIGHT, site_attribute, site_wind
from processors.water.humidity import saturation_vapour_pressure

DIAMETER: Final = 0.15
EMISSIVITY: Final = 0.95
"""Of the standard globe [m, -]."""
ALBEDO: Final = 0.2
"""Of paving and lawn together, where none is stored [-]."""
CLOUD_COVER: Final = 50.0
"""Where nobody said: half the difference between a clear and an overcast sky either way [%]."""
GROUND_HEATING: Final = 0.02
"""How much warmer than the air the ground gets in the sun: between lawn (0.01) and asphalt (0.03) [K m2/W]."""
_STEFAN_BOLTZMANN: Final = 5.67e-8
_GROUND_EMISSIVITY: Final = 0.95
_COLDEST, _HOTTEST = -50.0, 55.0
_COLDEST_GLOBE, _HOTTEST_GLOBE = -40.0, 90.0
_STRONGEST_WIND: Final = 30.0
_HIGH_SUN: Final = 10.0
"""From here on a globe outdoors is no colder than the air [°]."""
_COLDER_GLOBE: Final = 1.0
"""But for the error of two sensors [K]."""
_ECCENTRICITY: Final = 0.02
"""The earth is never farther from 1 au [au]."""
_LOWEST, _HIGHEST = -60.0, 100.0


def mean_radiant_temperature_from_globe(
    globe_temperature: Array,
    air_temperature: Array,
    wind_speed: Array,
    *,
    diameter: Array | float = DIAMETER,
    emissivity: Array | float = EMISSIVITY,
    elevation: Array | float = np.nan,
) -> Judgement:
    """Return the mean radiant temperature around a globe.

    Parameters
    ----------
    globe_temperature, air_temperature : float64 (...)
        [°C]
    wind_speed : float64 (...)
        At the globe [m/s].
    diameter : float64 (...)
        Of the globe [m].
    emissivity : float64 (...)
        Of the globe [-].
    elevation : float64 (...)
        Of the sun [°]; unknown, the globe is not checked against the sun.

    Returns
    -------
    Judgement
        Mean radiant temperature [°C] and reasons [-].

    Notes
    -----
    Valid for air from -50 to 55 °C, globes from -40 to 90 °C, 0.03 to 0.2 m wide, of emissivity 0.3 to 1, and
    winds above 0 up to 30 m/s: a wind of 0 is a stuck anemometer, and the formula would take its word.
    A globe more than 1 K colder than the air with the sun higher than 10° is wet, frozen or broken. Short
    forms of the formula round 6.3 / 5.67e-8 to 1.1e8, which takes some tenths of a degree off.

    References
    ----------
    ISO 7726:1998, annex B, globe heat balance (equations of the black globe) with the larger of natural and
    forced convection.

    Examples
    --------
    >>> given = np.array([55.0, 20.0]), np.array([30.0, 25.0]), np.array([0.3, 1.0])
    >>> found = mean_radiant_temperature_from_globe(*given, elevation=np.array([50.0]))
    >>> found.value.round(1).tolist(), Reason(int(found.reason[1])).name
    ([74.6, nan], 'GLOBE')
    """
    d, e = np.asarray(diameter, np.float64), np.asarray(emissivity, np.float64)
    cold = (globe_temperature < air_temperature - _COLDER_GLOBE) & (np.asarray(elevation) >= _HIGH_SUN)
    found = reasons(
        {
            Reason.AIR_TEMPERATURE: (air_temperature >= _COLDEST) & (air_temperature <= _HOTTEST),
            Reason.WIND: (wind_speed > 0) & (wind_speed <= _STRONGEST_WIND),
            Reason.GLOBE: (globe_temperature >= _COLDEST_GLOBE)
            & (globe_temperature <= _HOTTEST_GLOBE)
            & ~cold
            & (d >= 0.03)  # noqa: PLR2004 - what is sold as a globe
            & (d <= 0.2)  # noqa: PLR2004 - the same
            & (e >= 0.3)  # noqa: PLR2004 - bare metal
            & (e <= 1),
        },
        globe_temperature,
        air_temperature,
        wind_speed,
    )
    value = in_portions(_around_globe, found == 0, globe_temperature, air_temperature, wind_speed, d, e)
    return _within_scale(value, found)


def _around_globe(globe: Array, air: Array, wind: Array, diameter: Array, emissivity: Array) -> Array:
    natural = 1.4 * (np.abs(globe - air) / diameter) ** 0.25
    forced = 6.3 * wind**0.6 / diameter**0.4
    convection = np.maximum(natural, forced) / (emissivity * _STEFAN_BOLTZMANN)
    fourth = (globe + KELVIN) ** 4 + convection * (globe - air)
    return np.where(fourth > 0, np.abs(fourth) ** 0.25, np.nan) - KELVIN


def _within_scale(value: Array, found: np.ndarray[tuple[int, ...], np.dtype[np.uint16]]) -> Judgement:
    beyond = (value < _LOWEST) | (value > _HIGHEST)
    return judged(value, found | np.where(beyond, int(Reason.BEYOND_SCALE), 0).astype(np.uint16))


def mean_radiant_temperature_from_radiation(
    air_temperature: Array,
    relative_humidity: Array,
    global_radiation: Array,
    elevation: Array,
    distance: Array,
    *,
    shade: Array | float = 0.0,
    sky_view: Array | float = 1.0,
    albedo: Array | float = ALBEDO,
    cloud_cover: Array | float = CLOUD_COVER,
    ground_heating: Array | float = GROUND_HEATING,
) -> Judgement:
    """Return the mean radiant temperature of a standing person, from the weather.

    Parameters
    ----------
    air_temperature : float64 (...)
        [°C]
    relative_humidity : float64 (...)
        [%]
    global_radiation : float64 (...)
        Of an unobstructed place nearby, mean of up to an hour [W/m2].
    elevation : float64 (...)
        Of the sun in the middle of that time [°].
    distance : float64 (...)
        Of earth and sun [au].
    shade : float64 (...)
        What share of the sun's beam something keeps off the person, 0 to 1 [-].
    sky_view : float64 (...)
        What share of the sky is seen from the ground, 0 to 1 [-]. Walls and crowns take the rest: as warm as
        the air, reflecting as the ground does.
    albedo : float64 (...)
        Of the ground [-].
    cloud_cover : float64 (...)
        [%]; where unknown 50.
    ground_heating : float64 (...)
        How much warmer than the air the ground gets by what reaches it [K m2/W].

    Returns
    -------
    Judgement
        Mean radiant temperature [°C] and reasons [-].

    Notes
    -----
    Valid for air from -50 to 55 °C and radiation physically possible under that sun. An estimate: against
    radiation measured from six sides, models of this kind are out by some 5 K in the sun; sky longwave and
    ground temperature are assumptions, not measurements.

    References
    ----------
    Di Napoli, C., Hogan, R. J., and Pappenberger, F. (2020), Int. J. Biometeorol. 64, 1233-1245,
    doi:10.1007/s00484-020-01900-5, equation 3 (by thermofeel); sky longwave: Brutsaert, W. (1975), Water
    Resour. Res. 11, 742-744, equation 11, with Bolz's cloud term 1 + 0.22 N^2.75; ground temperature and
    obstructed sky: our own simplification.

    Examples
    --------
    >>> given = (np.array([30.0]), np.array([40.0]), np.array([800.0]), np.array([60.0]), np.array([1.0]))
    >>> sun_ = mean_radiant_temperature_from_radiation(*given)
    >>> shade_ = mean_radiant_temperature_from_radiation(*given, shade=1.0)
    >>> sun_.value.round().tolist(), shade_.value.round().tolist()
    ([62.0], [41.0])
    """
    radiation = known_radiation(global_radiation, elevation)
    covered = np.asarray(cloud_cover, np.float64)
    clouds = np.where(np.isnan(covered), CLOUD_COVER, covered)
    parts = [np.asarray(given, np.float64) for given in (shade, sky_view, albedo)]
    shares = np.ones((), np.bool_)
    for part in parts:
        shares = shares & (part >= 0) & (part <= 1)
    found = reasons(
        {
            Reason.AIR_TEMPERATURE: (air_temperature >= _COLDEST) & (air_temperature <= _HOTTEST),
            Reason.HUMIDITY: humid(relative_humidity),
            Reason.RADIATION: possible_radiation(radiation, elevation)
            & (np.abs(distance - 1) <= _ECCENTRICITY)
            & shares
            & (np.abs(clouds - 50) <= 50),  # noqa: PLR2004 - 0 to 100 %
        },
        air_temperature,
        relative_humidity,
        radiation,
        elevation,
        distance,
    )
    value = in_portions(
        _around_person,
        found == 0,
        air_temperature,
        np.minimum(relative_humidity, 100.0),
        radiation,
        elevation,
        distance,
        *parts,
        clouds / 100,
        np.asarray(ground_heating, np.float64),
    )
    return _within_scale(value, found)


def _around_person(
    air: Array,
    humidity: Array,
    radiation: Array,
    elevation: Array,
    distance: Array,
    shade: Array,
    sky_view: Array,
    albedo: Array,
    clouds: Array,
    heating: Array,
) -> Array:
    light = sunlight(radiation, elevation, distance)
    lit = 1 - shade
    around = _STEFAN_BOLTZMANN * (air + KELVIN) ** 4
    vapour = 10 * saturation_vapour_pressure(air) * humidity / 100
    sky = np.minimum(1.24 * (vapour / (air + KELVIN)) ** (1 / 7) * (1 + 0.22 * clouds**2.75), 1.0) * around
    from_above = sky_view * sky + (1 - sky_view) * around
    reached = light.direct * lit + light.diffuse * (sky_view + (1 - sky_view) * albedo)
    from_below = _GROUND_EMISSIVITY * _STEFAN_BOLTZMANN * (air + heating * reached + KELVIN) ** 4
    from_below = from_below + (1 - _GROUND_EMISSIVITY) * from_above
    kelvin = thermofeel.calculate_mean_radiant_temperature(
        ssrd=reached,
        ssr=reached * (1 - albedo),
        dsrp=light.beam * lit,
        strd=from_above,
        fdir=light.direct * lit,
        strr=from_above - from_below,
        cossza=np.sin(np.radians(np.maximum(elevation, 0))),
    )
    return np.asarray(kelvin - KELVIN, np.float64)


def _compute(fleet: Fleet) -> dict[tuple[str, str], Array]:
    air, humidity = fleet.inputs["air_temperature", "mean"], fleet.inputs["relative_humidity", "mean"]
    at = site_sun(fleet)
    weather = (air, humidity, at.radiation, at.elevation, at.distance)
    sky_view, albedo = site_attribute(fleet, "sky_view_factor", 1.0), site_attribute(fleet, "albedo", ALBEDO)
    clouds = fleet.inputs["cloud_cover", "mean"]
    by_globe = mean_radiant_temperature_from_globe(
        fleet.inputs["globe_temperature", "mean"],
        air,
        site_wind(fleet, BODY_HEIGHT),
        diameter=site_attribute(fleet, "globe_diameter", DIAMETER),
        emissivity=site_attribute(fleet, "globe_emissivity", EMISSIVITY),
        elevation=at.elevation,
    )
    result = {("mean_radiant_temperature", "globe"): by_globe.value}
    for name, shade in (("shade", 1.0), ("sun", 0.0)):
        estimate = mean_radiant_temperature_from_radiation(
            *weather, shade=shade, sky_view=sky_view, albedo=albedo, cloud_cover=clouds
        )
        result["mean_radiant_temperature", name] = estimate.value
    return result


MEAN_RADIANT_TEMPERATURE: Final = Processor(
    name="mean_radiant_temperature",
    version="1",
    inputs=(
        Input("air_temperature"),
        Input("relative_humidity"),
        Input("globe_temperature"),
        *RADIATION,
        Input("wind_speed", weather=True),
        Input("cloud_cover", weather=True),
    ),
    outputs=tuple(Output("mean_radiant_temperature", statistic) for statistic in ("shade", "sun", "globe")),
    cadence=Cadence.HOUR,
    memory=0,
    compute=_compute,
    source="ISO 7726:1998, annex B; Di Napoli et al. (2020), doi:10.1007/s00484-020-01900-5, equation 3",
)
