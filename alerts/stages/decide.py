"""The whole chain: what is told to whom now, and why everything else is not."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from alerts.policy import Policy
from alerts.stages.case import Case, Dropped, Told
from alerts.stages.collected import collected
from alerts.stages.digests import Digest, digests
from alerts.stages.news import news
from alerts.stages.quiet import awake
from alerts.stages.routed import routed
from alerts.stages.silenced import Silence, silenced
from gruenpuls.domain.incident import Incident, IncidentState
from gruenpuls.domain.site import Site


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything that decides what is told.

    Parameters
    ----------
    cases : sequence of Case
        What goes on, and what ended since somebody was told of it.
    told : sequence of Told
        What everybody knows.
    silences : sequence of Silence
    """

    cases: Sequence[Case]
    told: Sequence[Told]
    silences: Sequence[Silence]


@dataclass(frozen=True, slots=True)
class Decision:
    """What is told, and what not.

    Parameters
    ----------
    digests : sequence of Digest
    dropped : sequence of Dropped
    """

    digests: Sequence[Digest]
    dropped: Sequence[Dropped]


def decide(situation: Situation, policy: Policy, now: datetime, zone: tzinfo) -> Decision:
    """Return what is told now.

    Nothing is remembered from one look to the next but what was told, so a look that was cut short is simply
    made again.

    Parameters
    ----------
    situation : Situation
    policy : Policy
    now : datetime
        Aware UTC.
    zone : tzinfo
        The city's.
    """
    audible = silenced(situation.cases, situation.silences, policy.maintenance, now, zone)
    together = collected(audible.kept, policy.collect)
    to = routed(together.kept, situation.told, policy, now, zone)
    disturbing = awake(to.kept, policy, now, zone)
    new = news(disturbing.kept, situation.told, policy, now)
    messages = digests(new.kept, situation.told, policy, now)
    dropped = [found for stage in (audible, to, disturbing, new, messages) for found in stage.dropped]
    return Decision(messages.kept, dropped)


def reconciled(
    cases: Sequence[Case], told: Sequence[Told], sites: Mapping[str, Site], rules: Collection[str], now: datetime
) -> tuple[list[Case], list[Told]]:
    """Return cases and what was told of them, where late data moved, withdrew or renamed an incident.

    What was found anew for the same rule and site goes on under its new number, to be kept; what is not
    there any more, not firing any more, or of a rule that is off, was withdrawn.

    Parameters
    ----------
    cases : sequence of Case
    told : sequence of Told
    sites : mapping of str to Site
        Those that anything was told of.
    rules : collection of str
        Those that are on.
    now : datetime
    """
    # Numbers of incidents that were taken back may be given again, to something else.
    found = {(case.number, case.subject): case for case in cases if case.incident.rule in rules}
    going_on = {case.subject: case for case in found.values() if case.on}
    known: list[Told] = []
    for it in told:
        present, successor = found.get((it.number, it.subject)), going_on.get(it.subject)
        if it.over or (present is not None and (present.on or _ended(present))):
            known.append(it)
        elif successor is not None:
            former = (*it.former, it.number)
            known.append(replace(it, number=successor.number, began_at=successor.incident.began_at, former=former))
        else:
            known.append(it)
            found[it.number, it.subject] = Case(
                it.number, _taken_back(it, now), sites[it.subject.site], it.last_at, withdrawn=True
            )
    return [case for case in found.values() if case.on or _ended(case)], known


def _ended(case: Case) -> bool:
    return case.incident.state is IncidentState.RESOLVED


def _taken_back(told: Told, now: datetime) -> Incident:
    rule, site = told.subject
    state = IncidentState.RESOLVED
    return Incident(rule, site, state, told.severity, told.began_at, None, None, None, None, min(now, told.last_at))
