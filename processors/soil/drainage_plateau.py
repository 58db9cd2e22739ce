"""Drainage plateaus: days on which a probe reads its own field capacity, drained and with nothing drinking."""

from __future__ import annotations

from typing import Final

import numpy as np

from gruenpuls.domain.processor import Array, Cadence, Fleet, Input, Output, Processor
from processors.soil.soil_water_content import FROM_PERMITTIVITY

PLATEAU: Final = "plateau"
"""The statistic of what a probe read two days after heavy winter rain."""
AFTER_WATERING: Final = "after_watering"
"""The statistic of what it read 24 to 48 hours after a watering that saturated it."""
WET_RAIN: Final = 20.0
"""More rain than this within three days fills a pit [mm]."""
DRY_RAIN: Final = 2.0
"""Up to this a day of draining is undisturbed; our assumption [mm]."""
COOL: Final = (2.0, 8.0)
"""Between these the soil neither freezes nor feeds roots [°C]."""
SATURATING_RISE: Final = 5.0
"""By how much a watering that saturates lifts a reading from one day to the next; our assumption [%]."""
_MEMORY: Final = 5


def _before(values: Array, days: int) -> Array:
    """Return what was so many days before, NaN where nobody knows."""
    shifted = np.full(values.shape, np.nan)
    shifted[days:] = values[: max(len(values) - days, 0)]
    return shifted


def drainage_plateau(water_content: Array, soil_temperature: Array, precipitation: Array) -> Array:
    """Return the water content of days two days after heavy rain in cool soil, NaN on all others.

    Parameters
    ----------
    water_content : float64 (day, site, depth)
        Daily means [%].
    soil_temperature : float64 (day, site, depth)
        Daily means; a depth without one takes the mean of the others [°C].
    precipitation : float64 (day, site)
        Daily sums [mm].

    Returns
    -------
    float64 (day, site, depth)
        [%]

    Notes
    -----
    Valid where soil drains freely. More than 20 mm fell in the three days that ended two days ago, at
    most 2 mm a day since, and the soil has between 2 and 8 °C: it holds what it can hold against gravity.
    A day without rain data is no plateau.

    References
    ----------
    KA5 (2005): field capacity is what is left two to three days after saturation. The amounts are our own
    choice. No equation.

    Examples
    --------
    >>> rain = np.array([0.0, 25, 0, 0, 0])[:, None]
    >>> content = np.array([20.0, 34, 30, 27, 26])[:, None, None]
    >>> drainage_plateau(content, np.full_like(content, 5.0), rain).ravel().tolist()
    [nan, nan, nan, 27.0, 26.0]
    """
    known = ~np.isnan(soil_temperature)
    count = known.sum(axis=2, keepdims=True)
    mean = np.where(known, soil_temperature, 0.0).sum(axis=2, keepdims=True) / np.maximum(count, 1)
    temperature = np.where(known, soil_temperature, np.where(count > 0, mean, np.nan))
    cool = (temperature >= COOL[0]) & (temperature <= COOL[1])
    fell = np.stack([_before(precipitation, days) for days in (2, 3, 4)])
    filled = np.where(np.isnan(fell), 0.0, fell).sum(axis=0) > WET_RAIN
    drained = (precipitation <= DRY_RAIN) & (_before(precipitation, 1) <= DRY_RAIN)
    return np.where((filled & drained)[..., None] & cool, water_content, np.nan)


def content_after_watering(water_content: Array, watered: Array) -> Array:
    """Return the water content 24 to 48 hours after a watering that saturated a depth, NaN on all other days.

    Parameters
    ----------
    water_content : float64 (day, site, depth)
        Daily means [%].
    watered : float64 (day, site)
        Given by people [L].

    Returns
    -------
    float64 (day, site, depth)
        Mean of the first and the second day after it, on the second [%].

    Notes
    -----
    Valid where the watering reached the depth: the reading rose by at least 5 % by volume. Roots drink
    meanwhile, so that it lies somewhat below field capacity.

    References
    ----------
    Our own choice. No equation.

    Examples
    --------
    >>> content, litres = np.array([15.0, 24, 28, 26, 25])[:, None, None], np.array([0.0, 100, 0, 0, 0])[:, None]
    >>> content_after_watering(content, litres).ravel().tolist()
    [nan, nan, nan, 27.0, nan]
    """
    rose = np.fmax(_before(water_content, 1), _before(water_content, 2)) - _before(water_content, 3) >= SATURATING_RISE
    given = (_before(watered, 2) > 0) & ~(_before(watered, 1) > 0) & ~(watered > 0)
    return np.where(given[..., None] & rose, (water_content + _before(water_content, 1)) / 2, np.nan)


def _compute(fleet: Fleet) -> dict[tuple[str, str], Array]:
    told, made = fleet.inputs["soil_water_content", "mean"], fleet.inputs["soil_water_content", FROM_PERMITTIVITY]
    content = np.where(np.isnan(made), told, made)
    hourly, daily = fleet.inputs["precipitation", "sum"], fleet.inputs["precipitation", "sum_day"]
    rain = np.where(np.isnan(hourly), daily, hourly)
    watered = fleet.watered if fleet.watered.shape == rain.shape else np.zeros(rain.shape)
    return {
        ("field_capacity", PLATEAU): drainage_plateau(content, fleet.inputs["soil_temperature", "mean"], rain),
        ("field_capacity", AFTER_WATERING): content_after_watering(content, watered),
    }


DRAINAGE_PLATEAU: Final = Processor(
    name="drainage_plateau",
    version="1",
    inputs=(
        Input("soil_water_content", by_depth=True, completeness=0.5),
        Input("soil_water_content", by_depth=True, completeness=0.5, of=FROM_PERMITTIVITY),
        Input("soil_temperature", by_depth=True),
        Input("precipitation", "sum", 0.9, weather=True),
        Input("precipitation", of="sum_day", weather=True),
    ),
    outputs=(
        Output("field_capacity", PLATEAU, by_depth=True),
        Output("field_capacity", AFTER_WATERING, by_depth=True),
    ),
    cadence=Cadence.DAY,
    memory=_MEMORY,
    compute=_compute,
    source="KA5 (2005), definition of field capacity; amounts and spans are our own choice",
    watered=True,
)
