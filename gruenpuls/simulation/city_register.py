"""The city in the registry's words: sites, devices and where they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from device_profiles.profile import Profile
from gruenpuls.domain.device import Channel, Deployment, Device, Placement
from gruenpuls.domain.errors import InputError
from gruenpuls.domain.site import Site, SiteKind, Soil
from gruenpuls.simulation.city_ground import Ground, Kind, retention, texture_names
from gruenpuls.simulation.city_observed import Observation
from gruenpuls.simulation.soil_column import FIELD_CAPACITY, WILTING_POINT
from gruenpuls.stores.registry import Registry

PORTION: Final = 1000
"""Sites registered in one transaction."""

_KINDS: Final = {
    Kind.STREET_TREE: SiteKind.STREET_TREE,
    Kind.PARK_TREE: SiteKind.PARK,
    Kind.GREEN_ROOF: SiteKind.GREEN_ROOF,
    Kind.STATION: SiteKind.WEATHER_STATION,
}
_SPECIES: Final = {
    Kind.STREET_TREE: (
        "Tilia cordata",
        "Acer platanoides",
        "Quercus robur",
        "Platanus × hispanica",
        "Carpinus betulus",
    ),
    Kind.PARK_TREE: ("Fagus sylvatica", "Quercus robur", "Tilia platyphyllos"),
    Kind.GREEN_ROOF: ("Sedum album",),
}
_ROOT_DEPTH: Final = 1.0


def site_key(number: int) -> str:
    """Return the key of a site."""
    return f"sim-{number:06d}"


def device_key(number: int, slot: int) -> str:
    """Return the DevEUI of a device: a locally administered one, as no maker assigns it."""
    return f"0253494d{number:06x}{slot:02x}"


def sites(ground: Ground) -> list[Site]:
    """Return the sites as a city's cadastre would know them: soils by their class, not as they really are."""
    classes = retention(ground.texture)
    listed: list[Site] = []
    capacity, wilting = classes.content(FIELD_CAPACITY) * 100, classes.content(WILTING_POINT) * 100
    for place, number in enumerate(ground.numbers.tolist()):
        kind = Kind(int(ground.kind[place]))
        species = _SPECIES.get(kind)
        district = f"Bezirk {int(ground.district[place]) + 1}"
        soil = Soil()
        if species:
            soil = Soil(
                "Substrat" if kind is Kind.GREEN_ROOF else texture_names()[int(ground.texture[place])],
                round(float(capacity[place]), 1),
                round(float(wilting[place]), 1),
                0.1 if kind is Kind.GREEN_ROOF else _ROOT_DEPTH,
            )
        listed.append(
            Site(
                key=site_key(number),
                name=f"{district}, {number}",
                kind=_KINDS[kind],
                latitude=round(float(ground.latitude[place]), 6),
                longitude=round(float(ground.longitude[place]), 6),
                municipality="Simulation",
                district=district,
                planted_on=str(ground.planted[place]) if species else None,
                species=species[number % len(species)] if species else None,
                soil=soil,
                attributes={"simulated": True, "pit_area": round(float(ground.area[place]), 1)},
            )
        )
    return listed


def devices(
    observation: Observation, ground: Ground, profiles: Mapping[str, Profile]
) -> Iterator[tuple[Device, Deployment]]:
    """Yield the devices at some sites, each with its place."""
    begin = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(hours=observation.city.span.first)
    for group in observation.groups(ground):
        mount = group.mount
        known = {channel.name: channel for channel in profiles[mount.model.profile].channels}
        by_layer = {layer: ground.depths(layer) for layer in mount.model.layers.values() if layer is not None}
        for place in group.places.tolist():
            number = int(ground.numbers[place])
            roof = ground.kind[place] == Kind.GREEN_ROOF
            placement = Placement.SUBSTRATE if roof else Placement.PLANTING_PIT
            channels: list[Channel] = [
                replace(known[name], depth=float(by_layer[layer][place]), placement=placement)
                for name, layer in mount.model.layers.items()
                if layer is not None
            ]
            key = device_key(number, mount.slot)
            name = f"{site_key(number)} {mount.model.profile}"
            yield (
                Device(key, mount.model.profile, name, tuple(channels)),
                Deployment(key, site_key(number), begin),
            )


def register(
    observation: Observation, ground: Ground, profiles: Mapping[str, Profile], registry: Registry, actor: str
) -> int:
    """Register some of the sites with their devices; what is there alike is left alone. Return how many were new.

    Raises
    ------
    InputError
        If a site, a device or its place is registered otherwise: another city's, or of a later beginning.
    """
    wanted = sites(ground)
    known = registry.places.by_keys([site.key for site in wanted])
    for site in wanted:
        _refuse_other(known.get(site.key), site, f"site {site.key!r}")
    new = [site for site in wanted if site.key not in known]
    registry.places.add_all(new, actor=actor)
    mounted = list(devices(observation, ground, profiles))
    there = registry.arrivals.devices([device.key for device, _ in mounted])
    for device, deployment in mounted:
        _refuse_other(there.get(device.key), device, f"device {device.key!r}")
        if device.key in there and not any(
            it.site == deployment.site and it.from_at <= deployment.from_at and it.to_at is None
            for it in registry.deployments.of_device(device.key)
        ):
            what = f"it is not at {deployment.site} from {deployment.from_at.isoformat()} on"
            raise InputError(what, where=f"device {device.key!r}", remedy="keep each city in a data_dir of its own")
    registry.devices.add_all([device for device, _ in mounted if device.key not in there], actor=actor)
    registry.deployments.begin_all([place for device, place in mounted if device.key not in there], actor=actor)
    return len(new)


def _refuse_other(known: object, wanted: object, where: str) -> None:
    if known is not None and known != wanted:
        what = "it is registered otherwise already"
        raise InputError(what, where=where, remedy="keep each simulated city in a data_dir of its own")
