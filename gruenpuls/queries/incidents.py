"""What alert rules found: open incidents, the worst first, past ones, the newest first, and one with its whole life."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from alerts.wording import relay_number
from gruenpuls.domain.incident import OPEN_STATES, SILENT_AFTER, Incident, IncidentState, Modelled
from gruenpuls.domain.relay import Relay
from gruenpuls.domain.site import Site
from gruenpuls.queries.present import Present
from gruenpuls.stores.registry import Registry
from gruenpuls.stores.registry.incidents import IncidentFilter, IncidentStep, KeptIncident

PAST: Final = (IncidentState.RESOLVED, IncidentState.WITHDRAWN)


@dataclass(frozen=True, slots=True)
class NamedIncident:
    """An incident, the number people call it by, and the name of its site.

    Parameters
    ----------
    number : int
    incident : Incident
    site_name : str
    assignee : str or None
        Whom it was given to.
    silent_for : timedelta or None
        How long nothing was seen of one that goes on, where that is long.
    modelled : Modelled or None
        What the water balance says of its site meanwhile.
    relay : Relay or None
        The gateway or source that keeps its device silent.
    """

    number: int
    incident: Incident
    site_name: str
    assignee: str | None = None
    silent_for: timedelta | None = None
    modelled: Modelled | None = None
    relay: Relay | None = None


@dataclass(frozen=True, slots=True)
class IncidentList:
    """Open incidents, the worst first, and past ones, the newest first."""

    open: tuple[NamedIncident, ...]
    past: tuple[NamedIncident, ...]


@dataclass(frozen=True, slots=True)
class IncidentSheet:
    """An incident and what became of it.

    Parameters
    ----------
    named : NamedIncident
    site : Site
    lasted : timedelta
        From its first sign to its end, or to what was seen last.
    history : tuple of IncidentStep
        In the order it was written.
    """

    named: NamedIncident
    site: Site
    lasted: timedelta
    history: tuple[IncidentStep, ...]


def incident_list(registry: Registry, present: Present, *, past: int = 100) -> IncidentList:
    """Return all open incidents, and at most so many past ones."""
    still = sorted(registry.incidents.open(), key=lambda kept: -kept.incident.severity)
    over = registry.incidents.list(IncidentFilter(states=PAST), limit=past)
    return IncidentList(named(registry, still, present), named(registry, over, present))


def incident_sheet(registry: Registry, number: int, present: Present) -> IncidentSheet | None:
    """Return an incident with its whole life, or None where there is none of that number."""
    found = registry.incidents.list(IncidentFilter(number=number))
    if not found:
        return None
    (one,) = named(registry, found, present)
    incident = one.incident
    site = registry.places.by_keys([incident.site])[incident.site]
    lasted = (incident.resolved_at or incident.last_at) - incident.began_at
    return IncidentSheet(one, site, lasted, tuple(registry.incidents.history(number)))


def named(registry: Registry, kept: Sequence[KeptIncident], present: Present) -> tuple[NamedIncident, ...]:
    """Return incidents as people see them, in their order."""
    sites = registry.places.by_keys({it.incident.site for it in kept})
    silent: dict[int, timedelta] = {}
    for it in kept:
        unseen = present.beside(it.incident.last_at) - it.incident.last_at
        if it.incident.state in OPEN_STATES and unseen > SILENT_AFTER:
            silent[it.number] = unseen
    balance = registry.latest.water_balance({it.incident.site for it in kept if it.number in silent}) if silent else {}
    relays = registry.relays.named({relay_number(it.incident) for it in kept} - {0})
    return tuple(
        NamedIncident(
            it.number,
            it.incident,
            sites[it.incident.site].name,
            it.assignee,
            silent.get(it.number),
            balance.get(it.incident.site) if it.number in silent else None,
            relays.get(relay_number(it.incident)),
        )
        for it in kept
    )
