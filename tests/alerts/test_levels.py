"""Rules with several severities, several series, circumstances and seasons."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from alerts.evaluate import evaluate, restart_at
from alerts.rule import Rule
from alerts.rule_file import parse_rule
from alerts.signal import Seen
from alerts.state import RuleStates
from gruenpuls.domain.errors import ConfigurationError
from gruenpuls.domain.incident import Incident, IncidentState, Severity

START = datetime(2023, 8, 14, tzinfo=UTC)
REST = """\
longest_gap: 12 h
source: made up
text:
  de: {title: "x", reason: "x", action: "x"}
  en: {title: "x", reason: "x", action: "x"}
examples:
  - {name: none, readings: [{from: 0 h, to: 1 h, value: 0}], expect: [{at: 1 h, state: none}]}
"""
RISING = parse_rule(
    """\
name: rising
watch: [{quantity: soil_tension}]
levels:
  - {severity: notice, raise: 30, clear: 25, hold_for: 2 h, clear_for: 2 h}
  - {severity: warning, raise: 60, clear: 50, hold_for: 2 h, clear_for: 2 h}
  - {severity: alarm, raise: 90, clear: 80, hold_for: 0 h, clear_for: 1 h}
"""
    + REST,
    "rising",
)
HOT_NIGHT = """\
name: hot_night
watch:
  - {quantity: universal_thermal_climate_index}
  - {quantity: air_temperature, name: night}
levels:
  - severity: warning
    WORD: [{raise: 32, clear: 30}, {of: night, raise: 20, clear: 18}]
    hold_for: 1 h
    clear_for: 1 h
"""
BOTH = parse_rule(HOT_NIGHT.replace("WORD", "all") + REST, "both")
EITHER = parse_rule(HOT_NIGHT.replace("WORD", "any") + REST, "either")
UNLESS_FROZEN = parse_rule(
    """\
name: dry
watch:
  - {quantity: soil_tension}
  - {quantity: soil_temperature, name: soil}
  - {quantity: judged_soil_depths, name: depths}
levels:
  - {severity: warning, raise: 80, clear: 60, hold_for: 2 h, clear_for: 2 h}
unless: [{of: soil, at_most: 0.5}]
only_if: [{of: depths, at_least: 2}]
"""
    + REST,
    "dry",
)
IN_SUMMER = parse_rule(
    """\
name: dry
watch: [{quantity: soil_tension}]
levels:
  - {severity: warning, raise: 80, clear: 60, hold_for: 2 h, clear_for: 2 h}
