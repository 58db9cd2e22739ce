"""Who is told: by rule, place and severity, by duty roster, and everybody who is owed an all-clear."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

from alerts.policy import Policy
from alerts.stages.case import Case, Dropped, Errand, News, Reason, Sifted, Subject, Told


def routed(cases: Sequence[Case], told: Sequence[Told], policy: Policy, now: datetime, zone: tzinfo) -> Sifted[Errand]:
    """Return an errand for each case and receiver.

    Whoever was told of an incident is told of its end, whatever the routes and the roster say by then.
    """
    knowing: dict[tuple[int, Subject], list[Told]] = {}
    for known in told:
        if not known.over and known.receiver in policy.receivers:
            knowing.setdefault((known.number, known.subject), []).append(known)
    kept: list[Errand] = []
    dropped: list[Dropped] = []
    for case in cases:
        knows = knowing.get((case.number, case.subject), [])
        found = _to(case, knows, policy, now, zone) if case.on else [Errand(case, known.receiver) for known in knows]
        kept += found
        if not found:
            dropped.append(Dropped(case, "", Reason.NO_ROUTE if case.on else Reason.NEVER_TOLD))
    return Sifted(kept, dropped)


def _to(case: Case, knows: Sequence[Told], policy: Policy, now: datetime, zone: tzinfo) -> list[Errand]:
    rule, severity = case.incident.rule, case.incident.severity
    routes = [route for route in policy.routes if severity >= route.at_least and route.match.matches(rule, case.site)]
    names = [name for route in routes for name in route.to]
    # Whoever knows of an incident also learns that it is less bad than their routes ask for.
    names += [known.receiver for known in knows if known.severity > severity]
    receivers = policy.persons(names, now, zone)
    higher: list[str] = []
    if knows and not case.acknowledged:
        since = min(known.first_at for known in knows)
        steps = [step for step in policy.escalate if severity >= step.at_least and now - since >= step.after]
        higher = policy.persons([name for step in steps for name in step.to], now, zone)
    return [Errand(case, receiver) for receiver in receivers] + [
        Errand(case, receiver, News.ESCALATED) for receiver in higher if receiver not in receivers
    ]
