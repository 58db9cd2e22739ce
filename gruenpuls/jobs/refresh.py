"""Bring what is derived up to date: processors, then rules, over the sites whose past changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from gruenpuls.domain.clock import NO_REPLAY, Beside, Clock
from gruenpuls.domain.local_time import local_day
from gruenpuls.domain.ports import DirtySpan
from gruenpuls.domain.reading import from_stored
from gruenpuls.jobs.evaluate import Evaluation
from gruenpuls.jobs.quality import Judging
from gruenpuls.jobs.recompute import Recomputation, digest
from gruenpuls.jobs.weather import stations, touched
from gruenpuls.stores.registry import Registry

SITES_AT_ONCE: Final = 2500
"""So many dirty sites are worked off before the first of them are cleared; bounds memory whatever the city's size."""
_LAST_ZONE: Final = timezone(timedelta(hours=14))
"""Where a day begins first."""


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
    judging : Judging or None
        Judges readings before anything is computed from them; None for as they came.
    beside : Beside
        What time it is at sites whose record a replay has left behind.
    tidy : callable or None
        What is done after each part of a city, of which much is left that nobody needs any more.
    """

    registry: Registry
    recomputation: Recomputation
    evaluation: Evaluation
    clock: Clock
    judging: Judging | None = None
    beside: Beside = NO_REPLAY
    tidy: Callable[[], None] | None = None

    def mark_outdated(self) -> None:
        """Mark every site whose results an older processor or rule made, from its first day on.

        What rules that are off by now had found and left open is withdrawn.
        """
        self.evaluation.retire_others()
        now = self.clock()
        current = [f"processor {made.name} {made.version} {digest(made)}" for made in self.recomputation.processors]
        current += [f"rule {rule.name} {rule.digest}" for rule in self.evaluation.rules]
        current += [f"quality {self.judging.digest()}"] if self.judging else []
        new = [name for name in current if self.registry.watermarks.fleet(name) is None]
        if not new:
            return
        self.registry.dirty.mark(self._first_days())
        for name in new:
            self.registry.watermarks.keep_fleet(name, now)

    def work_off(self) -> int:
        """Compute and judge what is dirty now; return how many sites that were."""
        spans = self._stations_first(self.registry.dirty.take())
        later = {span.site: span for span in spans}
        for start in range(0, len(spans), SITES_AT_ONCE):
            some = spans[start : start + SITES_AT_ONCE]
            for span in some:
                del later[span.site]
            # A clock that is behind the readings must not keep them from being computed.
            newest = datetime.combine(max(span.from_day for span in some), time(), UTC)
            for now, those in self._by_present(some, max(self.clock(), newest)).items():
                if self.judging is not None:
                    self.judging.judge(those, now)
                concerned = self._with_dependents(those, now, later)
                self.recomputation.compute(concerned, now)
                self.evaluation.judge(concerned, now)
            self.registry.dirty.clear(some)
            if self.tidy is not None:
                self.tidy()
        return len(spans)

    def _stations_first(self, spans: Sequence[DirtySpan]) -> Sequence[DirtySpan]:
        """Return those whose weather others are given before these, so that a whole city is computed once."""
        if len(spans) <= SITES_AT_ONCE:
            return spans
        first = stations(self.registry, [span.site for span in spans], self.recomputation.processors)
        return sorted(spans, key=lambda span: span.site not in first)

    def _by_present(self, spans: Sequence[DirtySpan], now: datetime) -> dict[datetime, list[DirtySpan]]:
        found: dict[datetime, list[DirtySpan]] = {}
        for span in spans:
            found.setdefault(self._present(span, now), []).append(span)
        return found

    def _present(self, span: DirtySpan, now: datetime) -> datetime:
        return self.beside(now, datetime.combine(span.from_day, time(), UTC))

    def _with_dependents(
        self, spans: Sequence[DirtySpan], now: datetime, later: Mapping[str, DirtySpan]
    ) -> Sequence[DirtySpan]:
        """Return these sites, and those that were given their weather of days that are over.

        The day that is not over yet is taken into account once it is. Whose own turn comes `later` in the same
        pass, from no later a day on, is computed then.
        """
        past = [span for span in spans if span.from_day < local_day(now, _LAST_ZONE)]
        dependents = touched(self.registry, past, self.recomputation.processors)
        own = {span.site: span for span in spans}
        for site, day in dependents.items():
            turn = later.get(site)
            if turn is not None and turn.from_day <= day and self._present(turn, now) == now:
                continue
            span = own.get(site)
            if span is None or day < span.from_day:
                own[site] = DirtySpan(site, day, 0)
        return list(own.values())

    def _first_days(self) -> dict[str, date]:
        """Return the first day each site had a device, or the weather of a station."""
        quantities = {needed.quantity for made in self.recomputation.processors for needed in made.inputs}
        quantities |= {watched.quantity for rule in self.evaluation.rules for watched in rule.watch}
        rows = self.registry.resolution.fleet_series(quantities)
        measured = rows.origin == "measured"
        keys = sorted({rows.sites[place] for place in np.unique(rows.site[measured])})
        zones = {key: ZoneInfo(site.time_zone) for key, site in self.registry.places.by_keys(keys).items()}
        days = {key: first for key, (first, _) in self.registry.weather_use.bounds().items()}
        for place, from_at in zip(rows.site[measured].tolist(), rows.from_at[measured], strict=True):
            key = rows.sites[place]
            day = local_day(from_stored(from_at), zones[key])
            days[key] = min(day, days.get(key, day))
        return days
