"""What decoding asks of the registry and tells it: the port `gruenpuls.domain.ports.IngestRegistry`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from operator import itemgetter
from typing import Final

import sqlalchemy as sa

from gruenpuls.domain.device import Device
from gruenpuls.domain.ports import DeviceTally, Progress, Run, Tally
from gruenpuls.domain.reading import ReadingBatch
from gruenpuls.domain.series import SeriesKey
from gruenpuls.domain.uplink import DeadLetter, DeadLetterReason
from gruenpuls.stores.registry import schema
from gruenpuls.stores.registry.connection import Database, among, execute_many, upsert
from gruenpuls.stores.registry.devices import KnownDevices
from gruenpuls.stores.registry.dirty import mark_series
from gruenpuls.stores.registry.latest import keep_latest, replace_kept
from gruenpuls.stores.registry.relays import Remembered, keep_heard
from gruenpuls.stores.registry.series import series_ids

_CACHE = "arrivals"
_LETTER: Final = ("offset", "reason", "detail", "source", "topic", "device", "received_at")


@dataclass(frozen=True, slots=True)
class Arrivals:
    """The registry as decoding sees it; everything it writes may be written twice without harm."""

    database: Database
    _known: KnownDevices = field(default_factory=KnownDevices, init=False, repr=False, compare=False)
    _remembered: Remembered = field(default_factory=Remembered, init=False, repr=False, compare=False)

    def devices(self, keys: Collection[str]) -> Mapping[str, Device]:
        """Return the registered ones among these devices."""
        with self.database.reading() as connection:
            return self._known.among(connection, keys)

    def series_ids(self, keys: Sequence[SeriesKey]) -> list[int]:
        """Return the id of each series, new ones made on the way.

        Raises
        ------
        InputError
            If the owner of a new one is not registered, or nobody knows its quantity.
        """
        return series_ids(self.database, keys)

    def run_id(self, run: Run) -> int:
        """Return the id of a run, a new one made if need be."""
        table = schema.run
        query = sa.select(table.c.id).where(*(table.c[name] == value for name, value in asdict(run).items()))
        with self.database.reading() as connection:
            known = connection.execute(query).scalar_one_or_none()
        if known is not None:
            return int(known)
        with self.database.writing() as connection:
            connection.execute(
                upsert(connection, table).values(**asdict(run), first_at=self.database.now()).on_conflict_do_nothing()
            )
            return int(connection.execute(query).scalar_one())

    def keep_dead_letters(self, letters: Sequence[DeadLetter]) -> None:
        """Keep these in the dead-letter index; a letter already there is replaced."""
        if not letters:
            return
        with self.database.writing() as connection:
            keep_letters(connection, letters)

    def drop_dead_letters(self, offsets: Collection[int]) -> None:
        """Take these out of the dead-letter index."""
        if not offsets:
            return
        column = schema.dead_letter.c.offset
        with self.database.writing() as connection:
            connection.execute(sa.delete(schema.dead_letter).where(among(connection, column, sorted(offsets))))

    def dead_letters(self, offsets: Collection[int]) -> Mapping[int, DeadLetterReason]:
        """Return which of these messages are dead letters, and why."""
        table = schema.dead_letter.c
        query = sa.select(table.offset, table.reason)
        with self.database.reading() as connection:
            rows = connection.execute(query.where(among(connection, table.offset, sorted(offsets))))
            return {offset: DeadLetterReason(reason) for offset, reason in rows}

    def mark_dirty(self, earliest: Mapping[int, datetime]) -> None:
        """Mark the sites that depend on these series for recomputation, each from its earliest touched moment."""
        if not earliest:
            return
        with self.database.writing() as connection:
            mark_series(connection, earliest)

    def unsettled(self) -> AbstractContextManager[object]:
        """Return what is held from marking to writing: until then nobody takes what is dirty, and finds nothing new."""
        return self.database.unsettled

    def noted(self) -> Progress:
        """Return up to where latest values and counters are kept."""
        with self.database.reading() as connection:
            return _noted(connection)

    def note(self, readings: ReadingBatch, tallies: Sequence[DeviceTally], progress: Progress) -> None:
        """Keep latest values, counters and who passed it on, up to `progress`; what was noted before is skipped.

        The offset noted last with other totals is news: dead letters were decoded again.
        """
        heard, news = self._remembered.unheard_of(tallies)
        with self.database.writing() as connection:
            if not _advance(connection, progress):
                return
            keep_latest(connection, readings)
            count_tallies(connection, tallies)
            keep_heard(connection, heard)
        self._remembered.add(news)

    def latest_moments(self, series: Collection[int]) -> Mapping[int, datetime]:
        """Return when the latest value that is kept of each series was measured [aware UTC]."""
        table = schema.latest.c
        found: dict[int, datetime] = {}
        with self.database.reading() as connection:
            mine = among(connection, table.series_id, sorted(series))
            rows = connection.execute(sa.select(table.series_id, table.measured_at).where(mine))
            found.update((number, moment) for number, moment in rows)
        return found

    def replace_latest(self, series: Collection[int], readings: ReadingBatch) -> None:
        """Forget the latest values of these series and keep these."""
        with self.database.writing() as connection:
            replace_kept(connection, series, readings)

    def recount(self, tallies: Sequence[DeviceTally], progress: Progress) -> None:
        """Put these counters in the place of all that were kept; for rebuilding them from the journal."""
        with self.database.writing() as connection:
            connection.execute(sa.delete(schema.progress).where(schema.progress.c.cache == _CACHE))
            connection.execute(sa.delete(schema.tally))
            _advance(connection, progress)
            count_tallies(connection, tallies)


def _noted(connection: sa.Connection) -> Progress:
    table = schema.progress
    row = connection.execute(sa.select(table).where(table.c.cache == _CACHE)).one_or_none()
    if row is None:
        return Progress()
    return Progress(row.offset, Tally(row.decoded, row.dead_lettered, row.duplicates))


def _advance(connection: sa.Connection, progress: Progress) -> bool:
    table = schema.progress
    insert = upsert(connection, table).values(cache=_CACHE, offset=progress.offset, **asdict(progress.tally))
    changed = {name: insert.excluded[name] for name in ("offset", "decoded", "dead_lettered", "duplicates")}
    # Dead letters decoded again leave the offset where it is and change the totals.
    further = table.c.offset < insert.excluded.offset
    redecoded = (table.c.offset == insert.excluded.offset) & (table.c.dead_lettered != insert.excluded.dead_lettered)
    advanced = connection.execute(
        insert.on_conflict_do_update(index_elements=["cache"], set_=changed, where=further | redecoded).returning(
            table.c.offset
        )
    )
    return advanced.scalar_one_or_none() is not None


def note_totals(connection: sa.Connection, progress: Progress) -> None:
    """Keep the totals up to the offset noted last, in an open transaction; another offset's change nothing."""
    table = schema.progress
    same = (table.c.cache == _CACHE) & (table.c.offset == progress.offset)
    connection.execute(sa.update(table).where(same).values(**asdict(progress.tally)))


