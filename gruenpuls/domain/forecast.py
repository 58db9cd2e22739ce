"""Forecasts: what somebody said the weather would be; stored beside the readings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.reading import Times, Values

FORECAST: Final = "forecast"
"""Under what name the state of the forecast stands among what processes say of themselves."""

CHANCES: Final[dict[str, float]] = {
    "precipitation:chance_over_0_mm": 0.0,
    "precipitation:chance_over_0.2_mm": 0.2,
    "precipitation:chance_over_1_mm": 1.0,
    "precipitation:chance_over_5_mm": 5.0,
}
"""How likely more than so much rain is in 24 hours [%], by the amount [mm]."""

FORECAST_UNITS: Final[dict[str, str]] = {
    "air_temperature": "Cel",
    "air_temperature:error": "K",
    "air_temperature:maximum_12_h": "Cel",
    "air_temperature:minimum_12_h": "Cel",
    "dew_point_temperature": "Cel",
    "relative_humidity": "%",
    "wind_speed": "m/s",
    "wind_gust": "m/s",
    "global_radiation": "W/m2",
    "sunshine_duration": "h",
    "cloud_cover": "%",
    "air_pressure": "hPa",
    "precipitation": "mm",
    "precipitation:3_h": "mm",
    "precipitation:24_h": "mm",
    "precipitation:snow": "mm",
    "reference_evapotranspiration:24_h": "mm",
    **dict.fromkeys(CHANCES, "%"),
}
"""What a forecast may say, and in which UCUM unit: a quantity, or a quantity and what about it.

A mean, sum or extreme is of the time before the moment it is valid at: of as many hours as the name says, a chance of
24, all else of one hour. Wind is at 10 m. Rain of several hours is more than the sum of its hours: the DWD gives an
amount only where rain is likelier than not in just that time.
"""


@dataclass(frozen=True, slots=True)
class ForecastBatch:
    """Forecast values as columns of equal length.

    Parameters
    ----------
    issued_at, valid_at : datetime64[ms] (n,)
        UTC.
    station, quantity : str (n,)
        The provider's station id; a name of `FORECAST_UNITS`.
    value : float64 (n,)
        In the unit of the quantity; NaN where the provider gave none.
    """

    issued_at: Times
    valid_at: Times
    station: NDArray[np.str_]
    quantity: NDArray[np.str_]
    value: Values

    def __len__(self) -> int:
        return len(self.value)


@dataclass(frozen=True, slots=True)
class ForecastStation:
    """A place a forecast is made for.

    Parameters
    ----------
    key : str
        The provider's id, such as ``"10410"``.
    name : str
    latitude, longitude : float
        WGS 84 [°].
    elevation : float
        [m above sea level]
    """

    key: str
    name: str
    latitude: float
    longitude: float
    elevation: float


@dataclass(frozen=True, slots=True)
class StationForecast:
    """How old the forecast for a station is."""

    station: ForecastStation
    issued_at: datetime


@dataclass(frozen=True, slots=True)
class ForecastState:
    """Which forecasts there are, and whether they keep coming.

    Parameters
    ----------
    stations : tuple of StationForecast
        The newest kept of each station.
    oldest : timedelta
        Older ones are not used.
    error : str or None
        Why the last attempt to fetch one failed; None after one that did not.
    checked_at : datetime or None
        When a provider was last heard, be it that there is nothing new; None if nothing is fetched.
    """

    stations: tuple[StationForecast, ...] = ()
    oldest: timedelta = timedelta(hours=36)
    error: str | None = None
    checked_at: datetime | None = None

    @property
    def issued_at(self) -> datetime | None:
        """When the oldest of the stations' newest forecasts was issued; None where there is none."""
        return min((one.issued_at for one in self.stations), default=None)

    def age(self, now: datetime) -> timedelta | None:
        """Return how old that one is; None where there is none."""
        return None if self.issued_at is None else now - self.issued_at

    def is_stale(self, issued_at: datetime, now: datetime) -> bool:
        """Return whether a forecast is too old to be used, or from a time to come."""
        return not timedelta(hours=-1) <= now - issued_at <= self.oldest

    def plain(self) -> dict[str, Any]:
        """Return this as JSON values."""
        return {
            "error": self.error,
            "checked_at": None if self.checked_at is None else self.checked_at.isoformat(),
            "oldest_hours": self.oldest / timedelta(hours=1),
            "stations": [
                {
                    "key": one.station.key,
                    "name": one.station.name,
                    "latitude": one.station.latitude,
                    "longitude": one.station.longitude,
                    "elevation": one.station.elevation,
                    "issued_at": one.issued_at.isoformat(),
                }
                for one in self.stations
            ],
        }

    @classmethod
    def of(cls, plain: Any) -> Self:  # noqa: ANN401 - what `plain` gave
        """Return the state that `plain` wrote down."""
        checked_at = plain["checked_at"]
        return cls(
            tuple(
                StationForecast(
                    ForecastStation(one["key"], one["name"], one["latitude"], one["longitude"], one["elevation"]),
                    datetime.fromisoformat(one["issued_at"]),
                )
                for one in plain["stations"]
            ),
            timedelta(hours=plain["oldest_hours"]),
            plain["error"],
            None if checked_at is None else datetime.fromisoformat(checked_at),
        )
