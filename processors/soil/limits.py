"""From when on a plant needs water: the thresholds by what grows there, how long, and at which depth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.device import Placement
from gruenpuls.domain.errors import ConfigurationError
from gruenpuls.domain.processor import Array
from processors.soil.retention import Retention

_GREEN_ECOLUTION: Final = "Green Ecolution, Flensburg, Watermark limits by standing year"
_OWN: Final = "our proposal"
_NEVER: Final = float("nan")
_EVER: Final = float("inf")
_DAY: Final = 24
_WEEK: Final = 7 * _DAY

ANY_SEASON: Final = (-_EVER, _EVER)
"""Any growing season, also an unknown one."""


class Planting(IntEnum):
    """What grows at a site, as far as its limits differ."""

    NONE = 0
    TREE = 1
    BED = 2
    EXTENSIVE_ROOF = 3
    INTENSIVE_ROOF = 4


@dataclass(frozen=True, slots=True)
class Acute:
    """From when on an established plant suffers acutely.

    Parameters
    ----------
    tension : float
        From here on [kPa].
    available_water : float
        Below this [% nFK].
    hold_for : int
        How long without a break [h].
    """

    tension: float
    available_water: float
    hold_for: int


@dataclass(frozen=True, slots=True)
class Limits:
    """From when on a depth of a plant of some age is soon, and now, in need of water.

    Parameters
    ----------
    name : str
    seasons : tuple of float or None
        First and last growing season at the site, inclusive; None is the rule for an unknown one.
    depths : tuple of float
        From, inclusive, and to, exclusive: the depths named by the source and 15 cm around them [cm].
    tension : tuple of float
        Soon, now [kPa]; NaN is never.
    reached : tuple of bool
        Whether the tension limit itself already counts, for soon and for now.
    available_water : tuple of float
        Soon below, now below [% nFK], for sites without a retention curve; NaN is never. Of roofs:
        share of what the substrate holds.
    source : str
        Whose limits these are.
    planting : Planting
        For what they are.
    hold_for : int
        How long a limit must be passed without a break before it counts [h].
    acute : Acute or None
        Where there is a third level.
    in_native_soil : bool
        Whether a probe in the native soil around the pit counts: the roots of a young tree are not there.
    """

    name: str
    seasons: tuple[float, float] | None
    depths: tuple[float, float]
    tension: tuple[float, float]
    reached: tuple[bool, bool]
    available_water: tuple[float, float]
    source: str
    planting: Planting = Planting.TREE
    hold_for: int = 0
    acute: Acute | None = None
    in_native_soil: bool = True

    def water_limits(self, curve: Retention | None) -> tuple[float, float]:
        """Return soon and now [% nFK]: read from a site's own curve at the tension limits, else the table's.

        >>> from processors.soil.retention import CURVES
        >>> [round(limit) for limit in LIMITS[0].water_limits(CURVES["Ut3"])], LIMITS[0].water_limits(None)
        ([71, 65], (60, 50))
        """
        if curve is None:
            return self.available_water
        derived = curve.available_water(np.array(self.tension))
        soon, now = np.where(np.isnan(derived), self.available_water, derived).tolist()
        return soon, now


LIMITS: Final = (
    Limits(
        "young tree, season 1 to 2",
        (1, 2),
        (0, _EVER),
        (25, 33),
        (True, True),
        (60, 50),
        f"kPa: {_GREEN_ECOLUTION}; % nFK: {_OWN}",
        in_native_soil=False,
    ),
    Limits(
        "season 3, upper root zone",
        (3, 3),
        (15, 45),
        (62, 81),
        (True, True),
        (50, 40),
        f"kPa: {_GREEN_ECOLUTION}; % nFK: {_OWN}",
        in_native_soil=False,
    ),
    Limits(
        "season 3, lower root zone",
        (3, 3),
        (45, 105),
        (25, 33),
        (True, True),
        (50, 40),
        f"kPa: {_GREEN_ECOLUTION}; % nFK: {_OWN}",
        in_native_soil=False,
    ),
    Limits(
        "season 4 to 10",
        (4, 10),
        (45, 105),
        (33, 81),
        (True, False),
        (50, 30),
        "kPa: Feigl and Borgmann, Stadt+Grün (2023), and QTrees; % nFK: UFZ drought monitor",
    ),
    Limits(
        "established tree, from season 11",
        (11, _EVER),
        (45, 115),
        (81, 150),
        (False, False),
        (40, 30),
        f"% nFK: Granier et al. (1999), REW 0.4, and UFZ drought monitor; kPa and acute: {_OWN}",
        acute=Acute(200, 20, _WEEK),
    ),
    Limits(
        "unknown standing year",
        None,
        (15, 105),
        (33, 81),
        (False, False),
        (50, 30),
        "limits published without age; kPa: QTrees Baumblick; % nFK: UFZ drought monitor",
    ),
    Limits(
        "bed",
        ANY_SEASON,
        (5, 60),
        (33, 81),
        (False, False),
        (50, 30),
        f"as for trees of unknown age, at the depth of a bed's roots: {_OWN}",
        planting=Planting.BED,
    ),
    Limits(
        "extensive roof, first season",
        (-_EVER, 1),
        (0, _EVER),
        (_NEVER, _NEVER),
        (False, False),
        (10, _NEVER),
        f"{_OWN}: a note only, since Sedum is meant to dry; at once while it establishes",
        planting=Planting.EXTENSIVE_ROOF,
    ),
    Limits(
        "extensive roof",
        ANY_SEASON,
        (0, _EVER),
        (_NEVER, _NEVER),
        (False, False),
        (10, _NEVER),
        f"{_OWN}: a note only, since Sedum is meant to dry",
        planting=Planting.EXTENSIVE_ROOF,
        hold_for=2 * _WEEK,
    ),
    Limits(
        "intensive roof",
        ANY_SEASON,
        (0, _EVER),
        (_NEVER, _NEVER),
        (False, False),
        (50, 30),
        _OWN,
        planting=Planting.INTENSIVE_ROOF,
        hold_for=3 * _DAY,
    ),
)
"""Thresholds by planting and standing year; the first row that fits a depth applies."""


LimitTable: TypeAlias = Sequence[Limits]
"""`LIMITS`, or a city's own rows in their place; the first that fits applies."""


