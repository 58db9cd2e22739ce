"""What a back-test counts as messages is what the stages would have sent, looked at again and again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from notified import BERLIN, MONDAY, Town, firing, policy, site

from alerts.policy import Policy
from alerts.stages.case import Case
from gruenpuls.domain.incident import Incident, IncidentState, Severity
from gruenpuls.jobs.trial_messages import STANDARD, message_count

RULE = "drought"
SITES = {key: site(key, "Nord" if key == "plane" else "Süd") for key in ("lime", "oak", "plane")}
LOOKS = 4 * 24 * 12
"""Every five minutes for four days."""
MORE = """
quiet_hours: {from: "22:00", to: "06:00"}
repeat_every: null
group_wait: 10 min
"""
QUIET = policy(MORE)


def at(ten_minutes: int) -> datetime:
    return MONDAY.astimezone(UTC) + timedelta(minutes=10 * ten_minutes)


@st.composite
def lives(draw: st.DrawFn) -> list[Incident]:
    """Return incidents that follow each other at each site, and rise and fall."""
    found = []
    for key in SITES:
        now = draw(st.integers(0, 60))
        for _ in range(draw(st.integers(0, 3))):
            steps: list[tuple[datetime, Severity | None]] = []
            for severity in draw(st.lists(st.sampled_from(list(Severity)), min_size=1, max_size=3)):
                if not steps or steps[-1][1] is not severity:
                    steps.append((at(now), severity))
                    now += draw(st.integers(1, 90))
            first = replace(firing(RULE, key, steps[0][0]), steps=tuple(steps), severity=steps[-1][1])
            worst = max(severity for _, severity in steps if severity is not None)
            over = replace(
                first,
                state=IncidentState.RESOLVED,
                severity=worst,
                resolved_at=at(now),
                last_at=at(now),
                steps=(*steps, (at(now), None)),
            )
            found.append(over)
            now += draw(st.integers(1, 60))
    return [incident for incident in found if incident.last_at < at(6 * 24 * 3)]


def looked_at(incidents: Sequence[Incident], told: Policy) -> int:
    """Return how many messages come out when somebody looks every five minutes."""
    town = Town(told, SITES)
    events: dict[datetime, list[Case]] = {}
    for number, incident in enumerate(incidents, 1):
        for moment, severity in incident.steps:
            state: Mapping[str, Any] = {"state": IncidentState.FIRING, "severity": severity, "resolved_at": None}
            now = incident if severity is None else replace(incident, **state)
            events.setdefault(moment, []).append(Case(number, now, SITES[incident.site], moment))
    for look in range(LOOKS):
        now = at(0) + timedelta(minutes=5 * look)
        for case in events.get(now, []):
            town.cases[case.number] = case
        while town.look(now):  # one thing after another: an end, then what followed it
            pass
    return len(town.said)


@given(lives(), st.sampled_from([QUIET, STANDARD.model_copy(update={"repeat_every": None})]))
@settings(max_examples=25, deadline=None)
def test_it_counts_what_looking_all_the_time_would_have_sent(incidents: list[Incident], told: Policy) -> None:
    assert message_count(incidents, SITES, told, BERLIN) == looked_at(incidents, told)


def test_reminders_and_escalations_do_not_count() -> None:
    going_on = firing(RULE, "lime", at(60), Severity.ALARM)
    more = "repeat_every: 1 d\nescalate: [{after: 2 h, at_least: alarm, to: [chief]}]\n"
    assert message_count([going_on], SITES, policy(more), BERLIN) == 1


def test_a_route_that_leads_nowhere_sends_nothing() -> None:
    base = "receivers: {anna: {by: [{channel: mail, to: anna@city.example}]}}\n"
    base += "channels: {mail: {kind: email, host: 127.0.0.1, security: none, sender: gruenpuls@city.example}}\n"
    alarms = policy("routes: [{to: [anna], at_least: alarm}]\n", base)
    assert message_count([firing(RULE, "lime", at(60))], SITES, alarms, BERLIN) == 0
    assert message_count([firing(RULE, "lime", at(60), Severity.ALARM)], SITES, alarms, BERLIN) == 1


def test_many_at_once_are_one_message() -> None:
    sites = {f"T{number}": site(f"T{number}") for number in range(40)}
    together = [firing(RULE, key, at(60)) for key in sites]
    assert message_count(together, sites, STANDARD, BERLIN) == 1
