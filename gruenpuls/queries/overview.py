"""How the whole city stands: every site with its status, and whether the sensors are heard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self

from gruenpuls.domain.incident import Severity
from gruenpuls.domain.reading import Flag
from gruenpuls.domain.site import Site, growing_season
from gruenpuls.queries.explanation import (
    AVAILABLE_WATER,
    TENSION,
    DepthValue,
    Explanation,
    explanations,
    planting,
)
from gruenpuls.queries.lane import MEASURED
from gruenpuls.queries.present import Present
from gruenpuls.queries.status import BY_CODE, STATUS, SiteStatus
from gruenpuls.stores.registry import Registry
from gruenpuls.stores.registry.overview import LastValue, SiteGlance
from processors.soil.limits import LIMITS, LimitTable

SILENT_AFTER: Final = timedelta(hours=48)
"""A sensor not heard for longer is silent, where nobody chose another time."""
JUDGED: Final = "judged_soil_depths"
FROZEN: Final = "frozen_soil_depths"
NEED: Final = "irrigation_need"
_DAY: Final = timedelta(days=1)
_TELLING: Final = ("heat_index", "air_temperature", TENSION, "soil_water_content", "soil_temperature", "precipitation")
"""What is told of a site nothing judges: the first of these it has."""


@dataclass(frozen=True, slots=True)
class Told:
    """A value that stands for a site nothing judges.

    Parameters
    ----------
    quantity : str
    value : float
        [unit of the quantity]
    depth : float or None
        [cm]
    """

    quantity: str
    value: float
    depth: float | None


@dataclass(frozen=True, slots=True)
class Standing:
    """How a site stands.

    Parameters
    ----------
    site : Site
    status : SiteStatus
    severity : Severity or None
        Of its worst open incident.
    last_at : datetime or None
        When something was last measured there; aware UTC.
    now : datetime
        The present as seen from there; aware UTC.
    explanation : Explanation or None
        What decides the soil water status.
    judged_depths, frozen_depths : int or None
        On how many depths the status rests, and how many are left out because they are frozen.
    told : Told or None
        For a site nothing judges.
    litres : float or None
        What it is to be given [L]; None where nobody knows.
    """

    site: Site
    status: SiteStatus
    severity: Severity | None
    last_at: datetime | None
    now: datetime
    explanation: Explanation | None
    judged_depths: int | None
    frozen_depths: int | None
    told: Told | None
    litres: float | None = None


@dataclass(frozen=True, slots=True)
class Overview:
    """How the city stands.

    Parameters
    ----------
    sites : tuple of Standing
        By key.
    sensors_heard, sensors_silent : int
        Of those mounted now.
    open_incidents : int
    """

    sites: tuple[Standing, ...]
    sensors_heard: int
    sensors_silent: int
    open_incidents: int

    def of(self, key: str) -> Standing | None:
        """Return how a site stands, or None where there is no such site."""
        return next((standing for standing in self.sites if standing.site.key == key), None)

    @property
    def counts(self) -> Mapping[SiteStatus, int]:
        """How many sites have each status, worst first."""
        counted = Counter(standing.status for standing in self.sites)
        return {status: counted[status] for status in SiteStatus}

    @property
    def without_position(self) -> int:
        """How many sites no map can show."""
        return sum(standing.site.latitude is None or standing.site.longitude is None for standing in self.sites)


def overview(registry: Registry, present: Present, *, silent_after: timedelta, table: LimitTable = LIMITS) -> Overview:
    """Return how the city stands.

    Parameters
    ----------
    registry : Registry
    present : Present
    silent_after : timedelta
        A sensor not heard for longer is silent, and what it measured no longer tells how a site is.
    table : LimitTable
        The city's.
    """
    patience = present.patience(silent_after)
    glances = registry.overview.glances({STATUS, JUDGED, FROZEN, AVAILABLE_WATER, NEED, *_TELLING})
    sites = {site.key: site for site in registry.places.list()}
    incidents = [kept.incident for kept in registry.incidents.open()]
    mounted = registry.deployments.at(present.now)
    severities: dict[str, Severity] = {}
    for incident in incidents:
        severities[incident.site] = max(incident.severity, severities.get(incident.site, Severity.NOTICE))
    looks = [_Look.of(sites[glance.key], glance, present, patience) for glance in glances if glance.key in sites]
    why = explanations([value for look in looks for value in look.depth_values()], table)
    occupied = {deployment.site for deployment in mounted}
    heard = _heard(registry, {deployment.device for deployment in mounted}, present, patience)
    return Overview(
        tuple(look.standing(severities, why, occupied) for look in looks),
        heard,
        len({deployment.device for deployment in mounted}) - heard,
        len(incidents),
    )


def _heard(registry: Registry, mounted: Collection[str], present: Present, patience: timedelta) -> int:
    last = {tally.device: tally.last_uplink_at for tally in registry.tallies.all() if tally.last_uplink_at is not None}
    return sum(present.beside(last[device]) - last[device] <= patience for device in mounted if device in last)


@dataclass(frozen=True, slots=True)
class _Look:
    """A site and its last values, before it is known how it stands."""

    site: Site
    glance: SiteGlance
    patience: timedelta
    last_at: datetime | None
    now: datetime

    @classmethod
    def of(cls, site: Site, glance: SiteGlance, present: Present, patience: timedelta) -> Self:
        measured = [
            value.measured_at for values in glance.values.values() for value in values if value.origin == MEASURED
        ]
        last_at = max(measured, default=glance.last_uplink_at)
        return cls(site, glance, patience, last_at, present.beside(last_at))

    def is_recent(self, moment: datetime | None) -> bool:
        return moment is not None and self.now - moment <= self.patience

    def usable(self, quantity: str) -> list[LastValue]:
        """Return the recent values of a quantity as such that nobody calls faulty."""
        return [
            value
            for value in self.glance.values.get(quantity, [])
            if not value.statistic and value.flag is not Flag.FAIL and self.is_recent(value.measured_at)
        ]

    def depth_values(self) -> list[DepthValue]:
        season = growing_season(self.site.planted_on, self.now.year)
        planted = planting(self.site, self.now.year)
        return [
            DepthValue(self.site.key, quantity, value.depth, value.value, season, planted, self.site.soil.texture)
            for quantity in (AVAILABLE_WATER, TENSION)
            for value in self.usable(quantity)
            if value.depth is not None
        ]

    def status(self, occupied: Collection[str]) -> SiteStatus:
        if not self.is_recent(self.last_at):
            return SiteStatus.NO_DATA if self.last_at or self.site.key in occupied else SiteStatus.NO_SENSOR
        judged = self.usable(STATUS)
        return BY_CODE[round(judged[-1].value)] if judged else SiteStatus.UNJUDGED

    def standing(
        self, severities: Mapping[str, Severity], why: Mapping[str, Explanation], occupied: Collection[str]
    ) -> Standing:
        status = self.status(occupied)
        return Standing(
            self.site,
            status,
            severities.get(self.site.key),
            self.last_at,
            self.now,
            why.get(self.site.key) if status in BY_CODE else None,
            self._count(JUDGED),
            self._count(FROZEN),
            self._told() if status is SiteStatus.UNJUDGED else None,
            self._litres(),
        )

    def _count(self, quantity: str) -> int | None:
        found = self.usable(quantity)
        return round(found[-1].value) if found else None

    def _litres(self) -> float | None:
        """Return what the balance says, which also sites have that measure nothing."""
        found = self.glance.values.get(NEED, [])
        # Reckoned for the last whole day, from its beginning on.
        recent = found and self.now - found[-1].measured_at <= self.patience + _DAY
        return found[-1].value if recent else None

    def _told(self) -> Told | None:
        return next((Told(name, value.value, value.depth) for name in _TELLING for value in self.usable(name)), None)
