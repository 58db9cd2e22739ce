"""What people watered: entered by hand, from a table, or seen by sensors."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa

from gruenpuls.domain.errors import InputError
from gruenpuls.domain.watering import Watering, WateringMethod, WateringSource
from gruenpuls.stores.registry import schema
from gruenpuls.stores.registry.audit import record_all
from gruenpuls.stores.registry.connection import Database, among
from gruenpuls.stores.registry.dirty import local_day, mark
from gruenpuls.stores.registry.keys import site_ids

_MOST: Final = 100_000.0
"""More litres than any site is given at once: three tankers."""


@dataclass(frozen=True, slots=True)
class KeptWatering:
    """A watering with its number, and who entered it."""

    number: int
    author: str
    watering: Watering


@dataclass(frozen=True, slots=True)
class Waterings:
    """The waterings of all sites."""

    database: Database

    def add(self, watering: Watering, *, actor: str) -> int:
        """Keep a watering and return its number; what depends on it becomes dirty.

        Raises
        ------
        InputError
            If its site is not registered, the litres cannot be, or it is kept already.
        """
        numbers = self.add_all([watering], actor=actor)
        if not numbers:
            what = f"{watering.litres:g} L at this moment are entered already"
            raise InputError(what, where=f"site {watering.site!r}", remedy="give another moment if it was a second one")
        return numbers[0]

    def add_all(self, waterings: Sequence[Watering], *, actor: str) -> Sequence[int]:
        """Keep those that are not kept already, all or none; return the numbers of the new ones.

        Raises
        ------
        InputError
            If a site is not registered or litres cannot be.
        """
        for watering in waterings:
            if not (math.isfinite(watering.litres) and 0 < watering.litres <= _MOST):
                what = f"{watering.litres:g} litres cannot be"
                raise InputError(what, where=f"site {watering.site!r}", remedy=f"more than 0 and at most {_MOST:g}")
        with self.database.writing() as connection:
            ids = site_ids(connection, {watering.site for watering in waterings})
            kept = _same(connection, ids.values())
            new = [it for it in dict.fromkeys(waterings) if (ids[it.site], it.at, it.litres) not in kept]
            if not new:
                return []
            rows = [
                {
                    "site_id": ids[it.site],
                    "at": it.at,
                    "litres": it.litres,
                    "method": it.method.value,
                    "source": it.source.value,
                    "author": actor,
                    "comment": it.comment,
                }
                for it in new
            ]
            kept_as = connection.scalars(sa.insert(schema.watering).returning(schema.watering.c.id), rows).all()
            _mark(connection, [(ids[it.site], it.at) for it in new])
            details = [(it.site, {**asdict(it), "at": it.at.isoformat()}) for it in new]
            record_all(connection, self.database.now(), actor, "watering.add", details)
        return sorted(kept_as)

    def remove(self, number: int, *, actor: str) -> None:
        """Take back a watering that was none; what depends on it becomes dirty.

        Raises
        ------
        InputError
            If there is none of this number.
        """
        table = schema.watering
        with self.database.writing() as connection:
            found = connection.execute(_selected().where(table.c.id == number)).one_or_none()
            if found is None:
                what = "there is no watering of this number"
                raise InputError(what, where=str(number), remedy="`gruenpuls watering list` shows the numbers")
            connection.execute(sa.delete(table).where(table.c.id == number))
            _mark(connection, [(found.site_id, found.at)])
            detail = {"number": number, "at": found.at.isoformat(), "litres": found.litres}
            record_all(connection, self.database.now(), actor, "watering.remove", [(found.key, detail)])

    def known(self, waterings: Sequence[Watering]) -> list[bool]:
        """Return which of these are kept already: same site, moment and litres."""
        with self.database.reading() as connection:
            ids = site_ids(connection, {watering.site for watering in waterings})
            kept = _same(connection, ids.values())
        return [(ids[it.site], it.at, it.litres) in kept for it in waterings]

    def of_sites(self, sites: Collection[str] | None, from_at: datetime, to_at: datetime) -> Sequence[KeptWatering]:
        """Return what was given to these sites, or to all, in a span, its end exclusive.

        Raises
        ------
        InputError
            If a site is not registered.
        """
        table = schema.watering.c
        query = _selected().where(table.at >= from_at, table.at < to_at).order_by(table.at, table.id)
        with self.database.reading() as connection:
            if sites is not None:
                query = query.where(among(connection, table.site_id, site_ids(connection, sites).values()))
            return [_kept(row) for row in connection.execute(query)]


def _selected() -> sa.Select[Any]:
    return sa.select(schema.watering, schema.site.c.key).join_from(schema.watering, schema.site)


def _kept(row: sa.Row[Any]) -> KeptWatering:
    watering = Watering(
        row.key, row.at, row.litres, WateringMethod(row.method), WateringSource(row.source), row.comment
    )
    return KeptWatering(row.id, row.author, watering)


def _same(connection: sa.Connection, sites: Collection[int]) -> set[tuple[int, datetime, float]]:
    table = schema.watering.c
    query = sa.select(table.site_id, table.at, table.litres).where(among(connection, table.site_id, sites))
    return {(row.site_id, row.at, row.litres) for row in connection.execute(query)}


def _mark(connection: sa.Connection, given: Sequence[tuple[int, datetime]]) -> None:
    site = schema.site.c
    numbers = {site_id for site_id, _ in given}
    query = sa.select(site.id, site.time_zone).where(among(connection, site.id, numbers))
    zones: dict[int, str] = dict(_pairs(connection.execute(query)))
    days: dict[int, date] = {}
    for site_id, at in given:
        day = local_day(at, zones[site_id])
        days[site_id] = min(day, days.get(site_id, day))
    mark(connection, days)


def _pairs(rows: sa.Result[Any]) -> Iterator[tuple[int, str]]:
    for row in rows:
        yield row.id, row.time_zone
