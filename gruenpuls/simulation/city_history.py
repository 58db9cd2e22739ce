"""The city's past straight into registry and store, as if every uplink had been received and decoded."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np

from device_profiles.profile import Profile
from gruenpuls import __version__
from gruenpuls.domain.ports import Commit, ObservationStore, Run
from gruenpuls.domain.quantity import QUANTITIES
from gruenpuls.domain.reading import Flag, ReadingBatch
from gruenpuls.domain.series import Owner, SeriesKey
from gruenpuls.simulation.chance import Floats, Integers
from gruenpuls.simulation.city import City
from gruenpuls.simulation.city_ground import Ground
from gruenpuls.simulation.city_observed import Observation, Sent
from gruenpuls.simulation.city_register import PORTION, device_key, register, site_key
from gruenpuls.stores.registry import Registry

MONTH: Final = 744
_READINGS_AT_ONCE: Final = 1_500_000
_READINGS_A_SITE: Final = 6
"""In an hour, about."""

OnProgress = Callable[[int], None]
"""Told how many more sites, or site-hours, are done."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How much a history is."""

    sites: int
    devices: int
    uplinks: int


def extent(observation: Observation) -> Extent:
    """Return how many sites and devices there are, and how many uplinks they would send if none fell silent."""
    city = observation.city
    devices = sum(len(group.places) for group in observation.groups(city.ground))
    times = -(-city.span.end // observation.every) - -(-city.span.first // observation.every)
    return Extent(city.sites, devices, devices * times)


def register_all(
    observation: Observation, profiles: Mapping[str, Profile], registry: Registry, actor: str, done: OnProgress
) -> int:
    """Register the whole city, in portions; return how many sites were new.

    Raises
    ------
    InputError
        If a site or device is registered otherwise already.
    """
    city, new = observation.city, 0
    for first in range(0, city.sites, PORTION):
        ground = city.ground_of(first, first + PORTION)
        new += register(observation, ground, profiles, registry, actor)
        done(len(ground.numbers))
    return new


class History:
    """Writes what a registered city has measured.

    Parameters
    ----------
    observation : Observation
    profiles : mapping of str to Profile
        By name, at least those of `gruenpuls.simulation.city_observed.models`.
    registry : Registry
    store : ObservationStore
    """

    def __init__(
        self,
        observation: Observation,
        profiles: Mapping[str, Profile],
        registry: Registry,
        store: ObservationStore,
    ) -> None:
        self._observation = observation
        self._profiles = profiles
        self._registry = registry
        self._store = store
        city = observation.city
        made_of = f"{city.seed} {astuple(city.span)} {observation.every} {astuple(observation.mishaps.rates)}"
        digest = hashlib.sha256(made_of.encode()).hexdigest()
        self._run = registry.arrivals.run_id(Run("import", "simulation", __version__, digest))

    def write(self, done: OnProgress) -> int:
        """Write everything, a portion of the sites after the other, month by month; return how many readings.

        Written twice it is the same; after an interruption run it again.

        Raises
        ------
        StorageError
            If the disk or the store refuses; what was committed stays.
        """
        observation = self._observation
        sites = max(1, _READINGS_AT_ONCE * observation.every // (MONTH * _READINGS_A_SITE))
        total = 0
        for first in range(0, observation.city.sites, sites):
            series: list[dict[str, Integers]] = []
            for truth, sent in observation.sent(first, first + sites, MONTH):
                series = series or [self._series(one, truth.ground) for one in sent]
                parts = [self._part(one, ids) for one, ids in zip(sent, series, strict=True)]
                batch = ReadingBatch.joined([readings for part in parts for readings, _ in part])
                self._store.write(Commit(batch))
                self._registry.latest.keep(ReadingBatch.joined([newest for part in parts for _, newest in part]))
                done(len(truth.hours) * len(truth.ground.numbers))
                total += len(batch)
            self._mark(observation.city, first, first + sites)
        return total

    def _mark(self, city: City, first: int, end: int) -> None:
        day = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(hours=city.span.first)).date()
        keys = (site_key(number) for number in range(first, min(end, city.sites)))
        self._registry.dirty.mark(dict.fromkeys(keys, day))

    def _series(self, sent: Sent, ground: Ground) -> dict[str, Integers]:
        """Return the series' ids by channel, int64 (devices,)."""
        model, slot = sent.mount.model, sent.mount.slot
        quantities = {channel.name: channel.quantity for channel in self._profiles[model.profile].channels}
        devices = [device_key(number, slot) for number in sent.sites.tolist()]
        places = sent.sites - ground.numbers[0]
        keys: list[SeriesKey] = []
        for channel, layer in model.layers.items():
            depths = [None] * len(devices) if layer is None else ground.depths(layer)[places].tolist()
            keys += [
                SeriesKey(Owner.CHANNEL, f"{device}/{channel}", quantities[channel], depth)
                for device, depth in zip(devices, depths, strict=True)
            ]
        numbers = np.array(self._registry.arrivals.series_ids(keys), np.int64).reshape(-1, len(devices))
        return dict(zip(model.layers, numbers, strict=True))

    def _part(self, sent: Sent, series: Mapping[str, Integers]) -> list[tuple[ReadingBatch, ReadingBatch]]:
        """Return the readings of each channel, and of those each series' newest."""
        profile = self._profiles[sent.mount.model.profile]
        quantities = {it.name: QUANTITIES[it.quantity] for it in profile.channels}
        ranges = {name: (it.minimum, it.maximum) for name, it in quantities.items()}
        ranges |= {it.name: it.range for it in profile.sheet.channels if it.range}
        values = sent.values
        heard = sent.heard.T
        moments = sent.measured_at.T
        parts: list[tuple[ReadingBatch, ReadingBatch]] = []
        for channel, numbers in series.items():
            value = values[channel].T
            lowest, highest = ranges[channel]
            owners = np.broadcast_to(numbers[:, None], value.shape)
            newest = heard & ~np.isnan(value)
            newest &= np.cumsum(newest[:, ::-1], axis=1)[:, ::-1] == 1
            parts.append(
                (
                    self._batch(owners[heard], moments[heard], value[heard], lowest, highest),
                    self._batch(owners[newest], moments[newest], value[newest], lowest, highest),
                )
            )
        return parts

    def _batch(self, series: Integers, moments: Integers, value: Floats, lowest: float, highest: float) -> ReadingBatch:
        flags = np.select(
            [np.isnan(value), (value >= lowest) & (value <= highest)], [Flag.MISSING, Flag.GOOD], Flag.FAIL
        )
        run = np.full(len(series), self._run, np.int64)
        return ReadingBatch(series, moments.astype("datetime64[ms]"), value, flags.astype(np.uint8), run)
