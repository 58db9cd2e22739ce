"""Night minimum: how far the air cooled down in the night of the German weather service, 18 to 6 UTC."""

from __future__ import annotations

from typing import Final

import numpy as np

from gruenpuls.domain.processor import Array, Cadence, Fleet, Input, Output, Processor
from gruenpuls.domain.reading import Times

_HOURS: Final = 12
_LAST_HOUR: Final = 5
"""The night's last hour begins at 5 UTC."""
_COMPLETENESS: Final = 0.75


def night_minimum(steps: Times, hourly_minimum: Array) -> Array:
    """Return the lowest air temperature of the night that ends with an hour.

    Parameters
    ----------
    steps : datetime64[ms] (time,)
        Start of each hour, one after the other without a gap, UTC.
    hourly_minimum : float64 (time, site)
        Lowest reading of each hour [°C].

    Returns
    -------
    float64 (time, site)
        At the hour from 5 to 6 UTC the lowest of the twelve hours from 18 UTC on [°C]; missing at all others,
        and where more than three of the twelve are missing.

    Notes
    -----
    Valid for hourly steps.

    References
    ----------
    Deutscher Wetterdienst, Wetterlexikon, "Tropennacht" (minimum of 18 to 6 UTC), definition without equation; the
    share of hours asked for is our own choice.

    Examples
    --------
    >>> hours = np.datetime64("2023-08-14T00:00", "ms") + np.arange(30) * np.timedelta64(1, "h")
    >>> found = night_minimum(hours, np.linspace(30, 16, 30)[:, None])
    >>> found[29].tolist(), int(np.isfinite(found).sum())
    ([16.0], 1)
    """
    result = np.full(hourly_minimum.shape, np.nan)
    hour = (steps - steps.astype("datetime64[D]")) // np.timedelta64(1, "h")
    ends = np.flatnonzero((hour == _LAST_HOUR) & (np.arange(len(steps)) >= _HOURS - 1))
    night = hourly_minimum[ends[:, None] + np.arange(1 - _HOURS, 1)]
    known = np.isfinite(night)
    lowest = np.where(known, night, np.inf).min(axis=1)
    result[ends] = np.where(known.mean(axis=1) >= _COMPLETENESS, lowest, np.nan)
    return result


def _compute(fleet: Fleet) -> dict[tuple[str, str], Array]:
    return {("air_temperature", "min_night"): night_minimum(fleet.steps, fleet.inputs["air_temperature", "min"])}


NIGHT_MINIMUM: Final = Processor(
    name="night_minimum",
    version="1",
    inputs=(Input("air_temperature", "min"),),
    outputs=(Output("air_temperature", "min_night"),),
    cadence=Cadence.HOUR,
    memory=1,
    compute=_compute,
    source="Deutscher Wetterdienst, Wetterlexikon: Tropennacht; completeness: our own choice",
)
