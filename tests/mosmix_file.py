"""Writes MOSMIX files as the DWD forms them, with made-up weather."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from xml.sax.saxutils import escape

_HEAD = """<?xml version="1.0" encoding="ISO-8859-1" standalone="yes"?>
<kml:kml xmlns:dwd="https://opendata.dwd.de/weather/lib/pointforecast_dwd_extension_V1_0.xsd" xmlns:kml="http://www.opengis.net/kml/2.2">
<kml:Document><kml:ExtendedData><dwd:ProductDefinition><dwd:ProductID>MOSMIX</dwd:ProductID>
<dwd:IssueTime>{issued}</dwd:IssueTime><dwd:ForecastTimeSteps>{steps}</dwd:ForecastTimeSteps>
<dwd:FormatCfg><dwd:DefaultUndefSign>-</dwd:DefaultUndefSign></dwd:FormatCfg>
</dwd:ProductDefinition></kml:ExtendedData>"""


@dataclass(frozen=True)
class Station:
    """A station and what is said of it, by DWD's names, in DWD's units."""

    key: str = "X100"
    name: str = "MUSTERSTADT"
    coordinates: str = "7.22,51.48,100.0"
    elements: Mapping[str, Sequence[float | str]] = field(default_factory=dict)


def kml(issued_at: datetime, stations: Sequence[Station], hours: int = 4) -> str:
    """Return a forecast for the hours after it was issued."""
    moments = [issued_at + timedelta(hours=number + 1) for number in range(hours)]
    steps = "".join(f"<dwd:TimeStep>{one:%Y-%m-%dT%H:%M:%S.000Z}</dwd:TimeStep>" for one in moments)
    marks = "".join(
        f"<kml:Placemark><kml:name>{one.key}</kml:name><kml:description>{escape(one.name)}</kml:description>"
        "<kml:ExtendedData>"
        + "".join(
            f'<dwd:Forecast dwd:elementName="{name}"><dwd:value>{" ".join(map(str, values))}</dwd:value></dwd:Forecast>'
            for name, values in one.elements.items()
        )
        + f"</kml:ExtendedData><kml:Point><kml:coordinates>{one.coordinates}</kml:coordinates></kml:Point>"
        "</kml:Placemark>"
        for one in stations
    )
    head = _HEAD.format(issued=f"{issued_at:%Y-%m-%dT%H:%M:%S.000Z}", steps=steps)
    return head + marks + "</kml:Document></kml:kml>"


def zipped(text: str | bytes, name: str = "MOSMIX_L.kml") -> bytes:
    """Return a text as the only file of a ZIP."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, text if isinstance(text, bytes) else text.encode("iso-8859-1"))
    return packed.getvalue()


def kmz(issued_at: datetime, stations: Sequence[Station], hours: int = 4) -> bytes:
    """Return a forecast as the DWD publishes it."""
    return zipped(kml(issued_at, stations, hours))


def sunny(hours: int, *, kelvin: float = 293.15, rain: float = 0.0) -> dict[str, list[float | str]]:
    """Return a dry spell: the same weather every hour."""
    return {
        "TTT": [kelvin] * hours,
        "Td": [kelvin - 10] * hours,
        "FF": [3.0] * hours,
        "Rad1h": [900.0] * hours,
        "RR1c": [rain] * hours,
    }
