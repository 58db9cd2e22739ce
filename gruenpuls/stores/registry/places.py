"""Sites, and the districts and municipalities they lie in."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final
from zoneinfo import available_timezones

import sqlalchemy as sa

from gruenpuls.domain.errors import InputError
from gruenpuls.domain.site import Site, SiteKind, Soil
from gruenpuls.stores.registry import schema
from gruenpuls.stores.registry.audit import record_all
from gruenpuls.stores.registry.connection import Database, among, upsert
from gruenpuls.stores.registry.dirty import mark_from_first_day

_PLAIN: Final = (
    "key",
    "name",
    "latitude",
    "longitude",
    "maintenance_area",
    "contract_lot",
    "time_zone",
    "planted_on",
    "species",
    "attributes",
)
_LONGEST_KEY: Final = 200
_SOIL: Final = ("texture", "field_capacity", "wilting_point", "root_depth")
_CHANGES_RESULTS: Final = ("kind", "time_zone", "planted_on", "species", "soil", "attributes", "latitude", "longitude")
"""Fields processors may read: changing one makes earlier results wrong."""


@dataclass(frozen=True, slots=True)
class SiteFilter:
    """Which sites; what is None does not restrict.

    Parameters
    ----------
    kind : SiteKind or None
    district, municipality : str or None
        Their names.
    text : str or None
        Part of key, name or species, whatever the case.
    """

    kind: SiteKind | None = None
    district: str | None = None
    municipality: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Places:
    """The sites of the city."""

    database: Database

    def add(self, site: Site, *, actor: str) -> None:
        """Register a new site.

        Raises
        ------
        InputError
            If its key is taken or a value cannot be.
        """
        self.add_all([site], actor=actor)

    def add_all(self, sites: Sequence[Site], *, actor: str) -> None:
        """Register new sites, all or none.

        Raises
        ------
        InputError
            If a key is taken, comes twice, or a value cannot be.
        """
        with self.database.writing() as connection:
            insert_sites(connection, self.database.now(), sites, actor)

    def change(self, site: Site, *, actor: str) -> None:
        """Put these values in the place of what is registered under the site's key.

        Raises
        ------
        InputError
            If there is no such site or a value cannot be.
        """
        with self.database.writing() as connection:
            before = registered_sites(connection, [site.key]).get(site.key)
            if before is None:
                raise InputError(what="there is no such site", where=f"site {site.key!r}", remedy="add it first")
            update_sites(connection, self.database.now(), [(before, site)], actor)

    def by_key(self, key: str) -> Site | None:
        """Return a site, or None where there is none of that key."""
        found = self.by_keys([key])
        return found.get(key)

    def by_keys(self, keys: Collection[str]) -> dict[str, Site]:
        """Return the registered ones among these sites."""
        with self.database.reading() as connection:
            return registered_sites(connection, keys)

    def list(self, wanted: SiteFilter | None = None, *, limit: int | None = None, after: str = "") -> Sequence[Site]:
        """Return sites by key; for the next page pass the last key as `after`."""
        query = _matching(_selected(), wanted or SiteFilter()).where(schema.site.c.key > after)
        with self.database.reading() as connection:
            return [_site(row) for row in connection.execute(query.order_by(schema.site.c.key).limit(limit))]

    def kinds(self) -> dict[str, SiteKind]:
        """Return what kind of site each one is, by key."""
        with self.database.reading() as connection:
            rows = connection.execute(sa.select(schema.site.c.key, schema.site.c.kind))
            return {row.key: SiteKind(row.kind) for row in rows}

    def count(self, wanted: SiteFilter | None = None) -> int:
        """Return how many sites there are."""
        query = _matching(sa.select(sa.func.count()).select_from(_joined()), wanted or SiteFilter())
        with self.database.reading() as connection:
            return int(connection.execute(query).scalar_one())

    def municipalities(self) -> Sequence[str]:
        """Return the names of all municipalities."""
        column = schema.municipality.c.name
        with self.database.reading() as connection:
            return list(connection.execute(sa.select(column).order_by(column)).scalars())

    def districts(self, municipality: str | None = None) -> Sequence[str]:
        """Return the names of all districts, or of one municipality's."""
        column = schema.district.c.name
        query = sa.select(column).distinct().order_by(column)
        if municipality is not None:
            query = query.join(schema.municipality).where(schema.municipality.c.name == municipality)
        with self.database.reading() as connection:
            return list(connection.execute(query).scalars())


