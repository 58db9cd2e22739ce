"""What carries messages from a device to here, and what may be to blame where none come."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class RelayKind(StrEnum):
    """What passes messages on."""

    GATEWAY = "gateway"
    SOURCE = "source"
    """A configured source of ours: a network server, a broker, a webhook."""


@dataclass(frozen=True, slots=True)
class Relay:
    """Something that passes on messages of devices.

    Parameters
    ----------
    kind : RelayKind
    name : str
        As the network, or the settings, call it.
    """

    kind: RelayKind
    name: str


class SilenceCause(IntEnum):
    """What most likely keeps a device from being heard."""

    SENSOR = 1
    """Nothing else explains it."""
    BATTERY = 2
    """It was low when the device was heard last."""
    GATEWAY = 3
    """Nobody was heard any more through any gateway that had heard the device."""
    SOURCE = 4
    """Nothing at all came from its source any more, whatever the gateway."""
