"""Follow what people switch while the service runs: what a rule had found ends with it, and a new one looks back."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from alerts.rule import Rule
from gruenpuls.domain.clock import Clock
from gruenpuls.domain.local_time import local_day
from gruenpuls.domain.quantity import QUANTITIES
from gruenpuls.jobs.device_signs import OF_DEVICES
from gruenpuls.jobs.evaluate import Evaluation

LOOKS_BACK: Final = timedelta(days=35)
"""A rule that was just switched on judges so much of the past; what lies further back, a back-test tells."""


@dataclass
class RuleSwitch:
    """Marks the sites of rules that were switched on, and withdraws what those switched off had left open.

    Parameters
    ----------
    evaluation : Evaluation
        Its rules are those that are on at the moment.
    clock : Clock
        What time it is at the sites; a replay's own while one runs.
    """

    evaluation: Evaluation
    clock: Clock
    _seen: frozenset[str] | None = field(default=None, init=False)

    def follow(self) -> int:
        """Follow what was switched since the last look; return how many sites are due.

        What was on when the service began is seen to by `gruenpuls.jobs.refresh.Refresh.mark_outdated`.
        """
        on = {rule.name: rule for rule in self.evaluation.rules}
        before, names = self._seen, frozenset(on)
        if before is None or names == before:
            self._seen = names
            return 0
        if before - names:
            self.evaluation.retire_others()
        marked = self._mark([on[name] for name in sorted(names - before)])
        self._seen = names
        return marked

    def _mark(self, rules: Collection[Rule]) -> int:
        registry, now = self.evaluation.registry, self.clock()
        sites = {site.key: site for site in registry.places.list()} if rules else {}
        due: set[str] = set()
        for rule in rules:
            watched = {it.quantity for it in rule.watch}
            rows = registry.resolution.fleet_series(sorted(QUANTITIES if watched & OF_DEVICES else watched))
            keys = {rows.sites[place] for place in np.unique(rows.site)}
            due |= {key for key in keys if rule.applies_to.includes(sites[key], now.year)}
            # As it is noted at the start: nothing of this is to be computed from the first day on.
            registry.watermarks.keep_fleet(f"rule {rule.name} {rule.digest}", now)
        registry.dirty.mark({key: local_day(now - LOOKS_BACK, ZoneInfo(sites[key].time_zone)) for key in sorted(due)})
        return len(due)
