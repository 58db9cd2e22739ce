"""Judge soil: does this plant have enough water, soon too little, or too little now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.processor import Array
from processors.soil.lasting import WINDOW, lasted, moving_median, raised
from processors.soil.limits import LIMITS, Limits, limits_at
from processors.soil.nearest import nearest_known, previous
from processors.soil.retention import Retention

PASSING, SOON, NOW = 0.0, 1.0, 2.0
"""The status: passt, bald gießen, jetzt gießen [-]."""
ENOUGH_DEPTHS: Final = 2
"""Below this many judged depths the status is of low confidence."""
_FROZEN_BELOW: Final = 0.5
_TENSION_MARGIN: Final = 3.0
_TENSION_MARGIN_SHARE: Final = 0.1
_WATER_MARGIN: Final = 5.0


class Reason(IntEnum):
    """Why the status is what it is, or why there is none; stored as ``soil_status_reason``."""

    JUDGED = 0
    WINTER = 1
    """Shown as passing; what was judged only informs."""
    JUST_WATERED = 2
    """Shown as passing for a day after a watering."""
    FROZEN = 3
    DISTRUSTED = 4
    """What there is to read is stuck, or in air."""
    NO_LIMITS = 5
    """No source has limits for a probe in this place."""
    TOO_FEW = 6
    """Fewer readings within a day than a median needs."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What is known of the sites, besides what is measured.

    Parameters
    ----------
    depths : float64 (site, depth)
        Depth behind each place [cm].
    growing_season : float64 (site,)
        The n-th growing season at the site [-]; NaN is unknown and judged by limits published without age.
    planting : float64 (site,) or None
        A `processors.soil.limits.Planting` each [-]; None is trees throughout.
    placement : str (site, depth) or None
        A `gruenpuls.domain.device.Placement` of each probe, empty where nobody knows [-].
    curve : Retention or None
        Of each site (site,), NaN where there is none: the % nFK limits are read from it.
    """

    depths: Array
    growing_season: Array
    planting: Array | None = None
    placement: NDArray[np.str_] | None = None
    curve: Retention | None = None


@dataclass(frozen=True, slots=True)
class SoilWaterStatus:
    """What was judged at each step and site; NaN where nothing was measured.

    Parameters
    ----------
    status : float64 (time, site)
        0 passt, 1 bald gießen, 2 jetzt gießen [-]; NaN where no depth could be judged.
    judged_depths : float64 (time, site)
        On how many depths the status rests [-]; fewer than `ENOUGH_DEPTHS` is low confidence.
    frozen_depths : float64 (time, site)
        How many depths are suspended because they are frozen [-]; NaN where no thermometer tells.
    acute : float64 (time, site)
        1 where an established tree suffers acutely, 0 where not [-]; NaN where there is no such level.
    reason : float64 (time, site)
        A `Reason` [-].
    """

    status: Array
    judged_depths: Array
    frozen_depths: Array
    acute: Array
    reason: Array


@dataclass(frozen=True, slots=True)
class _Thresholds:
    """Limits of each place; the last axis is soon and now."""

    tension: Array
    reached: NDArray[np.bool_]
    water: Array
    hold_for: NDArray[np.int64]
    acute_tension: Array
    acute_water: Array
    acute_hold_for: NDArray[np.int64]

    @classmethod
    def of(cls, table: Sequence[Limits], row: NDArray[np.int64], curve: Retention | None) -> _Thresholds:
        nan = float("nan")
        acute = np.array([(it.acute.tension, it.acute.available_water) if it.acute else (nan, nan) for it in table])
        tension, acute_tension = np.array([it.tension for it in table], np.float64)[row], acute[row, 0]
        water, acute_water = np.array([it.available_water for it in table], np.float64)[row], acute[row, 1]
        if curve is not None:
            columns = (getattr(curve, name)[:, None, None] for name in Retention.__slots__)
            derived = Retention(*columns).available_water(np.concatenate([tension, acute_tension[..., None]], axis=2))
            water = np.where(np.isnan(derived[..., :2]), water, derived[..., :2])
            acute_water = np.where(np.isnan(derived[..., 2]), acute_water, derived[..., 2])
        return cls(
            tension,
            np.array([it.reached for it in table])[row],
            water,
            np.array([it.hold_for for it in table], np.int64)[row],
            acute_tension,
            acute_water,
            np.array([it.acute.hold_for if it.acute else 0 for it in table], np.int64)[row],
        )


def _passed(values: Array, on: Array, off: Array, hold_for: NDArray[np.int64]) -> Array:
    """Return how many of two limits (last axis) each value has passed; one that must last has no band."""
    count = np.zeros_like(values)
    for limit in range(2):
        verdict = raised(values, on[..., limit], off[..., limit])
        for steps in np.unique(hold_for[hold_for > 0]).tolist():
            verdict = np.where(hold_for == steps, lasted(values, on[..., limit], steps), verdict)
        count += verdict
    return count


def _acute(suction: Array, water: Array, leads: NDArray[np.bool_], given: _Thresholds) -> Array:
    found = np.zeros(suction.shape)
    for steps in np.unique(given.acute_hold_for[given.acute_hold_for > 0]).tolist():
        dry = lasted(suction, given.acute_tension, steps)
        empty = lasted(-water, -np.nextafter(given.acute_water, -np.inf), steps)
        found = np.where(given.acute_hold_for == steps, np.where(leads, dry, empty), found)
    return found


def soil_water_status(
    tension: Array,
    available_water: Array,
    soil_temperature: Array,
    ground: Ground,
    table: Sequence[Limits] = LIMITS,
    suspect: tuple[NDArray[np.bool_], NDArray[np.bool_]] | None = None,
) -> SoilWaterStatus:
    """Return the soil water status of plants: the worst valid depth wins, and tension leads.

    Parameters
    ----------
    tension : float64 (time, site, depth)
        Soil water tension in hourly means [kPa].
    available_water : float64 (time, site, depth)
        Plant-available water in hourly means [% nFK]; judged only where a site has no valid tension.
    soil_temperature : float64 (time, site, depth)
        Soil temperature in hourly means [°C]; a depth without one takes the nearest that has.
    ground : Ground
        Depths [cm], ages, plantings, placements and curves.
    table : sequence of Limits
        The thresholds with their sources [kPa and % nFK].
    suspect : tuple of bool (time, site, depth) or None
        Which tensions and which available waters nobody should act on, from `processors.soil.trust`
        [-].

    Returns
    -------
    SoilWaterStatus
        Status 0, 1 or 2, on how many depths it rests and why it is so [-].

    Notes
    -----
    Valid for plantings and depths the table names; others give NaN. Judged is the median of 24 hours,
    from at least three of them. A limit once reached is left again only at max(3 kPa, 10 % of it) below,
    or 5 % nFK above, or after seven days inside that band; one that must last has no band. The % nFK
    limits of a site with a curve are those the curve gives at the tension limits. A depth below 0.5 °C,
    where probes misread, is suspended. A step in which nothing was measured has no status.

    References
    ----------
    The source of each row of `LIMITS`. Window, hysteresis and their spans are our own choice; no equation.

    Examples
    --------
    >>> dry, none = np.full((24, 1, 2), 40.0), np.full((24, 1, 2), np.nan)
    >>> result = soil_water_status(dry, none, none, Ground(np.array([[30.0, 60.0]]), np.array([1.0])))
    >>> result.status[-1].tolist(), result.judged_depths[-1].tolist()
    ([2.0], [2.0])
    """
    row, applies = limits_at(ground.growing_season, ground.depths, table, ground.planting, ground.placement)
    given = _Thresholds.of(table, row, ground.curve)
    temperature = nearest_known(previous(soil_temperature, WINDOW - 1), ground.depths)
    recent = [~np.isnan(previous(values, WINDOW - 1)) for values in (tension, available_water)]
    probed = recent[0] | recent[1]
    frozen = temperature < _FROZEN_BELOW
    stuck = suspect or (np.zeros(tension.shape, np.bool_), np.zeros(tension.shape, np.bool_))

    on = np.where(given.reached, given.tension, np.nextafter(given.tension, np.inf))
    off = given.tension - np.maximum(_TENSION_MARGIN, _TENSION_MARGIN_SHARE * given.tension)
    suction = moving_median(np.where(frozen | stuck[0] | ~(tension >= 0), np.nan, tension))
    water = moving_median(np.where(frozen | stuck[1], np.nan, available_water))
    by_tension = _passed(suction, on, off, given.hold_for)
    below = np.nextafter(given.water, -np.inf)
    by_water = _passed(-water, -below, -(given.water + _WATER_MARGIN), given.hold_for)

    usable = applies[None] & ~frozen
    tension_judged = usable & ~np.isnan(suction) & ~np.isnan(given.tension).all(axis=2)
    tension_leads = np.asarray(tension_judged.any(axis=2, keepdims=True))
    judged = np.where(tension_leads, tension_judged, usable & ~np.isnan(water))
    worst = np.where(judged, np.where(tension_leads, by_tension, by_water), -1.0).max(axis=2, initial=-1.0)
    has_acute = judged & (given.acute_hold_for > 0)
    acute = (has_acute & (_acute(suction, water, tension_leads, given) > 0)).any(axis=2)

    measured = ~(np.isnan(tension) & np.isnan(available_water) & np.isnan(soil_temperature)).all(axis=2)
    seen = measured & probed.any(axis=2)
    felt = probed & ~np.isnan(temperature)
    in_doubt = [mask.any(axis=2) for mask in (applies[None] & probed, usable & probed, usable & (stuck[0] | stuck[1]))]
    reason = np.select(
        [judged.any(axis=2), ~in_doubt[0], ~in_doubt[1], in_doubt[2]],
        [Reason.JUDGED, Reason.NO_LIMITS, Reason.FROZEN, Reason.DISTRUSTED],
        Reason.TOO_FEW,
    )
    return SoilWaterStatus(
        status=np.where(seen & judged.any(axis=2), worst, np.nan),
        judged_depths=np.where(seen, judged.sum(axis=2), np.nan),
        frozen_depths=np.where(seen & felt.any(axis=2), (frozen & probed).sum(axis=2), np.nan),
        acute=np.where(seen & has_acute.any(axis=2), acute, np.nan),
        reason=np.where(seen, reason, np.nan),
    )
