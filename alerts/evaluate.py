"""Judge readings against a rule, on event time: the same readings give the same incidents in any batches."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from typing import Final

import numpy as np
from numpy.typing import NDArray

from alerts.condition import Level
from alerts.finding import going_on, resolved
from alerts.rule import Rule
from alerts.signal import Rows, Seen, fresh_rows
from alerts.span import milliseconds
from alerts.state import AT_REST, FIRING, NEVER, PENDING, Moments, RuleStates
from alerts.verdict import Course, Mask, Verdict, course
from gruenpuls.domain.incident import Incident
from gruenpuls.domain.local_time import local_times
from gruenpuls.domain.reading import Ids, Values

_OVER: Final = 0
"""The severity in a step after which no level fires."""


def evaluate(
    rule: Rule, sites: Sequence[str], seen: Seen, states: RuleStates, zone: tzinfo = UTC
) -> tuple[list[Incident], RuleStates]:
    """Return what the readings make of incidents, and what must be remembered for the next ones.

    Readings that are missing, or not newer than the last moment judged at their site, are not judged;
    the latter still count in a window and as what a series said last, so those of the last `rule.context`
    belong to the columns.

    Parameters
    ----------
    rule : Rule
    sites : sequence of str
        Their keys.
    seen : Seen
        Of several values of one series at one moment the worst counts.
    states : RuleStates (site,)
        What was remembered; left as it is.
    zone : tzinfo
        Whose calendar a rule's seasons follow.

    Returns
    -------
    incidents : list of Incident
        Those resolved by these readings, and those still open.
    states : RuleStates (site,)
    """
    states = states.copy()
    rows = fresh_rows(rule, seen, states)
    rows = _pass_over(states, rows, _stays_at_rest(rule, states, rows))
    off = _out_of_season(rule, rows.moment, zone)

    ended = _judge(rule, sites, states, course(rule, rows, states, off)) if len(rows.site) else []
    return ended + going_on(rule, sites, states), states


def restart_at(rule: Rule, changed_from: datetime, incidents: Sequence[Incident]) -> datetime:
    """Return from when one site must be judged again, at rest, after its readings changed.

    Before an incident began the rule was at rest. Without one, whatever is pending when the change
    sets in began within the longest hold time and one gap: anything older would start anew anyway.

    Parameters
    ----------
    rule : Rule
    changed_from : datetime
        Aware UTC, the first moment that may have changed.
    incidents : sequence of Incident
        All the rule has at the site.
    """
    start = changed_from - max(level.hold_for for level in rule.levels) - rule.longest_gap
    running = [
        incident.began_at
        for incident in incidents
        if incident.began_at < start and (incident.resolved_at is None or incident.resolved_at >= start)
    ]
    return min(running, default=start)


def _out_of_season(rule: Rule, moment: Moments, zone: tzinfo) -> Mask:
    if not rule.seasons:
        return np.zeros(len(moment), np.bool_)
    local = local_times(moment.astype("datetime64[ms]"), zone).astype("datetime64[D]")
    month = local.astype("datetime64[M]")
    day = (month.astype(np.int64) % 12 + 1) * 100 + (local - month).astype(np.int64) + 1
    within = np.zeros(len(moment), np.bool_)
    for season in rule.seasons:
        begun, lasting = day >= season.first, day <= season.last
        within |= (begun | lasting) if season.over_new_year else (begun & lasting)
    return ~within


def _stays_at_rest(rule: Rule, states: RuleStates, rows: Rows) -> Mask:
    """Return the sites at rest where nothing fresh or held meets any level, so that nothing can begin (site,)."""
    rests: Mask = (states.began_at == NEVER) & (states.phase == AT_REST).all(axis=1)
    for level in rule.levels:
        possible = []
        for condition in level.conditions:
            place, sign = rule.place(condition.of), 1 if condition.above else -1
            limit = sign * condition.raise_at
            near = sign * states.held[:, place] >= limit
            near[rows.site[sign * rows.value[:, place] >= limit]] = True
            possible.append(near)
        fold = np.logical_or if level.some else np.logical_and
        rests = rests & ~fold.reduce(possible)
    return rests


def _pass_over(states: RuleStates, rows: Rows, rests: Mask) -> Rows:
    """Let sites that stay at rest remember what was said last; return the rows of the others."""
    calm = np.flatnonzero(rests[rows.site])
    if not len(calm):
        return rows
    site, moment, value = rows.site[calm], rows.moment[calm], rows.value[calm]
    # By site and time, so that the last one written stays.
    states.last_at[site] = moment
    for place in range(value.shape[1]):
        there = ~np.isnan(value[:, place])
        states.held[site[there], place] = value[there, place]
        states.held_at[site[there], place] = moment[there]
        if place == 0:
            states.last_value[site[there]] = value[there, 0]
    lively = ~rests[rows.site]
    return Rows(rows.site[lively], rows.moment[lively], rows.value[lively])


def _judge(rule: Rule, sites: Sequence[str], states: RuleStates, told: Course) -> list[Incident]:
    """Go through the rows of all sites at once; return what they resolve.

    What cannot change anything is leapt over: at rest until a level is met, and otherwise until a row says something
    else or a time is up.
    """
    before = states.copy()
    run_end = told.run_end(milliseconds(rule.longest_gap))
    row = np.flatnonzero(told.first)
    rests = (states.phase[told.rows.site[row]] == AT_REST).all(axis=1)
    row = np.where(rests, told.next_met[row], row)[~rests | (told.next_met[row] < told.end[row])]
    found: list[Incident] = []
    while len(row):
        site = told.rows.site[row]
        ended = _step(rule, states, before, told, row)
        states.held[site], states.held_at[site] = told.held(row, before)
        found += resolved(rule, sites, states, site[ended])
        _rest(states, site[ended])
        for place in site[ended].tolist():
            states.steps[place] = ()
        row = _leap(rule, states, told, row, run_end)
    _keep_last(states, before, told)
    return found


def _leap(rule: Rule, states: RuleStates, told: Course, row: Ids, run_end: Ids) -> Ids:
    """Return the next rows that may change something; the states take in what lies between."""
    site, end = told.rows.site[row], told.end[row]
    phase = states.phase[site]
    rests = (phase == AT_REST).all(axis=1)
    following = np.where(rests, told.next_met[row + 1], run_end[row])
    for place, level in enumerate(rule.levels):
        verdict = told.verdict(row, place)
        waits = (phase[:, place] == PENDING) & verdict.met
        calms = (phase[:, place] == FIRING) & verdict.over
        timed = np.flatnonzero(waits | calms)
        since = np.where(waits, states.since[site, place], states.calm_since[site, place])[timed]
        span = np.where(waits, milliseconds(level.hold_for), milliseconds(level.clear_for))[timed]
        following[timed] = np.minimum(following[timed], told.not_before(site[timed], since + span))
    following = np.minimum(following, end)
    between = np.flatnonzero(~rests & (following > row + 1))
    if len(between):
        site, last = site[between], following[between] - 1
        states.peak[site] = _worst(rule, told, row[between] + 1, last + 1, states.peak[site])
        for place in range(len(rule.levels)):
            goes_on = (phase[between, place] != AT_REST) & told.verdict(row[between], place).known
            states.known_at[site[goes_on], place] = told.rows.moment[last[goes_on]]
    return following[following < end]


def _worst(rule: Rule, told: Course, start: Ids, end: Ids, peak: Values) -> Values:
    """Return the worst of what was the worst so far and the rows from each start up to its end, exclusive."""
    worse = np.fmax if rule.above else np.fmin
    order = np.argsort(-start)
    # Descending, so that what lies between two stretches is not gone through.
    bounds = np.stack([start[order], end[order]], axis=1).ravel()
    found = np.empty(len(start))
    found[order] = worse.reduceat(told.primary, bounds)[::2]
    worst: Values = worse(peak, found)
    return worst


def _keep_last(states: RuleStates, before: RuleStates, told: Course) -> None:
    """Remember what was said last, whatever came of it."""
    last = told.end[np.flatnonzero(told.first)] - 1
    site = told.rows.site[last]
    states.held[site], states.held_at[site] = told.held(last, before)
    states.last_value[site] = _last_value(told, before, last)
    states.last_at[site] = told.rows.moment[last]


def _last_value(told: Course, before: RuleStates, row: Ids) -> Values:
    source = told.source[row, 0]
    value: Values = np.where(source >= 0, told.rows.value[source, 0], before.last_value[told.rows.site[row]])
    return value


def _step(rule: Rule, states: RuleStates, start: RuleStates, told: Course, row: Ids) -> Mask:
    """Judge one row each of different sites; return at which of them it resolves the incident."""
    site, moment = told.rows.site[row], told.rows.moment[row]
    before = _severity(rule, states.phase[site])
    for place, level in enumerate(rule.levels):
        _step_level(states, site, moment, place, level, told.verdict(row, place), milliseconds(rule.longest_gap))

    active = (states.phase[site] != AT_REST).any(axis=1)
    fired_before = states.fired_at[site] != NEVER
    fires = (states.phase[site] == FIRING).any(axis=1)
    since = np.where(states.phase[site] == AT_REST, np.iinfo(np.int64).max, states.since[site]).min(axis=1)
    began_at = np.where(fired_before, states.began_at[site], np.where(active, since, NEVER))
    primary = told.rows.value[row, 0]
    worse = np.fmax if rule.above else np.fmin
    anew = ~fired_before & (began_at == moment)
    states.peak[site] = np.where(anew, told.believed(rule, row, start), worse(states.peak[site], primary))
    states.began_at[site] = began_at
    states.fired_at[site] = np.where(fired_before, states.fired_at[site], np.where(fires, moment, NEVER))
    states.last_value[site] = _last_value(told, start, row)
    states.last_at[site] = moment
    after = _severity(rule, states.phase[site])
    for changed in np.flatnonzero(before != after).tolist():
        states.steps[site[changed]] += ((int(moment[changed]), int(after[changed])),)
    ended: Mask = ~active & (fired_before | fires)
    _rest(states, site[~active & ~ended])
    return ended


def _step_level(
    states: RuleStates, site: Ids, moment: Moments, place: int, level: Level, verdict: Verdict, longest_gap: int
) -> None:
    """Let one level of each site rise or fall."""
    phase, since = states.phase[site, place], states.since[site, place]
    known_at, calm_since = states.known_at[site, place], states.calm_since[site, place]
    gap = (known_at != NEVER) & (moment - np.where(known_at == NEVER, moment, known_at) > longest_gap)

    begins = verdict.met & ((phase == AT_REST) | ((phase == PENDING) & gap))
    ceases = (phase == PENDING) & verdict.known & ~verdict.met
    phase = np.where(begins, PENDING, np.where(ceases, AT_REST, phase)).astype(np.int8)
    since = np.where(begins, moment, since)
    pending = phase == PENDING
    held = pending & verdict.met & (moment - np.where(pending, since, moment) >= milliseconds(level.hold_for))
    phase = np.where(held, FIRING, phase).astype(np.int8)

    calming = (phase == FIRING) & verdict.over
    begun = np.where((calm_since == NEVER) | gap, moment, calm_since)
    calm_since = np.where(calming, begun, np.where(verdict.known, NEVER, calm_since))
    done = calming & (moment - np.where(calming, calm_since, moment) >= milliseconds(level.clear_for))
    rests = done | (phase == AT_REST)
    states.phase[site, place] = np.where(done, AT_REST, phase)
    states.since[site, place] = np.where(rests, NEVER, since)
    states.calm_since[site, place] = np.where(rests, NEVER, calm_since)
    # At rest no gap matters: the first moment it is met counts from itself.
    states.known_at[site, place] = np.where(done | (phase == AT_REST), NEVER, np.where(verdict.known, moment, known_at))


def _severity(rule: Rule, phase: NDArray[np.int8]) -> Ids:
    """Return the severity that fires at each site, 0 where none does."""
    severities = np.array([int(level.severity) for level in rule.levels])
    return np.asarray(np.where(phase == FIRING, severities, _OVER).max(axis=1))


def _rest(states: RuleStates, site: Ids) -> None:
    """Forget what was under way at these sites."""
    states.phase[site] = AT_REST
    states.peak[site] = np.nan
    for moments in (states.since, states.calm_since, states.began_at, states.fired_at):
        moments[site] = NEVER