def limits_at(
    growing_season: Array,
    depths: Array,
    table: Sequence[Limits] = LIMITS,
    planting: Array | None = None,
    placement: NDArray[np.str_] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return which row of a limit table applies to each depth of each site, and whether any does.

    Parameters
    ----------
    growing_season : float64 (site,)
        The n-th growing season at the site [-]; NaN is unknown and has a row of its own.
    depths : float64 (site, depth)
        Depth of each probe [cm]; NaN where there is none.
    table : sequence of Limits
        Rows, the first that fits applies [-].
    planting : float64 (site,) or None
        A `Planting` for each site [-]; None is trees throughout.
    placement : str (site, depth) or None
        A `gruenpuls.domain.device.Placement` of each probe, empty where nobody knows [-].

    Returns
    -------
    row : int64 (site, depth)
        Index into the table [-].
    applies : bool (site, depth)
        Whether a row fits [-]; other depths are not judged.

    Notes
    -----
    Valid for growing seasons from 1 on; a depth no source names is not judged, nor is a probe in the
    native soil beside a young tree, whose roots are not there yet.

    References
    ----------
    The source of each row of `LIMITS`. No equation.

    Examples
    --------
    >>> row, applies = limits_at(np.array([5.0]), np.array([[30.0, 60.0]]))
    >>> applies.tolist(), LIMITS[row[0, 1]].tension
    ([[False, True]], (33, 81))
    """
    season = growing_season[:, None]
    grows = np.full(season.shape, float(Planting.TREE)) if planting is None else planting[:, None]
    native = np.zeros(depths.shape, np.bool_) if placement is None else placement == Placement.NATIVE_SOIL
    fits = np.stack(
        [
            _in_season(season, limits)
            & (grows == limits.planting)
            & (depths >= limits.depths[0])
            & (depths < limits.depths[1])
            & (limits.in_native_soil | ~native)
            for limits in table
        ]
    )
    return fits.argmax(axis=0), np.asarray(fits.any(axis=0))


def _in_season(season: Array, limits: Limits) -> NDArray[np.bool_]:
    if limits.seasons is None:
        return np.isnan(season)
    within = (season >= limits.seasons[0]) & (season <= limits.seasons[1])
    return np.asarray(within | (limits.seasons == ANY_SEASON))


LONGEST_HOLD: Final = 60 * _DAY
"""How long a city may ask a limit to last [h]: so long every judgement looks back."""
_TENSION, _WATER = ("tension_soon", "tension_now"), ("water_soon", "water_now")
_CHANGEABLE: Final = (*_TENSION, *_WATER, "acute_tension", "acute_water", "acute_hold_for", "hold_for")


def changed_limits(changes: Mapping[str, Mapping[str, float]], table: Sequence[Limits] = LIMITS) -> tuple[Limits, ...]:
    """Return a limit table with some thresholds set by the city.

    Parameters
    ----------
    changes : dict of dict of float
        By the row's name: ``tension_soon``, ``tension_now`` [kPa], ``water_soon``, ``water_now`` [% nFK],
        ``hold_for`` [h], ``acute_tension`` [kPa], ``acute_water`` [% nFK], ``acute_hold_for`` [h].
    table : sequence of Limits
        What holds unless changed [kPa and % nFK].

    Returns
    -------
    tuple of Limits
        [kPa and % nFK]; the source of a changed row says what was changed.

    Raises
    ------
    ConfigurationError
        If there is no such row or threshold, or now would come before soon.

    Notes
    -----
    Valid for thresholds from 0 on, of which “now” is not before “soon”.

    References
    ----------
    The city's own decision; where it says nothing, the source of each row. No equation.

    Examples
    --------
    >>> changed_limits({"season 4 to 10": {"tension_now": 70}})[3].tension
    (33, 70)
    """
    names = [limits.name for limits in table]
    for name in changes:
        if name not in names:
            raise _refused(name, "there is no such row of limits", f"one of: {'; '.join(names)}")
    return tuple(_changed(limits, changes.get(limits.name, {})) for limits in table)


def _refused(where: str, what: str, remedy: str) -> ConfigurationError:
    return ConfigurationError(what, where=f"soil.limits.{where}", remedy=remedy)


def _changed(limits: Limits, change: Mapping[str, float]) -> Limits:
    if not change:
        return limits
    for key, value in change.items():
        where = f"{limits.name}.{key}"
        if key not in _CHANGEABLE or (key.startswith("acute") and limits.acute is None):
            raise _refused(where, "this row has no such threshold", f"one of: {', '.join(_CHANGEABLE)}")
        if not 0 <= value < _EVER:
            what = f"{value} is no threshold"
            raise _refused(where, what, "a number from 0 on")
        if key.endswith("hold_for") and value > LONGEST_HOLD:
            what = f"{value:g} hours are more than can be looked back"
            raise _refused(where, what, f"at most {LONGEST_HOLD} h")
    tension = [change.get(key, before) for key, before in zip(_TENSION, limits.tension, strict=True)]
    water = [change.get(key, before) for key, before in zip(_WATER, limits.available_water, strict=True)]
    if tension[0] > tension[1] or water[0] < water[1]:
        raise _refused(limits.name, "“now” would come before “soon”", "tension rises and water falls from soon to now")
    acute = limits.acute and Acute(
        change.get("acute_tension", limits.acute.tension),
        change.get("acute_water", limits.acute.available_water),
        int(change.get("acute_hold_for", limits.acute.hold_for)),
    )
    told = ", ".join(f"{key} {value:g}" for key, value in sorted(change.items()))
    return replace(
        limits,
        tension=(tension[0], tension[1]),
        available_water=(water[0], water[1]),
        hold_for=int(change.get("hold_for", limits.hold_for)),
        acute=acute,
        source=f"set by the city: {told}; else {limits.source}",
    )
