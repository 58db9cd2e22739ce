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
    peak : float
        The worst value seen [unit of the rule's quantity].
    last_value : float
        What the rule saw last [unit of the rule's quantity].
    last_at : datetime
        When that was measured.
    """

    rule: str
    site: str
    state: IncidentState
    severity: Severity
    began_at: datetime
    fired_at: datetime | None
    resolved_at: datetime | None
    peak: float
    last_value: float
    last_at: datetime
