"""How each device is heard, the worst first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gruenpuls.domain.ports import Tally
from gruenpuls.queries.intake import tallied_by
from gruenpuls.stores.registry import Registry


@dataclass(frozen=True, slots=True)
class DeviceIntake:
    """What came of a device.

    Parameters
    ----------
    device : str
        Its key; empty for messages nobody could tell the device of.
    name, profile : str or None
        None where nobody registered it.
    tally : Tally
    last_uplink_at : datetime or None
        Aware UTC; None where nothing ever came.
    silence : timedelta or None
        Since then.
    """

    device: str
    name: str | None
    profile: str | None
    tally: Tally
    last_uplink_at: datetime | None
    silence: timedelta | None


def device_intakes(registry: Registry, now: datetime) -> Sequence[DeviceIntake]:
    """Return every device heard or registered: first those without any reading, then by how long they are silent."""
    heard = {one.key: one for one in tallied_by("device", registry.tallies.all())}
    registered = {one.key: one for one in registry.devices.list()}
    found = []
    for key in heard.keys() | registered.keys():
        came, device = heard.get(key), registered.get(key)
        last = came.last_uplink_at if came else None
        found.append(
            DeviceIntake(
                key,
                device.name if device else None,
                device.profile if device else None,
                came.tally if came else Tally(),
                last,
                now - last if last else None,
            )
        )

    def badness(one: DeviceIntake) -> tuple[bool, float, str]:
        silence = float("inf") if one.silence is None else one.silence.total_seconds()
        return one.tally.decoded > 0, -silence, one.device

    return sorted(found, key=badness)
