"""A small city with a real registry and a real store, to send readings into."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

import processors
from alerts.rule import Rule
from alerts.rule_file import shipped_rules
from gruenpuls.domain.device import Channel, Deployment, Device
from gruenpuls.domain.incident import Incident, IncidentState
from gruenpuls.domain.ports import Commit, Run
from gruenpuls.domain.reading import Flag, ReadingBatch, to_stored
from gruenpuls.domain.series import Owner, SeriesKey
from gruenpuls.domain.site import Site, SiteKind, Soil
from gruenpuls.jobs.evaluate import Evaluation
from gruenpuls.jobs.recompute import Recomputation
from gruenpuls.jobs.refresh import Refresh
from gruenpuls.stores.embedded import EmbeddedStore
from gruenpuls.stores.registry import Registry
from gruenpuls.stores.registry.incidents import IncidentFilter

START = datetime(2023, 6, 1, tzinfo=UTC)
DEPTHS = (30.0, 60.0, 90.0)
RULES = tuple(rule for rule in shipped_rules() if rule.name in {"drought_stress", "hot_air"})
"""One on what is judged, one on what is measured."""


@dataclass(frozen=True)
class Reading:
    """One value of a device's channel."""

    device: str
    channel: str
    at: datetime
    value: float


def tree(key: str, *, planted_on: str | None = "2022-11-15", zone: str = "Europe/Berlin", **more: object) -> Site:
    return Site(
        key,
        f"Baum {key}",
        SiteKind.STREET_TREE,
        time_zone=zone,
        planted_on=planted_on,
        soil=Soil(field_capacity=30.0, wilting_point=12.0, root_depth=0.9),
        **more,  # type: ignore[arg-type] # passed on
    )


def probe(key: str, quantity: str = "soil_tension", depths: Sequence[float] = DEPTHS) -> Device:
    return Device(key, "probe", key, tuple(Channel(f"{quantity}_{depth:g}", quantity, depth) for depth in depths))


def station(key: str) -> Device:
    quantities = ("air_temperature", "relative_humidity")
    return Device(key, "station", key, tuple(Channel(quantity, quantity) for quantity in quantities))


@dataclass
class City:
    """Everything opened, and the moment it is."""

    registry: Registry
    store: EmbeddedStore
    now: datetime
    rules: Sequence[Rule] = RULES
    refresh: Refresh = field(init=False)

    def __post_init__(self) -> None:
        self.refresh = Refresh(
            self.registry,
            Recomputation(self.registry, self.store, processors.ALL),
            Evaluation(self.registry, self.store, self.rules),
            lambda: self.now,
        )

    @classmethod
    def at(cls, directory: Path, now: datetime = START) -> City:
        registry = Registry.open(f"sqlite:///{directory}/registry.db")
        return cls(registry, EmbeddedStore.open_writer(directory / "lake", registry.judgements), now)

    def close(self) -> None:
        self.store.close()
        self.registry.close()

    def plant(self, site: Site, *devices: Device, from_at: datetime = START - timedelta(days=30)) -> None:
        self.registry.places.add(site, actor="test")
        for device in devices:
            self.registry.devices.add(device, actor="test")
            self.registry.deployments.begin(Deployment(device.key, site.key, from_at), actor="test")

    def arrive(self, readings: Sequence[Reading]) -> None:
        """Take readings in as decoding does: what depends on them is marked before they are committed."""
        quantities = {
            (device.key, channel.name): channel
            for device in self.registry.devices.list()
            for channel in device.channels
        }
        keys = []
        for reading in readings:
            channel = quantities[reading.device, reading.channel]
            keys.append(
                SeriesKey(Owner.CHANNEL, f"{reading.device}/{reading.channel}", channel.quantity, channel.depth)
            )
        series = self.registry.arrivals.series_ids(keys)
        earliest: dict[int, datetime] = {}
        for number, reading in zip(series, readings, strict=True):
            earliest[number] = min(reading.at, earliest.get(number, reading.at))
        self.registry.arrivals.mark_dirty(earliest)
        count = len(readings)
        batch = ReadingBatch.of(
            series,
            [reading.at for reading in readings],
            [reading.value for reading in readings],
            [Flag.GOOD] * count,
            [self.registry.arrivals.run_id(Run("profile", "probe", "1", ""))] * count,
        )
        self.store.write(Commit(batch))
        self.registry.latest.keep(batch)

    def derived(self) -> dict[tuple[str, str, float | None, str], dict[str, float]]:
        """Return everything computed: by site, quantity, depth and statistic, the values by moment."""
        quantities = {output.quantity for processor in processors.ALL for output in processor.outputs}
        rows = self.registry.resolution.fleet_series(quantities)
        numbers = rows.series[rows.origin != "measured"].tolist()
        keys = self.registry.resolution.keys(numbers)
        batch = self.store.read(numbers, datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
        found: dict[tuple[str, str, float | None, str], dict[str, float]] = {}
        for number, at, value in zip(batch.series.tolist(), batch.measured_at, batch.value.tolist(), strict=True):
            key = keys[number]
            found.setdefault((key.owner_key, key.quantity, key.depth, key.statistic), {})[str(at)] = value
        return found

    def series(
        self, site: str, quantity: str, *, statistic: str = "", depth: float | None = None
    ) -> Mapping[str, float]:
        return self.derived().get((site, quantity, depth, statistic), {})

    def incidents(self) -> list[Incident]:
        """Return what there is; what was withdrawn is not."""
        states = set(IncidentState) - {IncidentState.WITHDRAWN}
        found = [kept.incident for kept in self.registry.incidents.list(IncidentFilter(states))]
        return sorted(found, key=lambda incident: (incident.rule, incident.site, incident.began_at))


def hourly(device: str, channel: str, values: Sequence[float] | np.ndarray, start: datetime = START) -> list[Reading]:
    return [Reading(device, channel, start + timedelta(hours=hour), float(value)) for hour, value in enumerate(values)]


def drying(device: str, values: Sequence[float] | np.ndarray, start: datetime = START) -> list[Reading]:
    """Return the same tension at all depths."""
    return [reading for depth in DEPTHS for reading in hourly(device, f"soil_tension_{depth:g}", values, start)]


def stamp(at: datetime) -> str:
    """Return a moment as `City.derived` names it."""
    return str(to_stored(at))
