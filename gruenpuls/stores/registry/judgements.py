"""Later judgements on readings: by quality tests, and by people, whose word counts most."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from gruenpuls.domain.errors import InputError
from gruenpuls.domain.reading import Flag, FlagInterval
from gruenpuls.stores.registry import schema
from gruenpuls.stores.registry.audit import record
from gruenpuls.stores.registry.connection import Database, among
from gruenpuls.stores.registry.dirty import mark_series


@dataclass(frozen=True, slots=True)
class KeptInterval:
    """A judgement with the number it is withdrawn by."""

    number: int
    interval: FlagInterval


@dataclass(frozen=True, slots=True)
class Judged:
    """What quality tests said of some series.

    Parameters
    ----------
    tests : collection of str
        Those that were made.
    since : mapping of int to datetime
        By series: from when on readings were judged.
    before : mapping of int to datetime
        By series: its last reading before that, if it is near enough for an interval to go on.
    found : sequence of FlagInterval
        All that holds from then on.
    continuing : collection of int
        Places in `found` of intervals that begin with the first reading judged.
    instant : timedelta
        How long the last reading of an interval counts.
    """

    tests: Collection[str]
    since: Mapping[int, datetime]
    before: Mapping[int, datetime]
    found: Sequence[FlagInterval]
    continuing: Collection[int]
    instant: timedelta = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Subject:
    """A measured series that may be judged, and where its device was.

    Parameters
    ----------
    series : int
    device, profile, channel, quantity : str
    depth : float or None
        Below ground [cm].
    """

    series: int
    device: str
    profile: str
    channel: str
    quantity: str
    depth: float | None


@dataclass(frozen=True, slots=True)
class Judgements:
    """Spans of series and what was said about them (`gruenpuls.domain.ports.FlagIntervals`)."""

    database: Database

    def flag_intervals(self, series: Collection[int], from_at: datetime, to_at: datetime) -> Sequence[FlagInterval]:
        """Return the judgements that touch these series in this span, oldest word first."""
        with self.database.reading() as connection:
            return touching(connection, series, from_at, to_at)

    def series_told(self, test: str, from_at: datetime, to_at: datetime) -> list[int]:
        """Return the series of which a test said something in this span, in order."""
        table = schema.flag_interval.c
        query = sa.select(table.series_id).where(table.test == test, table.from_at < to_at, table.to_at > from_at)
        with self.database.reading() as connection:
            return list(connection.execute(query.distinct().order_by(table.series_id)).scalars())

    def of_series(self, series: int) -> Sequence[KeptInterval]:
        """Return all that was said about a series, oldest word first."""
        query = sa.select(schema.flag_interval).where(schema.flag_interval.c.series_id == series)
        with self.database.reading() as connection:
            rows = connection.execute(query.order_by(schema.flag_interval.c.id))
            return [KeptInterval(row.id, _interval(row)) for row in rows]

    def subjects(self, devices: Collection[str] | None = None) -> Sequence[Subject]:
        """Return the measured series of these devices, or of all, sorted by device and series."""
        series, device = schema.series.c, schema.device.c
        query = sa.select(
            series.id, device.key, device.profile, series.channel, series.quantity, series.depth
        ).join_from(schema.series, schema.device)
        query = query.where(series.origin == "measured", series.statistic == "").order_by(device.key, series.id)
        with self.database.reading() as connection:
            if devices is not None:
                query = query.where(among(connection, device.key, devices))
            return [Subject(*row) for row in connection.execute(query)]

    def settle(self, judged: Judged, covered: Mapping[int, datetime]) -> int:
        """Put what quality tests say in the place of what they said before; a person's word stays.

        What depends on a series whose past changed becomes dirty, unless it is computed again anyhow.

        Parameters
        ----------
        judged : Judged
        covered : mapping of int to datetime
            By series: from when on what depends on it is about to be computed.

        Returns
        -------
        int
            How many intervals came or went.
        """
        table = schema.flag_interval
        by_series: defaultdict[int, list[FlagInterval]] = defaultdict(list)
        continuing = set(judged.continuing)
        followers: set[FlagInterval] = {judged.found[place] for place in continuing}
        for interval in judged.found:
            by_series[interval.series].append(interval)
        if not judged.since:
            return 0
        lowest = min([*judged.since.values(), *judged.before.values()])
        kept = sa.select(table).where(table.c.test.in_(sorted(judged.tests)), table.c.to_at > lowest)
        with self.database.writing() as connection:
            numbers: defaultdict[int, dict[FlagInterval, int]] = defaultdict(dict)
            for row in connection.execute(kept.where(among(connection, table.c.series_id, judged.since.keys()))):
                if row.to_at > judged.before.get(row.series_id, judged.since[row.series_id]):
                    numbers[row.series_id][_interval(row)] = row.id
            gone: list[int] = []
            new: list[FlagInterval] = []
            earliest: dict[int, datetime] = {}
            for series in sorted(by_series.keys() | numbers.keys()):
                old = numbers[series]
                holds = _joined(by_series[series], followers, old, judged, series)
                gone += [old[interval] for interval in old.keys() - holds]
                new += sorted(holds - old.keys(), key=lambda it: (it.series, it.from_at, it.test))
                changed = _first_difference(old.keys() - holds, holds - old.keys())
                if changed is not None and (series not in covered or changed < covered[series]):
                    earliest[series] = changed
            if gone:
                connection.execute(sa.delete(table).where(among(connection, table.c.id, gone)))
            if new:
                connection.execute(sa.insert(table), [_row(interval) for interval in new])
            mark_series(connection, earliest)
        return len(gone) + len(new)

    def override(
        self, series: int, from_at: datetime, to_at: datetime, flag: Flag, *, actor: str, reason: str
    ) -> FlagInterval:
        """Keep a person's word on a span; what depended on it becomes dirty.

        Raises
        ------
        InputError
            If the series is unknown, the span is empty, no reason is given, or the flag says missing.
        """
        if not reason.strip():
            raise InputError(what="an override needs a reason", where=f"series {series}")
        if flag is Flag.MISSING:
            raise InputError(what="a value that is there cannot be called missing", where=f"series {series}")
        if to_at <= from_at:
            raise InputError(what="the span would end before it begins", where=f"series {series}")
        interval = FlagInterval(series, from_at, to_at, FlagInterval.OVERRIDE, flag, actor, reason.strip())
        with self.database.writing() as connection:
            known = sa.select(schema.series.c.id).where(schema.series.c.id == series)
            if connection.execute(known).scalar_one_or_none() is None:
                raise InputError(what="there is no such series", where=f"series {series}")
            connection.execute(sa.insert(schema.flag_interval), [_row(interval)])
            mark_series(connection, {series: from_at})
            record(connection, self.database.now(), actor, "override.add", f"series {series}", _detail(interval))
        return interval

    def withdraw(self, number: int, *, actor: str) -> None:
        """Take back a person's word; the audit keeps what it said.

        Raises
        ------
        InputError
            If there is no override of that number.
        """
        table = schema.flag_interval
        by_person = table.c.test == FlagInterval.OVERRIDE
        with self.database.writing() as connection:
            row = connection.execute(
                sa.delete(table).where(table.c.id == number, by_person).returning(table)
            ).one_or_none()
            if row is None:
                raise InputError(what="there is no such override", where=f"override {number}")
            interval = _interval(row)
            mark_series(connection, {interval.series: interval.from_at})
            subject = f"series {interval.series}"
            record(connection, self.database.now(), actor, "override.withdraw", subject, _detail(interval))


def touching(
    connection: sa.Connection, series: Collection[int], from_at: datetime, to_at: datetime
) -> list[FlagInterval]:
    """Return the judgements that touch these series in this span, in an open transaction, oldest word first."""
    table = schema.flag_interval.c
    query = sa.select(schema.flag_interval).where(
        among(connection, table.series_id, sorted(set(series))), table.from_at < to_at, table.to_at > from_at
    )
    return [_interval(row) for row in connection.execute(query.order_by(table.id))]


def _joined(
    found: Sequence[FlagInterval],
    followers: Collection[FlagInterval],
    old: Collection[FlagInterval],
    judged: Judged,
    series: int,
) -> set[FlagInterval]:
    """Return what holds of a series: what was found, with what reaches into it from before."""
    since, last = judged.since[series], judged.before.get(series)
    reaching = [it for it in old if it.from_at < since]
    holds = set()
    for interval in found:
        whole = interval
        for earlier in reaching if interval in followers and last is not None else ():
            alike = (earlier.test, earlier.flag, earlier.reason) == (interval.test, interval.flag, interval.reason)
            if alike and last is not None and earlier.from_at <= last < earlier.to_at:
                whole = replace(interval, from_at=earlier.from_at)
                reaching.remove(earlier)
                break
        holds.add(whole)
    for earlier in reaching:
        if earlier.to_at <= since:
            holds.add(earlier)
        elif last is None:
            holds.add(replace(earlier, to_at=min(earlier.to_at, since)))
        elif earlier.from_at <= last:
            holds.add(replace(earlier, to_at=min(earlier.to_at, last + judged.instant)))
    return holds


def _first_difference(gone: Collection[FlagInterval], new: Collection[FlagInterval]) -> datetime | None:
    """Return from when on readings are judged differently; an interval that only grew or shrank differs at its end."""
    begun = {(it.test, it.flag, it.reason, it.from_at): it.to_at for it in gone}
    moments = []
    for it in new:
        before = begun.pop((it.test, it.flag, it.reason, it.from_at), None)
        moments.append(it.from_at if before is None else min(before, it.to_at))
    moments += [from_at for *_, from_at in begun]
    return min(moments, default=None)


def _row(interval: FlagInterval) -> dict[str, Any]:
    return {
        "series_id": interval.series,
        "from_at": interval.from_at,
        "to_at": interval.to_at,
        "test": interval.test,
        "flag": int(interval.flag),
        "author": interval.author,
        "reason": interval.reason,
    }


def _interval(row: sa.Row[*tuple[Any, ...]]) -> FlagInterval:
    return FlagInterval(row.series_id, row.from_at, row.to_at, row.test, Flag(row.flag), row.author, row.reason)


def _detail(interval: FlagInterval) -> dict[str, Any]:
    return {
        "from_at": interval.from_at.isoformat(),
        "to_at": interval.to_at.isoformat(),
        "flag": int(interval.flag),
        "reason": interval.reason,
    }
