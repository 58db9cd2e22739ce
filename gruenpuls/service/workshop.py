"""What decoding and computing work with, opened together: there is one at a time, held by the store's lock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta

from device_profiles.catalogue import Catalogue
from device_profiles.profile import Profile
from gruenpuls.service.registry import open_registry
from gruenpuls.service.rooms import catalogue
from gruenpuls.settings import Settings
from gruenpuls.stores.embedded import EmbeddedStore
from gruenpuls.stores.embedded.lake import Limits
from gruenpuls.stores.registry import Registry
from ingest.decode import Decoder
from ingest.javascript import CodecPool
from ingest.journal import Journal, JournalReader
from ingest.uplink_index import UplinkIndex


@dataclass(frozen=True, slots=True)
class Workshop:
    """Everything that turns the journal into readings."""

    registry: Registry
    journal: JournalReader
    store: EmbeddedStore
    profiles: Catalogue
    decoder: Decoder


@contextmanager
def workshop(settings: Settings) -> Iterator[Workshop]:
    """Open everything for the one process that may write readings.

    Raises
    ------
    BusyError
        If another process writes; names its pid.
    StorageError
        If something is damaged or cannot be written.
    """
    profiles = catalogue(settings)

    def profile_named(name: str) -> Profile | None:
        return profiles.profile(name) if name in profiles else None

    limits = Limits(settings.store.memory_mb, settings.store.threads)
    with (
        closing(open_registry(settings)) as registry,
        closing(EmbeddedStore.open_writer(settings.store_dir, registry.judgements, limits)) as store,
        closing(Journal.reader(settings.journal_dir)) as journal,
        closing(UplinkIndex(settings.index_file)) as index,
        CodecPool() as codecs,
    ):
        decoder = Decoder(
            journal,
            index,
            profile_named,
            registry.arrivals,
            store,
            codecs=codecs,
            limit=settings.work.batch,
            future_tolerance=timedelta(seconds=settings.work.future_tolerance),
        )
        yield Workshop(registry, journal, store, profiles, decoder)
