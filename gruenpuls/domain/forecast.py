"""Forecasts: what somebody said the weather would be; stored beside the readings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.reading import Times, Values


@dataclass(frozen=True, slots=True)
class ForecastBatch:
    """Forecast values as columns of equal length.

    Parameters
    ----------
    issued_at, valid_at : datetime64[ms] (n,)
        UTC.
    station, quantity : str (n,)
        The provider's station id; name of the quantity.
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
