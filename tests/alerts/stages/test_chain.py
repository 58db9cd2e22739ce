"""What must hold of the chain whatever happens, in whatever order, and wherever it is cut short."""

from __future__ import annotations

import random
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from notified import MONDAY, Town, policy, site, told_in

from alerts.stages.case import Reason, Subject
from gruenpuls.domain.incident import IncidentState, Severity

RULES = ("drought", "heat")
PLACES = ("lime", "oak", "plane")
MORE = """
quiet_hours: {from: "22:00", to: "06:00"}
escalate: [{after: 2 h, at_least: alarm, to: [chief]}]
group_wait: 10 min
"""

events = st.lists(
    st.tuples(
        st.integers(0, 3 * 48),  # half hours
        st.sampled_from(["fire", "rise", "fall", "acknowledge", "end", "withdraw"]),
        st.sampled_from(RULES),
        st.sampled_from(PLACES),
    ),
    max_size=25,
).map(sorted)


def _town() -> Town:
    return Town(policy(MORE), {key: site(key, "Nord" if key == "plane" else "Süd") for key in PLACES})


def _happen(town: Town, what: str, rule: str, place: str, half_hour: int) -> None:
    now = MONDAY + timedelta(minutes=30 * half_hour)
    on = {case.subject for case in town.cases.values() if case.on}
    if (what == "fire") == (Subject(rule, place) in on):
        return
    match what:
        case "fire":
            town.fire(rule, place, now)
        case "rise":
            town.change(rule, place, now, severity=Severity.ALARM)
        case "fall":
            town.change(rule, place, now, severity=Severity.WARNING)
        case "acknowledge":
            town.change(rule, place, now, state=IncidentState.ACKNOWLEDGED)
        case "end":
            town.change(rule, place, now, state=IncidentState.RESOLVED, resolved_at=now)
        case "withdraw":
            del town.cases[town.number(rule, place)]


@settings(max_examples=30)
@given(events)
def test_looking_twice_tells_once(happening: list[tuple[int, str, str, str]]) -> None:
    town = _town()
    for half_hour in range(4 * 48):
        for event in (it for it in happening if it[0] == half_hour):
            _happen(town, *event[1:], half_hour)
        now = MONDAY + timedelta(minutes=30 * half_hour)
        town.look(now)
        while town.look(now):  # one thing after another: an end, then what followed it
            pass
        assert not town.look(now)
    keys = [digest.key for digest in town.said]
    assert len(set(keys)) == len(keys)


@settings(max_examples=30)
@given(events, st.randoms(use_true_random=False))
def test_the_order_incidents_are_listed_in_changes_nothing(
    happening: list[tuple[int, str, str, str]], chance: random.Random
) -> None:
    straight, shuffled = _town(), _town()
    for half_hour in range(4 * 48):
        for town in (straight, shuffled):
            for event in (it for it in happening if it[0] == half_hour):
                _happen(town, *event[1:], half_hour)
        listed = [*shuffled.cases.items()]
        chance.shuffle(listed)
        now = MONDAY + timedelta(minutes=30 * half_hour)
        straight.look(now)
        in_order, shuffled.cases = shuffled.cases, dict(listed)
        shuffled.look(now)
        shuffled.cases = in_order
    assert [(it.key, it.errands) for it in shuffled.said] == [(it.key, it.errands) for it in straight.said]


@settings(max_examples=30)
@given(events, st.sets(st.integers(0, 4 * 48), max_size=30))
def test_a_look_that_was_cut_short_is_made_up_for(
    happening: list[tuple[int, str, str, str]], crashes: set[int]
) -> None:
    """Whoever is owed a message got it once everything has come to rest, whichever looks were lost."""
    town = _town()
    for half_hour in range(6 * 48):
        for event in (it for it in happening if it[0] == half_hour):
            _happen(town, *event[1:], half_hour)
        now = MONDAY + timedelta(minutes=30 * half_hour)
        if half_hour in crashes:
            first = town.consider(now)
            assert [digest.key for digest in town.consider(now)] == [digest.key for digest in first]
        else:
            town.look(now)
    knows = {it.subject: it for it in town.told.values() if it.receiver == "anna"}
    for case in town.cases.values():
        if case.on:
            known = knows[case.subject]
            assert (known.over, known.number, known.severity) == (False, case.number, case.incident.severity)
    going_on = {case.subject for case in town.cases.values() if case.on}
    assert all(known.over for known in town.told.values() if known.subject not in going_on)


@settings(max_examples=30)
@given(events)
def test_an_alarm_is_told_at_the_next_look(happening: list[tuple[int, str, str, str]]) -> None:
    town = _town()
    for half_hour in range(4 * 48):
        for event in (it for it in happening if it[0] == half_hour):
            _happen(town, *event[1:], half_hour)
        now = MONDAY + timedelta(minutes=30 * half_hour)
        town.look(now)
        town.look(now)
        for case in town.cases.values():
            if case.on and case.alarm:
                assert town.told["anna", case.subject].severity is Severity.ALARM


def test_a_key_names_the_same_message_only() -> None:
    town = _town()
    now = MONDAY + timedelta(hours=9)
    town.fire("drought", "lime", now - timedelta(hours=1), Severity.ALARM)
    (first,) = town.consider(now)
    (again,) = town.consider(now + timedelta(minutes=1))
    assert first.key == again.key
    town.note(first)
    town.change("drought", "lime", now, state=IncidentState.RESOLVED, resolved_at=now)
    (over,) = town.look(now)
    town.fire("drought", "lime", now, Severity.ALARM)
    (second,) = town.look(now)
    assert told_in(second) == {"new": ["lime"]}
    assert len({first.key, over.key, second.key}) == 3


def test_what_is_held_back_says_until_when() -> None:
    town = _town()
    now = MONDAY + timedelta(hours=23)
    town.fire("drought", "lime", now)
    assert not town.look(now)
    (dropped,) = town.dropped
    assert (dropped.reason, dropped.receiver) == (Reason.QUIET_HOURS, "anna")
    assert dropped.until == MONDAY + timedelta(days=1, hours=6)
