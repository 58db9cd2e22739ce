"""The working process checks itself: numbers that do not agree are told, and never put right in silence."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Protocol, runtime_checkable

import structlog

from gruenpuls.domain.ports import Progress, Tally
from gruenpuls.domain.uplink import DeadLetterReason
from gruenpuls.jobs.ticker import STOPPED
from gruenpuls.queries.rhythm import HEARD_WITHIN, longest_pauses
from gruenpuls.queries.self_check import Discrepancy, Fault, Holding, SelfCheck, Silence
from gruenpuls.service.balance import Balance, balanced
from gruenpuls.service.workshop import Workshop
from gruenpuls.settings import Settings

_log: structlog.stdlib.BoundLogger = structlog.get_logger()

_EVERY: Final = 60.0
_AGAIN_AFTER: Final = 5.0
_NAMED: Final = 5
"""So many broken files are named in the log."""
_SILENCES: Final = (timedelta(hours=1), timedelta(hours=6), timedelta(days=1), timedelta(days=7))


@runtime_checkable
class StoreOfFiles(Protocol):
    """A store that knows its files."""

    def broken_files(self) -> Sequence[Path]:
        """Return those that are gone or not as long as they were written."""
        ...

    def stored_progress(self) -> Progress:
        """Return how far the journal is worked off as the files say, not the process that wrote them."""
        ...


@runtime_checkable
class StoreOnServer(Protocol):
    """A store whose server may not take a reading."""

    def refused(self) -> int:
        """Return how many it did not take."""
        ...


@dataclass(slots=True)
class SelfChecking:
    """Checks every minute; used by the thread that decodes, between two steps.

    Parameters
    ----------
    tools : Workshop
    settings : Settings
    clock : callable
        The present, or where a replay has got to: devices are silent as seen from there.
    """

    tools: Workshop
    settings: Settings
    clock: Callable[[], datetime]
    last: SelfCheck | None = None
    _next: float = 0.0
    _suspected: frozenset[Fault] = field(default_factory=frozenset)

    def look(self) -> None:
        """Check if it is time to.

        Raises
        ------
        GruenpulsError
            If a store, the journal or the registry cannot be asked.
        """
        if time.monotonic() < self._next:
            return
        store = self.tools.store
        progress = store.stored_progress() if isinstance(store, StoreOfFiles) else store.progress()
        balance = balanced(self.tools.journal, progress)
        letters = self.tools.registry.dead_letters.counts()
        broken = store.broken_files() if isinstance(store, StoreOfFiles) else ()
        found = list(self._discrepancies(progress, balance, letters, len(broken)))
        # After a crash the first steps bring the registry to where the store is: only what lasts is a fault.
        lasting = tuple(one for one in found if one.fault in self._suspected)
        self._suspected = frozenset(one.fault for one in found)
        for one in lasting:
            named = {"files": [str(path) for path in broken[:_NAMED]]} if one.fault is Fault.FILES else {}
            _log.error("the self-check failed", fault=one.fault.value, count=one.count, what=str(one), **named)
        self.last = self._check(balance, letters, lasting)
        self._next = time.monotonic() + (_EVERY if len(lasting) == len(found) else _AGAIN_AFTER)

    def _discrepancies(
        self, progress: Progress, balance: Balance, letters: Mapping[DeadLetterReason, int], broken_files: int
    ) -> Iterator[Discrepancy]:
        registry = self.tools.registry
        noted = registry.arrivals.noted()
        if not balance.adds_up:
            yield Discrepancy(Fault.NUMBERS, balance.missing)
        if noted != progress:
            yield Discrepancy(Fault.PROGRESS, progress.tally.total - noted.tally.total)
        if broken_files:
            yield Discrepancy(Fault.FILES, broken_files)
        if balance.damaged:
            # What a damaged segment held cannot be taken from its device's counters any more.
            return
        became = registry.tallies.by_source()
        counted = sum(became.values(), Tally())
        if counted != noted.tally:
            yield Discrepancy(Fault.COUNTERS, noted.tally.total - counted.total)
        elif noted == progress and (apart := balance.missing_of(became)):
            yield Discrepancy(Fault.SOURCES, sum(map(abs, apart.values())))
        kept = sum(letters.values())
        if noted == progress and kept != noted.tally.dead_lettered:
            yield Discrepancy(Fault.LETTERS, noted.tally.dead_lettered - kept)

    def _silent_after(self) -> dict[str, float]:
        names = [source.name for source in self.settings.sources] + [hook.name for hook in self.settings.webhooks]
        heard = self.tools.registry.tallies.heard_lately(HEARD_WITHIN)
        pauses = longest_pauses(heard, names, self._promised_interval)
        return {source: pause.total_seconds() for source, pause in pauses.items()}

    def _promised_interval(self, name: str) -> timedelta | None:
        profile = self.tools.profiles.named(name)
        return profile.expected_interval if profile else None

    def _check(
        self, balance: Balance, letters: Mapping[DeadLetterReason, int], discrepancies: tuple[Discrepancy, ...]
    ) -> SelfCheck:
        registry = self.tools.registry
        now = self.clock()
        silent = registry.tallies.silent_since([now - silence for silence in _SILENCES])
        seconds = [str(int(silence.total_seconds())) for silence in _SILENCES]
        return SelfCheck(
            checked_at=datetime.now(UTC),
            waiting=balance.waiting,
            missing=balance.missing,
            damaged_segments=len(balance.damaged),
            discrepancies=discrepancies,
            dead_letters={reason.value: count for reason, count in letters.items()},
            silences=tuple(
                Silence(profile, devices, dict(zip(seconds, counts, strict=True)))
                for profile, (devices, *counts) in silent.items()
            ),
            failing_jobs=tuple(run.job for run in registry.jobs.failed() if run.error != STOPPED),
            journal=held(self.settings.journal_dir),
            store=held(self.settings.store_dir) if self.settings.store.kind == "embedded" else None,
            refused=self.tools.store.refused() if isinstance(self.tools.store, StoreOnServer) else None,
            silent_after=self._silent_after(),
        )


def held(directory: Path) -> Holding:
    """Return how much lies in a directory and those below it; a file that goes meanwhile does not count."""
    files = size = 0
    for folder, _, names in os.walk(directory):
        for name in names:
            try:
                size += os.stat(os.path.join(folder, name)).st_size  # noqa: PTH116, PTH118 - paths of a year's files add up
            except FileNotFoundError:
                continue
            files += 1
    return Holding(files, size)
