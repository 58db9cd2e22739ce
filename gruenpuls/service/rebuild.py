"""An embedded store made again from the journal, with whatever the registry derives from it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from gruenpuls.domain.errors import ConfigurationError, StorageError
from gruenpuls.domain.ports import Progress
from gruenpuls.settings import Settings
from gruenpuls.stores.embedded.lock import WriterLock
from gruenpuls.stores.registry import Registry


def begin_anew(settings: Settings, registry: Registry, now: datetime) -> Path:
    """Move the store aside and forget what became of the messages: *work* then finds the whole journal before it.

    Cut short, it is to be called again before *work* starts.

    Parameters
    ----------
    settings : Settings
    registry : Registry
    now : datetime
        Aware UTC; names the directory the store is moved to, which is returned.

    Raises
    ------
    ConfigurationError
        If readings are kept by a server.
    BusyError
        If another process writes readings.
    StorageError
        If the store cannot be moved.
    """
    if settings.store.kind != "embedded":
        what = "only the embedded store is made again like this"
        raise ConfigurationError(what, where="store.kind", remedy="bring back a backup of the server's database")
    directory = settings.store_dir
    aside = directory.with_name(f"{directory.name}-{now:%Y%m%dT%H%M%SZ}")
    lock = WriterLock(directory)
    try:
        # First, since it takes nobody's place: the next `work` may start as soon as the store has left its own.
        registry.arrivals.drop_dead_letters(registry.dead_letters.offsets())
        registry.arrivals.recount([], Progress())
        try:
            directory.rename(aside)
        except OSError as error:
            what = f"the store cannot be moved aside: {error.strerror}"
            raise StorageError(
                what, where=str(directory), remedy="check who owns its parent, then do it again"
            ) from error
    finally:
        lock.release()
    return aside
