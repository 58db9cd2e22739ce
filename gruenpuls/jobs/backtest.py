"""What a rule would have done: judge stored readings as if they had just come, and keep nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import fmean
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from alerts.evaluate import evaluate
from alerts.rule import Rule
from alerts.signal import Seen
from alerts.state import RuleStates
from gruenpuls.domain.incident import Incident
from gruenpuls.domain.ports import ObservationReader
from gruenpuls.domain.site import Site
from gruenpuls.jobs.seen import seen_by, watched_series
from gruenpuls.stores.registry import Registry

_SITES_AT_ONCE: Final = 1000
"""Bounds the memory a season of hourly readings takes to some hundred megabytes."""

Watch = Callable[[int, int], None]
"""Told how many of how many sites were judged."""


@dataclass(frozen=True, slots=True)
class RuleTrial:
    """What a rule would have found.

    Parameters
    ----------
    rule : Rule
    judged : int
        Sites with readings the rule could judge.
    incidents : tuple of Incident
        Those that fired, by their beginning.
    """

    rule: Rule
    judged: int
    incidents: tuple[Incident, ...]

    @property
    def sites(self) -> int:
        """At how many sites it fired."""
        return len({incident.site for incident in self.incidents})

    @property
    def mean_duration(self) -> timedelta | None:
        """How long incidents lasted on average; one that is open until the last moment judged."""
        if not self.incidents:
            return None
        seconds = fmean(
            ((incident.resolved_at or incident.last_at) - incident.began_at).total_seconds()
            for incident in self.incidents
        )
        return timedelta(seconds=round(seconds))

    def digests(self, sites: Mapping[str, Site]) -> int:
        """Return how many messages their beginnings had been, one a day for each district."""
        return len(
            {
                (
                    incident.fired_at.astimezone(ZoneInfo(sites[incident.site].time_zone)).date(),
                    sites[incident.site].municipality,
                    sites[incident.site].district,
                )
                for incident in self.incidents
                if incident.fired_at is not None
            }
        )

    def firing_by_day(self, from_at: datetime, to_at: datetime) -> list[int]:
        """Return at how many sites it fired, for each day of a span counted from its start."""
        days = max(-((from_at - to_at) // timedelta(days=1)), 0)
        firing = [0] * days
        for incident in self.incidents:
            assert incident.fired_at is not None
            first = (incident.fired_at - from_at) // timedelta(days=1)
            last = ((incident.resolved_at or incident.last_at) - from_at) // timedelta(days=1)
            for day in range(max(first, 0), min(last + 1, days)):
                firing[day] += 1
        return firing


@dataclass(frozen=True, slots=True)
class Backtest:
    """Tries rules on what is stored.

    Parameters
    ----------
    registry : Registry
    reader : ObservationReader
    """

    registry: Registry
    reader: ObservationReader

    def trial(
        self,
        rule: Rule,
        sites: Sequence[Site],
        from_at: datetime,
        to_at: datetime,
        watch: Watch = lambda _done, _total: None,
    ) -> RuleTrial:
        """Return what a rule makes of a span, its end exclusive; before it the rule was at rest.

        Parameters
        ----------
        rule : Rule
        sites : sequence of Site
            Those it does not apply to are left out.
        from_at, to_at : datetime
            Aware UTC.
        watch : callable
        """
        concerned = [site for site in sites if rule.applies_to.includes(site, to_at.year)]
        judged, incidents = 0, list[Incident]()
        for start in range(0, len(concerned), _SITES_AT_ONCE):
            some = concerned[start : start + _SITES_AT_ONCE]
            rows = watched_series(self.registry, rule, [site.key for site in some])
            for zone in sorted({site.time_zone for site in some}):
                keys = [site.key for site in some if site.time_zone == zone]
                seen = seen_by(self.reader, rule, keys, rows, from_at - rule.context, to_at)
                judged += len(np.unique(seen.site[seen.watched == 0]))
                incidents += _fired(rule, keys, seen, from_at, ZoneInfo(zone))
            watch(min(start + _SITES_AT_ONCE, len(concerned)), len(concerned))
        return RuleTrial(rule, judged, tuple(sorted(incidents, key=lambda it: (it.began_at, it.site))))


def _fired(rule: Rule, sites: Sequence[str], seen: Seen, from_at: datetime, zone: ZoneInfo) -> list[Incident]:
    """Return the incidents that fired; sites no reading of which comes near a limit are not judged at all."""
    near = _near_a_limit(rule, seen, len(sites))
    chosen = np.flatnonzero(near)
    number = np.full(len(sites), -1)
    number[chosen] = np.arange(len(chosen))
    mine = near[seen.site]
    seen = Seen(seen.watched[mine], number[seen.site[mine]], seen.measured_at[mine], seen.value[mine])
    states = RuleStates.at_rest(rule, len(chosen))
    for place in range(len(chosen)):
        states.starting(place, from_at)
    found, _ = evaluate(rule, [sites[place] for place in chosen.tolist()], seen, states, zone)
    return [incident for incident in found if incident.fired_at is not None]


def _near_a_limit(rule: Rule, seen: Seen, sites: int) -> np.ndarray:
    """Return which sites may ever meet a condition: a sum over a window may, whatever its readings are."""
    near = np.zeros(sites, np.bool_)
    for level in rule.levels:
        for condition in level.conditions:
            place = rule.place(condition.of)
            window = rule.watch[place].window
            if window is not None and window.statistic == "sum":
                return np.ones(sites, np.bool_)
            values = seen.value[seen.watched == place]
            met = values >= condition.raise_at if condition.above else values <= condition.raise_at
            near[seen.site[seen.watched == place][met]] = True
    return near
