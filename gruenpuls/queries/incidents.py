"""What alert rules found: open incidents, the worst first, and past ones, the newest first."""

from __future__ import annotations

from dataclasses import dataclass

from gruenpuls.domain.incident import Incident, IncidentState
from gruenpuls.stores.registry import Registry
from gruenpuls.stores.registry.incidents import IncidentFilter


@dataclass(frozen=True, slots=True)
class NamedIncident:
    """An incident, the number people call it by, and the name of its site."""

    number: int
    incident: Incident
    site_name: str


@dataclass(frozen=True, slots=True)
class IncidentList:
    """Open incidents, the worst first, and past ones, the newest first."""

    open: tuple[NamedIncident, ...]
    past: tuple[NamedIncident, ...]


def incident_list(registry: Registry, *, past: int = 100) -> IncidentList:
    """Return all open incidents, and at most so many past ones."""
    still = sorted(registry.incidents.open(), key=lambda kept: -kept.incident.severity)
    over = registry.incidents.list(IncidentFilter(states=(IncidentState.RESOLVED,)), limit=past)
    sites = registry.places.by_keys({kept.incident.site for kept in (*still, *over)})

    return IncidentList(
        tuple(NamedIncident(kept.number, kept.incident, sites[kept.incident.site].name) for kept in still),
        tuple(NamedIncident(kept.number, kept.incident, sites[kept.incident.site].name) for kept in over),
    )
