"""What must be computed again: sites whose past changed, and how far each processor got."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from gruenpuls.domain.ports import DirtySpan
from gruenpuls.stores.registry import schema
from gruenpuls.stores.registry.connection import Database, among, execute_many, upsert
from gruenpuls.stores.registry.keys import site_ids

_ROWS_AT_ONCE: Final = 5000


def local_day(moment: datetime, time_zone: str) -> date:
    """Return the site's calendar day of a moment."""
    return moment.astimezone(ZoneInfo(time_zone)).date()


def mark(connection: sa.Connection, days: Mapping[int, date]) -> None:
    """Mark sites (by row id), each from a day on, in an open transaction; an earlier mark stays."""
    table = schema.dirty
    insert = upsert(connection, table)
    earlier = sa.case(
        (table.c.from_day.is_(None), insert.excluded.from_day),
        (table.c.from_day < insert.excluded.from_day, table.c.from_day),
        else_=insert.excluded.from_day,
    )
    statement = insert.on_conflict_do_update(
        index_elements=["site_id"], set_={"from_day": earlier, "version": table.c.version + sa.literal_column("1")}
    )
    # In one order, so that two programs marking the same sites never wait for each other in a circle.
    rows = [(site_id, day, 1) for site_id, day in sorted(days.items())]
    if rows:
        execute_many(connection, statement, ("site_id", "from_day", "version"), rows)


def mark_from_first_day(connection: sa.Connection, site_ids: Collection[int]) -> None:
    """Mark all there is of these sites: from when they first had a device, or the weather of a station."""
    site, deployment = schema.site.c, schema.deployment.c
    days: dict[int, date] = {}
    rows = connection.execute(
        sa.select(site.id, site.time_zone, sa.func.min(deployment.from_at).label("first_at"))
        .join_from(schema.site, schema.deployment)
        .where(among(connection, site.id, site_ids))
        .group_by(site.id, site.time_zone)
    )
    days.update((row.id, local_day(row.first_at, row.time_zone)) for row in rows)
    use = schema.weather_use.c
    given = sa.select(use.site_id, sa.func.min(use.from_day).label("first")).group_by(use.site_id)
    for row in connection.execute(given.where(among(connection, use.site_id, site_ids))):
        days[row.site_id] = min(row.first, days.get(row.site_id, row.first))
    mark(connection, days)


def mark_series(connection: sa.Connection, earliest: Mapping[int, datetime]) -> None:
    """Mark the sites these series belong to, each from its earliest touched moment.

    A device's series touches every site the device was at since then, from the day it came there.
    """
    if not earliest:
        return
    series, site, deployment = schema.series.c, schema.site.c, schema.deployment.c
    # Nearly all devices are where they were all along: of these no moments need be read, which takes half of the time.
    stayed = deployment.to_at.is_(None) & (deployment.from_at <= min(earliest.values()))
    from_at, to_at = (sa.case((~stayed, moment)) for moment in (deployment.from_at, deployment.to_at))
    touched = (
        sa.select(series.id, site.id, site.time_zone, from_at, to_at)
        .select_from(schema.series)
        .outerjoin(schema.deployment, deployment.device_id == series.device_id)
        .join(schema.site, site.id == sa.func.coalesce(series.site_id, deployment.site_id))
        .where(among(connection, series.id, earliest.keys()))
    )
    moments: dict[int, datetime] = {}
    zones: dict[int, str] = {}
    for number, site_id, zone, begun, ended in connection.execute(touched).yield_per(_ROWS_AT_ONCE):
        moment = earliest[number]
        if ended is None or ended > moment:
            moment = moment if begun is None else max(moment, begun)
            moments[site_id] = min(moment, moments.get(site_id, moment))
            zones[site_id] = zone
    mark(connection, {site_id: local_day(moment, zones[site_id]) for site_id, moment in moments.items()})


