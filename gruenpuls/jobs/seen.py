"""What a rule gets to see: the readings of everything it watches, by site."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from alerts.condition import Watched
from alerts.rule import Rule
from alerts.signal import Seen
from gruenpuls.domain.quantity import QUANTITIES
from gruenpuls.domain.reading import Flag, Ids, Times, Values, to_stored
from gruenpuls.domain.site import Site
from gruenpuls.jobs.device_signs import OF_DEVICES
from gruenpuls.jobs.fleet import stated
from gruenpuls.jobs.hearing import Hearing, measured
from gruenpuls.jobs.ownership import at_sites, owned
from gruenpuls.jobs.quality_settling import Settling
from gruenpuls.stores.registry.resolution import FleetSeries

_Mask = NDArray[np.bool_]

WATERING: Final = "irrigation"
"""What people gave is watched by this name though no series holds it."""
_INSTANT: Final = timedelta(milliseconds=1)
_MEASURED: Final = sorted(QUANTITIES)
_ORIGINS: Final = ("measured", "imported", "radolan")
"""Whose sums count where a site has several: its own gauge first. What a processor counted stands with the gauge."""


@dataclass(frozen=True, slots=True)
class Sight:
    """Reads what rules watch.

    Parameters
    ----------
    hearing : Hearing
        With the registry and the store.
    """

    hearing: Hearing

    def known(self, rules: Collection[Rule], sites: Collection[str]) -> FleetSeries:
        """Return the series of these sites that any of these rules may ask for, looked up once for all."""
        watched = {it.quantity for rule in rules for it in rule.watch}
        everything = bool(watched & OF_DEVICES) or any(it.placement for rule in rules for it in rule.watch)
        measured = _MEASURED if everything else ()
        return self.hearing.registry.resolution.fleet_series(watched, sites, measured=measured)

    def series(self, rule: Rule, sites: Collection[str], known: FleetSeries | None = None) -> FleetSeries:
        """Return the series of these sites that a rule watches, or that tell it where probes sit and who is heard.

        Parameters
        ----------
        rule : Rule
        sites : collection of str
        known : FleetSeries or None
            What `known` said of this rule and others, at these sites and maybe more; None looks it up.
        """
        known = self.known([rule], sites) if known is None else known
        asked = set(sites)
        places = [place for place, key in enumerate(known.sites) if key in asked]
        rows = at_sites(known, np.array(places, np.int64))
        mine = _any_watched(rule, rows)
        if any(it.quantity in OF_DEVICES for it in rule.watch):
            mine |= rows.origin == "measured"
        return rows.where(mine)

    def seen(
        self, rule: Rule, sites: Sequence[Site], rows: FleetSeries, from_at: datetime, to_at: datetime, now: datetime
    ) -> Seen:
        """Return what some of the sites of these series say in a span, its end exclusive; nothing failed or missing.

        Of a probe that settles nothing is said either, so that it raises no alert, and ends none.

        Parameters
        ----------
        rule : Rule
        sites : sequence of Site
            Their order is that of `Seen.site`.
        rows : FleetSeries
            As `series` gives them.
        from_at, to_at, now : datetime
            Aware UTC.
        """
        place_of = {site.key: place for place, site in enumerate(sites)}
        places = np.array([place_of.get(key, -1) for key in rows.sites], np.int64)
        rows = rows.where(places[rows.site] >= 0)
        plain = rows.where(_any_watched(rule, rows))
        batch = self.hearing.reader.read(np.unique(plain.series).tolist(), from_at, to_at)
        batch = batch.where((batch.flag != Flag.FAIL) & (batch.flag != Flag.MISSING))
        row, item = owned(plain, batch.series, batch.measured_at, batch.measured_at)
        settling = Settling.of(self.hearing.registry, plain, from_at, to_at)
        sound = ~settling.hides(plain, row, batch.measured_at[item])
        row, item = row[sound], item[sound]
        parts = []
        for place, watched in enumerate(rule.watch):
            mine = _of(watched, plain)[row]
            site = places[plain.site[row[mine]]]
            value = _related(watched, sites, site, batch.value[item[mine]])
            parts.append(Seen(np.full(len(site), place), site, batch.measured_at[item[mine]], value))
        if any(it.quantity in OF_DEVICES for it in rule.watch):
            told = self.hearing.told(measured(rows), from_at, to_at, now)
            for place, watched in enumerate(rule.watch):
                if watched.quantity in OF_DEVICES:
                    site, at, value = told[watched.quantity]
                    parts.append(Seen(np.full(len(site), place), places[site], at, value))
        if any(_is_watering(it) for it in rule.watch):
            site, at, litres = self._given(place_of, from_at, min(to_at, now + _INSTANT))
            parts += [
                Seen(np.full(len(site), place), site, at, litres)
                for place, watched in enumerate(rule.watch)
                if _is_watering(watched)
            ]
        return Seen(
            np.concatenate([part.watched for part in parts]),
            np.concatenate([part.site for part in parts]),
            np.concatenate([part.measured_at for part in parts]),
            np.concatenate([part.value for part in parts]),
        )

    def _given(self, place_of: Mapping[str, int], from_at: datetime, to_at: datetime) -> tuple[Ids, Times, Values]:
        """Return what people gave sites, beside what a meter may have counted: site, moment and litres."""
        kept = [it.watering for it in self.hearing.registry.waterings.of_sites(list(place_of), from_at, to_at)]
        return (
            np.array([place_of[it.site] for it in kept], np.int64),
            np.array([to_stored(it.at) for it in kept], "datetime64[ms]"),
            np.array([it.litres for it in kept], np.float64),
        )


def _is_watering(watched: Watched) -> bool:
    return watched.quantity == WATERING and not watched.statistic


def _any_watched(rule: Rule, rows: FleetSeries) -> _Mask:
    """Return which rows a rule watches."""
    return np.asarray(np.logical_or.reduce([_of(watched, rows) for watched in rule.watch]))


def _of(watched: Watched, rows: FleetSeries) -> _Mask:
    """Return which rows are of what a rule watches."""
    mine: _Mask = (rows.quantity == watched.quantity) & (rows.statistic == watched.statistic)
    if watched.placement is not None:
        mine &= _sits(rows, watched.placement)
    if watched.depths is not None:
        mine &= (rows.depth >= watched.depths.first) & (rows.depth <= watched.depths.last)
    if watched.window is not None and watched.window.statistic == "sum":
        mine &= _first_origin(rows, mine)
    return mine


def _sits(rows: FleetSeries, placement: str) -> _Mask:
    """Return which rows are of a probe that sits somewhere; a derived one sits where its depth was measured."""
    depth = np.where(np.isnan(rows.depth), -1.0, rows.depth)
    there = rows.placement == placement
    found = {*zip(rows.site[there].tolist(), depth[there].tolist(), strict=True)}
    derived = (rows.placement == "") & (rows.origin != "measured")
    same = [pair in found for pair in zip(rows.site.tolist(), depth.tolist(), strict=True)]
    return np.asarray(there | (derived & np.array(same, np.bool_)))


def _first_origin(rows: FleetSeries, mine: np.ndarray) -> _Mask:
    """Return which rows a sum is made of: each site's own gauge, else what was imported; never the same rain twice."""
    rank = np.full(len(rows), 0)
    for place, origin in enumerate(_ORIGINS):
        rank[rows.origin == origin] = place
    least = np.full(len(rows.sites), len(_ORIGINS))
    np.minimum.at(least, rows.site[mine], rank[mine])
    return np.asarray(rank == least[rows.site])


def _related(watched: Watched, sites: Sequence[Site], site: Ids, value: Values) -> Values:
    """Return values as a rule tells them: beside something known of the site; missing where that is not known."""
    attribute = watched.minus or watched.percent_of
    if not attribute:
        return value
    known = np.array([np.nan if (it := stated(one, attribute)) is None else it for one in sites], np.float64)[site]
    if watched.minus:
        return value - known
    return np.where(known > 0, 100.0 * value / np.where(known > 0, known, 1.0), np.nan)