seasons: [{from: 03-15, to: 10-31}]
"""
    + REST,
    "summer",
)
EVERY_RULE = [RISING, BOTH, EITHER, UNLESS_FROZEN, IN_SUMMER]

Reading = tuple[float, float, int]
"""Hours since the start, value, and which watched series."""


def seen(readings: Sequence[Reading], start: datetime = START) -> Seen:
    hours = np.array([hour for hour, _, _ in readings], np.float64)
    return Seen(
        np.array([place for _, _, place in readings], np.int64),
        np.zeros(len(readings), np.int64),
        np.datetime64(start.replace(tzinfo=None), "ms") + (hours * 3_600_000).astype("timedelta64[ms]"),
        np.array([value for _, value, _ in readings], np.float64),
    )


def found(rule: Rule, readings: Sequence[Reading], start: datetime = START) -> list[Incident]:
    incidents, _ = evaluate(
        rule, ["one"], seen(readings, start), RuleStates.at_rest(rule, 1), ZoneInfo("Europe/Berlin")
    )
    return sorted(incidents, key=lambda incident: incident.began_at)


def hourly(*values: float, first: float = 0, of: int = 0) -> list[Reading]:
    return [(first + hour, value, of) for hour, value in enumerate(values)]


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def test_one_incident_rises_and_falls() -> None:
    [incident] = found(RISING, hourly(40, 40, 40, 70, 70, 95, 70, 70, 40, 40, 40, 20, 20, 20))
    assert incident.state is IncidentState.RESOLVED
    assert incident.severity is Severity.ALARM, "a resolved one is told at its worst"
    assert incident.steps == (
        (at(2), Severity.NOTICE),
        (at(5), Severity.ALARM),
        (at(7), Severity.WARNING),
        (at(10), Severity.NOTICE),
        (at(13), None),
    )
    assert (incident.began_at, incident.fired_at, incident.resolved_at) == (at(0), at(2), at(13))


def test_while_it_fires_its_severity_is_the_present_one() -> None:
    [incident] = found(RISING, hourly(40, 40, 40, 95, 70, 70, 70))
    assert incident.severity is Severity.WARNING
    [incident] = found(RISING, hourly(40, 95, 40, 40))
    assert [severity for _, severity in incident.steps] == [Severity.ALARM, Severity.NOTICE]


def test_a_pending_incident_tells_the_level_it_would_reach() -> None:
    [incident] = found(RISING, hourly(70))
    assert (incident.state, incident.severity) == (IncidentState.PENDING, Severity.WARNING)


def test_all_conditions_must_hold_at_once() -> None:
    day = hourly(*[33.0] * 6)
    assert found(BOTH, day) == [], "of the night nothing is known"
    assert found(BOTH, [*day, *hourly(*[17.0] * 6, of=1)]) == []
    [incident] = found(BOTH, [*day, *hourly(*[21.0] * 6, of=1)])
    assert (incident.state, incident.saw) == (
        IncidentState.FIRING,
        (("universal_thermal_climate_index", 33.0), ("night", 21.0)),
    )
    [incident] = found(BOTH, [*day, *hourly(21, 21, 21, 21, 17, 17, of=1)])
    assert incident.state is IncidentState.RESOLVED, "one that is over is enough"


def test_any_condition_is_enough_and_all_must_end() -> None:
    [incident] = found(EITHER, hourly(21, 21, 21, of=1))
    assert incident.state is IncidentState.FIRING
    [incident] = found(EITHER, [*hourly(21, 21, 21, 17, 17, 17, of=1), *hourly(*[33.0] * 6)])
    assert incident.state is IncidentState.FIRING
    [incident] = found(EITHER, [*hourly(21, 21, 21, 17, 17, 17, of=1), *hourly(33, 33, 33, 29, 29, 29)])
    assert incident.state is IncidentState.RESOLVED


def test_what_a_series_said_too_long_ago_is_not_believed() -> None:
    assert found(BOTH, [(0, 21, 1), *hourly(33, 33, 33, first=13)]) == []
    [incident] = found(BOTH, [(0, 21, 1), *hourly(33, 33, 33, first=9)])
    assert incident.state is IncidentState.FIRING


def test_a_circumstance_keeps_it_from_speaking_and_lets_what_fires_go_on() -> None:
    dry, deep = hourly(*[90.0] * 6), hourly(*[2.0] * 12, of=2)
    assert found(UNLESS_FROZEN, dry) == [], "how many depths were judged is not known"
    assert found(UNLESS_FROZEN, [*dry, *deep, *hourly(*[0.0] * 6, of=1)]) == []
    [incident] = found(UNLESS_FROZEN, [*dry, *deep, *hourly(*[9.0] * 6, of=1)])
    assert incident.state is IncidentState.FIRING
    thawing = [*hourly(*[90.0] * 4, *[50.0] * 8), *deep, *hourly(*[9.0] * 4, *[0.0] * 8, of=1)]
    [incident] = found(UNLESS_FROZEN, thawing)
    assert incident.state is IncidentState.FIRING, "what frozen soil says does not clear it either"


def test_a_season_follows_the_calendar_of_the_site() -> None:
    winter = datetime(2023, 12, 1, tzinfo=UTC)
    assert found(IN_SUMMER, hourly(*[90.0] * 6), winter) == []
    evening = datetime(2023, 10, 31, 18, tzinfo=UTC)  # midnight in Berlin is five hours later
    [incident] = found(IN_SUMMER, hourly(*[90.0] * 10), evening)
    assert incident.state is IncidentState.RESOLVED
    assert incident.resolved_at == evening + timedelta(hours=7)


def test_too_few_readings_in_a_window_say_nothing() -> None:
    text = "name: warm\nwatch: [{quantity: air_temperature, window: {span: 3 h, statistic: mean, at_least: 3}}]\n"
    rule = parse_rule(
        text + "levels: [{severity: notice, raise: 20, clear: 15, hold_for: 0 h, clear_for: 0 h}]\n" + REST, "warm"
    )
    assert found(rule, hourly(25, 25)) == []
    assert found(rule, hourly(25, 25, 25))


VALUES = st.sampled_from([0.0, 20.0, 29.0, 33.0, 55.0, 70.0, 85.0, 95.0])


@st.composite
def series(draw: st.DrawFn) -> list[Reading]:
    readings = []
    for place in range(3):
        hours = 0.0
        for _ in range(draw(st.integers(0, 25))):
            hours += draw(st.sampled_from([0.5, 1, 1, 1, 3, 13]))
            readings.append((hours, draw(VALUES), place))
    return readings


def of_rule(rule: Rule, readings: Sequence[Reading]) -> list[Reading]:
    return [reading for reading in readings if reading[2] < len(rule.watch)]


@given(series(), st.randoms(use_true_random=False), st.sampled_from(EVERY_RULE))
def test_the_order_of_arrival_does_not_matter(readings: list[Reading], random: Random, rule: Rule) -> None:
    readings = of_rule(rule, readings)
    shuffled = list(readings)
    random.shuffle(shuffled)
    assert found(rule, shuffled) == found(rule, readings)


@given(series(), st.lists(st.integers(0, 90), max_size=5), st.sampled_from(EVERY_RULE))
def test_batches_of_any_size_end_in_the_same_incidents(readings: list[Reading], cuts: list[int], rule: Rule) -> None:
    readings = of_rule(rule, readings)
    states = RuleStates.at_rest(rule, 1)
    resolved: list[Incident] = []
    incidents: list[Incident] = []
    for low, high in pairwise([-1.0, *sorted(float(cut) for cut in cuts), 1e6]):
        batch = [reading for reading in readings if low < reading[0] <= high]
        incidents, states = evaluate(rule, ["one"], seen(batch), states, ZoneInfo("Europe/Berlin"))
        states = RuleStates.from_rows(rule, states.to_rows())
        resolved += [incident for incident in incidents if incident.state is IncidentState.RESOLVED]
    still_open = [incident for incident in incidents if incident.state is not IncidentState.RESOLVED]
    assert sorted(resolved + still_open, key=lambda incident: incident.began_at) == found(rule, readings)


@given(series(), st.integers(0, 90), st.sampled_from(EVERY_RULE))
@example([(0.5, 0.0, 0), (1.0, 20.0, 1)], 14, EITHER)
@example([(0.5, 0.0, 0), (30.0, 20.0, 1)], 60, EITHER)
def test_judging_again_from_where_the_rule_was_at_rest_is_judging_all(
    readings: list[Reading], changed: int, rule: Rule
) -> None:
    readings = of_rule(rule, readings)
    known = found(rule, [reading for reading in readings if reading[0] < changed])
    start = restart_at(rule, at(changed), known)
    kept = [incident for incident in known if incident.resolved_at is not None and incident.resolved_at < start]
    states = RuleStates.at_rest(rule, 1)
    states.starting(0, start)
    again, _ = evaluate(
        rule,
        ["one"],
        seen([reading for reading in readings if at(reading[0]) >= start - rule.context]),
        states,
        ZoneInfo("Europe/Berlin"),
    )
    whole = found(rule, readings)
    assert kept + sorted(again, key=lambda incident: incident.began_at) == whole


@given(series())
def test_a_level_never_fires_before_it_held_long_enough(readings: list[Reading]) -> None:
    readings = of_rule(RISING, readings)
    for incident in found(RISING, readings):
        reached: Severity | None = None
        for moment, severity in incident.steps:
            if severity is not None and (reached is None or severity > reached):
                level = RISING.level(severity)
                limit = level.conditions[0].raise_at
                during = [value for hour, value, _ in readings if moment - level.hold_for <= at(hour) <= moment]
                assert all(value >= limit for value in during), (incident, moment)
            reached = severity


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("of: night, raise: 20", "of: nigth, raise: 20", "levels.0.all.1.of"),
        ("name: night}", "name: universal_thermal_climate_index}", "watch.1"),
        ("raise: 32, clear: 30", "raise: 32, clear: 500", "levels.0.all.0.clear"),
        ("all: [", "raise: 1\n    all: [", "levels.0"),
        ("severity: warning", "severity: warning\n    raise: 3", "levels.0"),
    ],
)
def test_a_fault_in_one_of_several_conditions_is_found_where_it_is(old: str, new: str, where: str) -> None:
    text = HOT_NIGHT.replace("WORD", "all") + REST
    assert old in text
    with pytest.raises(ConfigurationError) as caught:
        parse_rule(text.replace(old, new), "rules/hot_night.yaml")
    assert where in caught.value.where


def test_levels_stand_in_order() -> None:
    text = """\
name: rising
watch: [{quantity: soil_tension}]
levels:
  - {severity: warning, raise: 60, clear: 50, hold_for: 2 h, clear_for: 2 h}
  - {severity: notice, raise: 30, clear: 25, hold_for: 2 h, clear_for: 2 h}
"""
    with pytest.raises(ConfigurationError) as caught:
        parse_rule(text + REST, "rules/rising.yaml")
    assert "rules/rising.yaml:5, levels.1.severity" in caught.value.where
