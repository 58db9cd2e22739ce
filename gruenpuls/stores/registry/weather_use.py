"""Which station's weather each site was given: what was computed from it depends on that station."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from gruenpuls.stores.registry import schema
from gruenpuls.stores.registry.connection import Database, among, execute_many
from gruenpuls.stores.registry.keys import site_ids

_DAY: Final = timedelta(days=1)


class WeatherSpan(NamedTuple):
    """From where a site had a weather quantity for some days; a tuple, since a city has hundreds of thousands.

    Parameters
    ----------
    site : str
        Its key.
    quantity, statistic : str
        As in `gruenpuls.domain.processor.Input.key`.
    from_day, to_day : date
        The end is exclusive.
    source : str
        ``"own"``, ``"grid"`` or ``"station"``; empty where nothing was known.
    station : str or None
        Key of the place that measured it, or of the site itself; None where nothing was known.
    distance : float or None
        [km]
    """

    site: str
    quantity: str
    statistic: str
    from_day: date
    to_day: date
    source: str
    station: str | None
    distance: float | None


@dataclass(frozen=True, slots=True)
class WeatherUse:
    """The weather sites were given, in spans of days."""

    database: Database

    def replace(
        self,
        sites: Collection[str],
        from_day: date,
        spans: Sequence[WeatherSpan],
        inputs: Collection[tuple[str, str]],
    ) -> None:
        """Put these spans in the place of what is kept of these sites and inputs from a day on.

        A span that goes on as the one before it did is joined to it.

        Raises
        ------
        InputError
            If a site or station is not registered.
        """
        table = schema.weather_use
        with self.database.writing() as connection:
            ids = site_ids(connection, {*sites, *(span.station for span in spans if span.station is not None)})
            mine = sa.and_(
                among(connection, table.c.site_id, [ids[site] for site in sites]),
                sa.tuple_(table.c.quantity, table.c.statistic).in_(sorted(inputs)),
            )
            connection.execute(sa.delete(table).where(mine, table.c.from_day >= from_day))
            connection.execute(sa.update(table).where(mine, table.c.to_day > from_day).values(to_day=from_day))
            before = {
                (row.site_id, row.quantity, row.statistic): row
                for row in connection.execute(sa.select(table).where(mine, table.c.to_day == from_day))
            }
            fresh, longer = list[tuple[Any, ...]](), list[dict[str, Any]]()
            for span in spans:
                station = ids[span.station] if span.station is not None else None
                kept = before.get((ids[span.site], span.quantity, span.statistic))
                now = (span.source, station, span.distance)
                if kept and span.from_day == from_day and now == (kept.source, kept.station_id, kept.distance):
                    longer.append({"in_site": kept.site_id, "of": kept.quantity, "by": kept.statistic,
                                   "since": kept.from_day, "until": span.to_day})  # fmt: skip
                else:
                    fresh.append((ids[span.site], *span[1:5], span.source, station, span.distance))
            if longer:
                connection.execute(_longer(), longer)
            if fresh:
                execute_many(connection, sa.insert(table), [column.name for column in table.columns], fresh)

    def of_site(self, site: str, from_day: date, to_day: date) -> Sequence[WeatherSpan]:
        """Return what a site was given in a span of days, the end exclusive, by quantity and day.

        Raises
        ------
        InputError
            If there is no such site.
        """
        table = schema.weather_use.c
        with self.database.reading() as connection:
            number = site_ids(connection, [site])[site]
            query = _selected().where(table.site_id == number, table.from_day < to_day, table.to_day > from_day)
            return list(_spans(connection.execute(query.order_by(table.quantity, table.statistic, table.from_day))))

    def since(self, day: date) -> Iterator[WeatherSpan]:
        """Yield all spans that reach beyond a day, which a city has many of."""
        with self.database.reading() as connection:
            yield from _spans(connection.execute(_selected().where(schema.weather_use.c.to_day > day)))

    def bounds(self, sites: Collection[str] | None = None) -> dict[str, tuple[date, date]]:
        """Return the first and last day sites were given weather for, of those that ever were."""
        table = schema.weather_use.c
        query = sa.select(
            schema.site.c.key, sa.func.min(table.from_day).label("first"), sa.func.max(table.to_day).label("end")
        ).join_from(schema.weather_use, schema.site, table.site_id == schema.site.c.id)
        with self.database.reading() as connection:
            if sites is not None:
                query = query.where(among(connection, schema.site.c.key, sites))
            rows = connection.execute(query.group_by(schema.site.c.key))
            return {row.key: (row.first, row.end - _DAY) for row in rows}


def _longer() -> sa.Update:
    table = schema.weather_use
    return (
        sa.update(table)
        .where(
            table.c.site_id == sa.bindparam("in_site"),
            table.c.quantity == sa.bindparam("of"),
            table.c.statistic == sa.bindparam("by"),
            table.c.from_day == sa.bindparam("since"),
        )
        .values(to_day=sa.bindparam("until"))
    )


def _selected() -> sa.Select[Any]:
    table, station = schema.weather_use.c, schema.site.alias("station")
    return sa.select(
        schema.site.c.key,
        table.quantity,
        table.statistic,
        table.from_day,
        table.to_day,
        table.source,
        station.c.key.label("station"),
        table.distance,
    ).select_from(
        schema.weather_use.join(schema.site, table.site_id == schema.site.c.id).outerjoin(
            station, table.station_id == station.c.id
        )
    )


def _spans(rows: sa.Result[Any]) -> Iterator[WeatherSpan]:
    for row in rows:
        yield WeatherSpan._make(row)
