"""Sites and devices from the rows of a table, as a city hands it over: German or English headings, comma or point."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from gruenpuls.domain.errors import InputError
from gruenpuls.domain.site import Site, SiteKind, Soil, planting_date
from gruenpuls.domain.watering import Watering, WateringMethod, WateringSource

_SITE_HEADINGS: Final = {
    "key": ("key", "schlüssel", "kennung", "baumnummer", "objektnummer", "katasternummer"),
    "name": ("name", "bezeichnung"),
    "kind": ("kind", "typ", "objektart"),
    "latitude": ("latitude", "lat", "breite", "breitengrad"),
    "longitude": ("longitude", "lon", "lng", "länge", "längengrad"),
    "municipality": ("municipality", "gemeinde", "stadt", "kommune"),
    "district": ("district", "stadtteil", "ortsteil", "bezirk", "stadtbezirk"),
    "maintenance_area": ("maintenance area", "meisterbezirk", "pflegebezirk"),
    "contract_lot": ("contract lot", "los"),
    "time_zone": ("time zone", "zeitzone"),
    "planted_on": ("planted on", "planted", "pflanzjahr", "pflanzdatum", "gepflanzt"),
    "species": ("species", "baumart", "art", "gattung art"),
    "texture": ("texture", "bodenart", "substrat"),
    "field_capacity": ("field capacity", "feldkapazität", "fk"),
    "wilting_point": ("wilting point", "welkepunkt", "pwp"),
    "root_depth": ("root depth", "wurzeltiefe", "substrattiefe"),
}
_NUMBER_HEADINGS: Final = {
    "crown_diameter": ("crown diameter", "kronendurchmesser", "kronendurchmesserm", "kronendurchmesser m"),
    "girth": ("girth", "stammumfang", "stammumfangcm", "stammumfang cm"),
    "trunk_diameter": ("trunk diameter", "stammdurchmesser", "stammdurchmesser cm", "bhd"),
    "height": ("height", "höhe", "höhem", "baumhöhe", "höhe m"),
    "pit_area": ("pit area", "baumscheibe", "baumscheibenfläche", "pflanzfläche"),
    "pit_volume": ("pit volume", "baumgrubenvolumen", "pflanzgrubenvolumen", "wurzelraum"),
    "sealing": ("sealing", "versiegelung", "versiegelungsgrad"),
    "drained_area": ("drained area", "angeschlossene fläche", "einzugsfläche"),
    "stones": ("stones", "steine", "steinanteil", "skelettanteil"),
    "area": ("area", "fläche", "roof area", "dachfläche"),
    "maximum_water_capacity": ("maximum water capacity", "wkmax", "maximale wasserkapazität"),
    "rain_per_tip": ("rain per tip", "regen je kippung"),
    "rain_per_pulse": ("rain per pulse", "regen je impuls"),
    "elevation": ("elevation", "geländehöhe", "höhe über nhn"),
    "wind_height": ("wind height", "windmesshöhe"),
    "roughness_length": ("roughness length", "rauigkeitslänge"),
    "sky_view_factor": ("sky view factor", "himmelssichtfaktor"),
    "albedo": ("albedo",),
    "globe_diameter": ("globe diameter", "globusdurchmesser", "kugeldurchmesser"),
    "globe_emissivity": ("globe emissivity", "emissionsgrad der kugel"),
    "retention_target": ("retention target", "rückhalteziel"),
    "cistern_capacity": ("cistern capacity", "fassungsvermögen", "zisternenvolumen"),
}
"""What is kept as a number: girth and trunk diameter in cm, all other lengths and heights in m, areas in m², pit
volume and cistern capacity in m³, rain in mm, sky view, albedo and emissivity as shares of 1, the rest in per cent."""
_WORD_HEADINGS: Final = {
    "surface": ("surface", "belag", "oberfläche"),
    "microclimate": ("microclimate", "mikroklima"),
    "vegetation": ("vegetation", "bewuchs"),
    "needs_watering": ("needs watering", "bewässerung", "bewässerungspflichtig"),
    "drainage": ("drainage", "dränage", "entwässerung"),
}
_DEVICE_HEADINGS: Final = {
    "key": ("key", "dev eui", "deveui", "gerät", "gerätenummer", "kennung"),
    "profile": ("profile", "profil", "geräteprofil"),
    "name": ("name", "bezeichnung"),
    "site": ("site", "standort"),
    "from": ("from", "since", "seit", "ab", "eingebaut"),
    "depths": ("depths", "depth", "tiefe", "tiefen"),
}
_WATERING_HEADINGS: Final = {
    "site": ("site", "standort", "key", "baumnummer", "objektnummer", "katasternummer"),
    "at": ("at", "date", "day", "time", "datum", "zeitpunkt", "gegossen am", "tag"),
    "litres": ("litres", "liters", "liter", "l", "menge", "wassermenge"),
    "method": ("method", "art", "verfahren", "methode"),
    "comment": ("comment", "remark", "bemerkung", "kommentar", "notiz"),
}
_METHODS: Final = {
    WateringMethod.HOSE: ("schlauch", "gießarm", "tankwagen", "eimer", "bucket", "tanker"),
    WateringMethod.BAG: ("gießsack", "bewässerungssack", "sack", "watering bag"),
    WateringMethod.RING: ("gießring", "gießrand"),
    WateringMethod.SYSTEM: ("anlage", "tropfbewässerung", "bewässerungsanlage", "drip"),
}
_KINDS: Final = {
    SiteKind.STREET_TREE: ("straßenbaum", "baum", "tree"),
    SiteKind.TREE_GROUP: ("baumgruppe",),
    SiteKind.GREEN_ROOF: ("gründach", "dachbegrünung", "roof"),
    SiteKind.GREEN_FACADE: ("fassadenbegrünung", "fassade"),
    SiteKind.BED: ("beet",),
    SiteKind.PARK: ("grünfläche", "parkanlage"),
    SiteKind.WETLAND: ("feuchtgebiet", "teich", "gewässer", "pond"),
    SiteKind.WEATHER_STATION: ("wetterstation", "klimastation"),
    SiteKind.CISTERN: ("zisterne",),
}


def _folded(text: str) -> str:
    plain = text.strip().lower().replace("ae", "ä").replace("oe", "ö").replace("ue", "ü")
    return re.sub(r"[\s_-]+", " ", plain)


def _by_heading(headings: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    return {_folded(heading): field for field, names in headings.items() for heading in (field, *names)}


_ATTRIBUTE_HEADINGS: Final = {**_NUMBER_HEADINGS, **_WORD_HEADINGS}
_SITE_FIELDS: Final = _by_heading({**_SITE_HEADINGS, **_ATTRIBUTE_HEADINGS})
_DEVICE_FIELDS: Final = _by_heading(_DEVICE_HEADINGS)
_WATERING_FIELDS: Final = _by_heading(_WATERING_HEADINGS)
_METHOD_BY_NAME: Final = {
    _folded(name): method for method, names in _METHODS.items() for name in (method.value, *names)
}
_DAY_ONLY: Final = re.compile(r"\s*(\d{4}-\d\d-\d\d|\d{1,2}\.\d{1,2}\.\d{4})\s*")
_KIND_BY_NAME: Final = {_folded(name): kind for kind, names in _KINDS.items() for name in (kind.value, *names)}


def number(text: str, heading: str) -> float:
    """Return a number written with a decimal comma or a decimal point.

    Raises
    ------
    InputError
        If it is none, or mixes both so that nobody can tell thousands from decimals.
    """
    plain = text.strip().replace("\N{NO-BREAK SPACE}", "")
    if "," in plain and "." not in plain:
        plain = plain.replace(",", ".")
    try:
        value = float(plain)
    except ValueError:
        value = float("nan")
    if not math.isfinite(value) or "_" in plain:
        what = f"{text!r} is no number"
        raise InputError(what, where=heading, remedy="write it like 12.5 or 12,5, without thousands separators")
    return value


def planted_on(text: str) -> str:
    """Return when something was planted, however a table writes it, as ISO date, year and month, or year.

    Raises
    ------
    InputError
        If it is none of these: the tree would be judged as one of unknown age.
    """
    found = planting_date(text)
    if found is None:
        what = f"{text!r} is no date of planting"
        raise InputError(
            what, where="planted_on", remedy="write it like 2024, 2024-03 or 15.03.2024, or leave it empty"
        )
    return found


def _matched(row: Mapping[str, str], fields: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    known: dict[str, str] = {}
    rest: dict[str, str] = {}
    for heading, text in row.items():
        field = fields.get(_folded(heading))
        if not text.strip():
            continue
        if field is None:
            rest[heading.strip()] = text.strip()
        elif field in known:
            what = f"two columns mean {field!r}"
            raise InputError(what, where=heading, remedy="leave one of them out")
        else:
            known[field] = text.strip()
    return known, rest


def _needed(known: Mapping[str, str], field: str, headings: Mapping[str, tuple[str, ...]]) -> str:
    if field not in known:
        what = f"{field!r} is missing"
        raise InputError(what, where=field, remedy=f"give a column {field}, or {', '.join(headings[field][1:3])}")
    return known[field]


def unknown_headings(headings: Iterable[str], *, of_devices: bool = False) -> list[str]:
    """Return the headings that mean nothing to us; a site keeps them as attributes, a device has none."""
    fields = _DEVICE_FIELDS if of_devices else _SITE_FIELDS
    return [heading for heading in headings if _folded(heading) not in fields]


def site_from_row(row: Mapping[str, str], time_zone: str) -> Site:
    """Return the site a row describes.

    Parameters
    ----------
    row : mapping of str to str
        Text by heading; headings we do not know become attributes as they stand.
    time_zone : str
        For rows that name none.

    Raises
    ------
    InputError
        With the heading in `where`.
    """
    known, rest = _matched(row, _SITE_FIELDS)
    kind_text = _needed(known, "kind", _SITE_HEADINGS)
    kind = _KIND_BY_NAME.get(_folded(kind_text))
    if kind is None:
        what = f"{kind_text!r} is no kind of site"
        raise InputError(what, where="kind", remedy=f"one of {', '.join(kind.value for kind in SiteKind)}")

    def measure(field: str) -> float | None:
        return number(known[field], field) if field in known else None

    attributes: dict[str, str | float | bool] = dict(rest)
    attributes |= {field: number(known[field], field) for field in _NUMBER_HEADINGS if field in known}
    attributes |= {field: known[field] for field in _WORD_HEADINGS if field in known}
    key = _needed(known, "key", _SITE_HEADINGS)
    return Site(
        key=key,
        name=known.get("name", key),
        kind=kind,
        latitude=measure("latitude"),
        longitude=measure("longitude"),
        municipality=known.get("municipality"),
        district=known.get("district"),
        maintenance_area=known.get("maintenance_area"),
        contract_lot=known.get("contract_lot"),
        time_zone=known.get("time_zone", time_zone),
        planted_on=planted_on(known["planted_on"]) if "planted_on" in known else None,
        species=known.get("species"),
        soil=Soil(
            texture=known.get("texture"),
            field_capacity=measure("field_capacity"),
            wilting_point=measure("wilting_point"),
            root_depth=measure("root_depth"),
        ),
        attributes=attributes,
    )


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """What a row says of a device.

    Parameters
    ----------
    key, profile, name : str
    site : str or None
        Where it is mounted.
    from_at : datetime or None
        Since when; aware UTC.
    depths : dict of str to float
        Depth of its probes by channel name [cm]; ``""`` names the only one.
    """

    key: str
    profile: str
    name: str
    site: str | None
    from_at: datetime | None
    depths: dict[str, float]


def device_from_row(row: Mapping[str, str], time_zone: str) -> DeviceRow:
    """Return the device a row describes.

    Parameters
    ----------
    row : mapping of str to str
        Text by heading. Depths are one number, or ``channel=depth`` separated by blanks [cm].
    time_zone : str
        Of moments that name none.

    Raises
    ------
    InputError
        With the heading in `where`.
    """
    known, rest = _matched(row, _DEVICE_FIELDS)
    if rest:
        heading = next(iter(rest))
        what = "this column means nothing for a device"
        raise InputError(what, where=heading, remedy=f"known are {', '.join(_DEVICE_HEADINGS)}")
    site = known.get("site")
    since = known.get("from")
    if site and not since:
        what = "a device at a site needs the moment it was mounted"
        raise InputError(what, where="from", remedy="give a date like 2026-04-01, or 01.04.2026 08:30")
    return DeviceRow(
        key=_needed(known, "key", _DEVICE_HEADINGS),
        profile=_needed(known, "profile", _DEVICE_HEADINGS),
        name=known.get("name", ""),
        site=site,
        from_at=moment(since, time_zone, "from") if since else None,
        depths=depths_of(known.get("depths", "")),
    )


def watering_from_row(row: Mapping[str, str], time_zone: str) -> Watering:
    """Return the watering a row describes; columns that mean nothing for one are passed over.

    Parameters
    ----------
    row : mapping of str to str
        Text by heading. A day without a time is its noon: nobody waters at midnight.
    time_zone : str
        Of moments that name none.

    Raises
    ------
    InputError
        With the heading in `where`.
    """
    known, _ = _matched(row, _WATERING_FIELDS)
    method = _METHOD_BY_NAME.get(_folded(known.get("method", "hose")))
    if method is None:
        what = f"{known['method']!r} is no way of watering"
        raise InputError(what, where="method", remedy=f"one of {', '.join(it.value for it in WateringMethod)}")
    at = _needed(known, "at", _WATERING_HEADINGS)
    moment_of = moment(at, time_zone, "at")
    if _DAY_ONLY.fullmatch(at):
        moment_of += timedelta(hours=12)
    return Watering(
        site=_needed(known, "site", _WATERING_HEADINGS),
        at=moment_of,
        litres=number(_needed(known, "litres", _WATERING_HEADINGS), "litres"),
        method=method,
        source=WateringSource.TABLE,
        comment=known.get("comment", ""),
    )


def depths_of(text: str) -> dict[str, float]:
    """Return depths written as one number, or as ``channel=depth`` separated by blanks [cm]."""
    depths: dict[str, float] = {}
    for word in text.split():
        channel, found, depth = word.rpartition("=")
        if found and not channel:
            what = f"{word!r} names no channel"
            raise InputError(what, where="depths", remedy="write channel=depth, such as soil_tension_1=30")
        depths[channel] = number(depth, "depths")
    if "" in depths and len(text.split()) > 1:
        what = "several depths need their channels named"
        raise InputError(what, where="depths", remedy="write channel=depth, such as soil_tension_1=30")
    return depths


def moment(text: str, time_zone: str, heading: str) -> datetime:
    """Return a moment written as ISO 8601 or the German way; without a zone it is the city's own time.

    Raises
    ------
    InputError
        If it is none.
    """
    plain = text.strip()
    try:
        found = datetime.fromisoformat(plain)
    except ValueError:
        for form in ("%d.%m.%Y %H:%M", "%d.%m.%Y"):
            try:
                found = datetime.strptime(plain, form)  # noqa: DTZ007 - the zone is given just below
                break
            except ValueError:
                continue
        else:
            what = f"{text!r} is no moment"
            raise InputError(
                what, where=heading, remedy="write it like 2026-04-01T08:30, or 01.04.2026 08:30"
            ) from None
    if found.tzinfo is None:
        found = found.replace(tzinfo=ZoneInfo(time_zone))
    try:
        return found.astimezone(UTC)
    except OverflowError:
        what = f"{text!r} lies outside the calendar"
        raise InputError(what, where=heading, remedy="check the year") from None
