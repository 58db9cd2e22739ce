"""Judge sites against alert rules again where their readings changed; incidents end as if all had come in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from alerts.dryness import is_about_dry_soil
from alerts.evaluate import evaluate, restart_at
from alerts.rule import Rule
from alerts.signal import Seen
from alerts.state import RuleStates
from gruenpuls.domain.incident import Incident, IncidentState
from gruenpuls.domain.local_time import day_start, local_day
from gruenpuls.domain.ports import DirtySpan, ObservationReader
from gruenpuls.domain.reading import from_stored, to_stored
from gruenpuls.domain.site import Site
from gruenpuls.jobs.hearing import Hearing
from gruenpuls.jobs.seen import Sight
from gruenpuls.jobs.turns import Turn
from gruenpuls.stores.registry import Registry
from gruenpuls.stores.registry.incident_settling import WateredBefore
from gruenpuls.stores.registry.incidents import IncidentFilter
from gruenpuls.stores.registry.resolution import FleetSeries

_ROWS_AT_ONCE: Final = 100_000
"""Sites whose readings are about so many are judged together: a rule of devices reads all that is measured there."""
_SITES_AT_LEAST: Final = 100
"""As well: a group costs some hundredths of a second, and over years what is told by the day is far fewer readings."""
_ROWS_A_DAY: Final = 24
"""Readings of a series, about."""
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Group:
    """Sites of one time zone that are judged from the same moment on.

    Parameters
    ----------
    sites : tuple of str
        Sorted.
    zone : ZoneInfo
    start : datetime
    states : RuleStates (site,)
        As they were then.
    """

    sites: tuple[str, ...]
    zone: ZoneInfo
    start: datetime
    states: RuleStates


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Keeps incidents as the readings have them.

    What a rule remembers of a site is kept as it was at the beginning of the last day with readings:
    from there a change on that day or later is judged again, and an earlier one from where the rule
    was last at rest before it.

    Parameters
    ----------
    registry : Registry
    reader : ObservationReader
    rules : sequence of Rule
    intervals : dict of timedelta
        How often devices of a profile are expected to be heard, by the profile's name.
    turn : callable
        Gives a context for each group of sites.
    """

    registry: Registry
    reader: ObservationReader
    rules: Sequence[Rule]
    intervals: Mapping[str, timedelta] = field(default_factory=dict)
    turn: Turn = nullcontext

    @property
    def _sight(self) -> Sight:
        return Sight(Hearing(self.registry, self.reader, self.intervals))

    def retire_others(self) -> None:
        """Withdraw what goes on of rules that are off."""
        on = {rule.name for rule in self.rules}
        for name in sorted({kept.incident.rule for kept in self.registry.incidents.open()} - on):
            self.registry.incidents.retire(name)

    def judge(self, spans: Sequence[DirtySpan], now: datetime) -> None:
        """Judge these sites by every rule, each from its day on.

        Raises
        ------
        StorageError
            If the registry cannot be written.
        """
        sites = self.registry.places.by_keys([span.site for span in spans])
        known = [span for span in spans if span.site in sites]
        series = self._sight.known(self.rules, list(sites))
        for rule in self.rules:
            kept = self.registry.rule_states.load(rule.name, sites)
            within = {key for key, site in sites.items() if rule.applies_to.includes(site, now.year)}
            self._withdraw(rule, [key for key in sites if kept.get(key) and key not in within])
            concerned = [span for span in known if span.site in within]
            if not concerned:
                continue
            rows = self._sight.series(rule, [span.site for span in concerned], series)
            watched = {rows.sites[place] for place in np.unique(rows.site)} | kept.keys()
            due = [span for span in concerned if span.site in watched]
            for group in self._groups(rule, due, sites, kept, rows, now):
                with self.turn():
                    self._judge_group(rule, group, [sites[key] for key in group.sites], rows, now)

    def _withdraw(self, rule: Rule, sites: Sequence[str]) -> None:
        """Take back what goes on where a rule does not apply any more; what was over there stays."""
        if sites:
            self.registry.incidents.retire(rule.name, sites)
            self.registry.rule_states.save(rule.name, {key: {} for key in sites})

    def _groups(
        self,
        rule: Rule,
        spans: Sequence[DirtySpan],
        sites: Mapping[str, Site],
        kept: Mapping[str, Any],
        series: FleetSeries,
        now: datetime,
    ) -> Iterator[_Group]:
        """Yield sites that are judged together by what these series of theirs hold."""
        together: dict[tuple[str, datetime], dict[str, dict[str, Any] | None]] = {}
        earlier: dict[str, list[Incident]] | None = None
        digest = rule.digest
        a_day = _ROWS_A_DAY * len(series) / max(1, len(np.unique(series.site)))
        for span in spans:
            zone = sites[span.site].time_zone
            changed = day_start(span.from_day, ZoneInfo(zone))
            state = kept.get(span.site) or {}
            start = datetime.fromisoformat(state["at"]) if state.get("digest") == digest else None
            if start is None or changed < start:
                if earlier is None:
                    earlier = self._incidents(rule)
                together.setdefault((zone, restart_at(rule, changed, earlier.get(span.site, []))), {})[span.site] = None
            else:
                together.setdefault((zone, start), {})[span.site] = state["state"]
        for (zone, start), rows in together.items():
            every = sorted(rows)
            days = max(1.0, (now - start + rule.context) / _DAY)
            size = max(_SITES_AT_LEAST, int(_ROWS_AT_ONCE / max(a_day * days, 1.0)))
            for first in range(0, len(every), size):
                keys = tuple(every[first : first + size])
                states = RuleStates.from_rows(rule, [rows[key] for key in keys])
                for place, key in enumerate(keys):
                    if rows[key] is None:
                        states.starting(place, start)
                yield _Group(keys, ZoneInfo(zone), start, states)

    def _incidents(self, rule: Rule) -> dict[str, list[Incident]]:
        by_site: dict[str, list[Incident]] = {}
        there = set(IncidentState) - {IncidentState.WITHDRAWN}
        for found in self.registry.incidents.list(IncidentFilter(states=there, rule=rule.name)):
            by_site.setdefault(found.incident.site, []).append(found.incident)
        return by_site

    def _judge_group(self, rule: Rule, group: _Group, sites: Sequence[Site], rows: FleetSeries, now: datetime) -> None:
        end = day_start(local_day(now, group.zone) + timedelta(days=2), group.zone)
        seen = self._sight.seen(rule, sites, rows, group.start - rule.context, end, now)
        checkpoint = group.start
        if len(seen.value):
            last = from_stored(seen.measured_at.max())
            checkpoint = max(checkpoint, day_start(local_day(last, group.zone), group.zone))
        border = to_stored(checkpoint)

        before = _part(seen, seen.measured_at < border)
        settled, states = evaluate(rule, group.sites, before, group.states, group.zone)
        since = _part(seen, seen.measured_at >= border - np.timedelta64(rule.context))
        found, _ = evaluate(rule, group.sites, since, states, group.zone)
        resolved = [incident for incident in settled if incident.resolved_at is not None]
        self.registry.incidents.settle(
            rule.name, group.sites, group.start, resolved + found, watered=_watered_before(rule)
        )
        digest = rule.digest
        self.registry.rule_states.save(
            rule.name,
            {
                key: {"digest": digest, "at": checkpoint.isoformat(), "state": row}
                for key, row in zip(group.sites, states.to_rows(), strict=True)
            },
        )


def _watered_before(rule: Rule) -> WateredBefore | None:
    if not is_about_dry_soil(rule):
        return None
    return WateredBefore(max(level.clear_for for level in rule.levels), rule.longest_gap)


def _part(seen: Seen, mask: NDArray[np.bool_]) -> Seen:
    return Seen(seen.watched[mask], seen.site[mask], seen.measured_at[mask], seen.value[mask])
