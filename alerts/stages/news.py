"""What is new for whom: the same thing is told once, however often it is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from alerts.policy import Policy
from alerts.stages.case import Case, Dropped, Errand, News, Reason, Sifted, Told
from gruenpuls.domain.incident import Severity


def group_of(case: Case, policy: Policy) -> str:
    """Return what a message with this case is about; it never holds more than one such thing."""
    areas = {collection.area for collection in policy.collect}
    head = case.area or (case if case.incident.rule in areas else None)
    if head is not None:
        return f"area={head.incident.rule}|site={head.incident.site}"
    if case.relay is not None:
        # A dead gateway is one piece of news, however many devices it hears in however many districts.
        return f"{case.relay.kind}={case.relay.name}|rule={case.incident.rule}"
    values = {
        "district": case.site.district,
        "municipality": case.site.municipality,
        "maintenance_area": case.site.maintenance_area,
        "rule": case.incident.rule,
    }
    return "|".join(f"{name}={values[name] or ''}" for name in policy.group_by)


def news(errands: Sequence[Errand], told: Sequence[Told], policy: Policy, now: datetime) -> Sifted[Errand]:
    """Return the errands that say something new, with what that is.

    What goes on unacknowledged is told again with everything its message was about, so that reminders stay together.
    """
    known = {(it.receiver, it.subject): it for it in told}
    ending = {(it.receiver, it.case.subject) for it in errands if not it.case.on}
    louder = {
        (it.receiver, it.case.subject)
        for it in errands
        if it.case.on and it.case.alarm and _overtakes(it.case, known.get((it.receiver, it.case.subject)))
    }
    kept: list[Errand] = []
    dropped: list[Dropped] = []
    lasting: dict[tuple[str, str], list[tuple[Errand, datetime]]] = {}
    for errand in errands:
        before = known.get((errand.receiver, errand.case.subject))
        overtaken = (errand.receiver, errand.case.subject) in (ending - louder if errand.case.on else louder)
        found = _news(errand, before, overtaken=overtaken)
        if isinstance(found, News):
            kept.append(replace(errand, news=found))
        elif found is not Reason.ALREADY_TOLD or errand.case.acknowledged or before is None:
            reason = Reason.ACKNOWLEDGED if found is Reason.ALREADY_TOLD else found
            dropped.append(Dropped(errand.case, errand.receiver, reason))
        else:
            group = errand.receiver, group_of(errand.case, policy)
            lasting.setdefault(group, []).append((errand, before.last_at))
    for together in lasting.values():
        due_at = _due_at(min(last_at for _, last_at in together), policy.repeat_every)
        if due_at is not None and now >= due_at:
            kept += [replace(errand, news=News.REMINDER) for errand, _ in together]
        else:
            dropped += [
                Dropped(errand.case, errand.receiver, Reason.ALREADY_TOLD, until=due_at) for errand, _ in together
            ]
    return Sifted(kept, dropped)


def _due_at(last_at: datetime, repeat_every: timedelta | None) -> datetime | None:
    return None if repeat_every is None else last_at + repeat_every


def _overtakes(case: Case, before: Told | None) -> bool:
    """Whether an alarm comes before its receiver heard that the milder incident before it is over."""
    return before is not None and not before.over and before.number != case.number and before.severity < Severity.ALARM


def _news(errand: Errand, before: Told | None, *, overtaken: bool) -> News | Reason:
    case = errand.case
    if before is None or before.over:
        return (errand.news or News.NEW) if case.on else Reason.NEVER_TOLD
    if overtaken and (not case.on or before.number != case.number):
        return Reason.ONE_AFTER_ANOTHER
    if not case.on:
        return News.WITHDRAWN if case.withdrawn else News.ALL_CLEAR
    if case.incident.severity != before.severity:
        return News.ROSE if case.incident.severity > before.severity else News.FELL
    return Reason.ALREADY_TOLD
