"""Do the numbers add up: journalled = decoded + dead-lettered + duplicates + waiting."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace

from gruenpuls.domain.errors import StorageError, UnavailableError
from gruenpuls.domain.ports import Progress, Tally
from gruenpuls.service.rooms import reading_store
from gruenpuls.settings import Settings
from gruenpuls.stores.embedded import EmbeddedReader, StoreStatistics
from gruenpuls.stores.registry import Registry
from ingest.journal import Journal, JournalReader
from ingest.journal_damage import Damage


@dataclass(frozen=True, slots=True)
class Balance:
    """What the journal took in, and what became of it.

    Parameters
    ----------
    journalled : mapping of str to int
        Messages by source, since the journal began.
    tally : Tally
        Of everything worked off.
    waiting : int
        Messages not worked off yet.
    waiting_of : mapping of str to int
        The same by source.
    damaged : tuple of Damage
        Segments of the journal that were set aside.
    store_error : str or None
        Why the store could not be asked how far it is; the registry was instead.
    """

    journalled: Mapping[str, int]
    tally: Tally
    waiting: int
    waiting_of: Mapping[str, int]
    damaged: tuple[Damage, ...]
    store_error: str | None = None

    @property
    def missing(self) -> int:
        """How many journalled messages are neither worked off nor waiting; negative is more than came."""
        return sum(self.journalled.values()) - self.tally.total - self.waiting

    def missing_of(self, became: Mapping[str, Tally]) -> dict[str, int]:
        """Return the same by source, of those whose numbers do not add up with what became of their messages."""
        sources = self.journalled.keys() | became.keys()
        apart = {
            source: self.journalled.get(source, 0) - self.waiting_of.get(source, 0) - became.get(source, Tally()).total
            for source in sources
        }
        return {source: count for source, count in sorted(apart.items()) if count}

    @property
    def adds_up(self) -> bool:
        """Whether every message is accounted for, at worst in a damaged segment that was set aside."""
        known = [damage.messages for damage in self.damaged]
        most = sum(count or 0 for count in known)
        return self.missing == 0 or (self.missing > 0 and (None in known or self.missing <= most))


def balance(settings: Settings, registry: Registry) -> tuple[Balance, StoreStatistics | None]:
    """Return whether the numbers add up, and how much an embedded store holds; None where there is none.

    While the store's server is away the registry says how far it was: it may lag one commit behind.

    Raises
    ------
    StorageError
        If the store is damaged.
    """
    away: str | None = None
    try:
        store = reading_store(settings, registry.judgements)
    except StorageError:
        if settings.store_dir.exists() and any(settings.store_dir.iterdir()):
            raise
        progress, statistics = Progress(), None
    else:
        with closing(store):
            # Before the journal: what comes in between is then waiting, not missing.
            try:
                progress = store.progress()
            except UnavailableError as error:
                away, progress = str(error), registry.arrivals.noted()
            # Counting all of an InfluxDB takes long: `gruenpuls store info` does it when asked.
            statistics = store.statistics() if isinstance(store, EmbeddedReader) else None
    with closing(Journal.reader(settings.journal_dir)) as journal:
        return replace(balanced(journal, progress), store_error=away), statistics


def balanced(journal: JournalReader, progress: Progress) -> Balance:
    """Return whether the numbers add up, with a store's progress that was asked for before."""
    counts = journal.counts()
    while True:
        waiting = journal.waiting(progress.offset)
        done = journal.counts_before(progress.offset)
        # All of the same moment: what is journalled between two looks would seem to be missing.
        before, counts = counts, journal.counts()
        if counts == before:
            waiting_of = {source: count - done.get(source, 0) for source, count in counts.items()}
            return Balance(counts, progress.tally, waiting, waiting_of, tuple(journal.damage()))
