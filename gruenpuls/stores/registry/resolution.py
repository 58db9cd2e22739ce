"""From a site to its series: its deployments' channels cut to their validity, and what was derived for it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
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
from gruenpuls.stores.registry.words import Words

_ALWAYS: Final = np.datetime64("0001-01-01", "ms")
_FOREVER: Final = np.datetime64("9999-12-31", "ms")

_ROWS_AT_ONCE: Final = 5000
"""As objects of Python they take five times what they do as columns."""

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
    quantity, statistic, origin, placement : Words (n,)
        Empty placement: not known.
    depth, height : float64 (n,)
        [cm] and [m]; NaN is unknown.
    from_at, to_at : datetime64[ms] (n,)
        UTC, the end exclusive. What has no beginning or end has the years 1 and 9999.
    """

    sites: tuple[str, ...]
    site: Ids
    series: Ids
    quantity: Words
    statistic: Words
    origin: Words
    placement: Words
    depth: Values
    height: Values
    from_at: Times
    to_at: Times

    def __len__(self) -> int:
        return len(self.series)

    @classmethod
    def joined(cls, parts: Sequence[FleetSeries]) -> FleetSeries:
        """Return the rows of several, of the same sites, one after the other."""
        columns: dict[str, Any] = {}
        for name in cls.__slots__[1:]:
            some = [getattr(part, name) for part in parts]
            columns[name] = Words.joined(some) if isinstance(some[0], Words) else np.concatenate(some)
        return cls(parts[0].sites, **columns)

    def where(self, rows: NDArray[Any]) -> FleetSeries:
        """Return some of the rows, by a mask or by their indices, the sites as they are."""
        return FleetSeries(self.sites, **{name: getattr(self, name)[rows] for name in self.__slots__[1:]})


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
        fleet = FleetSeries.joined([FleetSeries(keys, **columns) for columns in parts])
        return fleet.where(np.argsort(fleet.site, kind="stable"))

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

    def devices(self, series: Ids) -> tuple[list[str], Ids]:
        """Return the devices that measure some series, sorted by key, and the place of that of each series among them.

        Parameters
        ----------
        series : int64 (n,)
            All of them measured.
        """
        number, key = schema.series.c.id, schema.device.c.key
        place_of: dict[str, int] = {}
        parts: list[tuple[Ids, Ids]] = [(np.empty(0, np.int64), np.empty(0, np.int64))]
        with self.database.reading() as connection:
            mine = among(connection, number, np.unique(series).tolist())
            query = sa.select(number, key).select_from(schema.series.join(schema.device)).where(mine)
            for rows in connection.execute(query.order_by(number)).partitions(_ROWS_AT_ONCE):
                some, keys = zip(*rows, strict=True)
                places = [place_of.setdefault(name, len(place_of)) for name in keys]
                parts.append((np.array(some, np.int64), np.array(places, np.int64)))
        numbers, place = (np.concatenate(column) for column in zip(*parts, strict=True))
        devices = sorted(place_of)
        rank = np.argsort([place_of[name] for name in devices])
        return devices, rank[place[np.searchsorted(numbers, series)]]

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


def _fleet_parts(
    connection: sa.Connection,
    quantities: tuple[Collection[str], Collection[str]],
    sites: Sequence[int] | None,
    position: dict[int, int],
) -> Iterator[dict[str, Any]]:
    """Yield the columns of what is measured of either quantities, then of what is derived of the first."""
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
    placement = sa.func.coalesce(channel.placement, "")
    measured = sa.select(*_columns(), series.device_id, channel.height, placement)
    measured = measured.select_from(_with_probe(schema.series)).where(of_either, owned_by)
    columns, owners = _fetched(connection, measured)
    yield _cut(columns, owners, deployed, position)

    derived = sa.select(*_columns(), series.site_id, sa.null(), sa.literal("")).where(of_first, here)
    columns, owners = _fetched(connection, derived)
    columns["site"] = np.fromiter(map(position.__getitem__, owners.tolist()), np.int64, len(owners))
    columns["from_at"], columns["to_at"] = np.full(len(owners), _ALWAYS), np.full(len(owners), _FOREVER)
    yield columns


def _fetched(connection: sa.Connection, query: sa.Select[*tuple[Any, ...]]) -> tuple[dict[str, Any], Ids]:
    """Return the columns of series, and the id of what each belongs to; rows are in memory a few at a time."""
    numbers: list[Ids] = [np.empty(0, np.int64)]
    owners: list[Ids] = [np.empty(0, np.int64)]
    lengths: dict[str, list[Values]] = {name: [np.empty(0)] for name in ("depth", "height")}
    words: dict[str, list[Words]] = {name: [] for name in ("quantity", "statistic", "origin", "placement")}
    for rows in connection.execute(query).partitions(_ROWS_AT_ONCE):
        series, quantity, depth, statistic, origin, owner, height, placement = zip(*rows, strict=True)
        numbers.append(np.array(series, np.int64))
        owners.append(np.array(owner, np.int64))
        lengths["depth"].append(np.array(depth, np.float64))
        lengths["height"].append(np.array(height, np.float64))
        for parts, column in zip(words.values(), (quantity, statistic, origin, placement), strict=True):
            parts.append(Words.of(column))
    columns: dict[str, Any] = {"series": np.concatenate(numbers)}
    columns |= {name: np.concatenate(some) for name, some in lengths.items()}
    columns |= {name: Words.joined(parts) for name, parts in words.items()}
    return columns, np.concatenate(owners)


def _cut(
    measured: Mapping[str, Any], owners: Ids, deployed: Sequence[_Row], position: Mapping[int, int]
) -> dict[str, Any]:
    """Return the columns of measured series, a row for each deployment of the device that a series belongs to."""
    # Each series meets each deployment of its device; both ends of a device's run among the deployments are found
    # by bisection, since a loop over hundreds of thousands of series takes seconds.
    devices = np.fromiter((row.device_id for row in deployed), np.int64, len(deployed))
    first = np.searchsorted(devices, owners, "left")
    count = np.searchsorted(devices, owners, "right") - first
    index = np.repeat(np.arange(len(owners)), count)
    within = np.arange(len(index)) - np.repeat(np.cumsum(count) - count, count)
    place = np.repeat(first, count) + within

    site = np.fromiter((position[row.site_id] for row in deployed), np.int64, len(deployed))
    from_at = np.array([to_stored(row.from_at) for row in deployed], "datetime64[ms]")
    to_at = np.array([to_stored(row.to_at) if row.to_at else _FOREVER for row in deployed], "datetime64[ms]")
    columns = {name: column[index] for name, column in measured.items()}
    return columns | {"site": site[place], "from_at": from_at[place], "to_at": to_at[place]}
