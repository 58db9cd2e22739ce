"""Assimilation: how far a site's balance moves to what its probes say, and what is learned of the probes.

A probe does not stand for a whole root zone: it sits at one depth, in one place, and its calibration and the
soil data have errors of their own. This part of its error does not average out from day to day, so it is
followed as an *offset* of the site's probes that changes slowly; only the rest is noise.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.processor import Array
from processors.soil.plant_available_water import root_zone_water
from processors.water.bucket import Bucket, Columns, State

OFFSET_OF_PROBES: Final = np.array([np.nan, 18.0, 10.0, 7.0, 6.0, 4.0, 3.0, 2.0])
NOISE_OF_PROBES: Final = np.array([np.nan, 3.0, 2.0, 1.5, 1.0, 0.8, 0.6, 0.4])
"""How far 1, 2, 3 … probes lie from their whole root zone, lasting and from day to day [% nFK].

For 1 to 4 means over choices of depths down to 90 cm against all five, beech stands of Weierbach (cojacoo/rootwater,
MIT), capacity 12 % by volume; for more our assumption, 7 calibrated on its sandstone stand; without what pits differ
from those stands in.
"""
OFFSET_TIME: Final = 60.0
"""How long an offset of the probes keeps its size [d]; our assumption, about a season's third."""


@dataclass(frozen=True, slots=True)
class Seen(Columns):
    """What the probes of a site say of its root zone.

    Parameters
    ----------
    available_water : float64 (site,)
        Share of the plant-available capacity [%]; NaN where no trusted reading exists.
    noise : float64 (site,)
        Standard deviation of the part of its error that is new each day [%].
    offset : float64 (site,)
        Standard deviation of the part that lasts, as the probes do not stand for the whole root zone [%].
    """

    available_water: Array
    noise: Array
    offset: Array


def root_zone_reading(available_water: Array, depths: Array, root_depth: Array, trusted: NDArray[np.bool_]) -> Seen:
    """Return what the probes of a site say of its root zone, and how surely.

    Parameters
    ----------
    available_water : float64 (time, site, depth)
        Plant-available water at each depth [%]; NaN where nothing was read.
    depths : float64 (site, depth)
        [cm]
    root_depth : float64 (site,)
        Lower end of the root zone [m].
    trusted : bool (time, site, depth)
        Whether a reading counts; frozen ground does not [-].

    Returns
    -------
    Seen
        Its arrays (time, site) [%]. Each probe weighs as the layer it stands for; a missing one leaves its
        weight to all others, and the reading is less sure with every one that is missing.

    Notes
    -----
    Valid for probes within the root zone; deeper ones do not count. A reading below the wilting point counts
    as it is.

    References
    ----------
    KA5 (2005), table 70, for the share; weights as in `processors.soil.plant_available_water`.

    Examples
    --------
    >>> water, depths = np.array([[[20.0, 80.0]], [[20.0, np.nan]]]), np.array([[30.0, 60.0]])
    >>> seen = root_zone_reading(water, depths, np.array([0.9]), np.full(water.shape, True))
    >>> seen.available_water.tolist(), seen.offset.tolist()
    ([[50.0], [20.0]], [[10.0], [18.0]])
    """
    steps, sites, places = available_water.shape
    each = np.where(np.isnan(depths), np.nan, np.eye(places)[:, None, :])
    weights = root_zone_water(each, depths, root_depth).T
    within = ~np.isnan(depths) & ~(depths > 100.0 * root_depth[:, None])
    weights = np.where(within, np.where(np.isnan(weights), 1.0, weights), 0.0)
    total, count = np.zeros((steps, sites)), np.zeros((steps, sites), np.intp)
    said = np.zeros((steps, sites))
    for place in range(places):
        value = available_water[:, :, place]
        valid = trusted[:, :, place] & ~np.isnan(value) & (weights[:, place] > 0)
        said += np.where(valid, weights[:, place] * value, 0.0)
        total += np.where(valid, weights[:, place], 0.0)
        count += valid
    known = count > 0
    classes = np.minimum(count, len(OFFSET_OF_PROBES) - 1)
    return Seen(
        np.where(known, said / np.where(known, total, 1.0), np.nan),
        NOISE_OF_PROBES[classes],
        OFFSET_OF_PROBES[classes],
    )


