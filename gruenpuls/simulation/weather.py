"""The weather of a made-up city in the climate of the Ruhr: a pure function of seed, district and hour.

Its statistics are aimed at the region's usual ones (about 11 °C, 850 mm of rain on some 180 days, 1,000 kWh/m² of
sunshine a year; DWD climate normals, rounded); no single day is meant to be a real one.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gruenpuls.simulation.chance import Chance, Floats, Integers

DISTRICTS: Final = 16
LATITUDE: Final = 51.45
LONGITUDE: Final = 7.01

_DAY: Final = 24.0
_YEAR: Final = 8765.82
_WARMEST: Final = 200.0
"""Day of the year when it is warmest."""
_DIFFUSIVITY: Final = 5e-7 * 3600
"""Of heat in moist soil [m²/h]; 3 to 8e-7 m²/s (Hillel, Environmental Soil Physics, 1998)."""
_SLOT: Final = 6
_SLOTS_BACK: Final = 3
_LONGEST: Final = 8
_DRIZZLE: Final = 20
"""Less is no rain: nobody measures it [mm/1000]."""
_STRUCK: Final = 0.33
"""Share of the districts a storm meets."""
_TWO_HOURS: Final = 0.4
"""Share of the storms that last two hours instead of one."""


@dataclass(frozen=True, slots=True)
class Weather:
    """Hourly weather, arrays (hours, districts); each value is that of the full hour.

    Parameters
    ----------
    hours : int64 (hours,)
        Since 1970-01-01T00Z.
    air_temperature : float64
        [°C].
    relative_humidity : float64
        [%].
    wind_speed, wind_gust : float64
        [m/s].
    wind_direction : float64
        [°].
    global_radiation : float64
        [W/m²]; 0 while the sun is down.
    rain : float64
        Of the hour that ends then [mm], whole thousandths.
    air_pressure : float64
        [hPa].
    evaporation : float64
        What well-watered grass evaporates in the hour [mm].
    """

    hours: Integers
    air_temperature: Floats
    relative_humidity: Floats
    wind_speed: Floats
    wind_gust: Floats
    wind_direction: Floats
    global_radiation: Floats
    rain: Floats
    air_pressure: Floats
    evaporation: Floats

    def at(self, hours: NDArray[np.bool_]) -> Weather:
        """Return the weather of some of the hours."""
        return Weather(*(getattr(self, field.name)[hours] for field in fields(self)))


def year_angle(hours: Integers) -> Floats:
    """Return where in the year an hour is [rad], 0 at its warmest."""
    return (hours / _YEAR - _WARMEST / 365.2425) * (2 * np.pi)


def summer(hours: Integers) -> Floats:
    """Return how much of summer it is: 0 in deep winter, 1 in high summer."""
    return 0.5 + 0.5 * np.cos(year_angle(hours))


def sine_of_sun_elevation(hours: Integers) -> Floats:
    """Return the sine of the sun's elevation over the city [-].

    The declination after Cooper (Solar Energy 12, 1969); the equation of time is left out.
    """
    declination = np.radians(23.45) * np.sin((hours / _YEAR + 284 / 365.2425) * (2 * np.pi))
    hour_angle = ((hours % 24) - 12 + LONGITUDE / 15) * (np.pi / 12)
    latitude = np.radians(LATITUDE)
    return np.asarray(
        np.sin(latitude) * np.sin(declination) + np.cos(latitude) * np.cos(declination) * np.cos(hour_angle)
    )


def clear_sky_radiation(sine_of_elevation: Floats) -> Floats:
    """Return global radiation under a clear sky [W/m²]; 0 while the sun is down (Haurwitz, J. Meteor. 2, 1945)."""
    sine = np.maximum(sine_of_elevation, 1e-3)
    return np.where(sine_of_elevation > 0, 1098 * sine * np.exp(-0.057 / sine), 0.0)


def saturation_vapour_pressure(temperature: Floats) -> Floats:
    """Return it over water [hPa] at a temperature [°C] (Magnus; coefficients of Sonntag, Z. Meteorol. 40, 1990)."""
    return 6.112 * np.exp(17.62 * temperature / (243.12 + temperature))


def makkink(temperature: Floats, radiation: Floats) -> Floats:
    """Return the evaporation of well-watered grass in an hour [mm], never below 0.

    Parameters
    ----------
    temperature : float64
        [°C].
    radiation : float64
        [W/m²].

    References
    ----------
    De Bruin, H. A. R. (1987): From Penman to Makkink. CHO-TNO Proceedings 39, with the coefficient 0.65.
    """
    slope = saturation_vapour_pressure(temperature) * 4283.58 / (243.12 + temperature) ** 2
    return 0.65 * slope / (slope + 0.66) * radiation * (3600 / 2.45e6)


class Climate:
    """What the weather of a city is made from.

    Parameters
    ----------
    seed : int
    """

    def __init__(self, seed: int) -> None:
        def chance(purpose: str) -> Chance:
            return Chance(seed, f"weather/{purpose}")

        self._regime = chance("regime")
        self._cloud = chance("cloud")
        self._warmth = chance("warmth")
        self._local = chance("local warmth")
        self._dryness = chance("dryness")
        self._wind = chance("wind")
        self._gust = chance("gust")
        self._direction = chance("direction")
        self._pressure = chance("pressure")
        self._front = [chance(f"front/{part}") for part in ("comes", "start", "length", "rate", "place", "hour")]
        self._storm = [chance(f"storm/{part}") for part in ("comes", "here", "start", "amount", "long")]

    def weather(self, hours: Integers) -> Weather:
        """Return the weather of these hours, consecutive or not."""
        column = hours[:, None]
        districts = np.arange(DISTRICTS)[None, :]
        wet = self._wetness(hours)
        rain = self._rain(hours)
        cloud = 0.71 + 0.18 * wet + 0.14 * self._cloud.smooth(column / 7.0, districts)
        cloud = np.clip(cloud + 0.10 * (1 - summer(column)) + 0.3 * (rain > 0), 0.02, 1.0)
        # Kasten and Czeplak, Solar Energy 24, 1980, in tenths instead of eighths.
        radiation = clear_sky_radiation(sine_of_sun_elevation(column)) * (1 - 0.75 * cloud**3.4)
        local = 0.5 * self._local.smooth(column / 11.0, districts)
        temperature = self.ground(hours, 0.0)[:, None] + local - 0.8 * np.minimum(rain, 1.0)
        mean = (self._season(hours, 0.0) + self._drift(hours, 0.0))[:, None]
        depression = 2.7 + 1.8 * summer(column) - 1.3 * wet + 0.9 * self._dryness.smooth(column / 15.0, districts)
        dew_point = mean - np.maximum(np.where(rain > 0, 0.4 * depression, depression), 0.2)
        humidity = 100 * saturation_vapour_pressure(dew_point) / saturation_vapour_pressure(temperature)
        gale = (
            0.42 * self._wind.smooth(hours / 17.0)[:, None]
            + 0.12 * wet
            + 0.15 * self._wind.smooth(column / 3.0, districts)
        )
        wind = 2.9 * np.exp(gale) * (1.1 - 0.2 * summer(column)) * (1 + 0.2 * self._daily(hours, 0.0)[:, None])
        turn = 45 * self._direction.smooth(hours / 31.0)[:, None] + 15 * self._direction.smooth(column / 4.0, districts)
        return Weather(
            hours,
            temperature,
            np.clip(humidity, 15.0, 100.0),
            wind,
            wind * (1.5 + 0.5 * self._gust.uniform(column, districts)),
            (235.0 + turn) % 360.0,
            radiation,
            rain,
            1008.0 - 7.0 * wet + 3.0 * self._pressure.smooth(hours / 60.0)[:, None] + 0.0 * temperature,
            makkink(temperature, radiation),
        )

    def ground(self, hours: Integers, depth: float) -> Floats:
        """Return the temperature of the ground [°C] at a depth [m]; at 0 that of the air without local differences.

        Each of the air's waves reaches a depth weakened and late, as heat is conducted in even ground
        (Carslaw and Jaeger, Conduction of Heat in Solids, 2nd ed., section 2.6).
        """
        return self._season(hours, depth) + self._drift(hours, depth) + self._swing(hours, depth)

    def _season(self, hours: Integers, depth: float) -> Floats:
        damping, lag = _conducted(_YEAR, depth)
        return 10.7 + 8.0 * damping * np.cos(year_angle(hours) - lag * (2 * np.pi / _YEAR))

    def _drift(self, hours: Integers, depth: float) -> Floats:
        total = np.zeros(len(hours))
        for place, (size, period) in enumerate(((2.5, 6 * _DAY), (1.9, 19 * _DAY))):
            damping, lag = _conducted(2 * period, depth)
            total += size * damping * self._warmth.smooth(np.asarray((hours - lag) / period), np.array(place))
        # Dry weather is warm in summer and cold in winter.
        return total - 0.9 * _conducted(12 * _DAY, depth)[0] * self._wetness(hours)[:, 0] * np.cos(year_angle(hours))

    def _swing(self, hours: Integers, depth: float) -> Floats:
        damping, lag = _conducted(_DAY, depth)
        clearness = np.clip(1.0 - 0.28 * self._wetness(hours)[:, 0], 0.35, 1.6)
        return damping * (1.6 + 3.4 * summer(hours)) * clearness * self._daily(hours, lag)

    @staticmethod
    def _daily(hours: Integers, lag: float) -> Floats:
        return np.asarray(np.cos((hours % 24 - 14.0 - lag) * (2 * np.pi / _DAY)))

    def _wetness(self, hours: Integers) -> Floats:
        """Return the large-scale weather, about -2.5 (high pressure) to 2.5 (low), shape (hours, 1)."""
        fast, slow = (
            self._regime.smooth(hours / period, np.array(place)) for place, period in enumerate((4.5 * _DAY, 16 * _DAY))
        )
        return (0.75 * fast + 0.65 * slow)[:, None]

    def _rain(self, hours: Integers) -> Floats:
        thousandths = np.rint(1000 * (self._fronts(hours) + self._storms(hours)))
        return np.where(thousandths >= _DRIZZLE, thousandths, 0.0) / 1000

    def _fronts(self, hours: Integers) -> Floats:
        comes, start, length, rate, place, modulation = self._front
        districts = np.arange(DISTRICTS)[None, :]
        total = np.zeros((len(hours), DISTRICTS))
        for back in range(_SLOTS_BACK):
            slot = hours // _SLOT - back
            likely = np.clip(0.16 + 0.20 * self._wetness(slot * _SLOT)[:, 0], 0.0, 0.8)
            begins = slot * _SLOT + np.floor(start.uniform(slot) * _SLOT)
            lasts = 2 + np.floor(length.uniform(slot) * _LONGEST)
            falls = (comes.uniform(slot) < likely) & (hours >= begins) & (hours < begins + lasts)
            strength = np.where(falls, 0.12 + 0.34 * rate.exponential(slot), 0.0)[:, None]
            total += strength * (0.7 + 0.6 * place.uniform(slot[:, None], districts))
        return total * (0.3 + 1.4 * modulation.uniform(hours[:, None], districts))

    def _storms(self, hours: Integers) -> Floats:
        comes, here, start, amount, long = self._storm
        day, hour = hours[:, None] // 24, hours[:, None] % 24
        districts = np.arange(DISTRICTS)[None, :]
        likely = (
            0.34 * np.maximum(np.cos(year_angle(day * 24)), 0.0) * (1 + 0.4 * np.tanh(self._wetness(hours // 24 * 24)))
        )
        falls = (comes.uniform(day) < likely) & (here.uniform(day, districts) < _STRUCK)
        begins = 12 + np.floor(8 * start.uniform(day, districts))
        sum_of_day = 6.5 * amount.exponential(day, districts)
        lasts = np.where(long.uniform(day, districts) < _TWO_HOURS, 2, 1)
        return np.where(falls & (hour >= begins) & (hour < begins + lasts), sum_of_day / lasts, 0.0)


def _conducted(period: float, depth: float) -> tuple[float, float]:
    """Return what is left of a wave of a period [h] at a depth [m], and how late it comes [h]."""
    reach = depth / float(np.sqrt(_DIFFUSIVITY * period / np.pi))
    return float(np.exp(-reach)), reach * period / (2 * np.pi)
