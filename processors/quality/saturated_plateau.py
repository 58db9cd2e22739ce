"""A water content that stays at the top: a probe in standing water, or at the end of its scale."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from processors.quality.strands import Strands


def saturated_plateau(strands: Strands, level: float, hours: float, tolerance: float) -> NDArray[np.bool_]:
    """Return where a water content has stood still near saturation.

    Parameters
    ----------
    strands : Strands
        Water contents; NaN is missing [%].
    level : float
        From here on it is near saturation [%].
    hours : float
        How long that must last; a reading from the first quarter of it must be known [h].
    tolerance : float
        Readings that differ by less are one [%].

    Returns
    -------
    bool (n,)
        True where all readings of that time were above the level and alike [-].

    Notes
    -----
    Valid for soil that drains: what stands there is water that does not, or a probe at its limit.

    References
    ----------
    Dorigo et al. (2013), Global Automated Quality Control of In Situ Soil Moisture Data from the
    International Soil Moisture Network, Vadose Zone Journal 12(3), table 2, flag D10 (at least 12 hours);
    ours compares with a level, not with the highest value of the series, so that later data change nothing.

    Examples
    --------
    >>> at = np.arange(14).astype("datetime64[h]").astype("datetime64[ms]")
    >>> values = np.r_[40.0, np.full(13, 52.0)]
    >>> np.flatnonzero(saturated_plateau(Strands.of(at, values), 47.5, 12.0, 0.05)).tolist()
    [13]
    """
    begin = strands.since(hours, closed=True)
    lowest, highest = strands.extremes(begin)
    age = (strands.at - strands.at[begin]) / np.timedelta64(1, "h")
    flat = (highest - lowest < tolerance) & (lowest >= level) & (age >= hours * 0.75)
    return np.asarray(flat & ~np.isnan(strands.value))
