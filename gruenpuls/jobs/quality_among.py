"""Probes of the same kind beside each other, day by day."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.ports import ObservationReader
from gruenpuls.domain.processor import Array
from gruenpuls.domain.quantity import QUANTITIES
from gruenpuls.domain.reading import Flag, FlagInterval, to_stored
from gruenpuls.jobs.turns import Turn
from gruenpuls.stores.registry import Registry
from gruenpuls.stores.registry.judgements import Judged, Subject
from processors.quality.criteria import Criteria
from processors.quality.examination import AMONG_NEIGHBOURS
from processors.quality.neighbours import FEWEST, apart, outlying, slope

LASTS: Final = 7
"""So many days in a row a probe must be far off [d]."""
DRIFTS: Final = 30
"""Over so many days a drift is looked for [d]."""
_KNOWN: Final = 20
_FASTER: Final = 4.0
"""So many robust deviations of its neighbours' own drifts it must drift, too [-]."""
_LAYER: Final = 10.0
_DEVICES_AT_ONCE: Final = 1000
"""Of a city's probes only numbers are kept."""
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Peers:
    """Series by site class: kind of site, quantity and depth to ten centimetres.

    Parameters
    ----------
    classes : sequence of (Criteria, str, sequence of int)
        Limits, quantity, and the series of each class of four or more.
    """

    classes: Sequence[tuple[Criteria, str, Sequence[int]]]

    @classmethod
    def of(cls, registry: Registry, limits_of: Callable[[Subject], Criteria | None]) -> Peers:
        """Return all classes there are."""
        kinds = registry.places.kinds()
        kind_of = {it.device: kinds[it.site] for it in registry.deployments.of_devices_at(None)}
        devices = sorted(kind_of)
        classes: dict[tuple[str, str, int], tuple[Criteria, list[int]]] = {}
        for start in range(0, len(devices), _DEVICES_AT_ONCE):
            for subject in registry.judgements.subjects(devices[start : start + _DEVICES_AT_ONCE]):
                limits = limits_of(subject)
                if limits is not None and (limits.neighbour or limits.drift):
                    layer = -1 if subject.depth is None else round(subject.depth / _LAYER)
                    key = kind_of[subject.device], subject.quantity, layer
                    classes.setdefault(key, (limits, []))[1].append(subject.series)
        return cls(
            [
                (limits, quantity, sorted(series))
                for (_, quantity, _), (limits, series) in classes.items()
                if len(series) > FEWEST
            ]
        )


def among_peers(
    reader: ObservationReader, peers: Peers, first: Mapping[int, datetime], until: datetime, turn: Turn
) -> Iterator[Judged]:
    """Yield what is said of each class one of whose series changed.

    Parameters
    ----------
    reader : ObservationReader
    peers : Peers
    first : mapping of int to datetime
        By series: from which UTC day on it changed.
    until : datetime
        Start of the first day that is not over.
    turn : callable
        Gives a context for each class.
    """
    for limits, quantity, series in peers.classes:
        changed = [first[number] for number in series if number in first]
        if changed and min(changed) < until:
            with turn():
                judged = _class(reader, limits, QUANTITIES[quantity].unit, series, min(changed), until)
            yield judged


def _class(
    reader: ObservationReader,
    limits: Criteria,
    unit: str,
    series: Sequence[int],
    since: datetime,
    until: datetime,
) -> Judged:
    from_at = since - (DRIFTS + 1) * _DAY
    days = (until - from_at) // _DAY
    sums = reader.aggregate(list(series), from_at, until, _DAY)
    values = np.full((days, len(series)), np.nan)
    step = ((sums.step - to_stored(from_at)) / np.timedelta64(1, "D")).astype(np.int64)
    values[step, np.searchsorted(np.array(series), sums.series)] = sums.mean
    verdicts: list[tuple[str, str, np.ndarray]] = []
    if limits.neighbour is not None:
        most, least_spread = limits.neighbour
        far = np.abs(outlying(values, least_spread)) > most
        lasting = np.zeros_like(far)
        lasting[LASTS - 1 :] = np.lib.stride_tricks.sliding_window_view(far, LASTS, axis=0).all(axis=-1)
        verdicts.append(("neighbours", f"off its neighbours for {LASTS} days", lasting))
    if limits.drift is not None:
        # Soils dry at different paces: what the others do among themselves is no drift.
        drifting = np.abs(outlying(_slopes(apart(values)), limits.drift / _FASTER)) > _FASTER
        reason = f"drifts by more than {limits.drift:g} {unit} a day against its neighbours"
        verdicts.append(("drift", reason, drifting))
    begin = (since - from_at) // _DAY
    hits = [
        (number, test, reason, hit[:, place]) for test, reason, hit in verdicts for place, number in enumerate(series)
    ]
    return by_day(AMONG_NEIGHBOURS, series, since, begin, hits)


def by_day(
    tests: Sequence[str],
    series: Sequence[int],
    since: datetime,
    begin: int,
    hits: Iterable[tuple[int, str, str, NDArray[np.bool_]]],
) -> Judged:
    """Return what is said of whole days.

    Parameters
    ----------
    tests : sequence of str
        All that were made.
    series : sequence of int
        All that were judged.
    since : datetime
        Start of the first day judged.
    begin : int
        Which of the days of a hit that is; at least 1.
    hits : iterable of (int, str, str, bool (day,))
        Series, test, reason, and on which days it holds.
    """
    found: list[FlagInterval] = []
    continuing: list[int] = []
    for number, test, reason, hit in hits:
        edges = np.flatnonzero(np.diff(np.r_[False, hit[begin:], False].astype(np.int8)))
        for low, high in edges.reshape(-1, 2).tolist():
            if low == 0 and hit[begin - 1]:
                continuing.append(len(found))
            found.append(
                FlagInterval(number, since + low * _DAY, since + high * _DAY, test, Flag.SUSPECT, "quality", reason)
            )
    before = dict.fromkeys(series, since - _DAY)
    return Judged(tests, dict.fromkeys(series, since), before, found, continuing, instant=_DAY)


def _slopes(off: Array) -> Array:
    """Return the drift over the days up to each one [unit of the quantity per d]."""
    found = np.full(off.shape, np.nan)
    for day in range(DRIFTS - 1, len(off)):
        found[day] = slope(off[day - DRIFTS + 1 : day + 1], _KNOWN)
    return found
