"""What the console reads from, and how it knows what time it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gruenpuls.console.settings import ConsoleSettings
from gruenpuls.domain.clock import Clock, ReplaySpan
from gruenpuls.domain.ports import ObservationReader
from gruenpuls.queries.present import Present
from gruenpuls.stores.registry import Registry


@dataclass(frozen=True, slots=True)
class Sources:
    """Everything a page is made of.

    Parameters
    ----------
    registry : Registry
    readings : ObservationReader
    clock : Clock
        The present, or where a replay has got to.
    replay : callable
        What is being replayed; nothing outside a replay.
    settings : ConsoleSettings
    """

    registry: Registry
    readings: ObservationReader
    clock: Clock
    replay: Callable[[], Sequence[ReplaySpan]]
    settings: ConsoleSettings

    def present(self) -> Present:
        """Return the moment a page is asked for."""
        return Present(self.clock(), tuple(self.replay()))
