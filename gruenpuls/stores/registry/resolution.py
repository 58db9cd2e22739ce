"""From a site to its series: its deployments' channels cut to their validity, and what was derived for it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from gruenpuls.domain.device import Placement
from gruenpuls.domain.ports import Run
from gruenpuls.domain.quantity import QUANTITIES, Aggregation
from gruenpuls.domain.reading import Ids, Times, Values, to_stored
from gruenpuls.domain.series import AS_IT_CAME, Owner, SeriesKey
from gruenpuls.stores.registry import schema
from gruenpuls.stores.registry.connection import Database, among
from gruenpuls.stores.registry.keys import site_ids

Texts = NDArray[np.str_]

_ALWAYS: Final = np.datetime64("0001-01-01", "ms")
_FOREVER: Final = np.datetime64("9999-12-31", "ms")

_Row = sa.Row[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class SiteSeries:
    """A series of a site, and the span in which its values are the site's.

    Parameters
    ----------
    series : int
    quantity, unit : str
    depth : float or None
        Below ground [cm].
    height : float or None
        Above ground [m].
    placement : Placement or None
    statistic, origin : str
        As in `gruenpuls.domain.series.SeriesKey`.
    device, channel : str or None
        What measured it; None for a derived one.
    from_at, to_at : datetime
        Aware UTC, the end exclusive: the part of the asked span in which it was deployed here.
    """

    series: int
    quantity: str
    unit: str
    depth: float | None
    height: float | None
    placement: Placement | None
    statistic: str
    origin: str
    device: str | None
    channel: str | None
    from_at: datetime
    to_at: datetime


@dataclass(frozen=True, slots=True)
class FleetSeries:
    """The series of many sites as columns; a series that came twice, or was moved, has one row per deployment.

    Parameters
    ----------
    sites : tuple of str
        Keys of all sites asked for, in order; also those without any series.
    site : int64 (n,)
        Index into `sites`; rows are sorted by it.
    series : int64 (n,)
    quantity, statistic, origin, placement : str (n,)
        Empty placement: not known.
    depth, height : float64 (n,)
        [cm] and [m]; NaN is unknown.
    from_at, to_at : datetime64[ms] (n,)
        UTC, the end exclusive. What has no beginning or end has the years 1 and 9999.
    """

    sites: tuple[str, ...]
    site: Ids
    series: Ids
    quantity: Texts
    statistic: Texts
    origin: Texts
    placement: Texts
    depth: Values
    height: Values
    from_at: Times
    to_at: Times

    def __len__(self) -> int:
        return len(self.series)


@dataclass(frozen=True, slots=True)
class Resolution:
    """Which series are a site's, and since when."""

    database: Database

    def site_series(self, site_key: str, from_at: datetime, to_at: datetime) -> Sequence[SiteSeries]:
        """Return what a site has in a span, its end exclusive, sorted by quantity, depth, statistic and time.

        Raises
        ------
        InputError
            If there is no such site.
        """
        with self.database.reading() as connection:
            site_id = site_ids(connection, [site_key])[site_key]
            rows = connection.execute(_measured(site_id, from_at, to_at)).all()
            derived = connection.execute(_derived(site_id)).all()
        found = [_site_series(row, max(row.from_at, from_at), min(row.to_at or to_at, to_at)) for row in rows]
        found += [_site_series(row, from_at, to_at) for row in derived]
        return sorted(found, key=_order)

    def fleet_series(
        self, quantities: Collection[str], sites: Collection[str] | None = None, *, measured: Collection[str] = ()
    ) -> FleetSeries:
        """Return the series of these quantities for all sites, or for some, in a few queries.

        Parameters
        ----------
        quantities : collection of str
        sites : collection of str or None
            Their keys; None for all.
        measured : collection of str
            More quantities, of which only what devices measure is wanted: most series are derived.

        Raises
        ------
        InputError
            If one of `sites` is not registered.
        """
        with self.database.reading() as connection:
            if sites is None:
                rows = connection.execute(sa.select(schema.site.c.key, schema.site.c.id)).all()
                ids = {row.key: row.id for row in rows}
                chosen: Sequence[int] | None = None
            else:
                ids = site_ids(connection, sites)
                chosen = sorted(ids.values())
            keys = tuple(sorted(ids))
            position = {ids[key]: index for index, key in enumerate(keys)}
            parts = list(_fleet_parts(connection, (quantities, measured), chosen, position))
        return _joined(keys, parts)

    def keys(self, series: Collection[int]) -> dict[int, SeriesKey]:
        """Return the keys of the known ones among these series."""
        table = schema.series.c
        columns = (
            table.id,
            table.channel,
            table.quantity,
            table.depth,
            table.statistic,
            table.origin,
            schema.device.c.key.label("device"),
            schema.site.c.key.label("site"),
        )
        query = sa.select(*columns).select_from(schema.series.outerjoin(schema.device).outerjoin(schema.site))
        found: dict[int, SeriesKey] = {}
        with self.database.reading() as connection:
            for row in connection.execute(query.where(among(connection, table.id, sorted(set(series))))):
                owner = Owner.SITE if row.device is None else Owner.CHANNEL
                owner_key = row.site if row.device is None else f"{row.device}/{row.channel}"
                found[row.id] = SeriesKey(owner, owner_key, row.quantity, row.depth, row.statistic, row.origin)
        return found

    def told_at_their_end(self) -> list[int]:
        """Return the series whose readings tell of the interval that ends with them: sums as they came."""
        sums = sorted(name for name, it in QUANTITIES.items() if it.aggregation is Aggregation.SUM)
        table = schema.series.c
        query = sa.select(table.id).where(table.quantity.in_(sums), table.statistic == "", table.origin.in_(AS_IT_CAME))
        with self.database.reading() as connection:
            return list(connection.execute(query.order_by(table.id)).scalars())

    def runs(self, numbers: Collection[int]) -> dict[int, Run]:
        """Return what produced values, by the number they name it by."""
        table = schema.run.c
        query = sa.select(table.id, table.kind, table.name, table.version, table.digest)
        with self.database.reading() as connection:
            rows = connection.execute(query.where(table.id.in_(sorted(set(numbers)))))
            return {number: Run(*run) for number, *run in rows}


