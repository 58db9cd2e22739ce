"""Compute again what depends on readings that changed: processors over whole fleets, exactly the touched days."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from gruenpuls.domain.ports import DirtySpan, ObservationStore, Run
from gruenpuls.domain.processor import Output, Processor
from gruenpuls.domain.reading import Flag, ReadingBatch, to_stored
from gruenpuls.domain.series import Owner, SeriesKey
from gruenpuls.domain.site import Site
from gruenpuls.jobs.days import day_start, local_day, years
from gruenpuls.jobs.fleet import Plots, fleet, wanted_rows
from gruenpuls.jobs.ownership import chosen
from gruenpuls.stores.registry import Registry

SITE_DAYS_AT_ONCE: Final = 8000
"""Sites times days of one batch; bounds the memory a processor takes to some hundred megabytes."""


@dataclass(frozen=True, slots=True)
class _Batch:
    """Sites of one time zone whose past changed from the same day on."""

    sites: Mapping[str, Site]
    zone: ZoneInfo
    first: date
    end: date


def digest(processor: Processor) -> str:
    """Return the SHA-256 of everything a processor declares besides its name and version."""
    declared = (processor.inputs, processor.outputs, processor.cadence, processor.memory, processor.source)
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
    """

    registry: Registry
    store: ObservationStore
    processors: Sequence[Processor]

    def compute(self, spans: Sequence[DirtySpan], now: datetime) -> None:
        """Compute all that processors say of these sites, each from its day to the end of tomorrow.

        Tomorrow, since a device's clock may be a little ahead.

        Raises
        ------
        StorageError
            If a result could not be written.
        """
        for batch in self._batches(spans, now):
            for processor in self.processors:
                self._fill(processor, batch)

    def _batches(self, spans: Sequence[DirtySpan], now: datetime) -> Iterator[_Batch]:
        sites = self.registry.places.by_keys([span.site for span in spans])
        together: dict[tuple[str, date], list[str]] = {}
        for span in spans:
            if span.site in sites:  # a site may have been removed meanwhile
                together.setdefault((sites[span.site].time_zone, span.from_day), []).append(span.site)
        for (name, first), keys in together.items():
            zone = ZoneInfo(name)
            end = local_day(now, zone) + timedelta(days=2)
            longest = max(((last - begin).days for begin, last in years(first, end)), default=0)
            memory = max((processor.memory for processor in self.processors), default=0)
            size = max(1, SITE_DAYS_AT_ONCE // (longest + memory + 1))
            for start in range(0, len(keys) if longest else 0, size):
                yield _Batch({key: sites[key] for key in keys[start : start + size]}, zone, first, end)

    def _fill(self, processor: Processor, batch: _Batch) -> None:
        """Replace one processor's results for a batch of sites, in one transaction."""
        named = {needed.quantity for needed in processor.inputs} | {output.quantity for output in processor.outputs}
        rows = self.registry.resolution.fleet_series(named, list(batch.sites))
        inputs = wanted_rows(rows, processor)
        before = chosen(rows, rows.origin == processor.name).series.tolist()
        if not len(inputs) and not before:
            return
        fresh = self._computed(processor, batch, Plots.of(batch.sites, batch.zone, processor, inputs))
        series = sorted({*before, *fresh.series.tolist()})
        if not series:
            return
        end = day_start(batch.end, batch.zone)
        self.store.replace(series, day_start(batch.first, batch.zone), end, fresh)
        silent = set(series) - set(fresh.series.tolist())
        last = self.store.latest(silent, end) if silent else ReadingBatch.empty()
        self.registry.latest.replace(series, ReadingBatch.joined([fresh, last]))

    def _computed(self, processor: Processor, batch: _Batch, plots: Plots) -> ReadingBatch:
        found: dict[SeriesKey, list[tuple[np.ndarray, np.ndarray]]] = {}
        for first, end in years(batch.first, batch.end):
            given = fleet(self.store, plots, processor, first, end)
            if given is None:
                continue
            inputs, starts = given
            mine = starts >= to_stored(day_start(first, plots.zone))
            results = processor.compute(inputs)
            for output in processor.outputs:
                values = results[output.quantity, output.statistic][mine]
                for key, column in _columns(processor, output, plots, values):
                    known = ~np.isnan(column)
                    if known.any():
                        found.setdefault(key, []).append((starts[mine][known], column[known]))
        run = self.registry.arrivals.run_id(Run("processor", processor.name, processor.version, digest(processor)))
        ids = self.registry.arrivals.series_ids(list(found))
        return ReadingBatch.joined(
            [
                ReadingBatch(
                    np.full(len(at), series, np.int64),
                    at,
                    value,
                    np.full(len(at), Flag.GOOD, np.uint8),
                    np.full(len(at), run, np.int64),
                )
                for series, parts in zip(ids, found.values(), strict=True)
                for at, value in parts
            ]
        )


def _columns(
    processor: Processor, output: Output, plots: Plots, values: np.ndarray
) -> Iterator[tuple[SeriesKey, np.ndarray]]:
    """Yield each series of an output with its values by time."""
    for place, site in enumerate(plots.sites):
        depths = plots.depths[place].tolist() if output.by_depth else [None]
        for layer, depth in enumerate(depths):
            if depth is not None and np.isnan(depth):
                continue
            key = SeriesKey(Owner.SITE, site.key, output.quantity, depth, output.statistic, processor.name)
            yield key, values[:, place, layer] if output.by_depth else values[:, place]
