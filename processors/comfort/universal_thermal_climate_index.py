"""UTCI: the air temperature in still shade that strains a walking person as much as the real surroundings do."""

from __future__ import annotations

from typing import Final

import numpy as np
import thermofeel

from gruenpuls.domain.processor import Array, Cadence, Fleet, Input, Output, Processor
from processors.comfort.body import KELVIN
from processors.comfort.portion import in_portions
from processors.comfort.reason import Judgement, Reason, above, humid, judged, reasons
from processors.comfort.wind_profile import REFERENCE_HEIGHT, site_wind

STATISTICS: Final = ("shade", "sun", "globe")
"""Where the mean radiant temperature comes from: estimated in the shade, in the sun, or measured by a globe."""
_COLDEST, _HOTTEST = -50.0, 50.0
_LEAST_ABOVE_AIR, _MOST_ABOVE_AIR = -30.0, 70.0
_LEAST_WIND, _MOST_WIND = 0.5, 17.0
_MOST_VAPOUR: Final = 5.0


def vapour_pressure(air_temperature: Array, relative_humidity: Array) -> Array:
    """Return the vapour pressure as UTCI reckons it.

    Parameters
    ----------
    air_temperature : float64 (...)
        [°C]
    relative_humidity : float64 (...)
        Over water; up to 100.5 % counts as saturated [%].

    Returns
    -------
    float64 (...)
        [kPa]; missing where the air is not from -50 to 50 °C or the humidity impossible.

    Notes
    -----
    Valid for air from -50 to 50 °C. Another formula for saturation moves UTCI by up to 0.04 K.

    References
    ----------
    Hardy, B. (1998), ITS-90 formulations for vapor pressure, 3rd Int. Symp. Humidity and Moisture, equation 2, by
    thermofeel.

    Examples
    --------
    >>> vapour_pressure(np.array([20.0, 20.0]), np.array([50.0, 0.0])).round(3).tolist()
    [1.17, nan]
    """
    valid = (air_temperature >= _COLDEST) & (air_temperature <= _HOTTEST) & humid(relative_humidity)

    def pressure(air: Array, humidity: Array) -> Array:
        saturated = thermofeel.calculate_saturation_vapour_pressure(air + KELVIN)
        return np.asarray(saturated * np.minimum(humidity, 100.0) / 1000, np.float64)

    return in_portions(pressure, valid, air_temperature, relative_humidity)


def universal_thermal_climate_index(
    air_temperature: Array, mean_radiant_temperature: Array, wind_speed: Array, vapour_pressure: Array
) -> Judgement:
    """Return the universal thermal climate index.

    Parameters
    ----------
    air_temperature : float64 (...)
        [°C]
    mean_radiant_temperature : float64 (...)
        [°C]
    wind_speed : float64 (...)
        10 m above ground [m/s].
    vapour_pressure : float64 (...)
        [kPa]

    Returns
    -------
    Judgement
        UTCI [°C] and reasons [-].

    Notes
    -----
    Valid for air from -50 to 50 °C, radiant temperatures from 30 K below to 70 K above it, winds up to 17 m/s
    and vapour pressures above 0 and below 5 kPa. Winds above 0 and below 0.5 m/s count as 0.5 m/s, which
    `Reason.CALM` says; a wind of 0 is a stuck anemometer and gives no value.

    References
    ----------
    Bröde, P., et al. (2012), Int. J. Biometeorol. 56, 481-494, doi:10.1007/s00484-011-0454-1, polynomial of the
    electronic supplement (no equation number), by thermofeel.

    Examples
    --------
    >>> given = np.array([30.0, 30.0]), np.array([30.0, 60.0]), np.array([0.5, 0.0]), np.array([3.82, 2.0])
    >>> found = universal_thermal_climate_index(*given)
    >>> found.value.round(1).tolist(), Reason(int(found.reason[1])).name
    ([35.5, nan], 'WIND')
    """
    excess = above(mean_radiant_temperature, air_temperature)
    found = reasons(
        {
            Reason.AIR_TEMPERATURE: (air_temperature >= _COLDEST) & (air_temperature <= _HOTTEST),
            Reason.RADIANT_TEMPERATURE: (excess >= _LEAST_ABOVE_AIR) & (excess <= _MOST_ABOVE_AIR),
            Reason.WIND: (wind_speed > 0) & (wind_speed <= _MOST_WIND),
            Reason.HUMIDITY: (vapour_pressure > 0) & (vapour_pressure < _MOST_VAPOUR),
        },
        air_temperature,
        mean_radiant_temperature,
        wind_speed,
        vapour_pressure,
    )
    calm = (found == 0) & (wind_speed < _LEAST_WIND)
    value = in_portions(_polynomial, found == 0, air_temperature, mean_radiant_temperature, wind_speed, vapour_pressure)
    return judged(value, found | np.where(calm, int(Reason.CALM), 0).astype(np.uint16))


def _polynomial(air: Array, radiant: Array, wind: Array, vapour: Array) -> Array:
    kelvin = thermofeel.calculate_utci(air + KELVIN, np.maximum(wind, _LEAST_WIND), radiant + KELVIN, ehPa=vapour * 10)
    return np.asarray(kelvin - KELVIN, np.float64)


def _compute(fleet: Fleet) -> dict[tuple[str, str], Array]:
    air = fleet.inputs["air_temperature", "mean"]
    vapour = vapour_pressure(air, fleet.inputs["relative_humidity", "mean"])
    wind = site_wind(fleet, REFERENCE_HEIGHT)
    return {
        ("universal_thermal_climate_index", statistic): universal_thermal_climate_index(
            air, fleet.inputs["mean_radiant_temperature", statistic], wind, vapour
        ).value
        for statistic in STATISTICS
    }


UNIVERSAL_THERMAL_CLIMATE_INDEX: Final = Processor(
    name="universal_thermal_climate_index",
    version="1",
    inputs=(
        Input("air_temperature"),
        Input("relative_humidity"),
        Input("wind_speed", weather=True),
        *(Input("mean_radiant_temperature", of=statistic) for statistic in STATISTICS),
    ),
    outputs=tuple(Output("universal_thermal_climate_index", statistic) for statistic in STATISTICS),
    cadence=Cadence.HOUR,
    memory=0,
    compute=_compute,
    source="Bröde et al. (2012), doi:10.1007/s00484-011-0454-1, by thermofeel",
)
