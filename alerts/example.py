"""A rule's own tests: its examples, and where it does not do what they say."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import numpy as np

from alerts.evaluate import evaluate
from alerts.rule import Example, ExpectedState, Rule
from alerts.signal import Seen
from alerts.span import duration_text, milliseconds
from alerts.state import RuleStates
from gruenpuls.domain.incident import Incident
from gruenpuls.domain.reading import to_stored


def unexpected(rule: Rule) -> list[str]:
    """Return what a rule's examples expect and it does not do, one sentence each."""
    return [fault for example in rule.examples for fault in _faults(rule, example)]


def _faults(rule: Rule, example: Example) -> list[str]:
    start = to_stored(datetime.combine(example.begins, time(), UTC))
    seen = _series(rule, example, start)
    faults = []
    for expectation in example.expect:
        now = seen.measured_at <= start + _stored(expectation.at)
        newest = _newest(rule, Seen(seen.watched[now], seen.site[now], seen.measured_at[now], seen.value[now]))
        found = ExpectedState(newest.state.value) if newest else ExpectedState.NONE
        severity = newest.severity.name.lower() if newest else None
        if found is not expectation.state or expectation.severity not in {None, severity}:
            faults.append(
                f"{rule.name}, {example.name}: after {duration_text(expectation.at)}"
                f" expected {_told(expectation.state, expectation.severity)}, found {_told(found, severity)}"
            )
    return faults


def _told(state: ExpectedState, severity: str | None) -> str:
    return f"{state} {severity}" if severity else str(state)


def _series(rule: Rule, example: Example, start: np.datetime64) -> Seen:
    places, moments, values = [], [], []
    for stretch in example.readings:
        steps = (stretch.end - stretch.start) // stretch.every + 1
        for watched in _of_the_same_series(rule, rule.place(stretch.of)):
            places.append(np.full(steps, watched))
            moments.append(start + _stored(stretch.start) + np.arange(steps) * _stored(stretch.every))
            values.append(np.full(steps, stretch.value))
    place = np.concatenate(places)
    return Seen(place, np.zeros_like(place), np.concatenate(moments), np.concatenate(values))


def _of_the_same_series(rule: Rule, place: int) -> list[int]:
    """Return what else looks at a watched series, perhaps through another window, itself included."""
    different = {"name", "window", "holds_for"}
    same = rule.watch[place].model_dump(exclude=different)
    return [other for other, watched in enumerate(rule.watch) if watched.model_dump(exclude=different) == same]


def _stored(span: timedelta) -> np.timedelta64:
    return np.timedelta64(milliseconds(span), "ms")


def _newest(rule: Rule, seen: Seen) -> Incident | None:
    incidents, _ = evaluate(rule, ["example"], seen, RuleStates.at_rest(rule, 1))
    return max(incidents, key=lambda incident: incident.began_at, default=None)
