"""A rule's own tests: its examples, and where it does not do what they say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np

from alerts.evaluate import RuleStates, evaluate
from alerts.rule import Example, ExpectedState, Rule, duration_text
from gruenpuls.domain.reading import Times, Values, to_stored

_START: Final = to_stored(datetime(2023, 8, 14, tzinfo=UTC))
"""Examples tell only spans; any day will do."""


def unexpected(rule: Rule) -> list[str]:
    """Return what a rule's examples expect and it does not do, one sentence each."""
    return [fault for example in rule.examples for fault in _faults(rule, example)]


def _faults(rule: Rule, example: Example) -> list[str]:
    measured_at, value = _series(example)
    faults = []
    for expectation in example.expect:
        seen = measured_at <= _START + _stored(expectation.at)
        found = _state(rule, measured_at[seen], value[seen])
        if found is not expectation.state:
            faults.append(
                f"{rule.name}, {example.name}: after {duration_text(expectation.at)}"
                f" expected {expectation.state}, found {found}"
            )
    return faults


def _series(example: Example) -> tuple[Times, Values]:
    moments, values = [], []
    for stretch in example.readings:
        steps = (stretch.end - stretch.start) // stretch.every + 1
        moments.append(_START + _stored(stretch.start) + np.arange(steps) * _stored(stretch.every))
        values.append(np.full(steps, stretch.value))
    return np.concatenate(moments), np.concatenate(values)


def _stored(span: timedelta) -> np.timedelta64:
    return np.timedelta64(span // timedelta(milliseconds=1), "ms")


def _state(rule: Rule, measured_at: Times, value: Values) -> ExpectedState:
    site = np.zeros(len(value), np.int64)
    incidents, _ = evaluate(rule, ["example"], site, measured_at, value, RuleStates.at_rest(1))
    if not incidents:
        return ExpectedState.NONE
    return ExpectedState(max(incidents, key=lambda incident: incident.began_at).state.value)
