"""A small city with a known state: one site for each status, in a real registry and a real store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from gruenpuls.domain.device import Channel, Deployment, Device, Placement
from gruenpuls.domain.incident import Incident, IncidentState, Severity
from gruenpuls.domain.ports import Commit, DeviceTally, Progress, Run, Tally
from gruenpuls.domain.reading import Flag, ReadingBatch
from gruenpuls.domain.series import Owner, SeriesKey
from gruenpuls.domain.site import Site, SiteKind, Soil
from gruenpuls.domain.uplink import DeadLetter, DeadLetterReason
from gruenpuls.stores.embedded import EmbeddedStore
from gruenpuls.stores.registry import Registry

NOW = datetime(2026, 7, 14, 12, tzinfo=UTC)
SINCE = NOW - timedelta(days=40)
DAYS = 35

SITES = (
    Site("B/0815 a", "Linde am Südwall", SiteKind.STREET_TREE, 51.5105, 7.4650, "Dortmund", "Innenstadt-West",
         species="Tilia cordata", planted_on="2025-11", soil=Soil("Sl3", 23.0, 10.0, 0.9)),
    Site("B2", "Ahorn, Kampstraße 12", SiteKind.STREET_TREE, 51.5148, 7.4640, "Dortmund", "Innenstadt-West",
         species="Acer platanoides", planted_on="2019-03-20", soil=Soil("Sl3", 23.0, 10.0, 0.9)),
    Site("B3", "Platane am Stadtgarten", SiteKind.STREET_TREE, 51.5092, 7.4722, "Dortmund", "Innenstadt-West",
         species="Platanus ×hispanica", planted_on="2018", soil=Soil("Sl4", 28.0, 13.0, 0.9)),
    Site("B4", "Eiche am Westpark", SiteKind.STREET_TREE, 51.5112, 7.4480, "Dortmund", "Innenstadt-West",
         species="Quercus robur", planted_on="1998"),
    Site("B5", "Ulme ohne Sensor", SiteKind.STREET_TREE, municipality="Dortmund", species="Ulmus 'Rebona'"),
    Site("D1", "Gründach Rathaus", SiteKind.GREEN_ROOF, 51.5118, 7.4660, "Dortmund", "Innenstadt-West",
         attributes={"roof_area": 420.0}),
    Site("W1", "Wetterstation <Hafen>", SiteKind.WEATHER_STATION, 51.5260, 7.4420, "Dortmund", "Innenstadt-Nord"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class City:
    """The opened stores of the city."""

    registry: Registry
    store: EmbeddedStore

    def measure(self, device: str, channel: str, depth: float | None, quantity: str) -> int:
        """Return the id of a measured series."""
        key = SeriesKey(Owner.CHANNEL, f"{device}/{channel}", quantity, depth)
        return self.registry.arrivals.series_ids([key])[0]

    def derive(self, site: str, quantity: str, origin: str, depth: float | None = None, statistic: str = "") -> int:
        """Return the id of a derived series."""
        return self.registry.arrivals.series_ids([SeriesKey(Owner.SITE, site, quantity, depth, statistic, origin)])[0]

    def put(
        self,
        series: int,
        moments: Sequence[datetime],
        values: Sequence[float],
        *,
        flag: Flag = Flag.GOOD,
        kind: str = "profile",
    ) -> None:
        """Write readings as the working process does: into the store, and the last one into the registry."""
        run = self.registry.arrivals.run_id(Run(kind, "test", "1", "00"))
        count = len(moments)
        batch = ReadingBatch.of([series] * count, moments, list(values), [flag] * count, [run] * count)
        self.store.write(Commit(batch))
        self.registry.latest.keep(batch)


@contextmanager
def opened(directory: Path) -> Iterator[City]:
    """Open an empty city."""
    registry = Registry.open(f"sqlite:///{directory / 'registry.db'}", clock=lambda: NOW)
    store = EmbeddedStore.open_writer(directory / "store", registry.judgements)
    try:
        yield City(registry, store)
    finally:
        store.close()
        registry.close()


def hours(days: float, until: datetime = NOW) -> list[datetime]:
    """Return every full hour of the last days up to a moment."""
    return [until - timedelta(hours=hour) for hour in range(round(days * 24), -1, -1)]


def _mount(city: City, site: str, device: str, profile: str, *channels: Channel) -> None:
    city.registry.devices.add(Device(device, profile, f"Sonde {device[-2:]}", channels), actor="test")
    city.registry.deployments.begin(Deployment(device, site, SINCE), actor="test")


def _drying(moments: Sequence[datetime], first: float, last: float, wave: float = 0.0) -> list[float]:
    ramp = np.linspace(0, 1, len(moments))
    day = np.array([moment.hour for moment in moments]) / 24 * 2 * np.pi
    rain = np.exp(-((ramp - 0.45) ** 2) / 0.004) * (last - first) * 0.4
    return (first + (last - first) * ramp**1.5 - rain - wave * np.cos(day)).tolist()


def _tree(city: City, site: str, device: str, ends: dict[int, tuple[float, float]], status: float) -> None:
    channels = (Channel(f"tension_{depth}", "soil_tension", depth, placement=Placement.ROOT_BALL) for depth in ends)
    _mount(city, site, device, "test-tension", *channels)
    moments = hours(DAYS)
    for depth, (first, last) in ends.items():
        city.put(
            city.measure(device, f"tension_{depth}", depth, "soil_tension"), moments, _drying(moments, first, last)
        )
    judged = city.derive(site, "soil_water_status", "soil_water_status")
    city.put(judged, moments, [status] * len(moments), kind="processor")
    count = city.derive(site, "judged_soil_depths", "soil_water_status")
    city.put(count, moments, [float(len(ends))] * len(moments), kind="processor")


def _content_tree(city: City, site: str, device: str) -> None:
    ends = {30: (20.0, 14.6), 60: (22.0, 16.1), 90: (23.0, 19.0)}
    channels = (Channel(f"water_{depth}", "soil_water_content", depth) for depth in ends)
    _mount(city, site, device, "test-water", *channels)
    moments = hours(DAYS)
    for depth, (first, last) in ends.items():
        values = _drying(moments, first, last)
        city.put(city.measure(device, f"water_{depth}", depth, "soil_water_content"), moments, values)
        share = [100 * (value - 10) / 13 for value in values]
        derived = city.derive(site, "plant_available_water", "plant_available_water", depth)
        city.put(derived, moments, share, kind="processor")
    judged = city.derive(site, "soil_water_status", "soil_water_status")
    city.put(judged, moments, [1.0] * len(moments), kind="processor")


def _station(city: City, site: str, device: str) -> None:
    _mount(city, site, device, "test-weather", Channel("air_temperature", "air_temperature", height=2.0))
    moments = hours(DAYS)
    warm = np.array(_drying(moments, 18, 27, 7.0))
    city.put(city.measure(device, "air_temperature", None, "air_temperature"), moments, warm.tolist())
    city.put(city.measure(device, "relative_humidity", None, "relative_humidity"), moments, (90 - 1.4 * warm).tolist())
    rain = np.where((np.arange(len(moments)) // 24) % 6 == 2, 1.2, 0.0)
    city.put(city.measure(device, "precipitation", None, "precipitation"), moments, rain.tolist())
    city.put(city.measure(device, "battery_voltage", None, "battery_voltage"), moments, [3.6] * len(moments))
    index = city.derive(site, "heat_index", "heat_index")
    hot = [moment for moment, value in zip(moments, warm, strict=True) if value >= 20]
    city.put(index, hot, (warm[warm >= 20] + 1.1).tolist(), kind="processor")


def _letters() -> list[DeadLetter]:
    rows = (
        (DeadLetterReason.UNKNOWN_DEVICE, "nobody registered 70b3d5499aaa0001", "70b3d5499aaa0001"),
        (DeadLetterReason.UNKNOWN_DEVICE, "nobody registered 70b3d5499aaa0001", "70b3d5499aaa0001"),
        (DeadLetterReason.REFUSED, "payload of 3 bytes, 14 expected", "a81758fffe000001"),
        (DeadLetterReason.UNREADABLE, "not JSON: unexpected byte at 0 <b>", None),
    )
    return [
        DeadLetter(
            offset, reason, detail, "demo", "application/1/device/x/event/up", device, NOW - timedelta(hours=offset)
        )
        for offset, (reason, detail, device) in enumerate(rows, start=1)
    ]


def _arrivals(city: City) -> None:
    city.registry.arrivals.keep_dead_letters(_letters())
    heard = NOW - timedelta(minutes=10)
    tallies = [
        *(
            DeviceTally(f"a81758fffe00000{number}", "demo", Tally(840, number == 1, 3), heard)
            for number in (1, 2, 3, 5, 6)
        ),
        DeviceTally("a81758fffe000004", "demo", Tally(700, 0, 0), NOW - timedelta(days=5)),
        DeviceTally("70b3d5499aaa0001", "demo", Tally(0, 2, 0), heard),
        DeviceTally("", "demo", Tally(0, 1, 0), None),
    ]
    total = sum((tally.tally for tally in tallies), Tally())
    city.registry.arrivals.note(ReadingBatch.empty(), tallies, Progress(total.total, total))
    city.registry.health.report("collect", {"journalled": {"demo": total.total + 7}})


def _incidents(city: City) -> None:
    began = NOW - timedelta(hours=5)
    earlier = NOW - timedelta(days=9)
    city.registry.incidents.keep(
        [
            Incident("heat", "W1", IncidentState.FIRING, Severity.WARNING, began, began + timedelta(hours=1), None,
                     34.2, 33.6, NOW),
            Incident("heat", "W1", IncidentState.RESOLVED, Severity.WARNING, earlier, earlier + timedelta(hours=1),
                     earlier + timedelta(hours=20), 31.0, 27.0, earlier + timedelta(hours=20)),
            Incident("a_rule_of_old", "B2", IncidentState.RESOLVED, Severity.NOTICE, earlier, earlier,
                     earlier + timedelta(hours=2), 1.0, 0.0, earlier),
        ]
    )  # fmt: skip


@contextmanager
def small_city(directory: Path) -> Iterator[City]:
    """Open the city with everything in it."""
    with opened(directory) as city:
        for site in SITES:
            city.registry.places.add(site, actor="test")
        _tree(city, "B/0815 a", "a81758fffe000001", {30: (8, 41), 60: (6, 19)}, 2.0)
        _content_tree(city, "B2", "a81758fffe000002")
        _tree(city, "B3", "a81758fffe000003", {60: (5, 21), 90: (4, 12)}, 0.0)
        _mount(city, "B4", "a81758fffe000004", "test-tension", Channel("tension_60", "soil_tension", 60))
        moments = hours(20, NOW - timedelta(days=5))
        city.put(city.measure("a81758fffe000004", "tension_60", 60, "soil_tension"), moments, _drying(moments, 20, 90))
        _mount(city, "D1", "a81758fffe000005", "test-water", Channel("water", "soil_water_content", 5))
        moments = hours(DAYS)
        water = city.measure("a81758fffe000005", "water", 5, "soil_water_content")
        city.put(water, moments, _drying(moments, 30, 18))
        _station(city, "W1", "a81758fffe000006")
        _arrivals(city)
        _incidents(city)
        yield city