def keep_letters(connection: sa.Connection, letters: Sequence[DeadLetter]) -> None:
    """Keep dead letters, at least one, in an open transaction; a letter already there is replaced."""
    rows = [
        (it.offset, it.reason.value, it.detail, it.source, it.topic, it.device, it.received_at.astimezone(UTC))
        for it in sorted(letters, key=lambda letter: letter.offset)
    ]
    insert = upsert(connection, schema.dead_letter)
    replaced = {name: insert.excluded[name] for name in _LETTER if name != "offset"}
    statement = insert.on_conflict_do_update(index_elements=["offset"], set_=replaced)
    execute_many(connection, statement, _LETTER, rows)


def count_tallies(connection: sa.Connection, tallies: Sequence[DeviceTally]) -> None:
    """Add to the counters of devices, in an open transaction."""
    if not tallies:
        return
    table = schema.tally
    insert = upsert(connection, table)
    counted = {name: table.c[name] + insert.excluded[name] for name in ("decoded", "dead_lettered", "duplicates")}
    newer = sa.case(
        (insert.excluded.last_uplink_at.is_(None), table.c.last_uplink_at),
        (table.c.last_uplink_at > insert.excluded.last_uplink_at, table.c.last_uplink_at),
        else_=insert.excluded.last_uplink_at,
    )
    rows = [
        (
            tally.device,
            tally.source,
            tally.tally.decoded,
            tally.tally.dead_lettered,
            tally.tally.duplicates,
            tally.last_uplink_at.astimezone(UTC) if tally.last_uplink_at else None,
        )
        for tally in tallies
    ]
    # In one order, so that two programs counting the same devices never wait for each other in a circle.
    rows.sort(key=itemgetter(0, 1))
    statement = insert.on_conflict_do_update(
        index_elements=["device", "source"], set_={**counted, "last_uplink_at": newer}
    )
    execute_many(connection, statement, ("device", "source", *counted, "last_uplink_at"), rows)