def assimilate(bucket: Bucket, state: State, seen: Seen) -> tuple[State, Array, Array]:
    """Return the state after a look at the probes, what they said beyond the model, and how far it followed.

    Parameters
    ----------
    bucket : Bucket
        Of each site [mm].
    state : State
        Of the balance at the end of the day [mm].
    seen : Seen
        That day [%].

    Returns
    -------
    State
        Moved to the probes by the gain [mm]; as it was where they said nothing, the offset a day older.
    innovation : float64 (site,)
        Measured minus expected, before the state moved [% of the capacity]; NaN without a reading.
    gain : float64 (site,)
        Share of the innovation the storage followed [-]; 0 without a reading.

    Notes
    -----
    A Kalman filter with two unknowns for each site, storage and offset; the reading is their sum plus noise,
    and the offset a first-order autoregressive process. So the balance follows a full profile almost wholly,
    a single probe only as far as the balance itself is less certain than what one probe can say.

    Valid for deviations above zero; without any reading nothing is taken from the probes.

    References
    ----------
    Kalman (1960), J. Basic Eng. 82, 35-45, equations 22 to 24, the offset as augmented state as in Dee and da Silva
    (1998), Q. J. R. Meteorol. Soc. 124, 269-295.

    Examples
    --------
    >>> one = np.ones(1)
    >>> pit = Bucket(*[100 * one] * 15)
    >>> model = State(60 * one, 10 * one, *[0 * one] * 4)
    >>> after, innovation, gain = assimilate(pit, model, Seen(40 * one, 10 * one, 0 * one))
    >>> after.storage.tolist(), innovation.tolist(), gain.tolist()
    ([50.0], [-20.0], [0.5])
    """
    unit = bucket.capacity / 100.0
    known = ~np.isnan(seen.available_water)
    memory = np.exp(-1.0 / OFFSET_TIME)
    lasting = np.where(known, (seen.offset * unit) ** 2, 0.0)
    never = state.offset_deviation == 0
    offset = memory * state.offset
    offset_variance = np.where(
        never & known,
        lasting,
        memory**2 * state.offset_deviation**2 + (1 - memory**2) * np.where(known, lasting, state.offset_deviation**2),
    )
    variance = state.deviation**2
    together = memory * state.correlation * state.deviation * state.offset_deviation

    noise = np.where(known, (seen.noise * unit) ** 2, 1.0)
    spread = variance + 2 * together + offset_variance + noise
    gain = np.where(known, (variance + together) / spread, 0.0)
    offset_gain = np.where(known, (together + offset_variance) / spread, 0.0)
    surprise = seen.available_water * unit - state.storage - offset
    moved = np.where(known, surprise, 0.0)
    after_variance = np.maximum(variance - gain * (variance + together), 0.0)
    after_offset = np.maximum(offset_variance - offset_gain * (together + offset_variance), 0.0)
    after_together = together - gain * (together + offset_variance)
    deviation, offset_deviation = np.sqrt(after_variance), np.sqrt(after_offset)
    product = deviation * offset_deviation
    correlation = np.divide(after_together, product, out=np.zeros_like(product), where=product > 0)
    return (
        replace(
            state,
            storage=np.clip(state.storage + gain * moved, 0.0, bucket.saturation),
            deviation=deviation,
            offset=offset + offset_gain * moved,
            offset_deviation=offset_deviation,
            correlation=np.clip(correlation, -1.0, 1.0),
        ),
        surprise / unit,
        gain,
    )
