"""A small city for tests: sites, devices, and the moments they are about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gruenpuls.domain.device import Channel, Deployment, Device, Placement
from gruenpuls.domain.ports import Run
from gruenpuls.domain.reading import Flag, ReadingBatch
from gruenpuls.domain.series import Owner, SeriesKey
from gruenpuls.domain.site import Site, SiteKind, Soil
from gruenpuls.stores.registry import Registry

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

LIME = Site(
    key="BK-0815",
    name="Winterlinde am Markt",
    kind=SiteKind.STREET_TREE,
    latitude=51.45,
    longitude=7.01,
    municipality="Essen",
    district="Südviertel",
    species="Tilia cordata",
    soil=Soil("Sl3", 30.0, 10.0, 0.8),
    attributes={"crown_diameter": 6.5, "sealed": True},
)
ROOF = Site(key="DACH-1", name="Übungsdach", kind=SiteKind.GREEN_ROOF, municipality="Bochum", district="Mitte")
PROBE = Device(
    "a81758fffe03abcd",
    "tensiometer",
    "Sonde 1",
    (
        Channel("tension_1", "soil_tension", depth=30.0, placement=Placement.ROOT_BALL),
        Channel("tension_2", "soil_tension", depth=60.0, placement=Placement.NATIVE_SOIL),
        Channel("air", "air_temperature", height=2.0, placement=Placement.SHIELDED),
    ),
)
SPARE = Device("a81758fffe03abce", "tensiometer", "Sonde 2")
RUN = Run("profile", "tensiometer", "1", "0" * 64)


def planted(registry: Registry, *, from_at: datetime = NOON) -> None:
    """Register both sites and devices, with the probe at the lime."""
    registry.places.add_all([LIME, ROOF], actor="ada")
    registry.devices.add_all([PROBE, SPARE], actor="ada")
    registry.deployments.begin(Deployment(PROBE.key, LIME.key, from_at), actor="ada")


def measured(
    channel: str, quantity: str = "soil_tension", depth: float | None = None, device: Device = PROBE
) -> SeriesKey:
    """Return the key of a measured series."""
    return SeriesKey(Owner.CHANNEL, f"{device.key}/{channel}", quantity, depth)


def derived(quantity: str, site: Site = LIME, statistic: str = "", origin: str = "soil_water") -> SeriesKey:
    """Return the key of a derived series."""
    return SeriesKey(Owner.SITE, site.key, quantity, None, statistic, origin)


def readings(registry: Registry, series: int, values: dict[datetime, float], flag: Flag = Flag.GOOD) -> ReadingBatch:
    """Return readings of one series."""
    count, run = len(values), registry.arrivals.run_id(RUN)
    return ReadingBatch.of([series] * count, list(values), list(values.values()), [flag] * count, [run] * count)
