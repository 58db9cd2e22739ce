"""What a rule would have done: judge stored readings as if they had just come, and keep nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from statistics import fmean
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from alerts.evaluate import evaluate
from alerts.policy import Policy
from alerts.rule import Rule
from alerts.signal import Seen
from alerts.state import RuleStates
from gruenpuls.domain.incident import Incident
from gruenpuls.domain.ports import ObservationReader
from gruenpuls.domain.site import Site
from gruenpuls.jobs.device_signs import OF_DEVICES
from gruenpuls.jobs.hearing import Hearing
from gruenpuls.jobs.seen import Sight
from gruenpuls.jobs.trial_messages import STANDARD, message_count
from gruenpuls.stores.registry import Registry

_SITES_AT_ONCE: Final = 250
"""Bounds the memory a season of hourly readings takes; more at once are hardly faster."""
_SITES_WITH_DEVICES_AT_ONCE: Final = 50
"""The same where everything is read that was ever heard of a device."""

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
    messages : int
        How many messages they had been, after grouping.
    """

    rule: Rule
    judged: int
    incidents: tuple[Incident, ...]
    messages: int

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
    intervals : dict of timedelta
        How often devices of a profile are expected to be heard, by the profile's name.
    policy : Policy or None
        Who would have been told; None for one receiver of everything.
    zone : tzinfo
        The city's.
    """

    registry: Registry
    reader: ObservationReader
    intervals: Mapping[str, timedelta] = field(default_factory=dict)
    policy: Policy | None = None
    zone: tzinfo = UTC

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
        of_devices = any(watched.quantity in OF_DEVICES for watched in rule.watch)
        at_once = _SITES_WITH_DEVICES_AT_ONCE if of_devices else _SITES_AT_ONCE
        sight = Sight(Hearing(self.registry, self.reader, self.intervals))
        judged, incidents = 0, list[Incident]()
        for start in range(0, len(concerned), at_once):
            some = concerned[start : start + at_once]
            rows = sight.series(rule, [site.key for site in some])
            for zone in sorted({site.time_zone for site in some}):
                there = [site for site in some if site.time_zone == zone]
                seen = sight.seen(rule, there, rows, from_at - rule.context, to_at, to_at)
                judged += len(np.unique(seen.site[seen.watched == 0]))
                incidents += _fired(rule, [site.key for site in there], seen, from_at, ZoneInfo(zone))
            watch(min(start + at_once, len(concerned)), len(concerned))
        incidents.sort(key=lambda it: (it.began_at, it.site))
        named = {site.key: site for site in concerned}
        messages = message_count(incidents, named, self.policy or STANDARD, self.zone)
        return RuleTrial(rule, judged, tuple(incidents), messages)


def _fired(rule: Rule, sites: Sequence[str], seen: Seen, from_at: datetime, zone: ZoneInfo) -> list[Incident]:
    """Return the incidents that fired."""
    states = RuleStates.at_rest(rule, len(sites))
    for place in range(len(sites)):
        states.starting(place, from_at)
    found, _ = evaluate(rule, sites, seen, states, zone)
    return [incident for incident in found if incident.fired_at is not None]
