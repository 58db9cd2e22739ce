"""What a rule remembers of sites, told as incidents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from math import isnan
from typing import Final

import numpy as np

from alerts.rule import Rule
from alerts.span import milliseconds
from alerts.state import AT_REST, NEVER, Moments, RuleStates, Steps
from gruenpuls.domain.incident import Incident, IncidentState, Severity
from gruenpuls.domain.reading import Ids, Values

_SEVERITY: Final = {int(severity): severity for severity in Severity}


def going_on(rule: Rule, sites: Sequence[str], states: RuleStates) -> list[Incident]:
    """Return what goes on at all sites, in their order."""
    place = np.flatnonzero(states.began_at != NEVER)
    fired_at = states.fired_at[place]
    pending = (fired_at == NEVER).tolist()
    severities = np.array([int(level.severity) for level in rule.levels])
    nearing = np.where(states.phase[place] != AT_REST, severities, 0).max(axis=1).tolist()
    moments = zip(_moments(states.began_at[place]), _moments(fired_at), _moments(states.last_at[place]), strict=True)
    told = zip(place.tolist(), pending, nearing, moments, _values(rule, states, place), strict=True)
    return [
        Incident(
            rule.name,
            sites[site],
            IncidentState.PENDING if waits else IncidentState.FIRING,
            _SEVERITY[near if waits else _reached(states.steps[site])[-1]],
            began_at,
            None if waits else fired,
            None,
            peak,
            last_value,
            last_at,
            _steps(states.steps[site]),
            saw,
        )
        for site, waits, near, (began_at, fired, last_at), (peak, last_value, saw) in told
    ]


def resolved(rule: Rule, sites: Sequence[str], states: RuleStates, place: Ids) -> list[Incident]:
    """Return what has just ended at some sites, in their order."""
    moments = zip(
        _moments(states.began_at[place]), _moments(states.fired_at[place]), _moments(states.last_at[place]), strict=True
    )
    return [
        Incident(
            rule.name,
            sites[site],
            IncidentState.RESOLVED,
            _SEVERITY[max(_reached(states.steps[site]))],
            began_at,
            fired_at,
            last_at,
            peak,
            last_value,
            last_at,
            _steps(states.steps[site]),
            saw,
        )
        for site, (began_at, fired_at, last_at), (peak, last_value, saw) in zip(
            place.tolist(), moments, _values(rule, states, place), strict=True
        )
    ]


def _values(
    rule: Rule, states: RuleStates, place: Ids
) -> Iterator[tuple[float | None, float | None, tuple[tuple[str, float], ...]]]:
    """Yield of each site the worst value, the last one, and what everything watched said last.

    What was said so long before it began that judging it anew would not look there is left out: it would be told or
    not by how often the site was judged.
    """
    names = [watched.called for watched in rule.watch]
    near = states.held_at[place] >= (states.began_at[place] - milliseconds(rule.context))[:, None]
    held_values = np.where(near, states.held[place], np.nan)
    last_values = np.where(near[:, 0], states.last_value[place], np.nan)
    for peak, last, held in zip(_told(states.peak[place]), _told(last_values), held_values.tolist(), strict=True):
        yield peak, last, tuple([pair for pair in zip(names, held, strict=True) if not isnan(pair[1])])


def _told(values: Values) -> list[float | None]:
    return [None if isnan(value) else value for value in values.tolist()]


def _reached(steps: Steps) -> list[int]:
    return [severity for _, severity in steps if severity]


def _steps(steps: Steps) -> tuple[tuple[datetime, Severity | None], ...]:
    if not steps:
        return ()
    moments = _moments(np.array([at for at, _ in steps], np.int64))
    return tuple([(at, _SEVERITY.get(severity)) for at, (_, severity) in zip(moments, steps, strict=True)])


def _moments(moments: Moments) -> list[datetime]:
    """Return UTC milliseconds as aware datetimes; what never was as the beginning of 1970."""
    known = np.where(moments == NEVER, 0, moments).astype("datetime64[ms]")
    return [moment.replace(tzinfo=UTC) for moment in known.tolist()]
