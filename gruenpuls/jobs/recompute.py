"""Compute again what depends on readings that changed: processors over whole fleets, exactly the touched days."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from gruenpuls.domain.local_time import day_start, local_day
from gruenpuls.domain.ports import DirtySpan, ObservationStore, Run
from gruenpuls.domain.processor import Array, Cadence, Fleet, Processor
from gruenpuls.domain.reading import ReadingBatch, Times, to_stored
from gruenpuls.domain.site import Site, SiteKind
from gruenpuls.jobs.days import years
from gruenpuls.jobs.fleet import Described, Given, Plots, given, judged_places, wanted_rows
from gruenpuls.jobs.known_series import KnownSeries
from gruenpuls.jobs.ownership import at_sites
from gruenpuls.jobs.results import Results
from gruenpuls.jobs.turns import Turn
from gruenpuls.jobs.weather import Surroundings, weather_spans
from gruenpuls.stores.registry import Registry
from gruenpuls.stores.registry.resolution import FleetSeries

SITE_DAYS_AT_ONCE: Final = 1800
"""Sites times days of hours of one batch; bounds the memory a processor takes to some twenty megabytes."""
READINGS_AT_ONCE: Final = 50_000
"""So many results are written in one transaction, which costs the same for few."""
_RECENT: Final = 10
"""Up to so many days are read hour by hour whatever is made of them; of decades most places know a few months [d]."""
_DAYS_FOR_ONE_OF_HOURS: Final = 200
"""Days by the day that take no more than one of hours at several depths."""
_DAY: Final = timedelta(days=1)

GROWING: Final = frozenset(
    {
        SiteKind.STREET_TREE,
        SiteKind.TREE_GROUP,
        SiteKind.GREEN_ROOF,
        SiteKind.GREEN_FACADE,
        SiteKind.BED,
        SiteKind.PARK,
    }
)
"""What a processor of every site judges: what needs water."""

Carried = dict[tuple[str, str], Array]


@dataclass(frozen=True, slots=True)
class Batch:
    """Sites of one time zone whose past changed from the same day on.

    Parameters
    ----------
    sites : dict of Site
        By key.
    zone : ZoneInfo
    first : date
    today : date
        There; the first day that is not over.
    known : KnownSeries
        Theirs.
    described : Described
        What is known of them.
    """

    sites: Mapping[str, Site]
    zone: ZoneInfo
    first: date
    today: date
    known: KnownSeries
    described: Described

    def end(self, processor: Processor) -> date:
        """Return the day after the last one to compute.

        That is tomorrow, since a device's clock may be a little ahead; where a day continues from the one
        before, only days that are over count.
        """
        return self.today if processor.carries else self.today + 2 * _DAY


def digest(processor: Processor) -> str:
    """Return the SHA-256 of everything a processor declares besides its name and version."""
    declared = (
        processor.inputs,
        processor.outputs,
        processor.cadence,
        processor.memory,
        processor.source,
        processor.carries,
        processor.spin_up,
        processor.watered,
        processor.every_site,
        processor.attribute,
        processor.rare_rain,
    )
    return hashlib.sha256(repr(declared).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Recomputation:
    """Fills derived series; crashed, it leaves each processor's batch as it was or as it will be.

    Parameters
    ----------
    registry : Registry
    store : ObservationStore
        Open for writing.
    processors : sequence of Processor
        One that needs another's output after it.
    turn : callable
        Gives a context for what takes much memory: a year of some sites, and a transaction of results.
    """

    registry: Registry
    store: ObservationStore
    processors: Sequence[Processor]
    turn: Turn = nullcontext

    def compute(self, spans: Sequence[DirtySpan], now: datetime) -> None:
        """Compute all that processors say of these sites, each from its day on.

        Raises
        ------
        StorageError
            If a result could not be written.
        """
        batches = list(self._batches(spans, now))
        around = Surroundings(self.registry, self.store)
        for processor in self.processors:
            # One processor for all sites before the next: a station's result is others' weather.
            for batch in batches:
                if batch.first < batch.end(processor):
                    self._fill(processor, batch, around)
            around.forget({output.quantity for output in processor.outputs})

    def _batches(self, spans: Sequence[DirtySpan], now: datetime) -> Iterator[Batch]:
        sites = self.registry.places.by_keys([span.site for span in spans])
        together: dict[tuple[str, date], dict[str, Site]] = {}
        for span in spans:
            if span.site in sites:  # a site may have been removed meanwhile
                site = sites[span.site]
                together.setdefault((site.time_zone, span.from_day), {})[site.key] = site
        for (name, first), some in together.items():
            zone = ZoneInfo(name)
            known = KnownSeries(self.registry, list(some))
            # One look-up of everything costs little more than that of one processor.
            known.look_up(_quantities(self.processors))
            yield Batch(some, zone, first, local_day(now, zone), known, Described(some))

    def _fill(self, processor: Processor, batch: Batch, around: Surroundings) -> None:
        """Replace one processor's results for a batch of sites, some sites at a time."""
        rows = batch.known.of(_quantities([processor]))
        able = judged_places(rows, processor, batch.sites)
        if processor.every_site:
            able = np.array([place for place, key in enumerate(rows.sites) if batch.sites[key].kind in GROWING])
        active = np.union1d(able, rows.site[rows.origin == processor.name]).astype(np.int64)
        longest = max((end - begin).days for begin, end in years(batch.first, batch.end(processor)))
        days = longest + processor.memory + processor.spin_up + 1
        weight = min(days, _RECENT) + days // _DAYS_FOR_ONE_OF_HOURS if processor.cadence is Cadence.DAY else days
        size = max(1, SITE_DAYS_AT_ONCE // weight)
        first, results = 0, Results(processor)
        for start in range(0, len(active), size):
            end = min(start + size, len(active))
            self._judge(processor, batch, at_sites(rows, active[start:end]), around, results)
            if results.count >= READINGS_AT_ONCE or end == len(active):
                with self.turn():
                    self._replace(processor, batch, at_sites(rows, active[first:end]), results)
                first, results = end, Results(processor)

    def _judge(
        self, processor: Processor, batch: Batch, rows: FleetSeries, around: Surroundings, results: Results
    ) -> None:
        """Add what a processor says of some sites to the results."""
        if processor.carries:
            before = rows.where(rows.origin == processor.name)
            carried = self._carried(processor, before, batch)
            known = np.all([~np.isnan(column) for column in carried.values()], axis=0)
            for places, spun_up in ((np.flatnonzero(known), False), (np.flatnonzero(~known), True)):
                if len(places):
                    state = {key: column[places] for key, column in carried.items()}
                    self._compute(processor, batch, at_sites(rows, places), around, results, state, spun_up=spun_up)
        else:
            self._compute(processor, batch, rows, around, results, {}, spun_up=False)

    def _replace(self, processor: Processor, batch: Batch, rows: FleetSeries, results: Results) -> None:
        """Put one processor's results of some sites in the place of those before, in one transaction."""
        before = rows.where(rows.origin == processor.name)
        fresh = self._readings(processor, results)
        if results.new:
            batch.known.forget({output.quantity for output in processor.outputs})
        made = np.unique(fresh.series)
        series = np.union1d(before.series, made).tolist()
        weather = [needed.key for needed in processor.inputs if needed.weather]
        if weather:
            # Before the values: what depends on a station must be known by the time it was used.
            self.registry.weather_use.replace(rows.sites, batch.first, results.spans, weather)
        if not series:
            return
        begin, end = (day_start(day, batch.zone) for day in (batch.first, batch.today + 2 * _DAY))
        self.store.replace(series, begin, end, fresh)
        # What fell silent before keeps the latest value it has.
        kept = self.registry.arrivals.latest_moments(np.setdiff1d(before.series, made).tolist())
        silent = {number for number, at in kept.items() if at >= begin}
        last = self.store.latest(silent, end) if silent else ReadingBatch.empty()
        self.registry.latest.replace([*made.tolist(), *silent], ReadingBatch.joined([fresh, last]))

    def _compute(
        self,
        processor: Processor,
        batch: Batch,
        rows: FleetSeries,
        around: Surroundings,
        results: Results,
        carried: Carried,
        *,
        spun_up: bool,
    ) -> None:
        """Let a processor judge some sites, year by year, and add what it says to the results."""
        plots = Plots.of(batch.described, batch.zone, processor, wanted_rows(rows, processor))
        begin = batch.first - processor.spin_up * _DAY if spun_up else batch.first
        for span in years(begin, batch.end(processor)):
            # In a function of its own, so that nothing of a year is left while others have their turn.
            with self.turn():
                carried = self._compute_year(processor, batch, rows, plots, around, results, carried, span)

    def _compute_year(
        self,
        processor: Processor,
        batch: Batch,
        rows: FleetSeries,
        plots: Plots,
        around: Surroundings,
        results: Results,
        carried: Carried,
        span: tuple[date, date],
    ) -> Carried:
        """Let a processor judge some sites for a year at most; return what the year after it goes on from."""
        first, end = span
        kept_from = to_stored(day_start(batch.first, batch.zone))
        found = given(self.store, plots, processor, first - processor.memory * _DAY, end, around)
        results.spans += weather_spans(rows.sites, found.steps, found.used, max(first, batch.first))
        started = np.all([~np.isnan(column) for column in carried.values()], axis=0)
        judged = found.known | (started if processor.carries else False)
        if not judged.any():
            return carried
        fleet = replace(found.fleet, carried=carried)
        if processor.watered:
            fleet = replace(fleet, watered=self._watered(rows.sites, found))
        starts = found.steps.starts
        if processor.carries and not started.any():
            fleet, starts = _since_weather(fleet, starts, kept_from)
        said = processor.compute(fleet)
        if processor.carries:
            # Where nothing was ever known there is nothing to say, whatever the processor assumes.
            said = {key: np.where(judged, column, np.nan) for key, column in said.items()}
        mine = starts >= max(to_stored(day_start(first, batch.zone)), kept_from)
        for output in processor.outputs:
            values = said[output.quantity, output.statistic][mine]
            results.add(output, rows, plots.depths, starts[mine], values)
        return {(it.quantity, it.statistic): said[it.quantity, it.statistic][-1].copy() for it in processor.carries}

    def _carried(self, processor: Processor, before: FleetSeries, batch: Batch) -> Carried:
        """Return what a processor said of the day before the first, by quantity and statistic."""
        yesterday = day_start(batch.first - _DAY, batch.zone)
        wanted = [(it.quantity, it.statistic) for it in processor.carries]
        carried = {key: np.full(len(before.sites), np.nan) for key in wanted}
        mine = np.zeros(len(before), np.bool_)
        for quantity, statistic in wanted:
            mine |= (before.quantity == quantity) & (before.statistic == statistic)
        rows = before.where(mine)
        said = self.store.read(rows.series.tolist(), yesterday, day_start(batch.first, batch.zone))
        value_of = dict(zip(said.series.tolist(), said.value.tolist(), strict=True))
        for place, series, quantity, statistic in zip(
            rows.site.tolist(), rows.series.tolist(), rows.quantity.tolist(), rows.statistic.tolist(), strict=True
        ):
            carried[quantity, statistic][place] = value_of.get(series, np.nan)
        return carried

    def _watered(self, sites: Sequence[str], found: Given) -> Array:
        """Return what people gave each site on each day [L]."""
        litres = np.zeros((len(found.steps.starts), len(sites)))
        place_of = {key: place for place, key in enumerate(sites)}
        from_at, to_at = found.steps.span
        for kept in self.registry.waterings.of_sites(sites, from_at, to_at):
            step = np.searchsorted(found.steps.starts, to_stored(kept.watering.at), "right") - 1
            litres[step, place_of[kept.watering.site]] += kept.watering.litres
        return litres

    def _readings(self, processor: Processor, results: Results) -> ReadingBatch:
        """Return all results as readings of their series."""
        if not results.count:
            return ReadingBatch.empty()
        arrivals = self.registry.arrivals
        run = arrivals.run_id(Run("processor", processor.name, processor.version, digest(processor)))
        return results.readings(arrivals.series_ids, run)


def _quantities(processors: Sequence[Processor]) -> set[str]:
    """Return what processors read and say."""
    read = {needed.quantity for made in processors for needed in made.inputs}
    return read | {output.quantity for made in processors for output in made.outputs}


def _since_weather(fleet: Fleet, starts: Times, latest: np.datetime64) -> tuple[Fleet, Times]:
    """Return the steps from the first one on whose weather is known, at the latest from a moment on."""
    known = starts >= latest
    for key in fleet.distances:
        known |= np.isfinite(fleet.inputs[key]).any(axis=1)
    since = slice(int(known.argmax()) if known.any() else len(starts) - 1, None)
    shortened = replace(
        fleet,
        steps=fleet.steps[since],
        inputs={key: values[since] for key, values in fleet.inputs.items()},
        distances={key: values[since] for key, values in fleet.distances.items()},
        watered=fleet.watered[since],
    )
    return shortened, starts[since]
