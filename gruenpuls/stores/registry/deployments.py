"""Which device is at which site, from when to when."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any

import sqlalchemy as sa

from gruenpuls.domain.device import Deployment
from gruenpuls.domain.errors import InputError
from gruenpuls.stores.registry import schema
from gruenpuls.stores.registry.audit import record, record_all
from gruenpuls.stores.registry.connection import Database, among
from gruenpuls.stores.registry.dirty import local_day, mark
from gruenpuls.stores.registry.keys import device_ids, device_key, site_ids


@dataclass(frozen=True, slots=True)
class Deployments:
    """What ties devices to sites; a device is at one site at a time, a site may have many devices."""

    database: Database

    def begin(self, deployment: Deployment, *, actor: str) -> None:
        """Put a device at a site from a moment on.

        Raises
        ------
        InputError
            If device or site is not registered, the span is empty, or the device is elsewhere meanwhile.
        """
        self.begin_all([deployment], actor=actor)

    def begin_all(self, deployments: Sequence[Deployment], *, actor: str) -> None:
        """Put devices at sites, all or none.

        Raises
        ------
        InputError
            As `begin`; also if two of these overlap.
        """
        with self.database.writing() as connection:
            insert_deployments(connection, self.database.now(), deployments, actor)

    def end(self, device: str, at: datetime, *, actor: str) -> Deployment:
        """End the deployment that a device is in at a moment; return it as it is now.

        Raises
        ------
        InputError
            If the device is nowhere then.
        """
        with self.database.writing() as connection:
            return self._end(connection, device_key(device), at, actor)

    def swap(self, old_device: str, new_device: str, at: datetime, *, actor: str) -> Deployment:
        """Put another device in the place of one, at a moment; return the deployment that begins.

        Raises
        ------
        InputError
            If the old one is nowhere then, or the new one is somewhere already.
        """
        with self.database.writing() as connection:
            ended = self._end(connection, device_key(old_device), at, actor)
            begun = Deployment(device_key(new_device), ended.site, at, None)
            insert_deployments(connection, self.database.now(), [begun], actor)
        return begun

    def remove(self, deployment: Deployment, *, actor: str) -> None:
        """Take back a deployment that never was; the audit keeps what it said.

        Raises
        ------
        InputError
            If there is none of this device that begins then.
        """
        with self.database.writing() as connection:
            device, table = device_key(deployment.device), schema.deployment
            ids = device_ids(connection, [device])
            _lock(connection, ids.values())
            row = connection.execute(
                _selected().where(table.c.device_id == ids[device], table.c.from_at == deployment.from_at)
            ).one_or_none()
            if row is None:
                raise InputError(
                    what=f"no deployment of it begins at {deployment.from_at.isoformat()}", where=f"device {device!r}"
                )
            connection.execute(sa.delete(table).where(table.c.id == row.id))
            mark(connection, {row.site_id: local_day(row.from_at, row.time_zone)})
            record(connection, self.database.now(), actor, "deployment.remove", device, _plain(_deployment(row)))

    def of_device(self, device: str) -> Sequence[Deployment]:
        """Return where a device was, in order of time."""
        return self._all(schema.device.c.key == device_key(device))

    def of_site(self, site: str) -> Sequence[Deployment]:
        """Return which devices were at a site, in order of time."""
        return self._all(schema.site.c.key == site)

    def at(self, moment: datetime) -> Sequence[Deployment]:
        """Return everything deployed at a moment."""
        table = schema.deployment.c
        return self._all(table.from_at <= moment, sa.or_(table.to_at.is_(None), table.to_at > moment))

    def of_devices_at(self, sites: Collection[str] | None) -> Sequence[Deployment]:
        """Return where all devices were that ever were at one of these sites, in order of time; None for any site."""
        if sites is None:
            return self._all()
        table = schema.deployment.c
        with self.database.reading() as connection:
            there = sa.select(table.device_id).join_from(schema.deployment, schema.site)
            there = there.where(among(connection, schema.site.c.key, sites))
            query = _selected().where(table.device_id.in_(there)).order_by(table.from_at, table.id)
            return [_deployment(row) for row in connection.execute(query)]

    def _all(self, *conditions: sa.ColumnElement[bool]) -> Sequence[Deployment]:
        query = _selected().where(*conditions).order_by(schema.deployment.c.from_at, schema.deployment.c.id)
        with self.database.reading() as connection:
            return [_deployment(row) for row in connection.execute(query)]

    def _end(self, connection: sa.Connection, device: str, at: datetime, actor: str) -> Deployment:
        device_id = device_ids(connection, [device])[device]
        _lock(connection, [device_id])
        at = at.astimezone(UTC)
        table = schema.deployment.c
        row = connection.execute(
            _selected().where(
                table.device_id == device_id, table.from_at < at, sa.or_(table.to_at.is_(None), table.to_at > at)
            )
        ).one_or_none()
        if row is None:
            raise InputError(
                what=f"the device is at no site at {at.isoformat()}",
                where=f"device {device!r}",
                remedy="look at its deployments",
            )
        connection.execute(sa.update(schema.deployment).where(table.id == row.id).values(to_at=at))
        mark(connection, {row.site_id: local_day(at, row.time_zone)})
        ended = replace(_deployment(row), to_at=at)
        record(connection, self.database.now(), actor, "deployment.end", device, _plain(ended))
        return ended


def insert_deployments(connection: sa.Connection, now: datetime, deployments: Sequence[Deployment], actor: str) -> None:
    """Put devices at sites in an open transaction, with their audit entries; their sites become dirty.

    Raises
    ------
    InputError
        As `Deployments.begin_all`.
    """
    begun = [_checked(deployment) for deployment in deployments]
    if not begun:
        return
    devices = device_ids(connection, {deployment.device for deployment in begun})
    sites = site_ids(connection, {deployment.site for deployment in begun})
    _lock(connection, devices.values())
    _refuse_overlaps(connection, devices, begun)
    connection.execute(
        sa.insert(schema.deployment),
        [
            {"device_id": devices[it.device], "site_id": sites[it.site], "from_at": it.from_at, "to_at": it.to_at}
            for it in begun
        ],
    )
    _mark(connection, sites, begun)
    record_all(connection, now, actor, "deployment.begin", [(it.device, _plain(it)) for it in begun])


def _refuse_overlaps(connection: sa.Connection, devices: Mapping[str, int], begun: Sequence[Deployment]) -> None:
    mine = among(connection, schema.deployment.c.device_id, sorted(devices.values()))
    known = [_deployment(row) for row in connection.execute(_selected().where(mine))]
    ordered = sorted([*known, *begun], key=lambda it: (it.device, it.from_at))
    for earlier, later in pairwise(ordered):
        if earlier.device == later.device and (earlier.to_at is None or earlier.to_at > later.from_at):
            other = earlier if later in begun else later
            until = f"until {other.to_at.isoformat()}" if other.to_at else "on"
            raise InputError(
                what=f"the device is at site {other.site!r} from {other.from_at.isoformat()} {until}",
                where=f"device {other.device!r}",
                remedy="end that deployment first, or choose another moment",
            )


def _mark(connection: sa.Connection, sites: Mapping[str, int], begun: Sequence[Deployment]) -> None:
    site = schema.site.c
    mine = among(connection, site.id, sorted(sites.values()))
    zones = {row.id: row.time_zone for row in connection.execute(sa.select(site.id, site.time_zone).where(mine))}
    days: dict[int, date] = {}
    for deployment in begun:
        site_id = sites[deployment.site]
        day = local_day(deployment.from_at, zones[site_id])
        days[site_id] = min(day, days.get(site_id, day))
    mark(connection, days)


def _plain(deployment: Deployment) -> dict[str, str | None]:
    return {
        "site": deployment.site,
        "from_at": deployment.from_at.isoformat(),
        "to_at": deployment.to_at.isoformat() if deployment.to_at else None,
    }


def _lock(connection: sa.Connection, device_ids: Collection[int]) -> None:
    # On SQLite the writer holds everything already, and the clause is left out.
    column = schema.device.c.id
    mine = among(connection, column, sorted(device_ids))
    connection.execute(sa.select(column).where(mine).order_by(column).with_for_update())


def _checked(deployment: Deployment) -> Deployment:
    if deployment.from_at.tzinfo is None or (deployment.to_at is not None and deployment.to_at.tzinfo is None):
        raise InputError(what="a moment needs its zone", where=f"device {deployment.device!r}")
    if deployment.to_at is not None and deployment.to_at <= deployment.from_at:
        raise InputError(what="the deployment would end before it begins", where=f"device {deployment.device!r}")
    return replace(
        deployment,
        device=device_key(deployment.device),
        from_at=deployment.from_at.astimezone(UTC),
        to_at=deployment.to_at.astimezone(UTC) if deployment.to_at else None,
    )


def _selected() -> sa.Select[Any]:
    table = schema.deployment.c
    return (
        sa.select(
            table.id,
            table.site_id,
            table.from_at,
            table.to_at,
            schema.device.c.key.label("device"),
            schema.site.c.key.label("site"),
            schema.site.c.time_zone,
        )
        .select_from(schema.deployment)
        .join(schema.device)
        .join(schema.site)
    )


def _deployment(row: sa.Row[Any]) -> Deployment:
    return Deployment(row.device, row.site, row.from_at, row.to_at)
