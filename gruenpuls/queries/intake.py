"""What arrived and what did not: every message as readings, dead letter or duplicate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from gruenpuls.domain.ports import DeviceTally, Tally
from gruenpuls.domain.uplink import DeadLetter, DeadLetterReason
from gruenpuls.queries.self_check import Discrepancy, self_check
from gruenpuls.stores.registry import Registry

COLLECT: Final = "collect"
"""Name under which the collecting process reports how it is."""
JOURNALLED: Final = "journalled"
"""What it reports: how many messages each source has brought since the journal began."""
WORK: Final = "work"
"""Name under which the working process reports how it is."""
MISSING: Final = "missing"
"""What it reports: how many journalled messages lie in segments that were set aside as damaged."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What became of the messages of a source or a device.

    Parameters
    ----------
    key : str
        Of the device, or name of the source; empty for messages nobody could tell the device of.
    name : str or None
        Of the device; None where nobody registered it.
    tally : Tally
    last_uplink_at : datetime or None
        Aware UTC.
    """

    key: str
    name: str | None
    tally: Tally
    last_uplink_at: datetime | None


@dataclass(frozen=True, slots=True)
class Intake:
    """What arrived and what did not.

    Parameters
    ----------
    tally : Tally
        Of everything worked off.
    waiting : int or None
        Messages in the journal that are not worked off yet; None where the collector never said.
    missing : int
        Messages that lie in segments of the journal that were set aside as damaged.
    reasons : mapping
        Dead letters by reason, the most frequent first.
    newest : sequence of DeadLetter
    sources, devices : tuple of Counted
        Devices with dead letters first, then those heard last.
    device_count : int
        How many devices there are, also those beyond the limit.
    discrepancies : tuple of Discrepancy
        What the last self-check found that does not agree; empty if all is well.
    """

    tally: Tally
    waiting: int | None
    missing: int
    reasons: Mapping[DeadLetterReason, int]
    newest: Sequence[DeadLetter]
    sources: tuple[Counted, ...]
    devices: tuple[Counted, ...]
    device_count: int
    discrepancies: tuple[Discrepancy, ...]

    @property
    def received(self) -> int:
        """How many messages arrived."""
        return self.tally.total + (self.waiting or 0) + self.missing


def intake(registry: Registry, *, devices: int = 200, letters: int = 50) -> Intake:
    """Return what arrived, with at most so many devices and dead letters."""
    tallies = registry.tallies.all()
    ordered = sorted(
        tallies, key=lambda tally: (-tally.tally.dead_lettered, -_seconds(tally.last_uplink_at), tally.device)
    )
    by_device = tallied_by("device", ordered)
    shown = by_device[:devices]
    names = {key: device.name for key, device in registry.arrivals.devices([one.key for one in shown]).items()}
    noted = registry.arrivals.noted()
    said = {component.name: component.body for component in registry.health.all()}
    lost = said.get(WORK, {}).get(MISSING)
    missing = lost if isinstance(lost, int) else 0
    journalled = _journalled(said)
    check = self_check(said.get(WORK, {}))
    return Intake(
        tally=noted.tally,
        # Two processes report at two moments: what came or went in between is not to show as a debt.
        waiting=None if journalled is None else max(journalled - noted.tally.total - missing, 0),
        missing=missing,
        reasons=dict(sorted(registry.dead_letters.counts().items(), key=lambda entry: -entry[1])),
        newest=registry.dead_letters.list(limit=letters),
        sources=tallied_by("source", sorted(tallies, key=lambda tally: tally.source)),
        devices=tuple(Counted(one.key, names.get(one.key), one.tally, one.last_uplink_at) for one in shown),
        device_count=len(by_device),
        discrepancies=check.discrepancies if check else (),
    )


def _seconds(moment: datetime | None) -> float:
    return moment.timestamp() if moment else 0.0


def _journalled(said: Mapping[str, Mapping[str, object]]) -> int | None:
    """Return how many messages came since the journal began, as far as the collector said."""
    counts = said.get(COLLECT, {}).get(JOURNALLED)
    if not isinstance(counts, dict):
        return None
    return sum(count for count in counts.values() if isinstance(count, int))


def tallied_by(name: Literal["device", "source"], tallies: Sequence[DeviceTally]) -> tuple[Counted, ...]:
    """Return the tallies added up by device or by source, in the order of their first."""
    sums: dict[str, Counted] = {}
    for one in tallies:
        key = getattr(one, name)
        before = sums.get(key, Counted(key, None, Tally(), None))
        moments = [moment for moment in (before.last_uplink_at, one.last_uplink_at) if moment is not None]
        sums[key] = Counted(key, None, before.tally + one.tally, max(moments, default=None))
    return tuple(sums.values())
