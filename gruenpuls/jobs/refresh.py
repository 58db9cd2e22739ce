"""Bring what is derived up to date: processors, then rules, over the sites whose past changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from gruenpuls.domain.clock import Clock
from gruenpuls.domain.reading import from_stored
from gruenpuls.jobs.days import local_day
from gruenpuls.jobs.evaluate import Evaluation
from gruenpuls.jobs.recompute import Recomputation, digest
from gruenpuls.stores.registry import Registry

SITES_AT_ONCE: Final = 2000
"""So many dirty sites are worked off before the first of them are cleared."""


@dataclass(frozen=True, slots=True)
class Refresh:
    """One pass over everything dirty; what it did not finish stays dirty.

    Parameters
    ----------
    registry : Registry
    recomputation : Recomputation
    evaluation : Evaluation
    clock : Clock
        What time it is at the sites; a replay's own while one runs.
    """

    registry: Registry
    recomputation: Recomputation
    evaluation: Evaluation
    clock: Clock

    def mark_outdated(self) -> None:
        """Mark every site whose results an older processor or rule made, from its first day on."""
        now = self.clock()
        current = [f"processor {made.name} {made.version} {digest(made)}" for made in self.recomputation.processors]
        current += [f"rule {rule.name} {rule.digest}" for rule in self.evaluation.rules]
        new = [name for name in current if self.registry.watermarks.fleet(name) is None]
        if not new:
            return
        self.registry.dirty.mark(self._first_days())
        for name in new:
            self.registry.watermarks.keep_fleet(name, now)

    def work_off(self) -> int:
        """Compute and judge what is dirty now; return how many sites that were."""
        spans = self.registry.dirty.take()
        for start in range(0, len(spans), SITES_AT_ONCE):
            some = spans[start : start + SITES_AT_ONCE]
            # A clock that is behind the readings must not keep them from being computed.
            newest = datetime.combine(max(span.from_day for span in some), time(), UTC)
            now = max(self.clock(), newest)
            self.recomputation.compute(some, now)
            self.evaluation.judge(some, now)
            self.registry.dirty.clear(some)
        return len(spans)

    def _first_days(self) -> dict[str, date]:
        """Return the day the first deployment began, of each site that has one."""
        quantities = {needed.quantity for made in self.recomputation.processors for needed in made.inputs}
        quantities |= {watched.quantity for rule in self.evaluation.rules for watched in rule.watch}
        rows = self.registry.resolution.fleet_series(quantities)
        measured = rows.origin == "measured"
        keys = sorted({rows.sites[place] for place in np.unique(rows.site[measured])})
        zones = {key: ZoneInfo(site.time_zone) for key, site in self.registry.places.by_keys(keys).items()}
        days: dict[str, date] = {}
        for place, from_at in zip(rows.site[measured].tolist(), rows.from_at[measured], strict=True):
            key = rows.sites[place]
            day = local_day(from_stored(from_at), zones[key])
            days[key] = min(day, days.get(key, day))
        return days
