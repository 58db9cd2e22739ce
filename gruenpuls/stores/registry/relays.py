"""Who passed messages on: gateways and sources, the hours in which each did, and for which devices."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
import sqlalchemy as sa

from gruenpuls.domain.ports import DeviceTally
from gruenpuls.domain.reading import Ids
from gruenpuls.domain.relay import Relay, RelayKind
from gruenpuls.stores.registry import relay_schema as schema
from gruenpuls.stores.registry.connection import Database, among, execute_many, upsert

_HOURS: Final = 24
_ROWS_AT_ONCE: Final = 5120
"""Of what is kept; each day brings all there are."""
_REMEMBERED: Final = 250_000
"""Hours and bonds that are remembered; together they take about 25 MB."""


class Bond(NamedTuple):
    """A device that a relay passed messages on of.

    Parameters
    ----------
    relay : int
        The registry's own number for it.
    kind : RelayKind
    name : str
    device : str
    first_day, last_day : int
        On which it did first and last, days since 1970 UTC.
    """

    relay: int
    kind: RelayKind
    name: str
    device: str
    first_day: int
    last_day: int


@dataclass(frozen=True, slots=True)
class Relays:
    """What `keep_heard` kept, for finding out why a device is silent."""

    database: Database

    def of_devices(self, devices: Collection[str]) -> Sequence[Bond]:
        """Return who passed on messages of these devices."""
        with self.database.reading() as connection:
            chosen = among(connection, schema.relay_device.c.device, devices)
            return _bonds(connection, chosen)

    def devices(self, relay: int, day: int, *, besides: Collection[int] = (), at_most: int = 2) -> int:
        """Return of how many devices a relay passed messages on around a day, counting no further than `at_most`.

        Parameters
        ----------
        relay : int
        day : int
            Days since 1970 UTC; those heard on it, or the day before, count.
        besides : collection of int
            Devices that any of these passed on messages of do not count.
        at_most : int
        """
        table, other = schema.relay_device.c, schema.relay_device.alias().c
        query = sa.select(table.device).where(
            table.relay_id == relay, table.first_day <= day, table.last_day >= day - 1
        )
        if besides:
            query = query.where(table.device.not_in(sa.select(other.device).where(other.relay_id.in_(sorted(besides)))))
        with self.database.reading() as connection:
            return len(connection.execute(query.limit(at_most)).all())

    def hours(self, relays: Collection[int], from_day: int, to_day: int) -> Mapping[int, Ids]:
        """Return the hours in which each of these passed anything on, hours since 1970 UTC, in order.

        Parameters
        ----------
        relays : collection of int
        from_day, to_day : int
            Days since 1970 UTC, both inclusive.
        """
        table = schema.relay_day.c
        found: defaultdict[int, list[int]] = defaultdict(list)
        with self.database.reading() as connection:
            query = sa.select(table.relay_id, table.day, table.hours).where(
                among(connection, table.relay_id, sorted(relays)), table.day.between(from_day, to_day)
            )
            for number, day, bits in connection.execute(query.order_by(table.day)):
                found[number] += [day * _HOURS + hour for hour in range(_HOURS) if bits >> hour & 1]
        return {number: np.array(hours, np.int64) for number, hours in found.items()}

    def named(self, numbers: Collection[int]) -> Mapping[int, Relay]:
        """Return what these are called."""
        table = schema.relay.c
        query = sa.select(table.id, table.kind, table.name)
        with self.database.reading() as connection:
            rows = connection.execute(query.where(among(connection, table.id, sorted(numbers))))
            return {number: Relay(RelayKind(kind), name) for number, kind, name in rows}


def _bonds(connection: sa.Connection, which: sa.ColumnElement[bool]) -> list[Bond]:
    bond, relay = schema.relay_device, schema.relay
    columns = (bond.c.relay_id, relay.c.kind, relay.c.name, bond.c.device, bond.c.first_day, bond.c.last_day)
    rows = connection.execute(sa.select(*columns).join_from(bond, relay).where(which))
    return [Bond(number, RelayKind(kind), *rest) for number, kind, *rest in rows]


class Heard(NamedTuple):
    """A device heard through a relay in an hour, counted since 1970 UTC."""

    relay: Relay
    device: str
    hour: int


@dataclass(slots=True)
class Remembered:
    """What was kept of who passed on what of whom: in most hours a gateway passes on what it always does.

    Parameters
    ----------
    hours : set of int
        In which hours relays passed on anything, by the hash of relay and hour.
    days : dict of int to (int, int)
        The first and the last day on which a relay passed on what of a device, by the hash of both.
    """

    hours: set[int] = field(default_factory=set)
    days: dict[int, tuple[int, int]] = field(default_factory=dict)

    def unheard_of(self, tallies: Iterable[DeviceTally]) -> tuple[list[Heard], Remembered]:
        """Return what is not kept yet of who passed on what of whom, and what to `add` once it is."""
        found: list[Heard] = []
        new = Remembered()
        relays: dict[tuple[str, str], Relay] = {}
        spans: dict[tuple[int, int], tuple[int, int]] = {}
        for tally in tallies:
            device, source = tally.device, tally.source
            for name, hour in tally.heard if device else ():
                in_hour, of_device, day = hash((name, source, hour)), hash((name, source, device)), hour // _HOURS
                first, last = new.days.get(of_device) or self.days.get(of_device) or (day + 1, day)
                is_known = in_hour in self.hours or in_hour in new.hours
                if first <= day <= last and is_known:
                    continue
                span = min(first, day), max(last, day)
                new.hours.add(in_hour)
                # Most have the same one.
                new.days[of_device] = spans.setdefault(span, span)
                # Thousands are of the same one.
                relay = relays.get((name, source))
                if relay is None:
                    relay = Relay(RelayKind.GATEWAY, name) if name else Relay(RelayKind.SOURCE, source)
                    relays[name, source] = relay
                found.append(Heard(relay, device, hour))
        return found, new

    def add(self, new: Remembered) -> None:
        """Remember this as well; beyond some tens of megabytes it is begun anew."""
        if len(self.hours) + len(self.days) > _REMEMBERED:
            self.hours.clear()
            self.days.clear()
        self.hours |= new.hours
        self.days |= new.days


def keep_heard(connection: sa.Connection, news: Collection[Heard]) -> None:
    """Keep who passed on what, in an open transaction; twice does no harm."""
    if not news:
        return
    number_of = _numbers(connection, {it.relay for it in news})
    bits: defaultdict[tuple[int, int], int] = defaultdict(int)
    bonds: set[tuple[int, str, int]] = set()
    for relay, device, hour in news:
        number, day = number_of[relay], hour // _HOURS
        bits[number, day] |= 1 << hour % _HOURS
        bonds.add((number, device, day))
    table, bond = schema.relay_day, schema.relay_device
    insert = upsert(connection, table)
    connection.execute(
        insert.on_conflict_do_update(
            index_elements=["relay_id", "day"], set_={"hours": table.c.hours.op("|")(insert.excluded.hours)}
        ),
        [{"relay_id": number, "day": day, "hours": mask} for (number, day), mask in sorted(bits.items())],
    )
    insert = upsert(connection, bond)
    new = insert.excluded
    statement = insert.on_conflict_do_update(
        index_elements=["relay_id", "device"],
        set_={
            "first_day": sa.case((new.first_day < bond.c.first_day, new.first_day), else_=bond.c.first_day),
            "last_day": sa.case((new.last_day > bond.c.last_day, new.last_day), else_=bond.c.last_day),
        },
    )
    # In one order, so that two programs never wait for each other in a circle.
    in_order = sorted(bonds)
    for start in range(0, len(in_order), _ROWS_AT_ONCE):
        rows = [(number, device, day, day) for number, device, day in in_order[start : start + _ROWS_AT_ONCE]]
        execute_many(connection, statement, ("relay_id", "device", "first_day", "last_day"), rows)


def _numbers(connection: sa.Connection, relays: Collection[Relay]) -> dict[Relay, int]:
    """Return the registry's numbers of relays, new ones made on the way."""
    table = schema.relay
    rows: list[dict[str, Any]] = [{"kind": it.kind.value, "name": it.name} for it in sorted(relays, key=str)]
    connection.execute(upsert(connection, table).on_conflict_do_nothing(index_elements=["kind", "name"]), rows)
    mine = among(connection, table.c.name, sorted(it.name for it in relays))
    query = sa.select(table.c.id, table.c.kind, table.c.name).where(mine)
    return {Relay(RelayKind(kind), name): number for number, kind, name in connection.execute(query)}
