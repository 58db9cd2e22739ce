"""A watering round: who gets water in which order, how much and why, and who is left out and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from gruenpuls.language.speech import Speech
from gruenpuls.queries.site_water import SiteWater
from gruenpuls.queries.status import SiteStatus
from gruenpuls.stores.registry import Registry

_JUST_WATERED: Final = timedelta(hours=24)


class Reason(StrEnum):
    """Why a site gets water, or none."""

    SENSOR = "sensor"
    """Sensors found it dry."""
    BALANCE = "balance"
    """The balance did."""
    BUDGET = "budget"
    """It needs some, but there is no more."""
    RAIN = "rain"
    """It needs some, and rain is expected."""
    WATERED = "watered"
    """It was watered within a day."""
    UNKNOWN = "unknown"
    """Nobody knows how much: no weather station near it, no place on the map, or no data lately."""
    RESTING = "resting"
    """It is dry, and outside the season in which it is watered, or frozen."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A site in the plan.

    Parameters
    ----------
    key, name : str
    district : str or None
    latitude, longitude : float or None
        WGS 84 [°].
    litres : float
        What it gets, or would [L].
    status : SiteStatus
    reason : Reason
    low, middle, high, limit : float or None
        Plant-available water with its band, and below which it needs water [%].
    measured, depth : float or None
        What the deciding sensor says [kPa or %], and at which depth [cm].
    measured_quantity : str or None
    priority : float
        [%]
    assumed : tuple of str
        What of the site was estimated.
    """

    key: str
    name: str
    district: str | None
    latitude: float | None
    longitude: float | None
    litres: float
    status: SiteStatus
    reason: Reason
    low: float | None
    middle: float | None
    high: float | None
    limit: float | None
    measured: float | None
    depth: float | None
    measured_quantity: str | None
    priority: float
    assumed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WateringPlan:
    """A watering round.

    Parameters
    ----------
    made_at : datetime
        Aware UTC.
    budget : float or None
        [L]
    given, left_out : tuple of Planned
        Each worst first; the second need water too, or nobody knows.
    enough : int
        How many sites have enough.
    """

    made_at: datetime
    budget: float | None
    given: tuple[Planned, ...]
    left_out: tuple[Planned, ...]
    enough: int

    @property
    def litres(self) -> float:
        """How much the round takes [L]."""
        return sum(it.litres for it in self.given)


def watering_plan(
    registry: Registry, waters: Sequence[SiteWater], now: datetime, *, budget: float | None = None
) -> WateringPlan:
    """Return the plan for these sites.

    A site is given all it needs or nothing; what is left of the budget goes to the next that it is enough for.

    Parameters
    ----------
    registry : Registry
    waters : sequence of SiteWater
        Worst first.
    now : datetime
    budget : float, optional
        How much water there is [L].
    """
    recent = registry.waterings.of_sites(None, now - _JUST_WATERED, now + _JUST_WATERED)
    watered = {it.watering.site for it in recent}
    given: list[Planned] = []
    left_out: list[Planned] = []
    enough = 0
    rest = float("inf") if budget is None else budget
    for water in waters:
        litres, reason = _need(water, water.site.key in watered)
        if reason is None:
            enough += 1
        elif reason not in {Reason.SENSOR, Reason.BALANCE}:
            left_out.append(_planned(water, litres, reason))
        elif litres > rest:
            left_out.append(_planned(water, litres, Reason.BUDGET))
        else:
            rest -= litres
            given.append(_planned(water, litres, reason))
    return WateringPlan(now, budget, tuple(given), tuple(left_out), enough)


def reason_told(planned: Planned, words: Speech) -> str:
    """Return why a site gets water or none, with the figures behind it."""
    reason = planned.reason.value
    if reason == "sensor" and planned.measured_quantity is None:
        reason = "sensor_band"
    figures = {name: words.number(getattr(planned, name)) for name in ("low", "middle", "high", "limit", "depth")}
    measured = "" if planned.measured_quantity is None else words.measure(planned.measured, planned.measured_quantity)
    return words.text(f"watering.why.{reason}", measured=measured, **figures)


def _need(water: SiteWater, watered: bool) -> tuple[float, Reason | None]:  # noqa: FBT001 - one of two facts
    """Return how much a site needs [L], and why it gets it or not; no reason where it has enough."""
    dry = water.status in {SiteStatus.WATER_NOW, SiteStatus.WATER_SOON}
    limit = water.pass_limit if water.by_sensor and water.status is SiteStatus.WATER_NOW else None
    answers: tuple[tuple[bool, tuple[float, Reason | None]], ...] = (
        (watered, (0.0, Reason.WATERED if dry else None)),
        (bool(water.litres), (water.litres or 0.0, Reason.SENSOR if water.by_sensor and dry else Reason.BALANCE)),
        (water.middle is None and not water.by_sensor, (0.0, Reason.UNKNOWN)),
        (not dry, (0.0, None)),
        (water.postponed > 0, (0.0, Reason.RAIN)),
        (water.middle is not None and water.days_left is None, (0.0, Reason.RESTING)),
        # The probes say dry where the balance does not, or knows nothing: who measured is believed.
        (limit is not None, (limit or 0.0, Reason.SENSOR)),
    )
    return next((answer for holds, answer in answers if holds), (0.0, None))


def _planned(water: SiteWater, litres: float, reason: Reason) -> Planned:
    site, why = water.site, water.standing.explanation
    return Planned(
        key=site.key,
        name=site.name,
        district=site.district,
        latitude=site.latitude,
        longitude=site.longitude,
        litres=round(litres, 1),
        status=water.status,
        reason=reason,
        low=water.low,
        middle=water.middle,
        high=water.high,
        limit=water.soon if water.status is SiteStatus.WATER_SOON else water.now,
        measured=None if why is None else why.value,
        depth=None if why is None else why.depth,
        measured_quantity=None if why is None else why.quantity,
        priority=water.priority,
        assumed=tuple(sorted(water.assumed)),
    )
