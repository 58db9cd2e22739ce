"""Opens the registry the settings name; every process needs it, the light collector too."""

from __future__ import annotations

from pathlib import Path

from gruenpuls.domain.errors import StorageError
from gruenpuls.settings import Settings
from gruenpuls.stores.registry import Registry


def data_directory(settings: Settings) -> Path:
    """Return the data directory, made if need be.

    Raises
    ------
    StorageError
        If it cannot be made.
    """
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        what = f"the data directory cannot be made: {error.strerror}"
        raise StorageError(
            what, where=str(settings.data_dir), remedy="set data_dir to a place you may write"
        ) from error
    return settings.data_dir


def open_registry(settings: Settings) -> Registry:
    """Return the registry, migrated to this program's schema."""
    data_directory(settings)
    return Registry.open(settings.registry_address)
