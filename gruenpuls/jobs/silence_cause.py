"""Why a device is silent: nobody is heard through its gateway or from its source, its battery was low, or itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gruenpuls.domain.reading import Ids
from gruenpuls.domain.relay import RelayKind, SilenceCause
from gruenpuls.stores.registry.relays import Bond, Relays

LOW_BATTERY: Final = 20.0
"""At or below this a battery explains a silence [%]: the limit from which the rule of batteries speaks."""
_HOURS: Final = 24
_REMEMBERED: Final = 7
"""A gateway that heard a device so long before its last word may still be its gateway [d]."""
_ALONE: Final = 1


@dataclass(frozen=True, slots=True)
class Absence:
    """Full hours at which a device was silent.

    Parameters
    ----------
    device : str
    last : int
        The hour of its last word, since 1970 UTC.
    interval : int
        How often it is expected, rounded up [h].
    hours : int64 (n,)
        Since 1970 UTC.
    battery_low : bool
        Whether its battery was low when it was heard last.
    """

    device: str
    last: int
    interval: int
    hours: Ids
    battery_low: bool


@dataclass(frozen=True, slots=True)
class Blame:
    """What keeps a device silent, at each hour of its absence.

    Parameters
    ----------
    cause : int64 (n,)
        A `SilenceCause`.
    relay : int64 (n,)
        The registry's number of the gateway or source; 0 where it is neither.
    """

    cause: Ids
    relay: Ids


def blamed(relays: Relays, absences: Sequence[Absence]) -> list[Blame]:
    """Return what keeps each of these devices silent.

    A gateway is to blame if it, and every other one that heard the device in its last week, has passed nothing on
    since its last word, of no device, though it had several; the source likewise if it also had devices that none of
    these gateways hears. Hours that are not over count for nothing, so that an hour looked at twice says the same.
    """
    if not absences:
        return []
    of_device: dict[str, list[Bond]] = {}
    for bond in relays.of_devices({it.device for it in absences}):
        of_device.setdefault(bond.device, []).append(bond)
    numbers = {bond.relay for bonds in of_device.values() for bond in bonds}
    first = min(it.last for it in absences) // _HOURS
    last = max(int(it.hours.max(initial=it.last)) for it in absences) // _HOURS
    passed_on = relays.hours(numbers, first, last)
    devices = cache(lambda relay, day, besides: relays.devices(relay, day, besides=besides))

    def blame(absence: Absence) -> Blame:
        day = absence.last // _HOURS
        # By name, since numbers are given in the order of arrival.
        bonds = sorted(
            (
                it
                for it in of_device.get(absence.device, ())
                if it.first_day <= day and it.last_day >= day - _REMEMBERED
            ),
            key=lambda it: it.name,
        )
        gateways = tuple(it.relay for it in bonds if it.kind is RelayKind.GATEWAY)
        sources = tuple(it.relay for it in bonds if it.kind is RelayKind.SOURCE)
        own = SilenceCause.BATTERY if absence.battery_low else SilenceCause.SENSOR
        cause = np.full(len(absence.hours), int(own))
        relay = np.zeros(len(absence.hours), np.int64)
        shared = [it for it in gateways if devices(it, day, ()) > _ALONE]
        if shared:
            quiet = _all_quiet(passed_on, gateways, absence)
            cause[quiet], relay[quiet] = SilenceCause.GATEWAY, shared[0]
        # The device itself is among those its gateways hear.
        others = [it for it in sources if devices(it, day, gateways) > (0 if gateways else _ALONE)]
        if others:
            quiet = _all_quiet(passed_on, sources, absence)
            cause[quiet], relay[quiet] = SilenceCause.SOURCE, others[0]
        return Blame(cause, relay)

    return [blame(absence) for absence in absences]


def _all_quiet(passed_on: Mapping[int, Ids], relays: Sequence[int], absence: Absence) -> NDArray[np.bool_]:
    """Return at which hours none of these had passed anything on since the device's last word."""
    since = absence.last + absence.interval
    found: NDArray[np.bool_] = absence.hours > since + 1
    for relay in relays:
        hours = passed_on.get(relay, np.empty(0, np.int64))
        found &= np.searchsorted(hours, absence.hours) == np.searchsorted(hours, np.minimum(since + 1, absence.hours))
    return found
