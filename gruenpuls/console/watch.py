"""Watches for change on behalf of all open pages, so that many of them cost no more than one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from gruenpuls.console.sources import Sources
from gruenpuls.queries.collecting import Collecting, collecting
from gruenpuls.queries.overview import Overview, Standing, overview

_EFFORT: Final = 4
"""A look takes at most one part in so many of the time: large cities are looked at less often."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """What was seen at a look.

    Parameters
    ----------
    overview : Overview
    arrived : tuple of int
        How far the journal was worked off, and what became of it.
    collecting : Collecting
    """

    overview: Overview
    arrived: tuple[int, ...]
    collecting: Collecting

    @property
    def statuses(self) -> Mapping[str, str]:
        """Each site's status."""
        return {standing.site.key: standing.status.value for standing in self.overview.sites}

    def differs(self, other: Sighting) -> bool:
        """Whether a page made from the other one would look different."""
        return self._seen() != other._seen()

    def _seen(self) -> tuple[object, ...]:
        seen = self.overview
        moving = [(one.site, one.status, one.severity, one.last_at) for one in seen.sites]
        counts = (seen.sensors_heard, seen.sensors_silent, seen.open_incidents)
        return (self.arrived, self.collecting, moving, counts)


class Watch:
    """Looks at the stores when somebody wants to know, but not more often than it has to.

    Parameters
    ----------
    sources : Sources
    """

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._looking = asyncio.Lock()
        self._seen: Sighting | None = None
        self._good_until = 0.0
        self._stopped = asyncio.Event()

    async def sighting(self) -> Sighting:
        """Return what was seen last, or look again if that is too long ago."""
        async with self._looking:
            if self._seen is None or time.monotonic() >= self._good_until:
                began = time.monotonic()
                self._seen = await run_in_threadpool(self._look)
                taken = time.monotonic() - began
                pause = self._sources.settings.refresh.total_seconds() / 2
                self._good_until = began + max(pause, _EFFORT * taken)
            return self._seen

    async def standing(self, key: str) -> Standing:
        """Return how a site stands.

        Raises
        ------
        HTTPException
            404 if there is no such site.
        """
        found = (await self.sighting()).overview.of(key)
        if found is None:
            raise HTTPException(404, key)
        return found

    def stop(self) -> None:
        """Let everybody who waits go on and leave."""
        self._stopped.set()

    async def stopped_within(self, seconds: float) -> bool:
        """Wait; return whether the watch was stopped meanwhile."""
        try:
            await asyncio.wait_for(self._stopped.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def _look(self) -> Sighting:
        registry = self._sources.registry
        noted = registry.arrivals.noted()
        tally = noted.tally
        chosen = self._sources.settings
        seen = overview(registry, self._sources.present(), silent_after=chosen.silent_after, table=chosen.limits)
        arrived = (noted.offset, tally.decoded, tally.dead_lettered, tally.duplicates)
        return Sighting(seen, arrived, collecting(registry))
