"""How long readings, hours and days are kept: what is older goes, once it is rolled up."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from gruenpuls.domain.clock import Clock
from gruenpuls.domain.retention import Outdated, Tier
from gruenpuls.stores.registry import Registry

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class RetiringStore(Protocol):
    """A store that takes away what is older than it shall be kept."""

    def retire(self, tier: Tier, keep_from: datetime, ends: Collection[int]) -> Outdated:
        """Take away what a tier holds from before a moment; return what that was."""
        ...


class RetiringReader(Protocol):
    """A store that tells what it would take away."""

    def outdated(self, tier: Tier, keep_from: datetime) -> Outdated:
        """Return what is older than a tier shall be kept."""
        ...


def outdated(store: RetiringReader, kept: Mapping[Tier, timedelta], now: datetime) -> Sequence[Outdated]:
    """Return what is older than it shall be kept, tier by tier; nothing is taken away."""
    return [store.outdated(tier, now - kept[tier]) for tier in Tier if tier in kept]


@dataclass(frozen=True)
class Retention:
    """Takes away what is older than it shall be kept.

    Parameters
    ----------
    registry : Registry
    store : RetiringStore
    clock : Clock
    kept : mapping of Tier to timedelta
        Tiers that are not named are kept for ever.
    """

    registry: Registry
    store: RetiringStore
    clock: Clock
    kept: Mapping[Tier, timedelta]

    def work_off(self) -> Sequence[Outdated]:
        """Take it away, readings first; return what it was."""
        now, ends = self.clock(), self.registry.resolution.told_at_their_end()
        found = [self.store.retire(tier, now - self.kept[tier], ends) for tier in Tier if tier in self.kept]
        for it in found:
            if it.rows:
                _log.info("no longer kept", tier=it.tier.value, before=it.before, rows=it.rows, bytes=it.size)
        return found
