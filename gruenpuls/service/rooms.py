"""Opens what the settings name: registry, journal, observation store, catalogue, clock."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from device_profiles.catalogue import Catalogue
from gruenpuls.domain.clock import Clock, ReplaySpan, replayed, wall_clock
from gruenpuls.domain.errors import StorageError
from gruenpuls.settings import Settings
from gruenpuls.stores.registry import Registry

REPLAY = "replay"
"""Name of the registry's setting that holds the spans being replayed."""

_LOOK_AGAIN = 1.0


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


def catalogue(settings: Settings) -> Catalogue:
    """Return the shipped device profiles with the city's own laid over them."""
    shipped = Catalogue.shipped()
    return shipped if settings.profiles_dir is None else shipped.merged(Catalogue.read(settings.profiles_dir))


def replay_spans(registry: Registry) -> tuple[ReplaySpan, ...]:
    """Return what is being replayed; nothing outside a demo or replay."""
    listed = registry.settings.value(REPLAY)
    if not isinstance(listed, list):
        return ()
    return tuple(
        ReplaySpan(
            name=str(span["name"]),
            **{
                edge: datetime.fromisoformat(span[edge])
                for edge in ("recorded_from", "recorded_to", "played_from", "played_to")
            },
        )
        for span in listed
    )


def keep_replay_spans(registry: Registry, spans: Sequence[ReplaySpan]) -> None:
    """Tell every process what is being replayed, so that their clocks follow it."""
    registry.settings.keep(
        REPLAY,
        [
            {
                "name": span.name,
                "recorded_from": span.recorded_from.isoformat(),
                "recorded_to": span.recorded_to.isoformat(),
                "played_from": span.played_from.isoformat(),
                "played_to": span.played_to.isoformat(),
            }
            for span in spans
        ],
    )


def clock(registry: Registry) -> Clock:
    """Return the present: the machine's time, or where a replay has got to."""
    spans: tuple[ReplaySpan, ...] = ()
    looked = float("-inf")

    def now() -> datetime:
        nonlocal spans, looked
        if time.monotonic() - looked > _LOOK_AGAIN:
            spans, looked = replay_spans(registry), time.monotonic()
        return replayed(spans, wall_clock())[1] if spans else wall_clock()

    return now
