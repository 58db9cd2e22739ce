"""SPEI: how unusual rain less demand of the past months is for the time of year, at a station with a long record."""

from __future__ import annotations

from typing import Final

from gruenpuls.domain.processor import Array, Cadence, Fleet, Input, Output, Processor
from processors.drought.standardise import log_logistic_index
from processors.drought.standardised_precipitation_index import MEMORY, MONTHS, STATISTICS, trailing_index

_NAME: Final = "standardised_precipitation_evapotranspiration_index"


def climatic_water_balance(precipitation: Array, evapotranspiration: Array) -> Array:
    """Return rain less reference evapotranspiration.

    Parameters
    ----------
    precipitation, evapotranspiration : float64 (time, site)
        Of each day [mm].

    Returns
    -------
    float64 (time, site)
        [mm]; missing where either is.

    Notes
    -----
    Valid for any climate; below zero where the air could take more water than fell.

    References
    ----------
    Vicente-Serrano, Beguería & López-Moreno (2010), J. Climate 23, 1696-1718, equation 2.

    Examples
    --------
    >>> climatic_water_balance(np.array([[5.0], [0.0]]), np.array([[2.0], [4.0]])).ravel().tolist()
    [3.0, -4.0]
    """
    return precipitation - evapotranspiration


def _compute(fleet: Fleet) -> dict[tuple[str, str], Array]:
    balance = climatic_water_balance(
        fleet.inputs["precipitation", "sum_day"], fleet.inputs["reference_evapotranspiration", "sum"]
    )
    return {
        (_NAME, STATISTICS[months]): trailing_index(fleet.steps, balance, days, log_logistic_index)[0]
        for months, days in MONTHS.items()
    }


STANDARDISED_PRECIPITATION_EVAPOTRANSPIRATION_INDEX: Final = Processor(
    name=_NAME,
    version="1",
    inputs=(Input("precipitation", of="sum_day"), Input("reference_evapotranspiration", "sum")),
    outputs=tuple(Output(_NAME, statistic) for statistic in STATISTICS.values()),
    cadence=Cadence.DAY,
    memory=MEMORY,
    compute=_compute,
    source="Vicente-Serrano et al. (2010); Beguería et al. (2014); sample of the 35 years before: our own choice",
)
