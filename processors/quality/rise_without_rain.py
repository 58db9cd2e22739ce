"""Soil near the surface that becomes wetter although it did not rain."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.processor import Array

DEEPEST: Final = 10.0
"""Deeper probes may be reached by water from elsewhere [cm]."""
_DAY: Final = 24
_LEAST_RAIN: Final = 0.2
_PER_DEPTH: Final = 0.25
_DEVIATIONS: Final = 2.0


def rise_without_rain(
    water_content: Array, precipitation: Array, watered: NDArray[np.bool_], depths: Array
) -> NDArray[np.bool_]:
    """Return where soil became wetter within an hour and a day without enough rain for it.

    Parameters
    ----------
    water_content : float64 (time, probe)
        Hourly means; NaN is missing [%].
    precipitation : float64 (time, probe)
        Hourly sums at the probes; NaN is not known [mm].
    watered : bool (time, probe)
        Whether people gave water in this hour or in one of the six before [-].
    depths : float64 (probe,)
        Below ground [cm].

    Returns
    -------
    bool (time, probe)
        Never where one of the day's rain sums is not known, or below 10 cm [-].

    Notes
    -----
    Valid down to 10 cm in soil that is not frozen. The rise over 24 hours must be more than twice the standard
    deviation of these 25 hours, and the rain of 24 hours less than 0.2 mm, or than what raises this
    depth by half of 5 %, if that is more.

    References
    ----------
    Dorigo et al. (2013), Global Automated Quality Control of In Situ Soil Moisture Data from the
    International Soil Moisture Network, Vadose Zone Journal 12(3), table 2, flag D04 and equation 1.

    Examples
    --------
    >>> wet = np.r_[np.full(30, 20.0), np.full(6, 26.0)][:, None]
    >>> dry, none = np.zeros_like(wet), np.zeros(wet.shape, np.bool_)
    >>> np.flatnonzero(rise_without_rain(wet, dry, none, np.array([5.0]))[:, 0]).tolist()
    [30]
    >>> rise_without_rain(wet, dry + 1.0, none, np.array([5.0])).any()
    np.False_
    """
    found = np.zeros(water_content.shape, np.bool_)
    if len(water_content) <= _DAY:
        return found
    window = np.lib.stride_tricks.sliding_window_view(water_content, _DAY + 1, axis=0)
    rain = np.lib.stride_tricks.sliding_window_view(precipitation, _DAY + 1, axis=0).sum(axis=-1)
    deviation = window.std(axis=-1)
    hour = window[..., -1] - window[..., -2]
    day = window[..., -1] - window[..., 0]
    enough = np.maximum(_LEAST_RAIN, depths * _PER_DEPTH)
    rose = (hour > 0) & (day > _DEVIATIONS * deviation) & (rain < enough) & (depths <= DEEPEST)
    found[_DAY:] = rose & ~watered[_DAY:]
    return found
