"""What decoding again asks of the registry and tells it; twice does no harm."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from gruenpuls.domain.ports import DeviceTally, Progress, Run, Tally
from gruenpuls.domain.series import Owner, SeriesKey
from gruenpuls.domain.uplink import DeadLetter
from gruenpuls.stores.registry import schema
from gruenpuls.stores.registry.arrivals import count_tallies, keep_letters, note_totals
from gruenpuls.stores.registry.connection import Database, among


@dataclass(frozen=True, slots=True)
class Past:
    """The registry as decoding again sees it."""

    database: Database

    def measured_series(self, devices: Collection[str]) -> Mapping[int, SeriesKey]:
        """Return all that these devices ever measured, by the id of the series."""
        series, device = schema.series.c, schema.device.c
        columns = (series.id, device.key, series.channel, series.quantity, series.depth, series.statistic)
        query = sa.select(*columns).join_from(schema.series, schema.device).where(series.origin == "measured")
        with self.database.reading() as connection:
            return {
                number: SeriesKey(Owner.CHANNEL, f"{key}/{channel}", quantity, depth, statistic)
                for number, key, channel, quantity, depth, statistic in connection.execute(
                    query.where(among(connection, device.key, sorted(devices)))
                )
            }

    def profile_runs(self) -> Mapping[int, Run]:
        """Return all runs that are a profile's, by id."""
        table = schema.run.c
        query = sa.select(table.id, table.kind, table.name, table.version, table.digest)
        with self.database.reading() as connection:
            rows = connection.execute(query.where(table.kind == "profile"))
            return {number: Run(*run) for number, *run in rows}

    def bury(self, letters: Sequence[DeadLetter]) -> None:
        """Keep dead letters; those that are new are taken from their devices' readings."""
        if not letters:
            return
        table = schema.dead_letter.c
        offsets = sorted(letter.offset for letter in letters)
        with self.database.writing() as connection:
            there = sa.select(table.offset).where(among(connection, table.offset, offsets))
            known = set(connection.scalars(there))
            new = Counter((it.device, it.source) for it in letters if it.offset not in known)
            keep_letters(connection, letters)
            count_tallies(connection, _turned(new, -1))

    def revive(self, offsets: Collection[int], progress: Progress) -> None:
        """Drop dead letters, count them for their devices' readings, and note the totals."""
        table = schema.dead_letter
        with self.database.writing() as connection:
            mine = among(connection, table.c.offset, sorted(offsets))
            gone = sa.delete(table).where(mine).returning(table.c.device, table.c.source)
            dropped = Counter((device, source) for device, source in connection.execute(gone))
            count_tallies(connection, _turned(dropped, 1))
            note_totals(connection, progress)


def _turned(counts: Counter[tuple[str | None, str]], step: int) -> list[DeviceTally]:
    return [
        DeviceTally(device, source, Tally(decoded=step * count, dead_lettered=-step * count), None)
        for (device, source), count in counts.items()
        if device is not None
    ]
