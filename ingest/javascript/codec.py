"""A codec, and what it makes of a payload."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

import msgspec

from device_profiles.profile import Profile
from device_profiles.sheet import Script


class Payload(NamedTuple):
    """What a codec is given of an uplink.

    Parameters
    ----------
    data : bytes
    port : int or None
        LoRaWAN fPort.
    received_at : datetime
        Aware UTC; the codec's clock stands there.
    """

    data: bytes
    port: int | None
    received_at: datetime


class Fault(StrEnum):
    """Why a codec gave nothing."""

    REFUSED = "refused"
    """It says itself that it does not understand the payload."""
    BROKE = "broke"
    """It threw an error, could not be loaded, or gave what is no JSON object."""
    STOPPED = "stopped"
    """It took too long or too much memory, or its process ended."""
    QUARANTINED = "quarantined"
    """It was stopped too often and is not run for a while."""
    UNAVAILABLE = "unavailable"
    """No process can be started; no fault of the codec."""


class CodecError(Exception):
    """A codec gave nothing for a payload.

    Parameters
    ----------
    fault : Fault
    detail : str
        For a person; in the codec's own words where it had some.
    """

    def __init__(self, fault: Fault, detail: str) -> None:
        super().__init__(fault, detail)
        self.fault = fault
        self.detail = detail

    def __str__(self) -> str:
        return self.detail


@dataclass(frozen=True)
class Codec:
    """A JavaScript codec and how it is to be run.

    Parameters
    ----------
    source : str
    digest : str
        SHA-256 of the source in UTF-8.
    variables : tuple of (str, str)
        What it is given as `variables`, such as calibration constants.
    fresh : bool
        Whether it gets a new context for every message, because it keeps state.
    """

    source: str
    digest: str
    variables: tuple[tuple[str, str], ...] = ()
    fresh: bool = False

    @classmethod
    def of(cls, source: str, *, fresh: bool = False, variables: tuple[tuple[str, str], ...] = ()) -> Codec:
        """Return a codec by its source alone."""
        return cls(source, hashlib.sha256(source.encode()).hexdigest(), variables, fresh)

    @classmethod
    def of_profile(cls, profile: Profile) -> Codec:
        """Return the codec of a profile whose decoder is one.

        Raises
        ------
        TypeError
            If the profile's decoder is another.
        """
        script = profile.sheet.decoder
        if not isinstance(script, Script):
            message = f"{profile.name} is decoded by {profile.decoder}, not by JavaScript"
            raise TypeError(message)
        return cls(profile.script, script.sha256, tuple(sorted(script.variables.items())), script.fresh)

    @cached_property
    def key(self) -> bytes:
        """What its context is known by: SHA-256 of what makes it another."""
        return hashlib.sha256(msgspec.json.encode((self.digest, self.variables, self.fresh))).digest()