def _columns() -> tuple[sa.ColumnElement[Any], ...]:
    series = schema.series.c
    return (series.id, series.quantity, series.depth, series.statistic, series.origin)


def _with_probe(joined: sa.FromClause) -> sa.FromClause:
    series, channel = schema.series.c, schema.channel.c
    same_channel = (channel.device_id == series.device_id) & (channel.name == series.channel)
    return joined.outerjoin(schema.channel, same_channel)


def _measured(site_id: int, from_at: datetime, to_at: datetime) -> sa.Select[*tuple[Any, ...]]:
    series, deployment, channel = schema.series.c, schema.deployment.c, schema.channel.c
    joined = sa.join(schema.deployment, schema.device).join(schema.series, series.device_id == deployment.device_id)
    return (
        sa.select(
            *_columns(),
            series.channel,
            channel.height,
            channel.placement,
            schema.device.c.key.label("device"),
            deployment.from_at,
            deployment.to_at,
        )
        .select_from(_with_probe(joined))
        .where(deployment.site_id == site_id, deployment.from_at < to_at)
        .where(sa.or_(deployment.to_at.is_(None), deployment.to_at > from_at))
    )


def _derived(site_id: int) -> sa.Select[*tuple[Any, ...]]:
    nothing = (sa.null().label(name) for name in ("channel", "height", "placement", "device"))
    return sa.select(*_columns(), *nothing).where(schema.series.c.site_id == site_id)


def _site_series(row: _Row, from_at: datetime, to_at: datetime) -> SiteSeries:
    return SiteSeries(
        row.id,
        row.quantity,
        QUANTITIES[row.quantity].unit,
        row.depth,
        row.height,
        Placement(row.placement) if row.placement else None,
        row.statistic,
        row.origin,
        row.device,
        row.channel,
        from_at,
        to_at,
    )


def _order(found: SiteSeries) -> tuple[str, float, str, str, datetime, int]:
    depth = -1.0 if found.depth is None else found.depth
    return (found.quantity, depth, found.statistic, found.origin, found.from_at, found.series)