@dataclass(frozen=True, slots=True)
class DirtySpans:
    """Sites whose past changed, until everything that depends on it was computed again."""

    database: Database

    def mark(self, days: Mapping[str, date]) -> None:
        """Mark sites by key, each from a day on.

        Raises
        ------
        InputError
            If a site is not registered.
        """
        with self.database.writing() as connection:
            ids = site_ids(connection, days)
            mark(connection, {ids[key]: day for key, day in days.items()})

    def take(self, limit: int | None = None) -> Sequence[DirtySpan]:
        """Return dirty sites, the longest spans first; they stay dirty until cleared.

        Waits for a thread that has marked sites and not written their readings yet: what was computed without
        these would be cleared as done.
        """
        dirty, site = schema.dirty.c, schema.site.c
        query = (
            sa.select(site.key, dirty.from_day, dirty.version)
            .join_from(schema.dirty, schema.site)
            .where(dirty.from_day.is_not(None))
            .order_by(dirty.from_day, site.key)
            .limit(limit)
        )
        with self.database.unsettled, self.database.reading() as connection:
            return [DirtySpan(row.key, row.from_day, row.version) for row in connection.execute(query)]

    def clear(self, spans: Collection[DirtySpan]) -> int:
        """Clear the spans that have not changed since they were taken; return how many those were."""
        table = schema.dirty
        by_site = {span.site: span.version for span in spans}
        with self.database.writing() as connection:
            rows = connection.execute(
                sa.select(table.c.site_id, table.c.version, schema.site.c.key)
                .join_from(table, schema.site)
                .where(among(connection, schema.site.c.key, sorted(by_site)), table.c.from_day.is_not(None))
                .with_for_update(of=table)
            )
            unchanged = [row.site_id for row in rows if row.version == by_site[row.key]]
            mine = among(connection, table.c.site_id, unchanged)
            connection.execute(sa.update(table).where(mine).values(from_day=None))
        return len(unchanged)

    def count(self) -> int:
        """Return how many sites wait."""
        query = sa.select(sa.func.count()).select_from(schema.dirty).where(schema.dirty.c.from_day.is_not(None))
        with self.database.reading() as connection:
            return int(connection.execute(query).scalar_one())


@dataclass(frozen=True, slots=True)
class Watermarks:
    """Up to when each processor has computed, for the fleet or for single sites."""

    database: Database

    def fleet(self, processor: str) -> datetime | None:
        """Return how far a processor got with the whole fleet."""
        table = schema.watermark.c
        query = sa.select(table.reached_at).where(table.processor == processor, table.site_id.is_(None))
        with self.database.reading() as connection:
            return connection.execute(query).scalar_one_or_none()

    def sites(self, processor: str) -> dict[str, datetime]:
        """Return how far a processor got with each site that has a mark of its own."""
        table = schema.watermark.c
        query = (
            sa.select(schema.site.c.key, table.reached_at)
            .join_from(schema.watermark, schema.site)
            .where(table.processor == processor)
        )
        with self.database.reading() as connection:
            return {row.key: row.reached_at for row in connection.execute(query)}

    def keep_fleet(self, processor: str, reached_at: datetime) -> None:
        """Keep how far a processor got with the whole fleet."""
        self._keep([{"processor": processor, "site_id": None, "reached_at": reached_at}], ["processor"])

    def keep_sites(self, processor: str, reached_at: Mapping[str, datetime]) -> None:
        """Keep how far a processor got with single sites, by key.

        Raises
        ------
        InputError
            If a site is not registered.
        """
        with self.database.reading() as connection:
            ids = site_ids(connection, reached_at)
        rows = [
            {"processor": processor, "site_id": ids[key], "reached_at": moment}
            for key, moment in sorted(reached_at.items())
        ]
        self._keep(rows, ["processor", "site_id"])

    def _keep(self, rows: list[dict[str, Any]], unique: list[str]) -> None:
        if not rows:
            return
        table = schema.watermark
        with self.database.writing() as connection:
            insert = upsert(connection, table)
            connection.execute(
                insert.on_conflict_do_update(
                    index_elements=unique,
                    index_where=table.c.site_id.is_(None) if unique == ["processor"] else None,
                    set_={"reached_at": insert.excluded.reached_at},
                ),
                rows,
            )
