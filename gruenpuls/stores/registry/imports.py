"""Taking over many sites at once: first what would happen, then all of it or nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from gruenpuls.domain.errors import InputError
from gruenpuls.domain.site import Site, Soil
from gruenpuls.stores.registry import schema
from gruenpuls.stores.registry.audit import record
from gruenpuls.stores.registry.connection import Database
from gruenpuls.stores.registry.places import check_site, differences, insert_sites, registered_sites, update_sites


class Verdict(StrEnum):
    """What importing a row would do."""

    ADD = "add"
    CHANGE = "change"
    UNCHANGED = "unchanged"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class RowVerdict:
    """What importing one row would do.

    Parameters
    ----------
    row : int
        Its place in the table, from 1; a header does not count.
    key : str
    verdict : Verdict
    changes : dict
        ``{field: [before, after]}``.
    problem : str
        What is wrong with it.
    before, after : Site or None
    """

    row: int
    key: str
    verdict: Verdict
    changes: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    problem: str = ""
    before: Site | None = None
    after: Site | None = None


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What importing a table would do, row by row."""

    rows: tuple[RowVerdict, ...]

    def count(self, verdict: Verdict) -> int:
        """Return how many rows have this verdict."""
        return Counter(row.verdict for row in self.rows)[verdict]


@dataclass(frozen=True, slots=True)
class KeptImport:
    """An import that was done, and when [aware UTC]."""

    kind: str
    source: str
    actor: str
    at: datetime
    added: int
    changed: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class Imports:
    """Tables of sites, taken over whole."""

    database: Database

    def plan_sites(self, rows: Sequence[Site | InputError]) -> ImportPlan:
        """Return what importing these rows would do; nothing is changed.

        Parameters
        ----------
        rows : sequence of Site or InputError
            Each row as it was read, or why it could not be. What a row does not say stays as it is registered.
        """
        with self.database.reading() as connection:
            return _plan(connection, rows)

    def apply_sites(self, rows: Sequence[Site | InputError], *, source: str, actor: str) -> ImportPlan:
        """Add and change sites as the rows say, all or none; return what was done.

        Raises
        ------
        InputError
            Naming the first row that is wrong.
        """
        with self.database.writing() as connection:
            plan = _plan(connection, rows)
            wrong = next((row for row in plan.rows if row.verdict is Verdict.ERROR), None)
            if wrong is not None:
                raise InputError(what=wrong.problem, where=f"{source}, row {wrong.row}", remedy="nothing was imported")
            now = self.database.now()
            insert_sites(connection, now, [it.after for it in plan.rows if it.after and not it.before], actor)
            changed = [(it.before, it.after) for it in plan.rows if it.before and it.after]
            update_sites(connection, now, changed, actor)
            counts = {
                "added": plan.count(Verdict.ADD),
                "changed": plan.count(Verdict.CHANGE),
                "unchanged": plan.count(Verdict.UNCHANGED),
            }
            connection.execute(
                sa.insert(schema.imported).values(kind="site", source=source, actor=actor, at=now, **counts)
            )
            record(connection, now, actor, "site.import", source, counts)
        return plan

    def list(self, *, limit: int = 20) -> Sequence[KeptImport]:
        """Return the newest imports first."""
        table = schema.imported
        query = sa.select(table).order_by(table.c.id.desc()).limit(limit)
        with self.database.reading() as connection:
            return [
                KeptImport(row.kind, row.source, row.actor, row.at, row.added, row.changed, row.unchanged)
                for row in connection.execute(query)
            ]


def _plan(connection: sa.Connection, rows: Sequence[Site | InputError]) -> ImportPlan:
    keys = [row.key for row in rows if isinstance(row, Site)]
    known = registered_sites(connection, keys)
    times = Counter(keys)
    return ImportPlan(tuple(_verdict(place, row, known, times) for place, row in enumerate(rows, start=1)))


def _verdict(place: int, row: Site | InputError, known: Mapping[str, Site], times: Mapping[str, int]) -> RowVerdict:
    if isinstance(row, InputError):
        return RowVerdict(place, "", Verdict.ERROR, problem=str(row))
    if times[row.key] > 1:
        return RowVerdict(place, row.key, Verdict.ERROR, problem=f"the key {row.key!r} comes more than once")
    before = known.get(row.key)
    after = row if before is None else _merged(before, row)
    try:
        check_site(after)
    except InputError as error:
        return RowVerdict(place, row.key, Verdict.ERROR, problem=str(error))
    if before is None:
        return RowVerdict(place, row.key, Verdict.ADD, after=after)
    changes = differences(before, after)
    if not changes:
        return RowVerdict(place, row.key, Verdict.UNCHANGED)
    return RowVerdict(place, row.key, Verdict.CHANGE, changes, before=before, after=after)


def _merged(before: Site, row: Site) -> Site:
    def said(values: Site | Soil) -> dict[str, Any]:
        named = {it.name: getattr(values, it.name) for it in fields(values)}
        return {name: value for name, value in named.items() if value is not None}

    # A row that gives no name of its own carries its key as one.
    name = before.name if row.name == row.key else row.name
    soil = replace(before.soil, **said(row.soil))
    return replace(before, **said(row) | {"name": name, "soil": soil, "attributes": before.attributes | row.attributes})
