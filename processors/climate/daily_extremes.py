"""Daily extremes: how cold, how warm and how mild on average a day at a site was."""

from __future__ import annotations

from typing import Final

import numpy as np

from gruenpuls.domain.processor import Array, Cadence, Fleet, Input, Output, Processor

_COMPLETENESS: Final = 0.75
"""Share of a day's hours that need a reading: with a quarter missing, noon or dawn may be among it."""


def daily_extremes(minimum: Array, mean: Array, maximum: Array) -> tuple[Array, Array, Array]:
    """Return a day's lowest, mean and highest air temperature; all three or none.

    Parameters
    ----------
    minimum : float64 (time, site)
        Lowest reading of the site's calendar day [°C].
    mean : float64 (time, site)
        Mean of the day's hourly means, so that an hour with many readings weighs no more [°C].
    maximum : float64 (time, site)
        Highest reading of the day [°C].

    Returns
    -------
    minimum, mean, maximum : float64 (time, site)
        The same [°C]; missing where one of the three is missing or they contradict each other.

    Notes
    -----
    Valid for days of which at least three quarters of the hours, 18 of 24, have a reading, which is
    asked for as the completeness of the inputs; a day is the site's own, of 23 to 25 hours. DWD's
    climate days run on other days and from two thermometers: these are not official values.

    References
    ----------
    Deutscher Wetterdienst, Wetterlexikon, "Tagesmitteltemperatur" (the mean of 24 hourly values) and
    "Klimatologische Kenntage" (highest and lowest of the day); definitions without equation numbers.
    The share of hours asked for is our own choice.

    Examples
    --------
    >>> low, mean, high = daily_extremes(np.array([[9.5]]), np.array([[16.0]]), np.array([[23.1]]))
    >>> low.item(), mean.item(), high.item()
    (9.5, 16.0, 23.1)
    """
    consistent = (minimum <= mean) & (mean <= maximum)
    return (
        np.where(consistent, minimum, np.nan),
        np.where(consistent, mean, np.nan),
        np.where(consistent, maximum, np.nan),
    )


def _compute(fleet: Fleet) -> dict[tuple[str, str], Array]:
    minimum, mean, maximum = daily_extremes(
        fleet.inputs["air_temperature", "min"],
        fleet.inputs["air_temperature", "mean"],
        fleet.inputs["air_temperature", "max"],
    )
    return {
        ("air_temperature", "min_day"): minimum,
        ("air_temperature", "mean_day"): mean,
        ("air_temperature", "max_day"): maximum,
    }


DAILY_EXTREMES: Final = Processor(
    name="daily_extremes",
    version="1",
    inputs=tuple(Input("air_temperature", statistic, _COMPLETENESS) for statistic in ("min", "mean", "max")),
    outputs=tuple(Output("air_temperature", statistic) for statistic in ("min_day", "mean_day", "max_day")),
    cadence=Cadence.DAY,
    memory=0,
    compute=_compute,
    source="Deutscher Wetterdienst, Wetterlexikon: Tagesmitteltemperatur, Kenntage; completeness: our own choice",
)
