"""Messages on their way from the source to readings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import msgspec


class RawMessage(msgspec.Struct, frozen=True, gc=False):
    """A message exactly as it came, before anybody tried to understand it.

    Parameters
    ----------
    source : str
        Name of the configured source.
    topic : str
        MQTT topic, or path of the webhook.
    received_at : datetime
        Aware UTC, when the collector took it.
    payload : bytes
    """

    source: str
    topic: str
    received_at: datetime
    payload: bytes


class JournalEntry(msgspec.Struct, frozen=True, gc=False):
    """A raw message at its place in the journal; offsets increase and are never reused."""

    offset: int
    message: RawMessage


class TimeSource(StrEnum):
    """Whose clock `Uplink.measured_at` is from, best first."""

    DEVICE = "device"
    GATEWAY = "gateway"
    NETWORK = "network"
    JOURNAL = "journal"


class Radio(msgspec.Struct, frozen=True, gc=False):
    """How well the message was heard, by the gateway that heard it best.

    Parameters
    ----------
    gateways : int
        How many heard it.
    rssi : float or None
        [dBm].
    snr : float or None
        [dB].
    spreading_factor : int or None
    heard_by : tuple of str
        The gateways' ids, where the network says them.
    """

    gateways: int = 0
    rssi: float | None = None
    snr: float | None = None
    spreading_factor: int | None = None
    heard_by: tuple[str, ...] = ()


class Uplink(msgspec.Struct, frozen=True, gc=False):
    """What every network's message says alike.

    Parameters
    ----------
    network : str
        Which envelope it came in, such as ``"chirpstack_v4"``.
    device : str
        DevEUI in lower-case hexadecimal without separators, or a plain device's topic id.
    payload : bytes
        The application payload, decrypted; empty where only `decoded` came.
    port : int or None
        LoRaWAN fPort.
    frame_counter : int or None
        LoRaWAN fCntUp.
    measured_at : datetime
        Aware UTC; the earliest gateway time where there is one.
    time_source : TimeSource
    frame : bytes or None
        The radio frame with its integrity code.
    deduplication_id : str or None
        The network's own word for "the same uplink".
    session : str or None
        What changes when the counter starts anew: DevAddr or session key id.
    decoded : bytes or None
        The network's own decoded values, JSON as it came.
    radio : Radio
    """

    network: str
    device: str
    payload: bytes
    port: int | None
    frame_counter: int | None
    measured_at: datetime
    time_source: TimeSource
    frame: bytes | None = None
    deduplication_id: str | None = None
    session: str | None = None
    decoded: bytes | None = None
    radio: Radio = Radio()


class DeadLetterReason(StrEnum):
    """Why a message became no reading; each has one remedy."""

    UNREADABLE = "unreadable"
    """Not JSON, not a known envelope, or a field of the wrong kind."""
    NOT_AN_UPLINK = "not_an_uplink"
    """A join, status, acknowledgement or log event of a network."""
    UNKNOWN_DEVICE = "unknown_device"
    """Nobody has registered it."""
    UNKNOWN_PROFILE = "unknown_profile"
    """It is registered with a profile that is not installed."""
    NOT_A_MEASUREMENT = "not_a_measurement"
    """The device's own settings or status frame."""
    REFUSED = "refused"
    """The profile does not understand the payload."""
    IMPLAUSIBLE_TIME = "implausible_time"
    """Measured further in the future than any clock error."""
    DECODER_FAILED = "decoder_failed"
    """The decoder broke or was stopped; a fault of ours or of an imported codec."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that became no reading, with the reason; the message itself stays in the journal.

    Parameters
    ----------
    offset : int
        Where the journal has it.
    reason : DeadLetterReason
    detail : str
        What exactly was wrong, for a person.
    source, topic : str
    device : str or None
        Where it could be told.
    received_at : datetime
        Aware UTC.
    """

    offset: int
    reason: DeadLetterReason
    detail: str
    source: str
    topic: str
    device: str | None
    received_at: datetime
