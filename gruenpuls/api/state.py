"""The state of the service at one moment: what metrics and health are made of."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gruenpuls.domain.clock import Clock
from gruenpuls.domain.errors import StorageError
from gruenpuls.domain.ports import Tally
from gruenpuls.queries.readiness import Complaint, Limits, undelivered, unreadiness
from gruenpuls.stores.registry import Registry
from gruenpuls.stores.registry.health import ComponentHealth
from gruenpuls.stores.registry.outbox import ChannelTrouble, Delivery


@dataclass(frozen=True, slots=True)
class State:
    """What is so at a moment.

    Parameters
    ----------
    now : datetime
        By the machine's clock, also in a replay.
    said : sequence of ComponentHealth
        What the processes said last.
    tallies : mapping of str to Tally
        What became of the messages of each source.
    sites_to_compute : int
    troubles : sequence of ChannelTrouble
        Of the channels that have something to deliver, or gave something up.
    sent : mapping of str to int
        Messages delivered by each channel.
    disk_free, disk_size : int
        [bytes].
    limits : Limits
        From when on the service is not ready.
    """

    now: datetime
    said: Sequence[ComponentHealth]
    tallies: Mapping[str, Tally]
    sites_to_compute: int
    troubles: Sequence[ChannelTrouble]
    sent: Mapping[str, int]
    disk_free: int
    disk_size: int
    limits: Limits

    def complaints(self) -> list[Complaint]:
        """Return why the service is not ready; nothing if it is."""
        return [*unreadiness(self.said, self.disk_free, self.limits, self.now), *undelivered(self.troubles)]


@dataclass(frozen=True, slots=True)
class Observed:
    """What there is to look at.

    Parameters
    ----------
    registry : Registry
    data_dir : Path
    limits : Limits
    clock : Clock
        The machine's.
    """

    registry: Registry
    data_dir: Path
    limits: Limits
    clock: Clock

    def state(self) -> State:
        """Look.

        Raises
        ------
        GruenpulsError
            If the registry cannot be asked, or the disk is gone.
        """
        try:
            disk = shutil.disk_usage(self.data_dir)
        except OSError as error:
            what = f"the data directory cannot be looked at: {error.strerror}"
            raise StorageError(what, where=str(self.data_dir), remedy="check the disk") from error
        now, outbox = self.clock(), self.registry.outbox
        return State(
            now=now,
            said=self.registry.health.all(),
            tallies=self.registry.tallies.by_source(),
            sites_to_compute=self.registry.dirty.count(),
            troubles=outbox.troubles(now),
            sent={name: count for (name, state), count in outbox.counts().items() if state is Delivery.SENT},
            disk_free=disk.free,
            disk_size=disk.total,
            limits=self.limits,
        )
