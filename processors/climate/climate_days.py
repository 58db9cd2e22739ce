"""Climate days: summer, hot, frost and ice days and tropical nights, as the German weather service counts them."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.processor import Array, Cadence, Fleet, Input, Output, Processor

_SUMMER: Final = 25.0
_HOT: Final = 30.0
_TROPICAL: Final = 20.0
_FREEZING: Final = 0.0
_COLDEST, _HOTTEST = -50.0, 55.0


class ClimateDays(NamedTuple):
    """Which days were what: 1 yes, 0 no, NaN unknown.

    Parameters
    ----------
    summer_day, hot_day, frost_day, ice_day, tropical_night : float64 (...)
        [d]
    """

    summer_day: Array
    hot_day: Array
    frost_day: Array
    ice_day: Array
    tropical_night: Array


def climate_days(maximum: Array, minimum: Array, night_minimum: Array) -> ClimateDays:
    """Return what kind of day each was.

    Parameters
    ----------
    maximum, minimum : float64 (...)
        Highest and lowest air temperature of the day [°C].
    night_minimum : float64 (...)
        Lowest of the night before, 18 to 6 UTC [°C].

    Returns
    -------
    ClimateDays
        1, 0 or missing [d].

    Notes
    -----
    Valid for temperatures from -50 to 55 °C, the minimum not above the maximum; else the day is unknown. Summer
    day from 25 °C, hot day from 30 °C, frost day with a minimum and ice day with a maximum below 0 °C,
    tropical night from 20 °C. A hot day is a summer day too, an ice day a frost day.

    References
    ----------
    Deutscher Wetterdienst, Wetterlexikon, "Klimatologische Kenntage", table of definitions.

    Examples
    --------
    >>> found = climate_days(np.array([33.0, -0.1]), np.array([19.9, -5.0]), np.array([19.9, np.nan]))
    >>> found.hot_day.tolist(), found.ice_day.tolist(), found.tropical_night.tolist()
    ([1.0, 0.0], [0.0, 1.0], [0.0, nan])
    """
    high, low, night = (
        np.where((values >= _COLDEST) & (values <= _HOTTEST), values, np.nan)
        for values in (maximum, minimum, night_minimum)
    )
    contradict = low > high
    high, low = np.where(contradict, np.nan, high), np.where(contradict, np.nan, low)
    return ClimateDays(
        _yes(high >= _SUMMER, high),
        _yes(high >= _HOT, high),
        _yes(low < _FREEZING, low),
        _yes(high < _FREEZING, high),
        _yes(night >= _TROPICAL, night),
    )


def _yes(condition: NDArray[np.bool_], values: Array) -> Array:
    return np.where(np.isnan(values), np.nan, condition.astype(np.float64))


def _compute(fleet: Fleet) -> dict[tuple[str, str], Array]:
    days = climate_days(*(fleet.inputs["air_temperature", name] for name in ("max_day", "min_day", "min_night")))
    return {(name, ""): values for name, values in days._asdict().items()}


CLIMATE_DAYS: Final = Processor(
    name="climate_days",
    version="1",
    inputs=(
        Input("air_temperature", "max", of="max_day"),
        Input("air_temperature", "min", of="min_day"),
        Input("air_temperature", "min", of="min_night"),
    ),
    outputs=tuple(Output(name) for name in ClimateDays._fields),
    cadence=Cadence.DAY,
    memory=0,
    compute=_compute,
    source="Deutscher Wetterdienst, Wetterlexikon: Klimatologische Kenntage",
)
