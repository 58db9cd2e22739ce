"""De-icing salt: how far a soil's conductivity stands above what it was in the last October."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.processor import Array, Cadence, Fleet, Input, Output, Processor
from gruenpuls.domain.quantity import QUANTITIES
from processors.soil.october_conductivity import OCTOBER, highest, month

BASELINE: Final = "last_october"
"""The statistic of the October median that counts until the next October."""
_RENEWED_IN: Final = 10
_FROZEN_BELOW: Final = 0.5
_LEAST: Final = 0.05
"""A soil that conducted less in October was too dry to compare anything with [dS/m]."""


def conductivity_rise(
    days: NDArray[np.datetime64], conductivity: Array, october: Array, before: Array
) -> tuple[Array, Array]:
    """Return how many times October's median a soil conducts, and that median.

    Parameters
    ----------
    days : datetime64 (day,)
        Calendar dates, one after the other [d].
    conductivity : float64 (day, site)
        Of each day, of thawed soil [dS/m]; NaN is missing.
    october : float64 (day, site)
        The median of October so far, on its days [dS/m]; NaN elsewhere.
    before : float64 (site,)
        The median that counted on the day before the first [dS/m]; NaN where there was none.

    Returns
    -------
    rise, baseline : float64 (day, site)
        [-] and [dS/m]; NaN where there is no October to compare with, or it was below 0.05 dS/m.

    Notes
    -----
    Valid until the next October, which begins anew: a probe may have been swapped. Conductivity of a soil rises
    with its water, too, so that twice October's is little evidence by itself and a week of it more.

    References
    ----------
    The ratio to October's median: our own choice. No equation.

    Examples
    --------
    >>> days = np.datetime64("2025-10-31") + np.arange(3)
    >>> october, measured = np.array([[0.2], [np.nan], [np.nan]]), np.array([[0.2], [0.3], [0.6]])
    >>> rise, _ = conductivity_rise(days, measured, october, np.array([0.9]))
    >>> rise.ravel().round(2).tolist()
    [1.0, 1.5, 3.0]
    """
    baseline = np.empty(conductivity.shape)
    months = month(days)
    first_of_month = days.astype("datetime64[D]") == days.astype("datetime64[M]")
    for day in range(len(days)):
        if months[day] == _RENEWED_IN and first_of_month[day]:
            before = np.full_like(before, np.nan)
        before = np.where(np.isnan(october[day]), before, october[day])
        baseline[day] = before
    comparable = baseline >= _LEAST
    return np.where(comparable, conductivity / np.where(comparable, baseline, 1.0), np.nan), baseline


def _compute(fleet: Fleet) -> dict[tuple[str, str], Array]:
    thawed = fleet.inputs["soil_temperature", "min"] >= _FROZEN_BELOW
    conductivity = np.where(thawed, fleet.inputs["soil_electrical_conductivity", "median"], np.nan)
    october = fleet.inputs["soil_electrical_conductivity", OCTOBER]
    before = fleet.carried.get(("soil_electrical_conductivity", BASELINE), np.full(october.shape[1], np.nan))
    rise, baseline = conductivity_rise(fleet.steps, highest(conductivity), october, before)
    most = QUANTITIES["soil_conductivity_rise"].maximum
    return {
        ("soil_conductivity_rise", ""): np.minimum(rise, most),
        ("soil_electrical_conductivity", BASELINE): baseline,
    }


CONDUCTIVITY_RISE: Final = Processor(
    name="conductivity_rise",
    version="1",
    inputs=(
        Input("soil_electrical_conductivity", "median", by_depth=True),
        Input("soil_electrical_conductivity", "last", of=OCTOBER),
        # Measured: a soil of which only the temperature is known has no conductivity to judge.
        Input("soil_temperature", "min", by_depth=True, measured=True),
    ),
    outputs=(Output("soil_conductivity_rise"), Output("soil_electrical_conductivity", BASELINE)),
    cadence=Cadence.DAY,
    memory=0,
    compute=_compute,
    source="Ratio to October's median, never of frozen soil; our own choice",
    carries=(Output("soil_electrical_conductivity", BASELINE),),
)
