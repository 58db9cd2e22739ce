"""What decoding and computing work with, opened together: there is one at a time, held by the store's lock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta

from device_profiles.profile import Profile
from gruenpuls.domain.ports import ObservationStore
from gruenpuls.service.registry import open_registry
from gruenpuls.service.rooms import catalogue, writing_store
from gruenpuls.settings import Settings
from gruenpuls.stores.registry import Registry
from ingest.decode import Decoder
from ingest.javascript import CodecPool
from ingest.journal import Journal, JournalReader
from ingest.read_ahead import ReadAhead
from ingest.redecode import Redecoder
from ingest.uplink_index import UplinkIndex


class InstalledProfiles:
    """The device profiles as they were read last; decoding takes them from here."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._catalogue = catalogue(settings)

    def named(self, name: str) -> Profile | None:
        """Return a profile, or None where none of this name is installed."""
        return self._catalogue.profile(name) if name in self._catalogue else None

    def settling_time(self, name: str) -> timedelta | None:
        """Return how long a probe of this profile needs in the soil before its values count; None if it is not said."""
        profile = self.named(name)
        return profile.sheet.settling_time if profile is not None else None

    def read_again(self) -> None:
        """Take what the files say now.

        Raises
        ------
        InputError
            If one of them is no profile; those read before stay.
        """
        self._catalogue = catalogue(self._settings)


@dataclass(frozen=True, slots=True)
class Workshop:
    """Everything that turns the journal into readings."""

    registry: Registry
    journal: JournalReader
    store: ObservationStore
    profiles: InstalledProfiles
    decoder: Decoder
    redecoder: Redecoder


@contextmanager
def workshop(settings: Settings, ahead: ReadAhead | None = None) -> Iterator[Workshop]:
    """Open everything for the one process that may write readings.

    Parameters
    ----------
    settings : Settings
    ahead : ReadAhead or None
        Reads messages while others are stored.

    Raises
    ------
    BusyError
        If another process writes; names its pid.
    StorageError
        If something is damaged or cannot be written.
    """
    profiles = InstalledProfiles(settings)
    with (
        closing(open_registry(settings)) as registry,
        closing(writing_store(settings, registry.judgements)) as store,
        closing(Journal.reader(settings.journal_dir)) as journal,
        closing(UplinkIndex(settings.index_file)) as index,
        CodecPool() as codecs,
    ):
        decoder = Decoder(
            journal,
            index,
            profiles.named,
            registry.arrivals,
            store,
            codecs=codecs,
            limit=settings.work.batch,
            future_tolerance=timedelta(seconds=settings.work.future_tolerance),
            ahead=ahead,
        )
        redecoder = Redecoder(
            decoder, journal, index, registry.arrivals, registry.past, store, registry.judgements, profiles.named
        )
        yield Workshop(registry, journal, store, profiles, decoder, redecoder)
