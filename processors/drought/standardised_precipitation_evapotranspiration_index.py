"""SPEI: how unusual rain less demand of the past months is for the time of year, at a station with a long record."""

from __future__ import annotations

from typing import Final

from gruenpuls.domain.processor import Array, Cadence, Fleet, Input, Output, Processor
from processors.drought.rolling import rolling_sum
from processors.drought.standardise import log_logistic_index
from processors.drought.standardised_precipitation_index import MEMORY, MONTHS, STATISTICS, trailing_index

_NAME: Final = "standardised_precipitation_evapotranspiration_index"


def climatic_water_balance(precipitation: Array, evapotranspiration: Array, days: int) -> Array:
    """Return rain less reference evapotranspiration over each day and those before it.

    Parameters
    ----------
    precipitation, evapotranspiration : float64 (time, site)
        Of each day, without a gap in time [mm].
    days : int
        How many days are summed up [d].

    Returns
    -------
    float64 (time, site)
        [mm]; missing where either is, on more than a twentieth of the days.

    Notes
    -----
    Valid for days without a gap in time.

    References
    ----------
    Vicente-Serrano, Beguería & López-Moreno (2010), J. Climate 23, 1696-1718, equations 2 and 3.

    Examples
    --------
    >>> climatic_water_balance(np.array([[5.0], [0.0]]), np.array([[2.0], [4.0]]), 2).ravel().tolist()
    [nan, -1.0]
    """
    return rolling_sum(precipitation - evapotranspiration, days)


def _compute(fleet: Fleet) -> dict[tuple[str, str], Array]:
    balance = fleet.inputs["precipitation", "sum_day"] - fleet.inputs["reference_evapotranspiration", "sum"]
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
