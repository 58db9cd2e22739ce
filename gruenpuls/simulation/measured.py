"""The demo's city: two beech stands and a tower, with values really measured, and when each was measured.

The values are measured; the device frames and network messages around them are ours. Depths, stands
and times are the record's own. Field capacity and wilting point are assumptions, said where they stand.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import resources
from typing import Final

from gruenpuls.domain.device import Channel, Deployment, Device, Placement
from gruenpuls.domain.site import Site, SiteKind, Soil
from gruenpuls.simulation.frames import decentlab_dl_tbrg, elsys_ems, milesight_em500_smtc
from gruenpuls.simulation.messages import chirpstack_v4, helium
from gruenpuls.simulation.replay import Recorded

CHIRPSTACK_TOPIC: Final = "application/gruenpuls-demo/device/{device}/event/up"
HELIUM_TOPIC: Final = "helium/{device}/rx"
TOPICS: Final = ("application/+/device/+/event/up", "helium/+/rx")

NOTICES: Final = {
    "de": (
        "Demo: Die Werte sind wirklich gemessen; die Gerätetelegramme und Netznachrichten darum haben wir erzeugt.",
        (
            "Bodenwasser und Regen: Buchenbestände am Weierbach (Luxemburg), April bis Dezember 2017, aus dem "
            "Datensatz zu rootwater (C. Jackisch, MIT). Feldkapazität und Welkepunkt sind unsere Annahmen. Die "
            "Bodensonden im Sandstein enden am 6. August 2017: ein Sensor, der verstummt."
        ),
        (
            "Temperatur und Feuchte: Tour Perret, Grenoble, 14. bis 28. August 2023, CampusIoT, "
            "DOI 10.18709/perscido.2023.06.ds395 (ODbL-1.0). Der Tour Perret ist ein Betonturm, kein Straßenbaum."
        ),
    ),
    "en": (
        "Demo: the values are really measured; the device frames and network messages around them are ours.",
        (
            "Soil water and rain: beech stands at the Weierbach (Luxembourg), April to December 2017, from the data "
            "set of rootwater (C. Jackisch, MIT). Field capacity and wilting point are our assumptions. The soil "
            "probes in the sandstone end on 6 August 2017: sensors that fall silent."
        ),
        (
            "Temperature and humidity: Tour Perret, Grenoble, 14 to 28 August 2023, CampusIoT, "
            "DOI 10.18709/perscido.2023.06.ds395 (ODbL-1.0). The Tour Perret is a concrete tower, not a street tree."
        ),
    ),
}
"""What must be said about the demo's data on every page, by language."""

_STANDS: Final = {
    "sand": (
        "Weierbach, Sandstein",
        (49.8327, 5.7980),
        # KA5 class Ss: field capacity 12 %, plant-available 9 % (table of the class, not measured here).
        Soil(texture="Ss", field_capacity=12.0, wilting_point=3.0, root_depth=1.0),
        (10, 30, 50, 70, 90, 110, 130, 150, 170, 190, 210, 230),
    ),
    "slate": (
        "Weierbach, Schiefer",
        (49.8273, 5.7957),
        # Stony slate soil; read off the record's own spring plateau and summer low, an assumption.
        Soil(texture=None, field_capacity=21.0, wilting_point=8.0, root_depth=1.0),
        (10, 30, 50, 70, 90, 110, 130, 150, 170),
    ),
}
_TOWER: Final = "a81758fffe04b1c1"
_STEP: Final = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Act:
    """A part of the demo: what is played, and what share of the time it gets."""

    name: str
    share: float
    messages: tuple[Recorded, ...]


def _figures(name: str) -> Iterator[dict[str, str]]:
    text = resources.files("gruenpuls.simulation").joinpath("figures", name).read_text(encoding="utf-8")
    return csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))


def _number(text: str) -> float | None:
    return float(text) if text else None


def _soil_device(stand: str, depth: int) -> str:
    return f"24e124{'5a' if stand == 'sand' else '5b'}{depth:08d}"