def check_site(site: Site) -> None:
    """Refuse a site whose values cannot be.

    Raises
    ------
    InputError
        Naming the first field that is wrong.
    """
    problem = _problem(site)
    if problem:
        raise InputError(what=problem, where=f"site {site.key!r}")


@cache
def _time_zones() -> frozenset[str]:
    # Listing them reads the whole directory of time zones.
    return frozenset(available_timezones())


def _problem(site: Site) -> str | None:
    soil = site.soil
    numbers = {
        "latitude": (site.latitude, -90, 90),
        "longitude": (site.longitude, -180, 180),
        "field_capacity": (soil.field_capacity, 0, 100),
        "wilting_point": (soil.wilting_point, 0, 100),
        "root_depth": (soil.root_depth, 0, 20),
    }
    for name, (value, low, high) in numbers.items():
        if value is not None and not (math.isfinite(value) and low <= value <= high):
            return f"{name} is {value}, expected {low} to {high}"
    fields = {
        "a site needs a key": bool(site.key.strip()) and site.key == site.key.strip(),
        "a key is at most 200 printable characters": len(site.key) <= _LONGEST_KEY and site.key.isprintable(),
        "latitude and longitude come together": (site.latitude is None) == (site.longitude is None),
        f"there is no time zone {site.time_zone!r}": site.time_zone in _time_zones(),
        "the wilting point is not below the field capacity": soil.field_capacity is None
        or soil.wilting_point is None
        or soil.wilting_point < soil.field_capacity,
    }
    return next((problem for problem, holds in fields.items() if not holds), None)


def insert_sites(connection: sa.Connection, now: datetime, sites: Sequence[Site], actor: str) -> None:
    """Add sites in an open transaction, with their audit entries."""
    known = set(registered_sites(connection, [site.key for site in sites]))
    for site in sites:
        check_site(site)
        if site.key in known:
            raise InputError(what="this key is taken", where=f"site {site.key!r}", remedy="change the site instead")
        known.add(site.key)
    areas = _Areas(connection)
    if sites:
        connection.execute(sa.insert(schema.site), [{**_values(areas, site), "changed_at": now} for site in sites])
    record_all(connection, now, actor, "site.add", [(site.key, _plain(site)) for site in sites])


def update_sites(connection: sa.Connection, now: datetime, changed: Sequence[tuple[Site, Site]], actor: str) -> None:
    """Change sites, each from what it was to what it is, in an open transaction, with their audit entries.

    What depended on the old values becomes dirty.
    """
    areas = _Areas(connection)
    details: dict[str, dict[str, Any]] = {}
    dirty = []
    for before, after in changed:
        check_site(after)
        changes = differences(before, after)
        if not changes:
            continue
        site_id = connection.execute(
            sa.update(schema.site)
            .where(schema.site.c.key == after.key)
            .values(**_values(areas, after), changed_at=now)
            .returning(schema.site.c.id)
        ).scalar_one()
        details[after.key] = changes
        if any(name.partition(".")[0] in _CHANGES_RESULTS for name in changes):
            dirty.append(site_id)
    record_all(connection, now, actor, "site.change", details.items())
    mark_from_first_day(connection, dirty)


def differences(before: Site, after: Site) -> dict[str, list[Any]]:
    """Return what differs between two versions of a site, as ``{field: [before, after]}``."""
    old, new = _plain(before), _plain(after)
    return {name: [old.get(name), new.get(name)] for name in old | new if old.get(name) != new.get(name)}


