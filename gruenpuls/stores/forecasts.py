"""Forecasts as they are kept: which of them can be used, and what they say together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np

from gruenpuls.domain.forecast import FORECAST, ForecastBatch, ForecastState, StationForecast
from gruenpuls.domain.ports import ObservationReader
from gruenpuls.domain.reading import to_stored
from gruenpuls.stores.registry import Registry

_BEFORE: Final = timedelta(hours=1)


def forecast_state(registry: Registry) -> ForecastState:
    """Return which forecasts there are, as was last said."""
    return _state(one.body for one in registry.health.all() if one.name == FORECAST)


def _state(bodies: Iterable[Any]) -> ForecastState:
    return next((ForecastState.of(body) for body in bodies), ForecastState())


def usable(state: ForecastState, now: datetime) -> tuple[StationForecast, ...]:
    """Return whose forecast is fresh enough to be used."""
    return tuple(one for one in state.stations if not state.is_stale(one.issued_at, now))


def kept_forecast(
    reader: ObservationReader,
    stations: Sequence[StationForecast],
    quantities: Sequence[str],
    *,
    begin: datetime,
    oldest: timedelta,
) -> ForecastBatch:
    """Return what the newest forecasts say, and for hours before they were issued what older ones had said.

    Parameters
    ----------
    reader : ObservationReader
    stations : sequence of StationForecast
    quantities : sequence of str
        Names of `gruenpuls.domain.forecast.FORECAST_UNITS`.
    begin : datetime
        From when on forecasts are needed, such as this morning's midnight; aware UTC.
    oldest : timedelta
        How much earlier than the newest the other one may have been issued.

    Returns
    -------
    ForecastBatch
        Where both speak of a moment, only the newest does.
    """
    return joined_forecast(
        [
            part
            for one in stations
            for quantity in quantities
            for part in _issues(reader, one, quantity, begin, oldest)
            if len(part)
        ]
    )


def _issues(
    reader: ObservationReader, one: StationForecast, quantity: str, begin: datetime, oldest: timedelta
) -> Iterator[ForecastBatch]:
    newest = reader.forecast(one.station.key, quantity, one.issued_at)
    issued = to_stored(one.issued_at)
    # A quantity the newest issue is silent about must not come from an older one.
    if not len(newest) or newest.issued_at[0] != issued:
        return
    yield newest
    if one.issued_at <= begin:
        return
    earlier = reader.forecast(one.station.key, quantity, min(begin, one.issued_at - _BEFORE))
    if len(earlier) and issued - earlier.issued_at[0] <= np.timedelta64(oldest):
        yield _part(earlier, earlier.valid_at < newest.valid_at.min())


def _part(batch: ForecastBatch, rows: np.ndarray[Any, np.dtype[np.bool_]]) -> ForecastBatch:
    return ForecastBatch(*(getattr(batch, name)[rows] for name in ForecastBatch.__slots__))


def joined_forecast(parts: Sequence[ForecastBatch]) -> ForecastBatch:
    """Return batches one after the other as one."""
    if not parts:
        times = np.empty(0, "datetime64[ms]")
        names = np.empty(0, "U1")
        return ForecastBatch(times, times, names, names, np.empty(0))
    return ForecastBatch(*(np.concatenate([getattr(part, name) for part in parts]) for name in ForecastBatch.__slots__))
