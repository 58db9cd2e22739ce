from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from alerts.evaluate import evaluate, restart_at
from alerts.rule import Rule
from alerts.rule_file import parse_rule
from alerts.signal import Seen
from alerts.state import RuleStates
from gruenpuls.domain.incident import Incident, IncidentState, Severity

START = datetime(2023, 8, 14, tzinfo=UTC)
RAISE, CLEAR = 80.0, 70.0
HOLD, CALM, GAP = timedelta(hours=6), timedelta(hours=4), timedelta(hours=12)

TEXT = """\
name: dry
watch:
  - {{quantity: soil_tension{window}}}
levels:
  - {{severity: warning, raise: {raise_at}, clear: {clear_at}, hold_for: 6 h, clear_for: 4 h}}
longest_gap: 12 h
source: made up
text:
  de: {{title: "x", reason: "x", action: "x"}}
  en: {{title: "x", reason: "x", action: "x"}}
examples:
  - {{name: none, readings: [{{from: 0 h, to: 1 h, value: 0}}], expect: [{{at: 1 h, state: none}}]}}
"""

ABOVE = parse_rule(TEXT.format(raise_at=80, clear_at=70, window=""), "above")
BELOW = parse_rule(TEXT.format(raise_at=70, clear_at=80, window=""), "below")


def windowed(statistic: str, span: str = "3 h") -> Rule:
    return parse_rule(
        TEXT.format(raise_at=80, clear_at=70, window=f", window: {{span: {span}, statistic: {statistic}}}"), statistic
    )


@dataclass(frozen=True)
class Reading:
    hours: float
    value: float
    site: int = 0
    watched: int = 0


def columns(readings: Sequence[Reading]) -> Seen:
    start = np.datetime64(START.replace(tzinfo=None), "ms")
    return Seen(
        np.array([reading.watched for reading in readings], np.int64),
        np.array([reading.site for reading in readings], np.int64),
        np.array(
            [start + np.timedelta64(round(reading.hours * 3_600_000), "ms") for reading in readings], "datetime64[ms]"
        ),
        np.array([reading.value for reading in readings], np.float64),
    )


SITES = ("one", "two", "three")


def found(rule: Rule, readings: Sequence[Reading], states: RuleStates | None = None) -> list[Incident]:
    incidents, _ = evaluate(rule, SITES, columns(readings), states or RuleStates.at_rest(rule, len(SITES)))
    return sorted(incidents, key=lambda incident: (incident.site, incident.began_at))


def hourly(*values: float, first: float = 0) -> list[Reading]:
    return [Reading(first + hour, value) for hour, value in enumerate(values)]


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


VALUES = st.one_of(
    st.sampled_from([60.0, 70.0, 75.0, 80.0, 90.0, float("nan")]), st.floats(50, 100).map(lambda value: round(value, 1))
)


@st.composite
def series(draw: st.DrawFn, *, sites: int = 3) -> list[Reading]:
    readings = []
    for site in range(draw(st.integers(1, sites))):
        hours = 0.0
        for _ in range(draw(st.integers(0, 40))):
            hours += draw(st.sampled_from([0.25, 1, 1, 1, 3, 13]))
            readings.append(Reading(hours, draw(VALUES), site))
    return readings


def told_one_by_one(  # noqa: C901 - plain on purpose: one branch for each sentence of the rule
    rule: Rule, readings: Sequence[Reading]
) -> list[Incident]:
    """Judge one site's readings in the plainest way there is."""
    [level] = rule.levels
    limits = rule.told(level)
    worse = max if rule.above else min
    incidents: list[Incident] = []
    began = fired = calm = last = None
    peak = value = 0.0

    def incident(state: IncidentState, ended: datetime | None) -> Incident:
        assert began is not None
        assert last is not None
        steps: list[tuple[datetime, Severity | None]] = [(fired, Severity.WARNING)] if fired else []
        steps += [(ended, None)] if ended else []
        saw = (("soil_tension", value),)
        return Incident(
            "dry", "one", state, Severity.WARNING, began, fired, ended, peak, value, last, tuple(steps), saw
        )

    for reading in sorted(readings, key=lambda reading: reading.hours):
        if np.isnan(reading.value):
            continue
        now, value = at(reading.hours), reading.value
        met = value >= limits.raise_at if rule.above else value <= limits.raise_at
        over = value <= limits.clear_at if rule.above else value >= limits.clear_at
        gap = last is not None and now - last > rule.longest_gap
        last = now
        if fired is None:
            if not met:
                began = None
            elif began is None or gap:
                began, peak = now, value
        if began is None:
            continue
        peak = worse(peak, value)
        if fired is None and now - began >= level.hold_for:
            fired = now
        if fired is not None:
            calm = (now if calm is None or gap else calm) if over else None
            if calm is not None and now - calm >= level.clear_for:
                incidents.append(incident(IncidentState.RESOLVED, now))
                began = fired = calm = None
    if began is not None:
        incidents.append(incident(IncidentState.FIRING if fired else IncidentState.PENDING, None))
    return incidents


