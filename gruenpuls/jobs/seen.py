"""What a rule gets to see: the readings of everything it watches, by site."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import numpy as np

from alerts.rule import Rule
from alerts.signal import Seen
from gruenpuls.domain.ports import ObservationReader
from gruenpuls.domain.reading import Flag, Ids
from gruenpuls.jobs.ownership import chosen, owned
from gruenpuls.stores.registry import Registry
from gruenpuls.stores.registry.resolution import FleetSeries


def watched_series(registry: Registry, rule: Rule, sites: Collection[str]) -> FleetSeries:
    """Return the series of these sites that a rule watches."""
    rows = registry.resolution.fleet_series(sorted({watched.quantity for watched in rule.watch}), sites)
    return chosen(rows, _watched(rule, rows) >= 0)


def seen_by(
    reader: ObservationReader,
    rule: Rule,
    sites: Sequence[str],
    rows: FleetSeries,
    from_at: datetime,
    to_at: datetime,
) -> Seen:
    """Return what some of the sites of these series say in a span, its end exclusive; nothing failed or missing.

    Parameters
    ----------
    reader : ObservationReader
    rule : Rule
    sites : sequence of str
        Their order is that of `Seen.site`.
    rows : FleetSeries
        As `watched_series` gives them.
    from_at, to_at : datetime
        Aware UTC.
    """
    place_of = {key: place for place, key in enumerate(sites)}
    places = np.array([place_of.get(key, -1) for key in rows.sites], np.int64)
    rows = chosen(rows, places[rows.site] >= 0)
    batch = reader.read(np.unique(rows.series).tolist(), from_at, to_at)
    batch = batch.where((batch.flag != Flag.FAIL) & (batch.flag != Flag.MISSING))
    row, item = owned(rows, batch.series, batch.measured_at, batch.measured_at)
    return Seen(_watched(rule, rows)[row], places[rows.site[row]], batch.measured_at[item], batch.value[item])


def _watched(rule: Rule, rows: FleetSeries) -> Ids:
    """Return which of the series a rule watches each row is, -1 where it is none of them."""
    found = np.full(len(rows), -1, np.int64)
    for place, watched in enumerate(rule.watch):
        found[(rows.quantity == watched.quantity) & (rows.statistic == watched.statistic)] = place
    return found
