"""Incidents: what an alert rule found at a site, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Final

from gruenpuls.domain.watering import Watering


class Severity(IntEnum):
    """How bad it is: Hinweis, Warnung, Alarm."""

    NOTICE = 1
    WARNING = 2
    ALARM = 3


class IncidentState(StrEnum):
    """Where an incident is in its life."""

    PENDING = "pending"
    FIRING = "firing"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    WITHDRAWN = "withdrawn"
    """It never was: readings that came late say so, or its rule does not apply there any more."""


OPEN_STATES = (IncidentState.PENDING, IncidentState.FIRING, IncidentState.ACKNOWLEDGED)
"""Those in which an incident goes on."""


class Revision(StrEnum):
    """What readings that came late, or a changed rule, made of an incident that was known already."""

    MOVED = "moved"
    """It began or ended at another time."""
    SPLIT = "split"
    """It was found to be two; the later one goes on under a number of its own."""
    MERGED = "merged"
    """It was found to be part of an older one, and goes on under that one's number."""
    WITHDRAWN = "withdrawn"
    """It never was."""
    NOT_APPLICABLE = "not_applicable"
    """Its rule does not apply at its site any more, or is off."""
    FOUND_AGAIN = "found_again"
    """It had been withdrawn, and is there again."""


SILENT_AFTER: Final = timedelta(days=1)
"""What goes on and was not seen for so long says so."""


@dataclass(frozen=True, slots=True)
class Modelled:
    """What the water balance says of a site whose probes are silent.

    Parameters
    ----------
    at : datetime
        Aware UTC.
    low, middle, high : float
        Plant-available water, as 10th, 50th and 90th percentile [%].
    """

    at: datetime
    low: float
    middle: float
    high: float


@dataclass(frozen=True, slots=True)
class Incident:
    """One rule broken at one site, from its first sign to its end.

    Parameters
    ----------
    rule, site : str
    state : IncidentState
    severity : Severity
    began_at : datetime
        When the condition was first met; aware UTC, event time like all of these.
    fired_at : datetime or None
        When it had held long enough.
    resolved_at : datetime or None
    peak : float or None
        The worst value seen [unit of the rule's first quantity]; None where that says nothing.
    last_value : float or None
        What the rule saw last [unit of the rule's first quantity].
    last_at : datetime
        The last moment that was judged.
    steps : tuple of (datetime, Severity or None)
        How it rose and fell: since when it fired at which severity, None where it fell below all.
    saw : tuple of (str, float)
        What everything the rule watches said last, by its name in the rule [unit of its quantity].
    ended_by : Watering or None
        What was given to the site shortly before it ended, where its rule is about dry soil.
    """

    rule: str
    site: str
    state: IncidentState
    severity: Severity
    began_at: datetime
    fired_at: datetime | None
    resolved_at: datetime | None
    peak: float | None
    last_value: float | None
    last_at: datetime
    steps: tuple[tuple[datetime, Severity | None], ...] = ()
    saw: tuple[tuple[str, float], ...] = ()
    ended_by: Watering | None = None
