"""Judge readings against a rule, on event time: the same readings give the same incidents in any batches."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from alerts.rule import Rule, Window
from gruenpuls.domain.incident import Incident, IncidentState
from gruenpuls.domain.reading import Ids, Times, Values, from_stored, to_stored

_Moments = NDArray[np.int64]
_NEVER: Final = np.iinfo(np.int64).min
_AT_REST, _PENDING, _FIRING = 0, 1, 2
_FOLD: Final = {"mean": np.add, "sum": np.add, "min": np.minimum, "max": np.maximum}


@dataclass(frozen=True, slots=True)
class RuleStates:
    """What a rule remembers of each site, as columns; moments are UTC milliseconds.

    Parameters
    ----------
    phase : int8 (site,)
        At rest 0, pending 1, firing 2.
    began_at, fired_at : int64 (site,)
        When the condition was first met, and when it had held long enough.
    calm_since : int64 (site,)
        Since when a firing condition has been over.
    peak, last_value : float64 (site,)
        Worst value since it began, and the last one judged [unit of the rule's quantity].
    last_at : int64 (site,)
        When that was measured; what is not newer is not judged again.
    """

    phase: NDArray[np.int8]
    began_at: _Moments
    fired_at: _Moments
    calm_since: _Moments
    peak: Values
    last_value: Values
    last_at: _Moments

    @classmethod
    def at_rest(cls, sites: int) -> RuleStates:
        """Return the state of sites nothing is known of."""
        began_at, fired_at, calm_since, last_at = (np.full(sites, _NEVER, np.int64) for _ in range(4))
        values = np.full(sites, np.nan), np.full(sites, np.nan)
        return cls(np.zeros(sites, np.int8), began_at, fired_at, calm_since, *values, last_at)

    def starting(self, place: int, at: datetime) -> None:
        """Let one site be judged from a moment on, inclusive; readings before it only count in a window."""
        self.last_at[place] = to_stored(at).astype(np.int64) - 1

    @classmethod
    def from_rows(cls, rows: Sequence[dict[str, float | int | None] | None]) -> RuleStates:
        """Return states as they were kept, one row a site; None is at rest."""
        states = cls.at_rest(len(rows))
        for place, row in enumerate(rows):
            for name, value in (row or {}).items():
                if value is not None:
                    getattr(states, name)[place] = value
        return states

    def to_rows(self) -> list[dict[str, float | int | None]]:
        """Return each site's state as something JSON can keep."""
        columns = {
            name: [None if value == _NEVER or math.isnan(value) else value for value in getattr(self, name).tolist()]
            for name in self.__slots__
        }
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    def copy(self) -> RuleStates:
        """Return the same in arrays of its own."""
        return RuleStates(*(getattr(self, name).copy() for name in self.__slots__))


def evaluate(
    rule: Rule, sites: Sequence[str], site: Ids, measured_at: Times, value: Values, states: RuleStates
) -> tuple[list[Incident], RuleStates]:
    """Return what the readings make of incidents, and what must be remembered for the next ones.

    Readings that are missing, or not newer than the last one judged at their site, are not judged;
    the latter still count in a window, so those of the last `rule.window.span` belong to the columns.

    Parameters
    ----------
    rule : Rule
    sites : sequence of str
        Their keys.
    site : int64 (n,)
        Which of them a reading is from.
    measured_at : datetime64[ms] (n,)
        UTC, in any order.
    value : float64 (n,)
        [unit of the rule's quantity]; of several at one moment the worst counts.
    states : RuleStates (site,)
        What was remembered; left as it is.

    Returns
    -------
    incidents : list of Incident
        Those resolved by these readings, and those still open.
    states : RuleStates (site,)
    """
    states = states.copy()
    site, moment, value = _ordered(rule, site, measured_at, value)
    if rule.window is not None:
        value = _over_window(rule.window, site, moment, value)
    fresh = moment > states.last_at[site]
    site, moment, value = site[fresh], moment[fresh], value[fresh]

    first = np.searchsorted(site, np.arange(len(sites)))
    rank = np.arange(len(site)) - first[site]
    order = np.argsort(rank, kind="stable")
    resolved: list[Incident] = []
    for turn in np.split(order, np.cumsum(np.bincount(rank)[:-1])) if len(site) else ():
        ended = _step(rule, states, site[turn], moment[turn], value[turn])
        resolved += [_incident(rule, sites, states, place, IncidentState.RESOLVED) for place in ended.tolist()]
        _rest(states, ended)
    still_open = [
        _incident(rule, sites, states, place, IncidentState.FIRING if phase == _FIRING else IncidentState.PENDING)
        for place, phase in enumerate(states.phase.tolist())
        if phase != _AT_REST
    ]
    return resolved + still_open, states


def restart_at(rule: Rule, changed_from: datetime, incidents: Sequence[Incident]) -> datetime:
    """Return from when one site must be judged again, at rest, after its readings changed.

    Before an incident began the rule was at rest. Without one, whatever is pending when the change
    sets in began within the hold time and one gap: anything older would start anew anyway.

    Parameters
    ----------
    rule : Rule
    changed_from : datetime
        Aware UTC, the first moment that may have changed.
    incidents : sequence of Incident
        All the rule has at the site.
    """
    start = changed_from - rule.hold_for - rule.longest_gap
    running = [
        incident.began_at
        for incident in incidents
        if incident.began_at < start and (incident.resolved_at is None or incident.resolved_at >= start)
    ]
    return min(running, default=start)


def _milliseconds(span: timedelta) -> int:
    return span // timedelta(milliseconds=1)


def _ordered(rule: Rule, site: Ids, measured_at: Times, value: Values) -> tuple[Ids, _Moments, Values]:
    """Return the readings that are there by site and time, one a moment."""
    known = ~np.isnan(value)
    moment = measured_at[known].astype("datetime64[ms]").astype(np.int64)
    site, value = site[known], value[known]
    order = np.lexsort((-value if rule.above else value, moment, site))
    site, moment, value = site[order], moment[order], value[order]
    first = np.ones(len(site), np.bool_)
    first[1:] = (site[1:] != site[:-1]) | (moment[1:] != moment[:-1])
    return site[first], moment[first], value[first]


def _over_window(window: Window, site: Ids, moment: _Moments, value: Values) -> Values:
    """Return the window's statistic at each reading; sorted by site and time."""
    if not len(site):
        return value
    span = _milliseconds(window.span)
    # One axis for all sites, each further from the next than any window reaches.
    axis = site * (int(np.ptp(moment)) + span + 1) + (moment - moment.min())
    end = np.arange(1, len(site) + 1)
    start = np.searchsorted(axis, axis - span, side="right")
    bounds = np.stack([start, end], axis=1).ravel()
    folded: Values = _FOLD[window.statistic].reduceat(np.append(value, 0.0), bounds)[::2]
    return folded / (end - start) if window.statistic == "mean" else folded


def _step(rule: Rule, states: RuleStates, site: Ids, moment: _Moments, value: Values) -> Ids:
    """Judge one reading each of different sites; return the sites whose incident it resolves."""
    sign = 1 if rule.above else -1
    met = sign * value >= sign * rule.raise_at
    over = sign * value <= sign * rule.clear_at
    unseen = states.last_at[site] == _NEVER
    gap = ~unseen & (moment - np.where(unseen, moment, states.last_at[site]) > _milliseconds(rule.longest_gap))
    phase = states.phase[site]

    begins = met & ((phase == _AT_REST) | ((phase == _PENDING) & gap))
    phase = np.where(begins, _PENDING, np.where((phase == _PENDING) & ~met, _AT_REST, phase)).astype(np.int8)
    began_at = np.where(begins, moment, states.began_at[site])
    worse = np.fmax if rule.above else np.fmin
    peak = np.where(begins, value, worse(states.peak[site], value))

    held = (phase == _PENDING) & (
        moment - np.where(phase == _PENDING, began_at, moment) >= _milliseconds(rule.hold_for)
    )
    fired_at = np.where(held, moment, np.where(phase == _FIRING, states.fired_at[site], _NEVER))
    phase = np.where(held, _FIRING, phase).astype(np.int8)

    calming = (phase == _FIRING) & over
    since = states.calm_since[site]
    calm_since = np.where(calming, np.where((since == _NEVER) | gap, moment, since), _NEVER)
    done = calming & (moment - np.where(calming, calm_since, moment) >= _milliseconds(rule.clear_for))

    states.phase[site] = phase
    states.began_at[site] = began_at
    states.fired_at[site] = fired_at
    states.calm_since[site] = calm_since
    states.peak[site] = peak
    states.last_value[site] = value
    states.last_at[site] = moment
    _rest(states, site[phase == _AT_REST])
    ended: Ids = site[done]
    return ended


def _rest(states: RuleStates, site: Ids) -> None:
    """Forget what was under way at these sites."""
    states.phase[site] = _AT_REST
    states.peak[site] = np.nan
    for moments in (states.began_at, states.fired_at, states.calm_since):
        moments[site] = _NEVER


def _incident(rule: Rule, sites: Sequence[str], states: RuleStates, place: int, state: IncidentState) -> Incident:
    def at(column: _Moments) -> datetime:
        return from_stored(column[place].astype("datetime64[ms]"))

    return Incident(
        rule=rule.name,
        site=sites[place],
        state=state,
        severity=rule.severity,
        began_at=at(states.began_at),
        fired_at=None if state is IncidentState.PENDING else at(states.fired_at),
        resolved_at=at(states.last_at) if state is IncidentState.RESOLVED else None,
        peak=float(states.peak[place]),
        last_value=float(states.last_value[place]),
        last_at=at(states.last_at),
    )