def registered_sites(connection: sa.Connection, keys: Collection[str]) -> dict[str, Site]:
    """Return the registered ones among these sites, in an open transaction."""
    found: dict[str, Site] = {}
    for row in connection.execute(_selected().where(among(connection, schema.site.c.key, sorted(set(keys))))):
        found[row.key] = _site(row)
    return found


def _plain(site: Site) -> dict[str, Any]:
    values = asdict(site)
    flat = {name: value for name, value in values.items() if name not in {"soil", "attributes", "key"}}
    flat |= {f"soil.{name}": value for name, value in values["soil"].items()}
    flat |= {f"attributes.{name}": value for name, value in values["attributes"].items()}
    return {name: value for name, value in flat.items() if value is not None}


def _values(areas: _Areas, site: Site) -> dict[str, Any]:
    municipality_id = areas.municipality(site.municipality) if site.municipality else None
    return {
        **{name: getattr(site, name) for name in _PLAIN},
        **{name: getattr(site.soil, name) for name in _SOIL},
        "kind": site.kind.value,
        "municipality_id": municipality_id,
        "district_id": areas.district(site.district, municipality_id) if site.district else None,
        "search": searchable(f"{site.key} {site.name} {site.species or ''}"),
    }


class _Areas:
    """Municipalities and districts, made on the way and looked up once."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._municipalities: dict[str, int] = {}
        self._districts: dict[tuple[str, int | None], int] = {}

    def municipality(self, name: str) -> int:
        """Return the id of a municipality."""
        if name not in self._municipalities:
            table = schema.municipality
            self._municipalities[name] = self._id(table, {"name": name}, table.c.name == name)
        return self._municipalities[name]

    def district(self, name: str, municipality_id: int | None) -> int:
        """Return the id of a district; the same name in two municipalities is two districts."""
        place = (name, municipality_id)
        if place not in self._districts:
            table = schema.district
            same = (table.c.name == name) & table.c.municipality_id.is_not_distinct_from(municipality_id)
            values = {"name": name, "municipality_id": municipality_id}
            self._districts[place] = self._id(table, values, same)
        return self._districts[place]

    def _id(self, table: sa.Table, values: dict[str, Any], same: sa.ColumnElement[bool]) -> int:
        self._connection.execute(upsert(self._connection, table).values(values).on_conflict_do_nothing())
        return int(self._connection.execute(sa.select(table.c.id).where(same)).scalar_one())


def searchable(text: str) -> str:
    """Return a text so that it is found whatever the case and spelling of umlauts (composed or not)."""
    return unicodedata.normalize("NFC", text).casefold()


def _joined() -> sa.FromClause:
    return schema.site.outerjoin(schema.municipality).outerjoin(
        schema.district, schema.site.c.district_id == schema.district.c.id
    )


def _selected() -> sa.Select[Any]:
    return sa.select(
        schema.site, schema.municipality.c.name.label("municipality"), schema.district.c.name.label("district")
    ).select_from(_joined())


def _matching(query: sa.Select[Any], wanted: SiteFilter) -> sa.Select[Any]:
    if wanted.kind is not None:
        query = query.where(schema.site.c.kind == wanted.kind.value)
    if wanted.district is not None:
        query = query.where(schema.district.c.name == wanted.district)
    if wanted.municipality is not None:
        query = query.where(schema.municipality.c.name == wanted.municipality)
    if wanted.text:
        query = query.where(schema.site.c.search.contains(searchable(wanted.text), autoescape=True))
    return query


def _site(row: sa.Row[Any]) -> Site:
    return Site(
        kind=SiteKind(row.kind),
        municipality=row.municipality,
        district=row.district,
        soil=Soil(**{name: getattr(row, name) for name in _SOIL}),
        **{name: getattr(row, name) for name in _PLAIN},
    )
