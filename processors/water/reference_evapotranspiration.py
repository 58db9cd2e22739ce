"""Reference evapotranspiration: what a well-watered meadow would give off, the measure of all demand."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np

from gruenpuls.domain.processor import Array, Cadence, Fleet, Input, Output, Processor
from processors.water.evapotranspiration import daily_evapotranspiration, hargreaves_evapotranspiration
from processors.water.humidity import HumiditySource, vapour_pressure
from processors.water.radiation import MEGAJOULES_OF_A_DAY, radiation_from_sunshine, radiation_from_temperature
from processors.water.sun import day_of_year, extraterrestrial_radiation
from processors.water.wind import wind_at_2m

WIND_ASSUMED: Final = 2.0
"""FAO-56 p. 63: mean of over 2,000 stations, where no wind was measured [m/s at 2 m]."""
ELEVATION_ASSUMED: Final = 80.0
"""Of the central Ruhr, where a place's own is unknown; 100 m more or less change a day by under 0.5 % [m]."""
HEIGHT_ASSUMED: Final = 2.0
"""Of an anemometer nobody noted the height of: its wind is taken as it is [m]."""


class RadiationSource(IntEnum):
    """Which reading a day's radiation comes from, best first; the hundreds of a method."""

    MEASURED = 1
    SUNSHINE = 2
    TEMPERATURE = 3
    HARGREAVES = 4
    """Nothing but temperature was measured: Hargreaves and Samani's equation stands for everything."""


class WindSource(IntEnum):
    """Where a day's wind comes from; the units of a method."""

    MEASURED = 1
    ASSUMED = 2


HARGREAVES: Final = 100.0 * RadiationSource.HARGREAVES
"""The method of a day known by its temperature alone [-]."""


@dataclass(frozen=True, slots=True)
class DailyWeather:
    """What was measured in a day, whatever of it; NaN where it was not.

    Parameters
    ----------
    minimum, mean, maximum : float64 (time, site)
        Air temperature [°C].
    vapour_pressure : float64 (time, site)
        [kPa]
    dew_point : float64 (time, site)
        [°C]
    lowest_humidity, mean_humidity, highest_humidity : float64 (time, site)
        Relative humidity [%].
    wind_speed : float64 (time, site)
        At `wind_height` [m/s].
    radiation : float64 (time, site)
        Mean global radiation [W/m2].
    sunshine : float64 (time, site)
        [h]
    """

    minimum: Array
    mean: Array
    maximum: Array
    vapour_pressure: Array
    dew_point: Array
    lowest_humidity: Array
    mean_humidity: Array
    highest_humidity: Array
    wind_speed: Array
    radiation: Array
    sunshine: Array


def reference_evapotranspiration(
    weather: DailyWeather, *, latitude: Array, elevation: Array, wind_height: Array, day: Array
) -> tuple[Array, Array]:
    """Return a day's reference evapotranspiration by the best method its readings allow, and which that was.

    Parameters
    ----------
    weather : DailyWeather
        Its fields state their units, [°C] to [h].
    latitude : float64 (site,)
        [°]
    elevation, wind_height : float64 (site,)
        Of the place above sea level and of its anemometer above ground [m]; where unknown 80 m and 2 m.
    day : float64 (time, 1)
        Day of the year [-].

    Returns
    -------
    evapotranspiration : float64 (time, site)
        [mm/d]; missing without latitude and both extremes of temperature.
    method : float64 (time, site)
        Penman-Monteith: hundreds `RadiationSource`, tens `HumiditySource`, units `WindSource`; 400 is
        Hargreaves and Samani's [-].

    Notes
    -----
    Valid for places with a latitude and both extremes of temperature. Radiation is measured, else reckoned from
    sunshine, else, where both humidity and wind were measured, from the range of temperature. Humidity falls back
    to saturation at the night's minimum, wind to 2 m/s. Without radiation, sunshine and one of the two, Hargreaves'
    equation is taken.

    References
    ----------
    Allen et al. (1998), FAO Irrigation and Drainage Paper 56, chapter 3, "Estimating missing climatic
    data", equations 47 to 52.

    Examples
    --------
    >>> none = np.full((1, 1), np.nan)
    >>> uccle = DailyWeather(np.full((1, 1), 12.3), np.full((1, 1), 16.9), np.full((1, 1), 21.5), none, none,
    ...     np.full((1, 1), 63.0), none, np.full((1, 1), 84.0), np.full((1, 1), 2.78), none, np.full((1, 1), 9.25))
    >>> found, method = reference_evapotranspiration(uccle, latitude=np.array([50.8]), elevation=np.array([100.0]),
    ...     wind_height=np.array([10.0]), day=np.array([[187.0]]))
    >>> found.round(2).tolist(), method.tolist()
    ([[3.88]], [[231.0]])
    """
    high = np.where(np.isnan(elevation), ELEVATION_ASSUMED, elevation)
    above = extraterrestrial_radiation(latitude, day)
    vapour, humidity_source = vapour_pressure(
        weather.minimum,
        weather.maximum,
        measured=weather.vapour_pressure,
        dew_point=weather.dew_point,
        lowest_humidity=weather.lowest_humidity,
        highest_humidity=weather.highest_humidity,
        mean_humidity=weather.mean_humidity,
    )
    measured_wind = wind_at_2m(weather.wind_speed, np.where(np.isnan(wind_height), HEIGHT_ASSUMED, wind_height))
    windless = np.isnan(measured_wind)
    wind = np.where(windless, WIND_ASSUMED, measured_wind)
    known_air = (humidity_source != HumiditySource.NIGHT_MINIMUM) & ~windless
    candidates = {
        RadiationSource.MEASURED: weather.radiation * MEGAJOULES_OF_A_DAY,
        RadiationSource.SUNSHINE: radiation_from_sunshine(weather.sunshine, latitude, day),
        RadiationSource.TEMPERATURE: np.where(
            known_air, radiation_from_temperature(weather.minimum, weather.maximum, above), np.nan
        ),
    }
    found, method = np.full(weather.minimum.shape, np.nan), np.full(weather.minimum.shape, np.nan)
    detail = 10 * humidity_source + np.where(windless, float(WindSource.ASSUMED), float(WindSource.MEASURED))
    for source, radiation in candidates.items():
        said = daily_evapotranspiration(
            weather.minimum,
            weather.maximum,
            vapour_pressure=vapour,
            radiation=radiation,
            wind_speed=wind,
            latitude=latitude,
            elevation=high,
            day=day,
        )
        taken = np.isnan(found) & ~np.isnan(said)
        found, method = np.where(taken, said, found), np.where(taken, 100.0 * source + detail, method)
    simple = hargreaves_evapotranspiration(weather.minimum, weather.mean, weather.maximum, above)
    taken = np.isnan(found) & ~np.isnan(simple)
    return np.where(taken, simple, found), np.where(taken, HARGREAVES, method)


