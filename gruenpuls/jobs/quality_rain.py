"""Soil that became wetter without rain: probes beside the rain of their sites."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np

from gruenpuls.domain.ports import ObservationReader
from gruenpuls.domain.processor import Cadence, Input
from gruenpuls.domain.reading import from_stored, to_stored
from gruenpuls.jobs.steps import Steps, summed
from gruenpuls.jobs.turns import Turn
from gruenpuls.jobs.weather import GAUGE_WITHIN, RAIN, Surroundings
from gruenpuls.stores.registry import Registry
from gruenpuls.stores.registry.judgements import Subject
from processors.quality.rise_without_rain import DEEPEST, rise_without_rain

TEST: Final = "rise_without_rain"
_REASON: Final = "became wetter without rain"
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_DAYS_BEFORE: Final = timedelta(days=2)
_WATERED: Final = 7
_SITES_AT_ONCE: Final = 1000

Rises = dict[int, list[tuple[datetime, datetime, str, str]]]


def wetted_without_rain(
    registry: Registry,
    reader: ObservationReader,
    devices: Sequence[tuple[str, Sequence[Subject]]],
    since: datetime,
    until: datetime,
    turn: Turn,
) -> Rises:
    """Return by series when its soil became wetter without rain: from, to, test, reason.

    Parameters
    ----------
    registry : Registry
    reader : ObservationReader
    devices : sequence of (str, sequence of Subject)
        Each with the site it is at.
    since, until : datetime
        Whole hours.
    turn : callable
        Gives a context for some of them at a time.
    """
    shallow = [
        (site, subject)
        for site, subjects in devices
        for subject in subjects
        if subject.quantity == "soil_water_content" and subject.depth is not None and subject.depth <= DEEPEST
    ]
    rises: Rises = defaultdict(list)
    if not shallow or since >= until:
        return rises
    around = Surroundings(registry, reader)
    for start in range(0, len(shallow), _SITES_AT_ONCE):
        with turn():
            _add(registry, reader, around, shallow[start : start + _SITES_AT_ONCE], since, until, rises)
    return rises


def _add(
    registry: Registry,
    reader: ObservationReader,
    around: Surroundings,
    probes: Sequence[tuple[str, Subject]],
    since: datetime,
    until: datetime,
    rises: Rises,
) -> None:
    steps = Steps.of(Cadence.HOUR, (since - _DAYS_BEFORE).date(), until.date() + _DAY, UTC)
    keys = sorted({site for site, _ in probes})
    rows = registry.resolution.fleet_series([RAIN], keys)
    rows = rows.where((rows.statistic == "") & np.isnan(rows.depth))
    sites = registry.places.by_keys(keys)
    needed = Input(RAIN, "sum", weather=True)
    rain = around.weather(needed, steps, [sites[key] for key in rows.sites], rows, summed(reader, rows, *steps.span))
    # A shower wets one roof and not the next: rain from farther away says nothing of this soil.
    fell = np.where(rain.used.distance <= GAUGE_WITHIN, rain.values, np.nan)
    place_of = {key: place for place, key in enumerate(rows.sites)}
    at = np.array([place_of[site] for site, _ in probes])
    numbers = {subject.series: place for place, (_, subject) in enumerate(probes)}
    hourly = reader.aggregate(list(numbers), *steps.span, _HOUR)
    water = np.full((len(steps.hours), len(probes)), np.nan)
    columns = np.array([numbers[number] for number in hourly.series.tolist()], np.int64)
    water[np.searchsorted(steps.hours, hourly.step), columns] = hourly.mean
    rose = rise_without_rain(
        water, fell[:, at], _watered(registry, rows.sites, steps)[:, at],
        np.array([subject.depth for _, subject in probes], np.float64),
    )  # fmt: skip
    rose[(steps.hours < to_stored(since)) | (steps.hours >= to_stored(until))] = False
    for step, place in zip(*np.nonzero(rose), strict=True):
        from_at = from_stored(steps.hours[step])
        rises[probes[int(place)][1].series].append((from_at, from_at + _HOUR, TEST, _REASON))


def _watered(registry: Registry, sites: Sequence[str], steps: Steps) -> np.ndarray:
    """Return in which hours, and in the six after them, people gave water."""
    watered = np.zeros((len(steps.hours), len(sites)), np.bool_)
    place_of: Mapping[str, int] = {key: place for place, key in enumerate(sites)}
    for kept in registry.waterings.of_sites(sites, *steps.span):
        step = int(np.searchsorted(steps.hours, to_stored(kept.watering.at), "right")) - 1
        watered[step : step + _WATERED, place_of[kept.watering.site]] = True
    return watered