def _rain_device(stand: str) -> str:
    return f"70b3d57ba00000{'5a' if stand == 'sand' else '5b'}"


def sites() -> tuple[Site, ...]:
    """Return the places of the demo."""
    stands = tuple(
        Site(
            key=f"weierbach-{stand}",
            name=name,
            kind=SiteKind.TREE_GROUP,
            latitude=place[0],
            longitude=place[1],
            municipality="Weierbach (L)",
            district="Attert",
            time_zone="Europe/Luxembourg",
            species="Fagus sylvatica",
            soil=soil,
        )
        for stand, (name, place, soil, _depths) in _STANDS.items()
    )
    tower = Site(
        key="tour-perret",
        name="Tour Perret, Grenoble",
        kind=SiteKind.WEATHER_STATION,
        latitude=45.1840,
        longitude=5.7404,
        municipality="Grenoble (F)",
        district="Parc Paul Mistral",
        time_zone="Europe/Paris",
    )
    return (*stands, tower)


def devices() -> tuple[tuple[Device, Deployment], ...]:
    """Return the demo's devices, each with its place."""
    since = datetime(2017, 4, 1, tzinfo=UTC)
    listed: list[tuple[Device, Deployment]] = []
    for stand, (name, _place, _soil, depths) in _STANDS.items():
        site = f"weierbach-{stand}"
        for depth in depths:
            key = _soil_device(stand, depth)
            probe = Channel("soil_water_content", "soil_water_content", depth=depth, placement=Placement.NATIVE_SOIL)
            device = Device(key, "milesight-em500-smtc", f"{name}, {depth} cm", (probe,))
            listed.append((device, Deployment(key, site, since)))
        key = _rain_device(stand)
        listed.append((Device(key, "decentlab-dl-tbrg", f"{name}, Regen"), Deployment(key, site, since)))
    tower = Device(_TOWER, "elsys-ems", "Tour Perret")
    listed.append((tower, Deployment(_TOWER, "tour-perret", datetime(2023, 8, 1, tzinfo=UTC))))
    return tuple(listed)


def _stand_messages() -> Iterator[Recorded]:
    counters: dict[str, int] = {}
    totals = dict.fromkeys(_STANDS, 0.0)
    for row in _figures("weierbach_2017.csv"):
        at = datetime.fromisoformat(row["time"])

        def message(device: str, payload: bytes, port: int, at: datetime = at) -> Recorded:
            counters[device] = counters.get(device, -1) + 1
            text = chirpstack_v4(device, payload, port=port, counter=counters[device], measured_at=at)
            return Recorded(at, CHIRPSTACK_TOPIC.format(device=device), text)

        for stand, (_name, _place, _soil, depths) in _STANDS.items():
            for depth in depths:
                content = _number(row[f"{stand}_{depth}"])
                if content is not None:
                    frame = milesight_em500_smtc(soil_water_content=content, battery_level=100)
                    yield message(_soil_device(stand, depth), frame, 85)
            rain = _number(row[f"{stand}_rain"])
            if rain is not None:
                totals[stand] += rain
                frame = decentlab_dl_tbrg(
                    serial=1, interval_rain=rain, interval=int(_STEP.total_seconds()), total_rain=totals[stand]
                )
                yield message(_rain_device(stand), frame, 1)


def _tower_messages() -> Iterator[Recorded]:
    for row in _figures("tour_perret_2023.csv"):
        at = datetime.fromisoformat(row["time"])
        frame = elsys_ems(
            air_temperature=_number(row["air_temperature"]),
            relative_humidity=_number(row["relative_humidity"]),
            battery_voltage=float(row["battery_voltage"]),
        )
        text = helium(_TOWER, frame, port=5, counter=int(row["counter"]), measured_at=at)
        yield Recorded(at, HELIUM_TOPIC.format(device=_TOWER), text)


def acts() -> tuple[Act, Act]:
    """Return what the demo plays: a drought, then a heat wave."""
    return (
        Act("Weierbach 2017", 0.65, tuple(_stand_messages())),
        Act("Tour Perret 2023", 0.35, tuple(_tower_messages())),
    )