@given(series(sites=1), st.sampled_from([ABOVE, BELOW]))
def test_columns_of_sites_are_judged_as_each_alone(readings: list[Reading], rule: Rule) -> None:
    assert found(rule, readings) == told_one_by_one(rule, readings)


@given(series())
def test_it_never_fires_before_the_condition_held_long_enough(readings: list[Reading]) -> None:
    for incident in found(ABOVE, readings):
        if incident.fired_at is not None:
            assert incident.fired_at - incident.began_at >= HOLD
            site = SITES.index(incident.site)
            during = [
                reading.value
                for reading in readings
                if reading.site == site and incident.began_at <= at(reading.hours) <= incident.fired_at
            ]
            assert all(value >= RAISE for value in during if not np.isnan(value))


@given(st.lists(st.floats(CLEAR + 0.01, RAISE - 0.01), min_size=1, max_size=60))
def test_inside_the_band_nothing_changes(band: list[float]) -> None:
    firing = hourly(*[90.0] * 7)
    before = found(ABOVE, firing)
    after = found(ABOVE, firing + hourly(*band, first=7))
    assert [incident.state for incident in after] == [IncidentState.FIRING]
    assert (after[0].began_at, after[0].fired_at, after[0].peak) == (
        before[0].began_at,
        before[0].fired_at,
        before[0].peak,
    )
    assert found(ABOVE, hourly(*band)) == []


@given(series(), st.randoms(use_true_random=False), st.sampled_from([ABOVE, BELOW, windowed("mean"), windowed("max")]))
def test_the_order_of_arrival_does_not_matter(readings: list[Reading], random: Random, rule: Rule) -> None:
    shuffled = list(readings)
    random.shuffle(shuffled)
    assert found(rule, shuffled) == found(rule, readings)


@given(
    series(),
    st.lists(st.integers(0, 120), max_size=6),
    st.sampled_from([ABOVE, BELOW, windowed("mean"), windowed("min"), windowed("max"), windowed("sum")]),
)
def test_batches_of_any_size_end_in_the_same_incidents(readings: list[Reading], cuts: list[int], rule: Rule) -> None:
    readings = sorted(readings, key=lambda reading: reading.hours)
    context = rule.context.total_seconds() / 3600
    states = RuleStates.at_rest(rule, len(SITES))
    resolved: list[Incident] = []
    still_open: list[Incident] = []
    bounds = [-1.0, *sorted(float(cut) for cut in cuts), float("inf")]
    for low, high in pairwise(bounds):
        batch = [reading for reading in readings if low - context < reading.hours <= high]
        incidents, states = evaluate(rule, SITES, columns(batch), states)
        # What a restart would do: everything through JSON and back.
        states = RuleStates.from_rows(rule, states.to_rows())
        resolved += [incident for incident in incidents if incident.state is IncidentState.RESOLVED]
        still_open = [incident for incident in incidents if incident.state is not IncidentState.RESOLVED]
    split = sorted(resolved + still_open, key=lambda incident: (incident.site, incident.began_at))
    assert split == found(rule, readings)


@given(series())
def test_what_was_judged_is_not_judged_again(readings: list[Reading]) -> None:
    _, states = evaluate(ABOVE, SITES, columns(readings), RuleStates.at_rest(ABOVE, len(SITES)))
    still_open = [incident for incident in found(ABOVE, readings) if incident.state is not IncidentState.RESOLVED]
    assert found(ABOVE, readings, states) == still_open
    _, again = evaluate(ABOVE, SITES, columns(readings), states)
    assert again.to_rows() == states.to_rows()


@given(series(sites=1), st.integers(0, 130), st.sampled_from([ABOVE, BELOW, windowed("mean")]))
@settings(max_examples=300)
@example([Reading(0, 90), Reading(5, 90), Reading(17, 90), Reading(23, 90)], 17, ABOVE)
def test_judging_again_from_where_the_rule_was_at_rest_is_judging_all(
    readings: list[Reading], changed: int, rule: Rule
) -> None:
    earlier = [reading for reading in readings if reading.hours < changed]
    known = found(rule, earlier)
    start = restart_at(rule, at(changed), known)
    kept = [incident for incident in known if incident.resolved_at is not None and incident.resolved_at < start]

    states = RuleStates.at_rest(rule, len(SITES))
    states.starting(0, start)
    again = found(rule, [reading for reading in readings if at(reading.hours) > start - rule.context - HOLD], states)
    assert kept + again == found(rule, readings)