_MOST: Final = 0.75
"""Share of a day's hours that need a reading, as of daily extremes."""
_NEARLY_ALL: Final = 0.9
"""The same for radiation and sunshine: missing a few hours around noon would be a cloudy day."""

_TEMPERATURES: Final = tuple(Input("air_temperature", of=f"{name}_day") for name in ("min", "mean", "max"))
_INPUTS: Final = (
    *_TEMPERATURES,
    Input("vapour_pressure", of="mean_day"),
    Input("dew_point_temperature", "mean", _MOST),
    Input("relative_humidity", "min", _MOST),
    Input("relative_humidity", "mean", _MOST),
    Input("relative_humidity", "max", _MOST),
    Input("relative_humidity", of="mean_day"),
    Input("wind_speed", "mean", _MOST),
    Input("wind_speed", of="mean_day"),
    Input("global_radiation", "mean", _NEARLY_ALL),
    Input("global_radiation", of="mean_day"),
    Input("sunshine_duration", "sum", _NEARLY_ALL),
    Input("sunshine_duration", of="sum_day"),
)


def _compute(fleet: Fleet) -> dict[tuple[str, str], Array]:
    given, unknown = fleet.inputs, np.full(fleet.inputs["air_temperature", "min_day"].shape[1], np.nan)

    def either(quantity: str, measured: str, daily: str) -> Array:
        """Return what was summed up from readings, else a station's own daily value."""
        readings = given[quantity, measured]
        return np.where(np.isnan(readings), given[quantity, daily], readings)

    found, method = reference_evapotranspiration(
        DailyWeather(
            given["air_temperature", "min_day"],
            given["air_temperature", "mean_day"],
            given["air_temperature", "max_day"],
            given["vapour_pressure", "mean_day"],
            given["dew_point_temperature", "mean"],
            given["relative_humidity", "min"],
            either("relative_humidity", "mean", "mean_day"),
            given["relative_humidity", "max"],
            either("wind_speed", "mean", "mean_day"),
            either("global_radiation", "mean", "mean_day"),
            either("sunshine_duration", "sum", "sum_day"),
        ),
        latitude=fleet.attributes.get("latitude", unknown),
        elevation=fleet.attributes.get("elevation", unknown),
        wind_height=fleet.attributes.get("wind_height", unknown),
        day=day_of_year(fleet.steps)[:, np.newaxis],
    )
    return {("reference_evapotranspiration", ""): found, ("reference_evapotranspiration_method", ""): method}


REFERENCE_EVAPOTRANSPIRATION: Final = Processor(
    name="reference_evapotranspiration",
    version="1",
    inputs=_INPUTS,
    outputs=(Output("reference_evapotranspiration"), Output("reference_evapotranspiration_method")),
    cadence=Cadence.DAY,
    memory=0,
    compute=_compute,
    source="Allen et al. (1998), FAO-56, equation 6; Hargreaves & Samani (1985) where only temperature is there",
)