@dataclass(frozen=True, slots=True)
class _Part:
    """Series rows, each with the site and the span it belongs to."""

    rows: Sequence[_Row]
    index: Ids
    site: Ids
    from_at: Times
    to_at: Times


def _fleet_parts(
    connection: sa.Connection,
    quantities: tuple[Collection[str], Collection[str]],
    sites: Sequence[int] | None,
    position: dict[int, int],
) -> Iterator[_Part]:
    """Yield what is measured of either quantities, then what is derived of the first."""
    series, deployment, channel = schema.series.c, schema.deployment.c, schema.channel.c
    of_either = series.quantity.in_(sorted({*quantities[0], *quantities[1]}))
    of_first = series.quantity.in_(sorted(set(quantities[0])))
    there = sa.true() if sites is None else among(connection, deployment.site_id, sites)
    here = series.site_id.is_not(None) if sites is None else among(connection, series.site_id, sites)

    deployed = connection.execute(
        sa.select(deployment.device_id, deployment.site_id, deployment.from_at, deployment.to_at)
        .where(there)
        .order_by(deployment.device_id, deployment.from_at)
    ).all()
    owned_by = (
        series.device_id.is_not(None)
        if sites is None
        else series.device_id.in_(sa.select(deployment.device_id).where(there))
    )
    measured = connection.execute(
        sa.select(*_columns(), series.device_id, channel.height, channel.placement)
        .select_from(_with_probe(schema.series))
        .where(of_either, owned_by)
    ).all()
    yield _cut(measured, deployed, position)

    nothing = (sa.null().label(name) for name in ("height", "placement"))
    derived = connection.execute(sa.select(*_columns(), series.site_id, *nothing).where(of_first, here)).all()
    yield _Part(
        derived,
        np.arange(len(derived)),
        np.fromiter((position[row.site_id] for row in derived), np.int64, len(derived)),
        np.full(len(derived), _ALWAYS),
        np.full(len(derived), _FOREVER),
    )


def _cut(measured: Sequence[_Row], deployed: Sequence[_Row], position: dict[int, int]) -> _Part:
    # Each series meets each deployment of its device; both ends of a device's run among the deployments are found
    # by bisection, since a loop over hundreds of thousands of series takes seconds.
    devices = np.fromiter((row.device_id for row in deployed), np.int64, len(deployed))
    owners = np.fromiter((row.device_id for row in measured), np.int64, len(measured))
    first = np.searchsorted(devices, owners, "left")
    count = np.searchsorted(devices, owners, "right") - first
    index = np.repeat(np.arange(len(measured)), count)
    within = np.arange(len(index)) - np.repeat(np.cumsum(count) - count, count)
    place = np.repeat(first, count) + within

    site = np.fromiter((position[row.site_id] for row in deployed), np.int64, len(deployed))
    from_at = np.array([to_stored(row.from_at) for row in deployed], "datetime64[ms]")
    to_at = np.array([to_stored(row.to_at) if row.to_at else _FOREVER for row in deployed], "datetime64[ms]")
    return _Part(measured, index, site[place], from_at[place], to_at[place])


def _joined(keys: tuple[str, ...], parts: Sequence[_Part]) -> FleetSeries:
    site = np.concatenate([part.site for part in parts])
    order = np.argsort(site, kind="stable")

    def column(name: str, kind: type[np.generic] | str) -> NDArray[Any]:
        empty = "" if kind == "U" else np.nan
        taken = []
        for part in parts:
            values = [getattr(row, name) for row in part.rows]
            filled = np.array([empty if value is None else value for value in values], kind)
            taken.append(filled[part.index])
        return np.concatenate(taken)[order]

    return FleetSeries(
        sites=keys,
        site=site[order],
        series=column("id", np.int64),
        quantity=column("quantity", "U"),
        statistic=column("statistic", "U"),
        origin=column("origin", "U"),
        placement=column("placement", "U"),
        depth=column("depth", np.float64),
        height=column("height", np.float64),
        from_at=np.concatenate([part.from_at for part in parts])[order],
        to_at=np.concatenate([part.to_at for part in parts])[order],
    )
