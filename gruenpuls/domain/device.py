"""Devices, their channels, and where they were when."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Placement(StrEnum):
    """What a soil probe sits in, or how an air probe is mounted."""

    ROOT_BALL = "root_ball"
    BALL_EDGE = "ball_edge"
    PLANTING_PIT = "planting_pit"
    NATIVE_SOIL = "native_soil"
    SUBSTRATE = "substrate"
    SHIELDED = "shielded"
    UNSHIELDED = "unshielded"


@dataclass(frozen=True, slots=True)
class Channel:
    """One thing a device measures.

    Parameters
    ----------
    name : str
        The profile's name for it, unique within the device.
    quantity : str
        Name in `gruenpuls.domain.quantity.QUANTITIES`.
    depth : float or None
        Below ground [cm].
    height : float or None
        Above ground [m].
    placement : Placement or None
    """

    name: str
    quantity: str
    depth: float | None = None
    height: float | None = None
    placement: Placement | None = None


@dataclass(frozen=True, slots=True)
class Device:
    """A sensor node as registered; keys are never stored.

    Parameters
    ----------
    key : str
        DevEUI in lower-case hexadecimal without separators, or the topic id of a plain MQTT device.
    profile : str
        Name of its device profile, such as ``"elsys-ems"``.
    name : str
    channels : tuple of Channel
        Where each of its probes sits; a channel not named here takes the profile's defaults.
    """

    key: str
    profile: str
    name: str = ""
    channels: tuple[Channel, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Deployment:
    """A device at a site, from one moment to another.

    Parameters
    ----------
    device, site : str
        Their keys.
    from_at : datetime
        Aware UTC.
    to_at : datetime or None
        Aware UTC, exclusive; None while it lasts.
    """

    device: str
    site: str
    from_at: datetime
    to_at: datetime | None = None
