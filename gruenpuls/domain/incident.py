"""Incidents: what an alert rule found at a site, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum


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