def test_silence_neither_raises_nor_clears() -> None:
    assert found(ABOVE, [Reading(0, 90), Reading(24, 90)])[0].state is IncidentState.PENDING
    firing = hourly(*[90.0] * 7)
    [incident] = found(ABOVE, [*firing, Reading(100, 60)])
    assert incident.state is IncidentState.FIRING


def test_missing_values_are_as_if_never_sent() -> None:
    gaps = [Reading(hour + 0.5, float("nan")) for hour in range(12)]
    readings = hourly(*[90.0] * 7, *[60.0] * 5)
    assert found(ABOVE, readings + gaps) == found(ABOVE, readings)


def test_a_dip_restarts_the_holding_time() -> None:
    [incident] = found(ABOVE, hourly(*[90.0] * 5, 75, *[90.0] * 6))
    assert incident.state is IncidentState.PENDING
    assert incident.began_at == at(6)


def test_a_rise_restarts_the_clearing_time() -> None:
    [incident] = found(ABOVE, hourly(*[90.0] * 7, 60, 60, 60, 71, 60, 60, 60, 60))
    assert incident.state is IncidentState.FIRING
    [incident] = found(ABOVE, hourly(*[90.0] * 7, 60, 60, 60, 71, 60, 60, 60, 60, 60))
    assert incident.state is IncidentState.RESOLVED
    assert incident.resolved_at == at(15)


def test_what_never_held_leaves_nothing() -> None:
    assert found(ABOVE, hourly(90, 90, 90, 60)) == []


def test_it_remembers_the_worst_and_the_last_value() -> None:
    [incident] = found(ABOVE, hourly(85, 99, 88, 81, 82, 83, 84, 75))
    assert (incident.peak, incident.last_value, incident.last_at) == (99, 75, at(7))
    [incident] = found(BELOW, hourly(65, 20, 60, 60, 60, 60, 60, 75))
    assert (incident.peak, incident.last_value) == (20, 75)


def test_the_limits_themselves_count() -> None:
    [incident] = found(ABOVE, hourly(*[RAISE] * 7, *[CLEAR] * 5))
    assert incident.state is IncidentState.RESOLVED


def test_of_two_sensors_at_one_moment_the_worse_counts() -> None:
    both = [*hourly(*[90.0] * 7), *hourly(*[60.0] * 7)]
    assert [incident.state for incident in found(ABOVE, both)] == [IncidentState.FIRING]
    assert [incident.state for incident in found(BELOW, both)] == [IncidentState.FIRING]


@pytest.mark.parametrize(("statistic", "expected"), [("mean", 79), ("max", 90), ("min", 68), ("sum", 158)])
def test_a_window_takes_the_last_hours_together(statistic: str, expected: float) -> None:
    _, states = evaluate(
        windowed(statistic, "2 h"), SITES, columns(hourly(100, 60, 68, 90)), RuleStates.at_rest(ABOVE, 3)
    )
    assert states.last_value[0] == expected


def test_windows_do_not_reach_into_another_site() -> None:
    readings = [Reading(0, 100, 0), Reading(0, 60, 1), Reading(0.5, 60, 1)]
    _, states = evaluate(windowed("max"), SITES, columns(readings), RuleStates.at_rest(ABOVE, 3))
    assert states.last_value[1] == 60


def test_no_readings_and_no_sites_are_no_trouble() -> None:
    for rule in (ABOVE, windowed("mean")):
        assert found(rule, []) == []
        assert evaluate(rule, [], columns([]), RuleStates.at_rest(rule, 0))[0] == []


def test_a_hundred_thousand_sites_are_judged_together() -> None:
    sites = [f"tree-{number}" for number in range(100_000)]
    site = np.arange(len(sites))
    moment = np.full(len(sites), np.datetime64("2023-08-14T12:00", "ms"))
    incidents, states = evaluate(
        ABOVE,
        sites,
        Seen(np.zeros_like(site), site, moment, np.where(site < 5, 90.0, 10.0)),
        RuleStates.at_rest(ABOVE, len(sites)),
    )
    assert [incident.site for incident in incidents] == sites[:5]
    assert (states.phase[5:] == 0).all()
