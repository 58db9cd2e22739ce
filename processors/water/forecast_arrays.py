"""A forecast as columns turned into arrays of time and place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from gruenpuls.domain.forecast import CHANCES, ForecastBatch, ForecastStation
from gruenpuls.domain.processor import Array
from processors.water.weather_ahead import HourlyForecast

_HOUR: Final = np.timedelta64(1, "h").astype("timedelta64[ms]")

NAMES: Final[dict[str, str]] = {
    "air_temperature": "air_temperature",
    "dew_point": "dew_point_temperature",
    "temperature_error": "air_temperature:error",
    "wind_speed": "wind_speed",
    "radiation": "global_radiation",
    "sunshine": "sunshine_duration",
    "precipitation": "precipitation",
    "precipitation_3h": "precipitation:3_h",
    "precipitation_24h": "precipitation:24_h",
    "potential": "reference_evapotranspiration:24_h",
}
"""Parts of an `HourlyForecast`, and what they are called in a batch."""

QUANTITIES_NEEDED: Final = (*NAMES.values(), *CHANCES)
"""What an outlook asks of a forecast."""


def hourly_forecast(batch: ForecastBatch, stations: Sequence[ForecastStation]) -> HourlyForecast:
    """Return what is forecast for some stations, hour by hour.

    Parameters
    ----------
    batch : ForecastBatch
        What was issued last counts where several issues speak of a moment [in the unit of each quantity].
    stations : sequence of ForecastStation
        The places, in this order; one the batch does not know has no forecast [°, m].

    Returns
    -------
    HourlyForecast
        From the first to the last moment of the batch, chances as shares [-], all else in the unit of its quantity.

    Notes
    -----
    Valid for moments on the full hour.

    References
    ----------
    DWD, MOSMIX, for what the names stand for. No equation.

    Examples
    --------
    >>> at = np.array(["2026-07-01T12", "2026-07-01T12", "2026-07-01T14"], "datetime64[ms]")
    >>> issued = np.array(["2026-07-01T06", "2026-07-01T09", "2026-07-01T09"], "datetime64[ms]")
    >>> station, air = np.full(3, "10410"), np.full(3, "air_temperature")
    >>> batch = ForecastBatch(issued, at, station, air, np.array([20.0, 21.0, 23.0]))
    >>> hourly_forecast(batch, [ForecastStation("10410", "Essen", 51.4, 6.97, 150.0)]).air_temperature.ravel().tolist()
    [21.0, nan, 23.0]
    """
    latitude, longitude, elevation = (
        np.array([getattr(station, name) for station in stations], np.float64)
        for name in ("latitude", "longitude", "elevation")
    )
    if not len(batch):
        return HourlyForecast.nothing(latitude)
    first = batch.valid_at.min().astype("datetime64[h]").astype("datetime64[ms]")
    hours = int((batch.valid_at.max() - first) // _HOUR) + 1
    order = np.argsort(batch.issued_at, kind="stable")
    keys = np.array([station.key for station in stations], dtype=str)
    by_key = np.argsort(keys)
    found = np.minimum(np.searchsorted(keys, batch.station, sorter=by_key), len(keys) - 1)
    place = by_key[found]
    ours = (keys[place] == batch.station) & ((batch.valid_at - first) % _HOUR == np.timedelta64(0, "ms"))
    hour = ((batch.valid_at - first) // _HOUR).astype(np.int64)

    def column(name: str) -> Array:
        values = np.full((hours, len(keys)), np.nan)
        mine = order[(ours & (batch.quantity == name) & ~np.isnan(batch.value))[order]]
        values[hour[mine], place[mine]] = batch.value[mine]
        return values

    return HourlyForecast(
        valid_at=first + np.arange(hours) * _HOUR,
        latitude=latitude,
        longitude=longitude,
        elevation=elevation,
        chance=np.stack([column(name) for name in CHANCES]) / 100,
        **{part: column(name) for part, name in NAMES.items()},
    )
