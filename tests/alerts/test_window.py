"""Readings taken together: every statistic, and windows that hold too little to say anything."""

import math
from collections.abc import Sequence
from statistics import fmean, median

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.condition import Window
from alerts.evaluate import evaluate
from alerts.rule import Rule
from alerts.rule_file import parse_rule
from alerts.signal import Seen, fresh_rows
from alerts.span import milliseconds
from alerts.state import RuleStates

HOUR = 3_600_000
START = int(np.datetime64("2023-08-14", "ms").astype(np.int64))


def rule(window: str) -> Rule:
    text = f"""\
name: dry
watch: [{{quantity: soil_tension, window: {{{window}}}}}]
levels: [{{severity: warning, raise: 80, clear: 70, hold_for: 0 h, clear_for: 0 h}}]
source: made up
text:
  de: {{title: "x", reason: "x", action: "x"}}
  en: {{title: "x", reason: "x", action: "x"}}
examples:
  - {{name: none, readings: [{{from: 0 h, to: 1 h, value: 0}}], expect: [{{at: 1 h, state: none}}]}}
"""
    return parse_rule(text, "dry")


Told = list[tuple[float, float]]
"""Hours and values."""


def by_columns(judged: Rule, readings: Sequence[tuple[float, float]], site: int = 0) -> Told:
    """Return what the window says, hour by hour, with another site's readings beside it."""
    hours = np.array([hour for hour, _ in readings])
    moment = (START + np.round(hours * HOUR).astype(np.int64)).astype("datetime64[ms]")
    values = np.array([value for _, value in readings])
    sites = np.repeat([site, 1 - site], len(readings))
    seen = Seen(np.zeros_like(sites), sites, np.tile(moment, 2), np.concatenate([values, values + 1000.0]))
    rows = fresh_rows(judged, seen, RuleStates.at_rest(judged, 2))
    mine = rows.site == site
    said = zip(rows.moment[mine].tolist(), rows.value[mine, 0].tolist(), strict=True)
    return [((at - START) / HOUR, value) for at, value in said]


def plainly(window: Window, readings: Sequence[tuple[float, float]]) -> Told:
    found = []
    reach, late = milliseconds(window.span) / HOUR, milliseconds(window.ends_before) / HOUR
    for hour, _ in readings:
        within = [(at, value) for at, value in readings if hour - late - reach < at <= hour - late]
        within = within[-window.last :] if window.last else within
        steps = {math.floor(at / (milliseconds(window.every) / HOUR)) for at, _ in within}
        if len(within) < window.at_least or len(steps) < window.complete_from:
            continue
        values = [value for _, value in within]
        fold = {"mean": fmean, "median": median, "min": min, "max": max, "sum": sum}
        told = values[-1] - values[0] if window.statistic == "change" else fold[window.statistic](values)
        found.append((hour, told))
    return found


@given(
    st.lists(st.tuples(st.integers(0, 200), st.integers(0, 100)), min_size=1, max_size=40, unique_by=lambda it: it[0]),
    st.sampled_from(["mean", "median", "min", "max", "sum", "change"]),
    st.sampled_from(
        [
            "span: 6 h",
            "span: 1 d, at_least: 3",
            "span: 6 h, completeness: 0.5",
            "span: 1 d, completeness: 0.3, every: 3 h",
            "span: 12 h, ends_before: 6 h",
            "span: 2 d, last: 2, at_least: 2",
        ]
    ),
)
def test_windows_say_what_one_finds_by_looking_at_each(quarters: Told, statistic: str, window: str) -> None:
    judged = rule(f"{window}, statistic: {statistic}")
    readings = sorted((quarter / 4, float(value)) for quarter, value in quarters)
    asked = judged.watch[0].window
    assert asked is not None
    expected = plainly(asked, readings)
    for site in (0, 1):
        told = by_columns(judged, readings, site)
        assert [hour for hour, _ in told] == [hour for hour, _ in expected]
        np.testing.assert_allclose([value for _, value in told], [value for _, value in expected])


@pytest.mark.parametrize(("share", "needed"), [(0.0, 0), (0.7, 17), (0.75, 18), (1.0, 24)])
def test_completeness_is_a_share_of_the_hours(share: float, needed: int) -> None:
    window = rule(f"span: 1 d, statistic: mean, completeness: {share}").watch[0].window
    assert window is not None
    assert window.complete_from == needed


def test_many_readings_of_one_hour_do_not_make_a_day_complete() -> None:
    judged = rule("span: 1 d, statistic: mean, completeness: 0.75")
    assert by_columns(judged, [(minute / 60, 90.0) for minute in range(60)]) == []
    assert by_columns(judged, [(float(hour), 90.0) for hour in range(18)]) == [(17.0, 90.0)]


def test_with_too_little_to_go_by_a_rule_finds_nothing() -> None:
    judged = rule("span: 1 d, statistic: median, completeness: 0.75")
    hours = np.arange(0, 72, 3)
    at = (START + hours * HOUR).astype("datetime64[ms]")
    zeros = np.zeros_like(hours)
    seen = Seen(zeros, zeros, at, np.full(len(hours), 95.0))
    assert evaluate(judged, ["one"], seen, RuleStates.at_rest(judged, 1))[0] == []
