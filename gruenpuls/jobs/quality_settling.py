"""Probes the soil has not closed around yet: what they say is kept and shown, but alarms nobody."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

import processors
from gruenpuls.domain.processor import Cadence
from gruenpuls.domain.reading import FlagInterval, Times, to_stored
from gruenpuls.jobs.ownership import Rows
from gruenpuls.stores.registry import Registry
from gruenpuls.stores.registry.resolution import FleetSeries
from processors.quality.examination import SETTLING

PROBES: Final = frozenset(
    {"soil_water_content", "soil_tension", "soil_temperature", "soil_electrical_conductivity", "soil_resistance",
     "soil_permittivity"}
)  # fmt: skip
"""Quantities that are wrong until the soil has closed around the probe."""
_STEPS: Final = {
    made.name: np.timedelta64(1, "D") if made.cadence is Cadence.DAY else np.timedelta64(1, "h")
    for made in processors.ALL
}
_LONGEST: Final = timedelta(days=1)
"""So long what follows from a reading may go on following from it."""
_HOUR: Final = np.timedelta64(1, "h")

_Span = tuple[np.datetime64, np.datetime64]


def _of_probes() -> frozenset[str]:
    """Return what probes measure, and what follows from it at once; a balance goes its own way in between."""
    found = set(PROBES)
    for made in processors.ALL:
        if not made.carries and found & {needed.quantity for needed in made.inputs}:
            found |= {output.quantity for output in made.outputs}
    return frozenset(found)


OF_PROBES: Final = _of_probes()
"""Quantities that follow from what probes say."""


@dataclass(frozen=True, slots=True)
class Settling:
    """When which probes settle, by series and by site.

    Parameters
    ----------
    by_series : mapping of int to sequence of (datetime64, datetime64)
        The end exclusive.
    by_site : mapping of str to sequence of (float, datetime64, datetime64)
        Depth [cm] and span of each.
    """

    by_series: Mapping[int, Sequence[_Span]]
    by_site: Mapping[str, Sequence[tuple[float, _Span]]]

    @classmethod
    def of(cls, registry: Registry, rows: FleetSeries, from_at: datetime, to_at: datetime) -> Settling:
        """Return what settles of the probes these rows are of, or follow from, in a span; a person's word lifts it."""
        if not rows.quantity.among(OF_PROBES).any():
            return cls({}, {})
        begin = from_at - _LONGEST
        settling = registry.judgements.series_told(SETTLING, begin, to_at)
        if not settling:
            return cls({}, {})
        probes = registry.resolution.fleet_series(PROBES, rows.sites)
        probes = probes.where(np.isin(probes.series, settling))
        told = _by_series(registry.judgements.flag_intervals(np.unique(probes.series).tolist(), begin, to_at))
        spans = {
            number: [span for it in some if it.test == SETTLING for span in _left(it, some)]
            for number, some in told.items()
        }
        by_site: defaultdict[str, list[tuple[float, _Span]]] = defaultdict(list)
        for place, number, depth, low, high in zip(
            probes.site.tolist(),
            probes.series.tolist(),
            probes.depth.tolist(),
            probes.from_at,
            probes.to_at,
            strict=True,
        ):
            by_site[probes.sites[place]] += [
                (depth, (max(low, span[0]), min(high, span[1])))
                for span in spans[number]
                if span[0] < high and span[1] > low
            ]
        return cls(spans, by_site)

    def hides(self, rows: FleetSeries, row: Rows, at: Times) -> NDArray[np.bool_]:
        """Return which readings are of probes that settle, or follow from one.

        Parameters
        ----------
        rows : FleetSeries
        row : int64 (n,)
            Which of them each reading belongs to; rising.
        at : datetime64[ms] (n,)
            Rising within a row.
        """
        hidden = np.zeros(len(row), np.bool_)
        if not self.by_series:
            return hidden
        first, end = (np.searchsorted(row, np.arange(len(rows)), side).tolist() for side in ("left", "right"))
        for place in range(len(rows)):
            moments = at[first[place] : end[place]]
            for begin, until in self._spans(rows, place):
                low, high = np.searchsorted(moments, [begin, until])
                hidden[first[place] + low : first[place] + high] = True
        return hidden

    def _spans(self, rows: FleetSeries, place: int) -> Iterator[_Span]:
        if rows.origin[place] == "measured":
            yield from self.by_series.get(int(rows.series[place]), ())
        elif rows.quantity[place] in OF_PROBES:
            depth, step = rows.depth[place], _STEPS.get(rows.origin[place], _HOUR)
            for other, (begin, until) in self.by_site.get(rows.sites[rows.site[place]], ()):
                if np.isnan(depth) or depth == other:
                    # It is stamped with the beginning of its step, and judged by the median of a day.
                    yield begin - step, until + np.timedelta64(_LONGEST)


def _by_series(intervals: Sequence[FlagInterval]) -> Mapping[int, Sequence[FlagInterval]]:
    found: defaultdict[int, list[FlagInterval]] = defaultdict(list)
    for interval in intervals:
        found[interval.series].append(interval)
    return found


def _left(interval: FlagInterval, words: Sequence[FlagInterval]) -> Iterator[_Span]:
    """Yield what people's words on the same series leave of a span."""
    begin, end = to_stored(interval.from_at), to_stored(interval.to_at)
    for word in sorted((it for it in words if it.by_person), key=lambda it: it.from_at):
        low, high = to_stored(word.from_at), to_stored(word.to_at)
        if begin < low:
            yield begin, min(low, end)
        begin = max(begin, high)
    if begin < end:
        yield begin, end
