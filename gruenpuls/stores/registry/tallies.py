"""What became of each device's messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from gruenpuls.domain.ports import DeviceTally, Tally
from gruenpuls.stores.registry import schema
from gruenpuls.stores.registry.connection import Database
from gruenpuls.stores.registry.keys import device_key


@dataclass(frozen=True, slots=True)
class Tallies:
    """Counters by device and source, as far as `Arrivals.noted` says."""

    database: Database

    def all(self) -> Sequence[DeviceTally]:
        """Return the counters of every device, also of those nobody registered."""
        return self._where()

    def of_device(self, device: str) -> Sequence[DeviceTally]:
        """Return a device's counters, one for each source."""
        return self._where(schema.tally.c.device == device_key(device))

    def by_source(self) -> dict[str, Tally]:
        """Return the sums of each source."""
        table = schema.tally.c
        sums = (sa.cast(sa.func.sum(c), sa.BigInteger) for c in (table.decoded, table.dead_lettered, table.duplicates))
        query = sa.select(table.source, *sums).group_by(table.source).order_by(table.source)
        with self.database.reading() as connection:
            return {source: Tally(*counts) for source, *counts in connection.execute(query)}

    def last_by_source(self) -> dict[str, datetime]:
        """Return when each source brought its last uplink whose device could be told [aware UTC]."""
        table = schema.tally.c
        query = sa.select(table.source, sa.func.max(table.last_uplink_at)).group_by(table.source)
        with self.database.reading() as connection:
            return {source: at for source, at in connection.execute(query) if at is not None}

    def heard_lately(self, within: timedelta) -> dict[tuple[str, str], int]:
        """Return by source and profile how many registered devices were heard so shortly before the source's last."""
        device, tally = schema.device.c, schema.tally.c
        last = self.last_by_source().items()
        lately = [(tally.source == source) & (tally.last_uplink_at >= at - within) for source, at in last]
        query = (
            sa.select(tally.source, device.profile, sa.func.count())
            .select_from(schema.tally.join(schema.device, device.key == tally.device))
            .where(sa.or_(sa.false(), *lately))
            .group_by(tally.source, device.profile)
        )
        with self.database.reading() as connection:
            return {(source, profile): count for source, profile, count in connection.execute(query)}

    def silent_since(self, moments: Sequence[datetime]) -> dict[str, tuple[int, ...]]:
        """Return by profile how many devices are registered, and how many of them were not heard since each moment."""
        device, tally = schema.device.c, schema.tally.c
        last = sa.select(tally.device, sa.func.max(tally.last_uplink_at).label("at")).group_by(tally.device).subquery()
        silent = [
            # Never heard is silent, too: the comparison with nothing is not true.
            sa.func.count() - sa.func.count(sa.case((last.c.at >= moment, 1)))
            for moment in moments
        ]
        query = (
            sa.select(device.profile, sa.func.count(), *silent)
            .select_from(schema.device.outerjoin(last, device.key == last.c.device))
            .group_by(device.profile)
            .order_by(device.profile)
        )
        with self.database.reading() as connection:
            return {profile: tuple(counts) for profile, *counts in connection.execute(query)}

    def _where(self, *conditions: sa.ColumnElement[bool]) -> Sequence[DeviceTally]:
        table = schema.tally
        query = sa.select(table).where(*conditions).order_by(table.c.device, table.c.source)
        with self.database.reading() as connection:
            return [
                DeviceTally(
                    row.device,
                    row.source,
                    Tally(row.decoded, row.dead_lettered, row.duplicates),
                    row.last_uplink_at,
                )
                for row in connection.execute(query)
            ]
