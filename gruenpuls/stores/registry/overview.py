"""All sites at a glance: the last value of what tells their status, and when they were last heard."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from gruenpuls.domain.reading import Flag, FlagInterval, ReadingBatch, effective_flags
from gruenpuls.stores.registry import schema
from gruenpuls.stores.registry.connection import Database


@dataclass(frozen=True, slots=True)
class LastValue:
    """The last value of a quantity at a site.

    Parameters
    ----------
    series : int
    value : float
        In the unit of the quantity.
    measured_at : datetime
        Aware UTC.
    flag : Flag
        The effective one.
    depth : float or None
        Below ground [cm].
    statistic, origin : str
    """

    series: int
    value: float
    measured_at: datetime
    flag: Flag
    depth: float | None
    statistic: str
    origin: str


@dataclass(frozen=True, slots=True)
class SiteGlance:
    """A site in a list or on a map.

    Parameters
    ----------
    key, name, kind : str
    district : str or None
    latitude, longitude : float or None
        WGS 84 [°].
    last_uplink_at : datetime or None
        When one of its devices was last heard there; aware UTC.
    values : dict
        By quantity, all its series at the site, sorted by depth, statistic and origin.
    """

    key: str
    name: str
    kind: str
    district: str | None
    latitude: float | None
    longitude: float | None
    last_uplink_at: datetime | None
    values: dict[str, list[LastValue]]


@dataclass(frozen=True, slots=True)
class Overview:
    """What the first page shows."""

    database: Database

    def glances(self, quantities: Collection[str]) -> Sequence[SiteGlance]:
        """Return every site by key, with the last values of these quantities that belong to it.

        A measured value belongs to the site where its device was when it was measured.
        """
        with self.database.reading() as connection:
            heard = {row.site_id: row.heard_at for row in connection.execute(_last_heard())}
            rows = connection.execute(_last_values(quantities)).all()
            flags = _effective(rows, connection)
            sites = connection.execute(_sites()).all()
        values: dict[int, dict[str, list[LastValue]]] = {}
        for row, flag in zip(rows, flags, strict=True):
            last = LastValue(row.id, row.value, row.measured_at, Flag(flag), row.depth, row.statistic, row.origin)
            values.setdefault(row.site_id, {}).setdefault(row.quantity, []).append(last)
        return [
            SiteGlance(
                row.key,
                row.name,
                row.kind,
                row.district,
                row.latitude,
                row.longitude,
                heard.get(row.id),
                values.get(row.id, {}),
            )
            for row in sites
        ]


def _sites() -> sa.Select[*tuple[Any, ...]]:
    site, district = schema.site.c, schema.district.c
    return (
        sa.select(
            site.id, site.key, site.name, site.kind, district.name.label("district"), site.latitude, site.longitude
        )
        .select_from(schema.site.outerjoin(schema.district, site.district_id == district.id))
        .order_by(site.key)
    )


def _last_heard() -> sa.Select[*tuple[Any, ...]]:
    tally, deployment = schema.tally.c, schema.deployment.c
    return (
        sa.select(deployment.site_id, sa.func.max(tally.last_uplink_at).label("heard_at"))
        .select_from(schema.tally)
        .join(schema.device, schema.device.c.key == tally.device)
        .join(schema.deployment, deployment.device_id == schema.device.c.id)
        .where(deployment.from_at <= tally.last_uplink_at)
        .where(sa.or_(deployment.to_at.is_(None), deployment.to_at > tally.last_uplink_at))
        .group_by(deployment.site_id)
    )


def _last_values(quantities: Collection[str]) -> sa.CompoundSelect[*tuple[Any, ...]]:
    series, latest, deployment = schema.series.c, schema.latest.c, schema.deployment.c
    wanted = series.quantity.in_(sorted(set(quantities)))
    columns = (
        series.id,
        series.quantity,
        series.depth,
        series.statistic,
        series.origin,
        latest.measured_at,
        latest.value,
        latest.flag,
    )
    derived = (
        sa.select(series.site_id.label("site_id"), *columns)
        .join_from(schema.series, schema.latest)
        .where(wanted, series.site_id.is_not(None))
    )
    measured = (
        sa.select(deployment.site_id.label("site_id"), *columns)
        .join_from(schema.series, schema.latest)
        .join(schema.deployment, deployment.device_id == series.device_id)
        .where(wanted, deployment.from_at <= latest.measured_at)
        .where(sa.or_(deployment.to_at.is_(None), deployment.to_at > latest.measured_at))
    )
    both = sa.union_all(derived, measured)
    order = ("site_id", "quantity", "depth", "statistic", "origin", "id")
    return both.order_by(*(both.selected_columns[name].nulls_first() for name in order))


def _effective(rows: Sequence[sa.Row[*tuple[Any, ...]]], connection: sa.Connection) -> Sequence[int]:
    interval, latest = schema.flag_interval.c, schema.latest.c
    said = connection.execute(
        sa.select(schema.flag_interval)
        .join(schema.latest, latest.series_id == interval.series_id)
        .where(interval.from_at <= latest.measured_at, interval.to_at > latest.measured_at)
        .order_by(interval.id)
    ).all()
    flags: list[int] = [row.flag for row in rows]
    if not said:
        return flags
    batch = ReadingBatch.of(
        [row.id for row in rows],
        [row.measured_at for row in rows],
        [row.value for row in rows],
        flags,
        [0] * len(rows),
    )
    intervals = [
        FlagInterval(row.series_id, row.from_at, row.to_at, row.test, Flag(row.flag), row.author, row.reason)
        for row in said
    ]
    effective: list[int] = effective_flags(batch, intervals).tolist()
    return effective
